"""The one document of all services."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.aws import ROOT
from trading.api import openapi


@pytest.fixture(scope="module")
def document() -> openapi.Document:
    return openapi.merged(openapi.applications(ROOT / "functions"))


def test_the_document_in_the_repository_is_current() -> None:
    options = ["--functions", str(ROOT / "functions"), "--out", str(ROOT / "docs/openapi.json")]
    assert openapi.main([*options, "--check"]) == 0, "run python -m trading.api.openapi"


def test_every_operation_but_health_needs_a_key_and_names_its_scope(
    document: openapi.Document,
) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            public = path.endswith("/health")
            assert ("x-required-scope" in operation) is not public, f"{method} {path}"


def test_every_reference_in_the_document_leads_somewhere(document: openapi.Document) -> None:
    def references(value: object) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    schemas = document["components"]["schemas"]
    assert {r.rpartition("/")[2] for r in references(document)} <= schemas.keys()


def test_bounds_are_stated_in_words_of_json_schema(document: openapi.Document) -> None:
    def stray(value: Any) -> Iterator[Any]:
        if isinstance(value, dict):
            yield from ({"ge", "gt", "le", "lt"} & value.keys())
            for inner in value.values():
                yield from stray(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from stray(inner)

    assert list(stray(document["components"])) == []


def test_operation_ids_are_unique(document: openapi.Document) -> None:
    ids = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert len(ids) == len(set(ids))


def test_two_services_with_the_same_path_are_refused() -> None:
    from tests.api.demo import app

    with pytest.raises(ValueError, match="/things"):
        openapi.merged([app, app])
