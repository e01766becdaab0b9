"""Runs backtests: the composition root of the in-memory desk, the use cases and the fast gear."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import cast

from trading.adapters.memory.desk import MemoryDesk
from trading.adapters.memory.market import MemoryMarket
from trading.domain.backtest import BacktestConfig, Gear
from trading.domain.books import BookChange
from trading.domain.errors import InvalidInput
from trading.domain.ledger import LedgerTransaction, TransactionKind
from trading.domain.money import ZERO
from trading.domain.movement import HoldingsUpdate, moved
from trading.domain.order import Fill, Order, OrderType, Side
from trading.domain.position import Position
from trading.domain.risk.equity_marks import observed
from trading.ports import Desk
from trading.quant.simulation.curve import Flow, curve_of
from trading.quant.simulation.fills import FillColumns, FillRecord, Reason
from trading.quant.simulation.funding import Charge, charges_of, flow_of
from trading.quant.simulation.kernel import OutOfRange, curve, refuses, simulate
from trading.quant.simulation.market import Market
from trading.quant.simulation.result import BacktestResult
from trading.quant.simulation.scoring import score_market
from trading.quant.strategies.scored import Scored
from trading.usecases.replay_history import History, Progress, replay_history


def run_backtest(
    config: BacktestConfig,
    market: Market,
    progress: Progress | None = None,
    *,
    says: dict[str, Scored] | None = None,
    every_bar: bool = False,
) -> BacktestResult:
    """Run a configuration on a market, cut to its start and end.

    ``says`` are the strategy's scores on that market, where they are known already. With
    ``every_bar`` the reference gear passes over no bar. Raises InvalidInput naming what is wrong
    with the configuration, StrategyFailed for what the strategy does wrong.
    """
    _check(config, market)
    market = market.between(config.start, config.end)
    scores = says if says is not None else score_market(config, market)
    why = refuses(config, scores) if config.gear is not Gear.REFERENCE else None
    if config.gear is Gear.FAST and why is not None:
        raise InvalidInput("gear", f"the fast gear does not cover: {why}; use auto")
    if config.gear is not Gear.REFERENCE and why is None and not every_bar:
        try:
            return _fast(config, market, scores, progress)
        except OutOfRange as error:
            why = str(error)
    return replace(_reference(config, market, scores, progress, every_bar), why_reference=why)


def _fast(
    config: BacktestConfig, market: Market, says: dict[str, Scored], progress: Progress | None
) -> BacktestResult:
    """Run the compiled twin of the platform's decisions. Raises OutOfRange."""
    (symbol,) = market.symbols
    fills, cash, held = simulate(config, market, says[symbol])
    if progress is not None:
        progress(len(market.times), len(market.times))
    return BacktestResult(
        config=config,
        gear=Gear.FAST,
        fills=fills,
        final_cash=cash,
        final_positions={symbol: held} if held else {},
        **curve(market, fills, float(config.cash))._asdict(),
    )


def check_config(config: BacktestConfig) -> None:
    """Raise InvalidInput for a configuration that no candles could make right."""
    for symbol in config.symbols:
        instrument = config.instruments.get(symbol)
        if instrument is None:
            raise InvalidInput(f"instruments.{symbol}", "is missing")
        if instrument.symbol != symbol:
            raise InvalidInput(f"instruments.{symbol}.symbol", f"must be '{symbol}'")
        if instrument.quote_currency != config.base_currency:
            raise InvalidInput(
                f"instruments.{symbol}.quote_currency",
                f"'{symbol}' is quoted in {instrument.quote_currency}, and must be in"
                f" {config.base_currency}",
            )
    for name in ("max_var_percent", "max_cvar_percent", "max_volatility_percent"):
        if getattr(config.limits, name) is not None:
            raise InvalidInput(f"limits.{name}", "is not measured in a backtest; leave it out")


def _check(config: BacktestConfig, market: Market) -> None:
    """Raise InvalidInput for a configuration that does not fit the market or itself."""
    if tuple(sorted(config.symbols)) != market.symbols:
        given, wanted = ", ".join(market.symbols), ", ".join(sorted(config.symbols))
        raise InvalidInput("symbols", f"are {wanted}, and there are candles of {given}")
    if config.timeframe != market.timeframe:
        raise InvalidInput(
            "timeframe", f"is {config.timeframe}, and the candles are of {market.timeframe}"
        )
    check_config(config)
    if config.data_hash is not None and config.data_hash != market.data_hash:
        raise InvalidInput(
            "data_hash", f"names other candles than these, whose hash is {market.data_hash}"
        )


