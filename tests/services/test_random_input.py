"""Good requests with something wrong in them: refused by a problem document, and nothing broken.

The same ones at every run; ``make fuzz`` tries others, and more of them.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.test_access import BODIES, ROUTES, ids
from tests.support.aws import ROOT
from tests.support.floor import call, good

__all__ = ["ids"]
DOCUMENT = json.loads((ROOT / "docs/openapi.json").read_text())
NASTY: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**12, 10**40, 5e-324, 1e300, "", " ", "0", "-1", "1e9", "NaN",
    "Infinity", "\u0661", "\u0000", "\u202e", "a" * 300, "ACME", "main", "2026-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "2026-02-30T00:00:00Z", "../x", "%2e",
    [], [[]], {}, {"": {}}, ["ACME", "ACME"], "ord_" + "0" * 32, "'; --", "PORTFOLIO#main",
]  # fmt: skip
USUAL = {"{pid}": "main", "{symbol}": "ACME", "{name}": "ma_cross", "{id}": "ID"}
TEXT = st.text(max_size=9)
VALUES = st.sampled_from(NASTY) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def schema_of(name: str) -> dict[str, Any]:
    """The fields that a component knows."""
    fields: dict[str, Any] = DOCUMENT["components"]["schemas"][name].get("properties", {})
    return fields


def operation(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method]
    return found


def fields_of(method: str, path: str) -> list[str]:
    """The names that an operation's body may have."""
    body = operation(method, path).get("requestBody")
    if body is None:
        return []
    reference = body["content"]["application/json"]["schema"].get("$ref", "")
    return sorted(schema_of(reference.rpartition("/")[2])) if reference else []


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a JSON value, the whole included."""
    yield here
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for name, each in inner:
        yield from places(each, (*here, name))


def changed(value: Any, place: tuple[Any, ...], new: Any, *, drop: bool) -> Any:
    """A copy with something else at a place, or nothing."""
    if not place:
        return new
    whole = copy.deepcopy(value)
    at = whole
    for step in place[:-1]:
        at = at[step]
    if drop:
        del at[place[-1]]
    else:
        at[place[-1]] = new
    return whole


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A request that one change, or two, have kept from being good."""
    method, path, _ = draw(st.sampled_from(ROUTES))
    body = BODIES.get(f"{method} {path}")
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2])) if body is not None else 0):
        known = fields_of(method, path)
        if known and isinstance(body, dict) and draw(st.booleans()):
            body = body | {draw(st.sampled_from(known) | TEXT): draw(VALUES)}
        else:
            place = draw(st.sampled_from(list(places(body))))
            body = changed(body, place, draw(VALUES), drop=draw(st.booleans()))
    address = path
    for hole, usual in USUAL.items():
        if hole in address:
            part = draw(st.sampled_from([usual] * 9) | st.text(min_size=1, max_size=40))
            address = address.replace(hole, quote(part, safe=""))
    names = [p["name"] for p in operation(method, path).get("parameters", []) if p["in"] == "query"]
    chosen = st.sampled_from(names) if names else st.just("none")
    texts = st.text(max_size=12) | st.sampled_from([str(each) for each in NASTY])
    query = draw(st.just([]) | st.just([]) | st.lists(st.tuples(chosen, texts), max_size=2))
    asked = "&".join(f"{quote(name)}={quote(text, safe='')}" for name, text in query)
    return method, f"{address}?{asked}" if asked else address, body


def test_what_is_wrong_is_refused_by_a_problem_and_leaves_the_books_whole(
    ids: dict[str, str],
) -> None:
    numbers = itertools.count()
    answered: dict[int, int] = {}

    @settings(
        max_examples=100 * int(os.environ.get("FUZZ_CASES", "40")),
        derandomize="FUZZ_SEED" not in os.environ,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests())
    def tried(request: tuple[str, str, Any]) -> None:
        method, path, body = request
        if method == "post" and path.startswith("/risk/main/halt"):
            return  # Nothing would trade any more.
        _, first, second, *_ = [*path.split("/"), ""]
        path = path.replace("/ID", f"/{ids.get(second) or ids.get(first)}")
        answer = call(method.upper(), path, body, key=f"random-{next(numbers)}")
        answered[answer.status] = answered.get(answer.status, 0) + 1
        # Nothing here runs backtests, so that starting one waits for a dependency.
        assert answer.status < 500 or "cannot be started now" in answer.text, answer.text
        if answer.status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json["status"] == answer.status
            assert answer.json["detail"]
        if answer.status == 422 and "order-rejected" not in answer.json["type"]:
            assert all(error["field"] and error["message"] for error in answer.json["errors"])

    tried()
    assert good("POST", "/orders/reconcile", {})["differences"] == []
    print(dict(sorted(answered.items())))
    assert sum(n for status, n in answered.items() if status >= 400) > 1000
    assert sum(n for status, n in answered.items() if status < 300) > 300
