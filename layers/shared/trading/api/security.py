"""Who is calling, as the gateway's authorizer established it; nothing else is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, SecurityScopes

from trading.api.gateway import gateway_of
from trading.domain.errors import Forbidden, NotFound, Unauthenticated

_header = APIKeyHeader(
    name="X-TRADING-API-KEY",
    scheme_name="ApiKey",
    description="A key from POST /keys; the scopes that an operation needs are listed with it.",
    auto_error=False,
)


@dataclass(frozen=True)
class Caller:
    """The holder of a key. ``portfolios`` is None for a key that is not bound to any."""

    key_id: str
    scopes: frozenset[str]
    portfolios: frozenset[str] | None

    def check_scope(self, scope: str) -> None:
        """Raise Forbidden unless the key has the scope."""
        if scope not in self.scopes:
            raise Forbidden(f"the key lacks the scope {scope}")

    def check_portfolio(self, portfolio_id: str) -> None:
        """Raise Forbidden unless the key is unbound or bound to this portfolio."""
        if self.portfolios is not None and portfolio_id not in self.portfolios:
            raise Forbidden(f"the key is not bound to the portfolio '{portfolio_id}'")

    def check_owns(self, portfolio_id: str, kind: str, identifier: str) -> None:
        """Raise NotFound for a thing of a portfolio that the key is not bound to.

        Whoever may not see it does not learn from an id that it exists.
        """
        if self.portfolios is not None and portfolio_id not in self.portfolios:
            raise NotFound(kind, identifier)


def caller_of(request: Request) -> Caller:
    """Read the caller from the authorizer's context. Raises Unauthenticated if there is none."""
    gateway = gateway_of(request.scope)
    key_id = gateway.key_id
    scopes, portfolios = (gateway.authorizer.get(k) for k in ("scopes", "portfolios"))
    if not (key_id and isinstance(scopes, str) and isinstance(portfolios, str) and portfolios):
        raise Unauthenticated("send a valid key in the header X-TRADING-API-KEY")
    bound = None if portfolios == "*" else frozenset(portfolios.split(","))
    return Caller(key_id, frozenset(scopes.split()), bound)


async def _caller(request: Request) -> Caller:
    """Give a route its caller (async, so that no thread is started for it)."""
    return caller_of(request)


CallerDep = Annotated[Caller, Depends(_caller)]
"""A route's parameter of this type is its caller."""


async def _authorize(
    needed: SecurityScopes, caller: CallerDep, _key: Annotated[str | None, Security(_header)]
) -> None:
    for scope in needed.scopes:
        caller.check_scope(scope)


def requires(scope: str) -> Any:
    """Return a dependency that lets only callers with the scope pass; OpenAPI shows it too."""
    return Security(_authorize, scopes=[scope])
