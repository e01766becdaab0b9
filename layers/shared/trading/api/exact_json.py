"""Reading JSON so that nothing is lost, guessed or blown up on the way in."""

from __future__ import annotations

import json
from decimal import Decimal, DecimalException
from typing import Any, NoReturn

from trading.api.problems import MalformedBody

MAX_DEPTH = 20
# Beyond these no field of ours has a meaning, and arithmetic on such numbers gets slow.
_MAX_EXPONENT = 400


def parse(body: bytes) -> Any:
    """Parse a JSON body; numbers with a fraction or exponent become ``Decimal``.

    Raises MalformedBody for what is not JSON (NaN and Infinity are not), for a name that appears
    twice in one object, for nesting deeper than ``MAX_DEPTH`` and for text that is not Unicode.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_float=_exact_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_names,
        )
    except RecursionError as error:
        raise MalformedBody(f"must not nest deeper than {MAX_DEPTH} levels") from error
    except json.JSONDecodeError as error:
        raise MalformedBody(f"not JSON at character {error.pos}: {error.msg}") from error
    except ValueError as error:
        raise MalformedBody("not JSON: text must be UTF-8 and numbers of sensible size") from error
    _check(value)
    return value


def _exact_number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except DecimalException as error:
        raise MalformedBody("a number is out of range") from error
    if not number.is_finite() or abs(number.adjusted()) > _MAX_EXPONENT:
        raise MalformedBody("a number is out of range")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedBody(f"{name} is not a JSON number")


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse repeated names: which one counts differs between readers."""
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise MalformedBody("a name appears twice in one object")
    return unique


def _check(root: Any) -> None:
    """Check depth and text without recursing."""
    level, depth = [root], 0
    while level:
        containers = [value for value in level if isinstance(value, dict | list)]
        depth += bool(containers)
        if depth > MAX_DEPTH:
            raise MalformedBody(f"must not nest deeper than {MAX_DEPTH} levels")
        for text in level:
            if isinstance(text, str) and not text.isascii():
                _check_unicode(text)
        level = []
        for container in containers:
            if isinstance(container, dict):
                level.extend(container)
                level.extend(container.values())
            else:
                level.extend(container)


def _check_unicode(text: str) -> None:
    r"""Refuse half of a surrogate pair (``\ud800``), which no answer or table could hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedBody("a text holds half of a surrogate pair") from error
