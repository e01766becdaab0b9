"""Sets a portfolio's limits, unless they contradict themselves or what there is."""

from __future__ import annotations

from trading.domain.errors import InvalidInput
from trading.domain.risk.contradictions import contradictions_with
from trading.domain.risk.limits import RiskLimits
from trading.ports import Desk


def set_limits(desk: Desk, portfolio_id: str, wanted: RiskLimits) -> RiskLimits:
    """Replace the limits and return them with their version; the same ones again change nothing.

    Raises NotFound for the portfolio, InvalidInput for limits that no instrument fits,
    ConcurrentUpdate.
    """
    account = desk.books.account(portfolio_id)
    instruments = desk.market.instruments()
    for field, why in contradictions_with(wanted, instruments, account.base_currency):
        raise InvalidInput(field, why)
    stored = desk.risk.limits(portfolio_id)
    wanted = wanted.model_copy(update={"version": stored.version})
    if wanted != stored or stored.version == 0:
        wanted = wanted.model_copy(update={"version": stored.version + 1})
        desk.risk.put_limits(portfolio_id, wanted, stored.version)
    return wanted