def _reference(
    config: BacktestConfig,
    market: Market,
    says: dict[str, Scored],
    progress: Progress | None,
    every_bar: bool,
) -> BacktestResult:
    """Run the platform's own use cases over the past."""
    import numpy as np

    shown = MemoryMarket(market, config.instruments)
    desk = _opened(config, market, shown)
    charges = charges_of(config, market)
    log = _Log(desk, charges)
    history = History(
        cast(Desk, desk),
        shown.show,
        lambda signal: desk.signals.newest.update({signal.symbol: signal}),
        log.after,
    )
    replay_history(
        history,
        desk.books.owner.portfolio_id,
        config,
        market,
        says,
        progress,
        every_bar=every_bar,
        at_steps=np.array(sorted(charges), np.int64) if charges else None,
    )
    fills = FillColumns.of(market.symbols, log.records)
    curve = curve_of(market, fills, float(config.cash), log.flows)
    books = desk.books
    return BacktestResult(
        config=config,
        gear=Gear.REFERENCE,
        fills=fills,
        final_cash=books.owner.cash_in(config.base_currency),
        final_positions=_held(books.positions),
        rejected=dict(sorted(books.rejected.items())),
        ledger=tuple(books.ledger),
        **curve._asdict(),
    )


def _opened(config: BacktestConfig, market: Market, shown: MemoryMarket) -> MemoryDesk:
    """A desk with the cash in its books, and losses measured from there."""
    began = market.candle(*_first(market)).time
    desk = MemoryDesk(config.account(now=began), config.limits, shown)
    _deposit(desk, config)
    if config.limits.needs_marks:
        portfolio = desk.books.portfolio(desk.books.owner.portfolio_id)
        desk.books.marks = observed(None, portfolio, began.date())
    return desk


@dataclass
class _Log:
    """What came of each step: its fills, and the funding that fell due on it."""

    desk: MemoryDesk
    charges: dict[int, list[Charge]]
    records: list[FillRecord] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)

    def after(self, step: int) -> None:
        """Note a step's fills, then book what holding costs."""
        done = self.desk.books.done
        self.records.extend(_record(step, *one) for one in done[len(self.records) :])
        for charge in self.charges.get(step, ()):
            transaction = _charge(self.desk, charge)
            if transaction is not None:
                self.flows.append(flow_of(step, transaction))


def _held(positions: dict[str, Position]) -> dict[str, Decimal]:
    """What is held at the end, by symbol."""
    return {s: p.quantity for s, p in sorted(positions.items()) if p.quantity}


def _first(market: Market) -> tuple[str, int]:
    """The symbol whose first bar is the oldest."""
    return min(market.symbols, key=lambda s: float(market.candles[s].time[0])), 0


def _deposit(desk: MemoryDesk, config: BacktestConfig) -> None:
    """Put the cash in, as the ledger's first transaction."""
    if config.cash == ZERO:
        return
    update = HoldingsUpdate(
        kind=TransactionKind.DEPOSIT,
        cause="backtest:cash",
        currency=config.base_currency,
        amount=config.cash,
    )
    desk.books.commit(_booked(desk, update))
    capital = {config.base_currency: config.cash}
    desk.books.owner = desk.books.owner.model_copy(update={"opening_cash": capital})


def _booked(desk: MemoryDesk, update: HoldingsUpdate) -> BookChange:
    """A movement as a change of the books as they stand."""
    books = desk.books
    now = books.now(books.owner)
    instrument = desk.market.get_instrument(update.symbol) if update.symbol else None
    portfolio = books.portfolio(books.owner.portfolio_id)
    return moved(portfolio, update, instrument, now, now, "backtest")


def _charge(desk: MemoryDesk, charge: Charge) -> LedgerTransaction | None:
    """Book what holding a symbol brought or cost; None where nothing was held."""
    held = desk.books.positions.get(charge.symbol)
    price = desk.market.price(charge.symbol)
    if held is None or price is None or not held.quantity:
        return None
    amount = charge.amount(held.quantity, price.price)
    if not amount:
        return None
    update = HoldingsUpdate(
        kind=TransactionKind.FUNDING,
        cause=charge.cause,
        currency=held.currency,
        symbol=charge.symbol,
        amount=amount,
    )
    change = _booked(desk, update)
    desk.books.commit(change)
    return change.transaction


def _record(step: int, fill: Fill, order: Order, before: Position, after: Position) -> FillRecord:
    """A fill in a backtest's terms."""
    return FillRecord(
        step=step,
        time=fill.time,
        symbol=fill.symbol,
        quantity=fill.quantity if fill.side is Side.BUY else -fill.quantity,
        price=fill.price,
        fee=fill.fee,
        reason=_reason(order, before, after),
    )


def _reason(order: Order, before: Position, after: Position) -> Reason:
    """Why a fill happened: a bracket's exit, or what it did to the holding."""
    if order.parent_id is not None:
        return Reason.TAKE_PROFIT if order.type is OrderType.LIMIT else Reason.STOP_LOSS
    if before.quantity * after.quantity < ZERO:
        return Reason.FLIP
    return Reason.ENTRY if abs(after.quantity) > abs(before.quantity) else Reason.EXIT
