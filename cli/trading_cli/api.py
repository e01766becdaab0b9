"""The platform's HTTPS API, as a client sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import httpx

from trading_cli.errors import UserError

PAGE = 100


class ApiError(UserError):
    """The API refused a request; the message is its problem document's."""


class Api:
    """Calls the API with a key. Numbers in answers are read as exact decimals."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url
        local = url.startswith("http://127.0.0.1")
        self._client = httpx.Client(
            base_url=url,
            headers={"X-TRADING-API-KEY": key} if key else {},
            timeout=60,
            transport=httpx.HTTPTransport(retries=3),
            trust_env=not local,
        )

    def __enter__(self) -> Self:
        """Use it as a context, closing its connections at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, **params: Any) -> Any:
        """Read something. Raises ApiError unless the answer is a success."""
        return self._call("GET", path, params={k: v for k, v in params.items() if v is not None})

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Write something by its name. Raises ApiError."""
        return self._call("PUT", path, json=body)

    def post(self, path: str, body: Mapping[str, Any], repeat_key: str | None = None) -> Any:
        """Create or move something; ``repeat_key`` makes a repeat harmless. Raises ApiError."""
        headers = {"Idempotency-Key": repeat_key} if repeat_key else {}
        return self._call("POST", path, json=body, headers=headers)

    def each(self, path: str, **params: Any) -> Iterator[Any]:
        """Read a list to its end, newest first. Raises ApiError."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=PAGE, cursor=cursor, **params)
            yield from page["items"]
            cursor = page.get("cursor")
            if not cursor:
                return

    def _call(self, method: str, path: str, **request: Any) -> Any:
        """Send one request and read its answer."""
        answer = self._client.request(method, path, **request)
        if answer.is_success:
            return json.loads(answer.text, parse_float=Decimal) if answer.content else None
        raise ApiError(f"{method} {path} answered {answer.status_code}: {_detail(answer)}")


def _detail(answer: httpx.Response) -> str:
    """Say what a refusal says."""
    try:
        problem = answer.json()
    except ValueError:
        return answer.text[:500]
    if not isinstance(problem, dict):
        return answer.text[:500]
    fields = "; ".join(str(error) for error in problem.get("errors") or [])
    said = problem.get("detail") or problem.get("title") or problem.get("message") or problem
    return f"{said} {fields}".strip()
