"""From target weights to the trades that lead there: pure planning, nothing is read or written.

Sells come first and pay for the buys. Amounts are in the portfolio's base currency unless their
name says otherwise; weights are fractions of equity.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from pydantic import Field

from trading.domain.candle import Price
from trading.domain.errors import Conflict
from trading.domain.instrument import Instrument
from trading.domain.money import ONE, ZERO
from trading.domain.order import Side
from trading.domain.portfolio import Account, Portfolio
from trading.domain.position import Position
from trading.domain.trade_costs import affordable_quantity, purchase_cost, sale_proceeds
from trading.domain.value import Value

WEIGHT_STEP = Decimal("1e-8")


class AllocationMethod(StrEnum):
    """How weights are found when none are given."""

    EQUAL = "equal"
    INVERSE_VOLATILITY = "inverse_volatility"
    MINIMUM_VARIANCE = "minimum_variance"
    RISK_PARITY = "risk_parity"


class BandKind(StrEnum):
    """What a drift band is measured in: weight, or a fraction of the target weight."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"


class RebalanceTerms(Value):
    """How a portfolio is brought to its targets.

    A symbol trades only if its weight is further than ``band`` from its target, and then all the
    way. Trades below ``min_trade`` are left. The larger of ``buffer_fraction`` of equity and
    ``buffer_amount`` stays in cash. All trades together are at most ``max_turnover`` times equity.
    """

    band: Decimal = Field(default=ZERO, ge=0)
    band_kind: BandKind = BandKind.ABSOLUTE
    min_trade: Decimal = Field(default=ZERO, ge=0)
    buffer_fraction: Decimal = Field(default=ZERO, ge=0, le=1)
    buffer_amount: Decimal = Field(default=ZERO, ge=0)
    max_turnover: Decimal | None = Field(default=None, ge=0)

    def buffer(self, equity: Decimal) -> Decimal:
        """The cash that is kept."""
        return max(self.buffer_fraction * equity, self.buffer_amount)


class Target(Value):
    """One symbol as planning sees it; ``rate`` is base currency per unit of quote currency."""

    instrument: Instrument
    mark: Price
    rate: Decimal
    held: Position
    weight: Decimal

    @property
    def symbol(self) -> str:
        """The symbol."""
        return self.instrument.symbol

    def worth(self, quantity: Decimal) -> Decimal:
        """Value of so many units at the latest price."""
        return quantity * self.mark.price * self.rate

    def drifted(self, equity: Decimal, terms: RebalanceTerms) -> bool:
        """Whether the holding has left the band around its target weight."""
        width = terms.band
        if terms.band_kind is BandKind.RELATIVE:
            width *= abs(self.weight)
        return abs(self.worth(self.held.quantity) - self.weight * equity) > width * equity


class Trade(Value):
    """One market order of a plan; ``notional`` is at the latest price."""

    target: Target
    side: Side
    quantity: Decimal

    @property
    def symbol(self) -> str:
        """The symbol."""
        return self.target.symbol

    @property
    def notional(self) -> Decimal:
        """Value at the latest price."""
        return self.target.worth(self.quantity)

    def times(self, factor: Decimal) -> Trade:
        """The same trade, smaller, in whole lots."""
        quantity = self.target.instrument.round_quantity(self.quantity * factor)
        return self.model_copy(update={"quantity": quantity})


class Plan(Value):
    """The weights aimed at, the trades that lead there, and why other symbols do not trade."""

    weights: dict[str, Decimal]
    trades: list[Trade]
    left: dict[str, str]


def plan_trades(
    portfolio: Portfolio,
    instruments: Mapping[str, Instrument],
    weights: Mapping[str, Decimal],
    terms: RebalanceTerms,
    busy: Collection[str] = (),
) -> Plan:
    """Plan the trades, sells first, that bring the named symbols to their weights.

    Symbols that are ``busy``, with a trade still on its way, do not trade. Every instrument's
    price must be among the portfolio's. Without margin nothing is sold that is not held and free,
    and buys take at most the cash of their own currency, the sells' proceeds included, less the
    buffer (kept in the base currency). With margin all currencies count together, and weights
    above 1 borrow what they are above it. Raises Conflict without equity, MissingRate for a
    currency that cannot be converted.
    """
    equity, account = portfolio.equity, portfolio.account
    if equity <= ZERO:
        raise Conflict(f"portfolio '{account.portfolio_id}' has no equity to allocate")
    aimed = leave_buffer(weights, terms.buffer(equity) / equity)
    targets = [_target(portfolio, instruments[s], w) for s, w in sorted(aimed.items())]
    left = {s: "its last recommendation is still on its way" for s in busy if s in aimed}
    idle = [target for target in targets if target.symbol not in left]
    wanted = [t for target in idle if (t := _wanted(target, equity, terms, account, left))]
    sells = [t for t in wanted if t.side is Side.SELL]
    buys = [t for t in wanted if t.side is Side.BUY]
    if terms.max_turnover is not None:
        budget = terms.max_turnover * equity
        sells = _worthwhile(_scaled(sells, budget), terms, left, "max_turnover leaves no room")
        rest = _scaled(buys, budget - _total(sells))
        buys = _worthwhile(rest, terms, left, "max_turnover leaves no room")
    borrowed = max(ZERO, sum(weights.values(), ZERO) - ONE) * equity
    buys = _within_cash(buys, _cash(portfolio, sells, borrowed - terms.buffer(equity)), account)
    buys = _worthwhile(buys, terms, left, "no cash is left for it")
    return Plan(weights=aimed, trades=[*sells, *buys], left=left)


