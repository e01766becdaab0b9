"""Does one thing for many portfolios, none of which holds up the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from trading.domain.errors import NotFound, TradingError
from trading.ports import Desk

logger = logging.getLogger(__name__)


def each_portfolio(
    desk: Desk, portfolio_ids: Sequence[str] | None, act: Callable[[str], None]
) -> int:
    """Call ``act`` for portfolios (None: all of them); returns how many of them do not exist.

    One that fails is logged, the others go on, and the first failure is raised in the end.
    """
    wanted = desk.portfolios.ids() if portfolio_ids is None else portfolio_ids
    return each(wanted, act, "portfolio")


def each(names: Iterable[str], act: Callable[[str], None], kind: str) -> int:
    """Call ``act`` for every name; returns how many are no ``kind`` that exists.

    Raises the first failure once every name had its turn.
    """
    unknown, first = 0, None
    for name in names:
        try:
            act(name)
        except TradingError as error:
            if isinstance(error, NotFound) and (error.kind, error.identifier) == (kind, name):
                unknown += 1
                logger.warning(error.detail)
                continue
            logger.exception("left out", extra={kind: name, "why": error.detail})
            first = first or error
    if first is not None:
        raise first
    return unknown
