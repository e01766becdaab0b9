"""All services' routes as one OpenAPI 3.1 document.

``python -m trading.api.openapi`` writes ``docs/openapi.json``; with ``--check`` it only tells,
by its exit status, whether that file is current.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from trading.api.problems import MEDIA_TYPE
from trading.schemas.problem import Problem

REFERENCE = "#/components/schemas/{model}"
METHODS = ("get", "put", "post", "delete", "patch")
DESCRIPTION = (
    "Send an API key in the header X-TRADING-API-KEY. Amounts are exact decimals, written as"
    " strings; times are UTC. Errors are problem documents (RFC 9457)."
)

Document = dict[str, Any]


def applications(functions: Path) -> Iterator[FastAPI]:
    """Import ``<functions>/<service>/handler.py`` of every service and give its ``app``."""
    if str(functions) not in sys.path:
        sys.path.insert(0, str(functions))
    for handler in sorted(functions.glob("*/handler.py")):
        app = getattr(importlib.import_module(f"{handler.parent.name}.handler"), "app", None)
        if isinstance(app, FastAPI):
            yield app


def merged(apps: Iterable[FastAPI]) -> Document:
    """Merge the applications' documents.

    Raises ValueError when two services claim the same path, or give one name to two schemas.
    """
    document: Document = {
        "openapi": "3.1.0",
        "info": {"title": "Trading platform", "version": "0.1.0", "description": DESCRIPTION},
        "paths": {},
        "components": {"schemas": _problem_schemas(), "securitySchemes": {}},
    }
    tags = []
    for app in apps:
        part = app.openapi()
        tags.append({"name": app.state.service, "description": app.title})
        _add(document["paths"], part["paths"], "path")
        for kind, components in part.get("components", {}).items():
            _add(document["components"].setdefault(kind, {}), components, kind, same_ok=True)
    for operations in document["paths"].values():
        _name_scopes(operations)
        _errors_are_problems(operations)
        _say_what_the_gateway_answers(operations)
    return document | {"tags": tags}


def _problem_schemas() -> Document:
    """Return the schema of errors, to which every operation refers."""
    schema = Problem.model_json_schema(ref_template=REFERENCE)
    parts: Document = schema.pop("$defs", {})
    return {**parts, Problem.__name__: schema}


def _add(target: Document, more: Document, what: str, *, same_ok: bool = False) -> None:
    """Add entries, refusing two different ones under one name."""
    for name, value in more.items():
        if name in target and not (same_ok and target[name] == value):
            raise ValueError(f"two services define the {what} '{name}'")
        target[name] = value


def _name_scopes(operations: Document) -> None:
    """State the scopes of an operation in a field of their own too, where readers look."""
    for method in METHODS:
        operation = operations.get(method, {})
        scopes = [s for need in operation.get("security", []) for s in need.get("ApiKey", [])]
        if scopes:
            operation["x-required-scope"] = " ".join(scopes)


def _errors_are_problems(operations: Document) -> None:
    """Take back that an error whose model is named could come as plain JSON too."""
    for method in METHODS:
        for response in operations.get(method, {}).get("responses", {}).values():
            if MEDIA_TYPE in response.get("content", {}):
                response["content"].pop("application/json", None)


_AT_THE_GATEWAY: Document = {
    "type": "object",
    # It spells the name both ways, by what it refuses.
    "properties": {"message": {"type": "string"}, "Message": {"type": "string"}},
    "minProperties": 1,
}


def _say_what_the_gateway_answers(operations: Document) -> None:
    """Add the answers to a key that is not valid: API Gateway's own, or a problem document."""
    for method in METHODS:
        operation = operations.get(method, {})
        if "x-required-scope" not in operation:
            continue
        problem = operation["responses"]["default"]["content"]
        content = {**problem, "application/json": {"schema": _AT_THE_GATEWAY}}
        for status, said in (("401", "No valid key."), ("403", "The key does not allow this.")):
            operation["responses"].setdefault(status, {"description": said, "content": content})


def text(functions: Path) -> str:
    """Return the merged document as it is kept in the repository."""
    return json.dumps(merged(applications(functions)), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the document, or check that it is current. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m trading.api.openapi", description=__doc__)
    parser.add_argument("--functions", type=Path, default=Path("functions"))
    parser.add_argument("--out", type=Path, default=Path("docs/openapi.json"))
    parser.add_argument("--check", action="store_true", help="only tell whether it is current")
    options = parser.parse_args(arguments)
    current = text(options.functions.resolve())
    if not options.check:
        options.out.write_text(current, encoding="utf-8")
        return 0
    if options.out.is_file() and options.out.read_text(encoding="utf-8") == current:
        return 0
    print(f"{options.out} is not current; run python -m trading.api.openapi", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