def leave_buffer(weights: Mapping[str, Decimal], buffer: Decimal) -> dict[str, Decimal]:
    """Weights as they are, or the long ones scaled down so that ``buffer`` of equity stays cash."""
    room, total = max(ZERO, ONE - buffer), sum(weights.values(), ZERO)
    if not buffer or total <= room:
        return dict(weights)
    long = sum((w for w in weights.values() if w > ZERO), ZERO)
    factor = max(ZERO, long - (total - room)) / long
    return {
        s: (w * factor).quantize(WEIGHT_STEP, ROUND_DOWN) if w > ZERO else w
        for s, w in weights.items()
    }


def _target(portfolio: Portfolio, instrument: Instrument, weight: Decimal) -> Target:
    """What planning needs of one symbol."""
    return Target(
        instrument=instrument,
        mark=portfolio.prices[instrument.symbol],
        rate=portfolio.rate(instrument.quote_currency),
        held=portfolio.position(instrument.symbol, instrument.quote_currency),
        weight=weight,
    )


def _wanted(
    target: Target, equity: Decimal, terms: RebalanceTerms, account: Account, left: dict[str, str]
) -> Trade | None:
    """The trade that brings one holding to its weight, or a note in ``left`` why there is none.

    What waits in the book counts as done: only what is missing beyond resting orders trades.
    """
    if not target.drifted(equity, terms):
        left[target.symbol] = "inside its band"
        return None
    held, goal = target.held, target.weight * equity
    free = held.quantity - held.reserved_quantity
    above = target.worth(free) - goal
    below = goal - target.worth(held.quantity) - held.reserved_notional * target.rate
    per_unit = target.mark.price * target.rate
    if above > ZERO:
        # All that is free, not what a division makes of it, where nothing is to be left.
        units = free if goal == ZERO else above / per_unit
        units = units if account.margin else min(units, free)
        trade = Trade(target=target, side=Side.SELL, quantity=units)
    elif below > ZERO:
        trade = Trade(target=target, side=Side.BUY, quantity=below / per_unit)
    else:
        left[target.symbol] = "orders that wait in the book cover the difference"
        return None
    return next(iter(_worthwhile([trade.times(ONE)], terms, left)), None)


def _worthwhile(
    trades: Sequence[Trade], terms: RebalanceTerms, left: dict[str, str], why: str = ""
) -> list[Trade]:
    """The trades that are large enough to make; a note in ``left`` for each of the others."""
    kept = []
    for trade in trades:
        instrument = trade.target.instrument
        if trade.quantity <= ZERO:
            left[trade.symbol] = why or "less than a lot"
        elif trade.quantity * trade.target.mark.price < instrument.min_notional:
            left[trade.symbol] = "below the instrument's min_notional"
        elif trade.notional < terms.min_trade:
            left[trade.symbol] = "below min_trade"
        else:
            kept.append(trade)
    return kept


def _total(trades: Sequence[Trade]) -> Decimal:
    return sum((trade.notional for trade in trades), ZERO)


def _scaled(trades: Sequence[Trade], budget: Decimal) -> list[Trade]:
    """All trades smaller by one factor, so that they are worth at most ``budget`` together."""
    total = _total(trades)
    return list(trades) if total <= budget else [t.times(budget / total) for t in trades]


def _cash(portfolio: Portfolio, sells: Sequence[Trade], more: Decimal) -> dict[str, Decimal]:
    """What buys may spend, in the base currency, by the currency that they are paid in."""
    account = portfolio.account
    base = account.base_currency
    cash = {base: more}

    def add(currency: str, amount: Decimal) -> None:
        if amount:
            purse = _purse(account, currency)
            cash[purse] = cash.get(purse, ZERO) + amount * portfolio.rate(currency)

    for currency in {base, *account.cash}:
        add(currency, account.available(currency))
    for sell in sells:
        instrument = sell.target.instrument
        brought = sale_proceeds(sell.quantity, sell.target.mark, instrument, account)
        add(instrument.quote_currency, brought)
    return cash


def _purse(account: Account, currency: str) -> str:
    """Whose cash pays: each currency's own, or with margin all of it together."""
    return account.base_currency if account.margin else currency


def _within_cash(buys: Sequence[Trade], cash: dict[str, Decimal], account: Account) -> list[Trade]:
    """Buys scaled down by one factor for each purse, so that none is overrun."""
    need: dict[str, Decimal] = {}
    for buy in buys:
        purse = _purse(account, buy.target.instrument.quote_currency)
        need[purse] = need.get(purse, ZERO) + _cost(buy, account)
    factors = {
        purse: min(ONE, max(ZERO, cash.get(purse, ZERO)) / amount) for purse, amount in need.items()
    }
    left, kept = dict(cash), []
    for buy in buys:
        purse = _purse(account, buy.target.instrument.quote_currency)
        smaller = buy.times(factors[purse])
        # Each fee is rounded up on its own, so the last word is what is left at that point.
        target, budget = buy.target, left.get(purse, ZERO) / buy.target.rate
        lots = affordable_quantity(
            smaller.quantity, budget, target.mark, target.instrument, account
        )
        bought = buy.model_copy(update={"quantity": lots})
        left[purse] = left.get(purse, ZERO) - _cost(bought, account)
        kept.append(bought)
    return kept


def _cost(buy: Trade, account: Account) -> Decimal:
    """What a buy takes from cash."""
    target = buy.target
    paid = purchase_cost(buy.quantity, target.mark, target.instrument, account)
    return paid * target.rate
