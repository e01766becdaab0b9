"""Calling a handler as API Gateway does."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from trading.auth.scopes import SCOPES

ALL_SCOPES = tuple(sorted(SCOPES))


class Context:
    """What of Lambda's context the code may use."""

    aws_request_id = "00000000-0000-4000-8000-000000000001"
    function_name = "test"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:test"

    def get_remaining_time_in_millis(self) -> int:
        return 20_000


@dataclass(frozen=True)
class Answer:
    """An answer; ``headers`` have lower-case names, ``json`` numbers with a point are exact."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text, parse_float=Decimal)

    @property
    def errors(self) -> dict[str, str]:
        """What a problem says is wrong, by field."""
        return {error["field"]: error["message"] for error in self.json["errors"]}


def proxy_event(
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    scopes: Iterable[str] | None = ALL_SCOPES,
    portfolios: Iterable[str] | None = None,
    key_id: str = "testkey",
) -> dict[str, Any]:
    """Build a REST API proxy event. ``body`` is text, or is written as JSON with exact numbers.

    ``path`` may carry a query. ``scopes=None`` leaves the authorizer's context out.
    """
    parts = urlsplit(path)
    query = parse_qs(parts.query, keep_blank_values=True)
    sent = {"Content-Type": "application/json", "Host": "api.example.test", **(headers or {})}
    context: dict[str, Any] = {
        "requestId": "req-1", "stage": "test", "identity": {"sourceIp": "203.0.113.7"},
        "httpMethod": method, "path": f"/test{parts.path}",
    }  # fmt: skip
    if scopes is not None:
        bound = "*" if portfolios is None else ",".join(portfolios)
        context["authorizer"] = {
            "principalId": key_id, "key_id": key_id, "scopes": " ".join(scopes),
            "portfolios": bound, "generation": "1",
        }  # fmt: skip
    return {
        "resource": parts.path,
        "path": parts.path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": {k: v[-1] for k, v in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": context,
        "body": body if body is None or isinstance(body, str) else json.dumps(body, default=str),
        "isBase64Encoded": False,
    }


def invoke(
    handler: Callable[[dict[str, Any], Any], dict[str, Any]],
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    scopes: Iterable[str] | None = ALL_SCOPES,
    portfolios: Iterable[str] | None = None,
    key_id: str = "testkey",
) -> Answer:
    """Call a handler; the arguments are those of ``proxy_event``."""
    event = proxy_event(method, path, body, headers, scopes, portfolios, key_id)
    answer = handler(event, Context())
    assert answer["isBase64Encoded"] is False
    single = {name.lower(): value for name, value in answer["headers"].items()}
    multiple = {n.lower(): ", ".join(v) for n, v in answer["multiValueHeaders"].items()}
    return Answer(answer["statusCode"], single | multiple, answer["body"])
