"""What a portfolio is exposed to: by symbol, by what made it trade, and in all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from trading.domain.attribution import sources_of
from trading.domain.money import ZERO, average, storable
from trading.domain.portfolio import Portfolio, TradingState
from trading.domain.position import Position
from trading.domain.value import Value


class SymbolExposure(Value):
    """One holding in the base currency; ``market_value`` is negative for a short."""

    symbol: str
    quantity: Decimal
    market_value: Decimal
    resting_buys: Decimal
    percent_of_equity: Decimal


class SourceExposure(Value):
    """What one strategy or other source holds, in the base currency, over all symbols."""

    source: str
    long: Decimal
    short: Decimal
    net: Decimal


class ExposureSnapshot(Value):
    """A portfolio's exposure at a moment of its clock, in its base currency.

    ``gross`` is ``long`` plus ``short`` (both positive), ``net`` their difference, ``leverage``
    gross over equity; ``resting_buys`` is what resting buy orders would add.
    """

    portfolio_id: str
    time: datetime
    equity: Decimal
    long: Decimal
    short: Decimal
    gross: Decimal
    net: Decimal
    leverage: Decimal
    resting_buys: Decimal
    trading_state: TradingState
    symbols: tuple[SymbolExposure, ...]
    sources: tuple[SourceExposure, ...]


def measure_exposure(portfolio: Portfolio, now: datetime) -> ExposureSnapshot:
    """Measure a portfolio at its latest prices. Raises MissingRate for a currency without one."""
    held = [p for _, p in sorted(portfolio.positions.items()) if p.quantity or p.reserved_notional]
    lines = [_line(portfolio, position) for position in held]
    values = [line.market_value for line in lines]
    long, short = _sides(values)
    equity = portfolio.equity
    return ExposureSnapshot(
        portfolio_id=portfolio.account.portfolio_id,
        time=now,
        equity=storable(equity),
        long=storable(long),
        short=storable(short),
        gross=storable(long + short),
        net=storable(long - short),
        leverage=average(long + short, equity),
        resting_buys=storable(sum((line.resting_buys for line in lines), ZERO)),
        trading_state=portfolio.account.trading_state,
        symbols=tuple(lines),
        sources=_by_source(portfolio, held),
    )


def _line(portfolio: Portfolio, position: Position) -> SymbolExposure:
    rate = portfolio.rate(position.currency)
    value = portfolio.value_of(position) * rate
    return SymbolExposure(
        symbol=position.symbol,
        quantity=position.quantity,
        market_value=storable(value),
        resting_buys=storable(position.reserved_notional * rate),
        percent_of_equity=average(value * 100, portfolio.equity),
    )


def _sides(values: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """What is held long, and what is held short as a positive number."""
    long = sum((value for value in values if value > ZERO), ZERO)
    return long, -sum((value for value in values if value < ZERO), ZERO)


def _by_source(portfolio: Portfolio, held: Sequence[Position]) -> tuple[SourceExposure, ...]:
    """Each source's part in every holding, in proportion to its units."""
    values: dict[str, list[Decimal]] = {}
    for position in held:
        sources = sources_of(position)
        total = sum(sources.values(), ZERO)
        value = portfolio.value_of(position) * portfolio.rate(position.currency)
        for source, units in sources.items():
            values.setdefault(source, []).append(average(value * units, total))
    found = []
    for source, parts in sorted(values.items()):
        long, short = _sides(parts)
        if long or short:
            found.append(SourceExposure(source=source, long=long, short=short, net=long - short))
    return tuple(found)
