"""What API Gateway and its authorizer tell of a request, beside the request itself."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Gateway:
    """A request as the gateway saw it; all empty where it did not come through a gateway.

    ``authorizer`` is what the authorizer established of the caller, and all that may be trusted.
    """

    authorizer: Mapping[str, Any]
    request_id: str | None
    extended_request_id: str | None
    source: str | None
    """The address that the request came from."""
    user_agent: str | None

    @property
    def key_id(self) -> str | None:
        """The key that let the request in; None if none did."""
        key_id = self.authorizer.get("key_id")
        return key_id if isinstance(key_id, str) and key_id else None

    @property
    def key_generation(self) -> int | None:
        """Which of the key's secrets was used, counted from 1; None if no key was."""
        return int(self.authorizer.get("generation") or 1) if self.key_id else None


def gateway_of(scope: MutableMapping[str, Any]) -> Gateway:
    """Read what the gateway told from an ASGI scope."""
    event: Mapping[str, Any] = scope.get("aws.event") or {}
    context: Mapping[str, Any] = event.get("requestContext") or {}
    identity: Mapping[str, Any] = context.get("identity") or {}
    return Gateway(
        authorizer=context.get("authorizer") or {},
        request_id=context.get("requestId"),
        extended_request_id=context.get("extendedRequestId"),
        source=identity.get("sourceIp"),
        user_agent=identity.get("userAgent"),
    )
