"""Orders of every type under any sequence of prices, bars, cancels, flows, halts and limits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.domain.builders import UNLIMITED, account, d, price
from tests.domain.world import World
from trading.domain.books import Posting, post
from trading.domain.errors import InvalidInput
from trading.domain.fill_model import FillModel, SlippageModel
from trading.domain.ledger import TransactionKind, cash_entries, rebuild, sums_by_commodity
from trading.domain.matching import Observation
from trading.domain.order import Fill, Order, OrderStatus, OrderType, Side, TimeInForce
from trading.domain.order_request import StopLoss
from trading.domain.portfolio import TradingState

PRICES = st.integers(80, 120).map(Decimal)
LOTS = st.integers(1, 40).map(lambda n: Decimal(n) / 2)
SIDES = st.sampled_from(list(Side))
MODELS = st.builds(
    FillModel,
    maker_rate=st.sampled_from([None, d("0.0002")]),
    spread_bps=st.sampled_from([d(0), d(20)]),
    slippage=st.sampled_from(list(SlippageModel)),
    slippage_bps=st.sampled_from([d(0), d(30)]),
    participation_rate=st.sampled_from([None, d("0.1")]),
)
MAX_OPEN, MAX_DAILY = 6, 25
LIMITS = UNLIMITED.model_copy(update={"max_open_orders": MAX_OPEN, "max_daily_trades": MAX_DAILY})


class Orders(RuleBasedStateMachine):
    """Applies every decision to books in memory, each guarded as the tables guard it."""

    margin = False

    def __init__(self) -> None:
        super().__init__()
        self.world = World(limits=LIMITS)

    @initialize(cash=st.integers(500, 20_000), model=MODELS)
    def opens(self, cash: int, model: FillModel) -> None:
        mark = price(100).model_copy(update={"volume": d(100)})
        owner = account(0, fill_model=model, margin=self.margin)
        self.world = World(owner, LIMITS, mark=mark)
        self.world.account = self.world.account.model_copy(update={"cash": {}})
        self.moves(TransactionKind.DEPOSIT, Decimal(cash))

    def moves(self, kind: TransactionKind, amount: Decimal) -> None:
        world = self.world
        posting = Posting(
            kind=kind,
            cause=f"test:{len(world.ledger)}",
            entries=cash_entries("USD", amount),
            currency="USD",
            time=world.now,
            recorded_at=world.now,
        )
        world.account, transaction = post(world.account, posting)
        world.ledger.append(transaction)

    def asks(self, quantity: Decimal, side: Side, **terms: Any) -> None:
        try:
            self.world.ask(quantity, side, **terms)
        except InvalidInput:
            # Such as an exit on the wrong side of the market: nothing may have changed.
            return

    @rule(share=st.integers(1, 100))
    def withdraws(self, share: int) -> None:
        free = self.world.account.available("USD")
        amount = (free * share / 100).quantize(Decimal("0.01"), "ROUND_DOWN")
        if amount > 0:
            self.moves(TransactionKind.WITHDRAWAL, -amount)

    @rule(amount=st.integers(1, 5000))
    def deposits(self, amount: int) -> None:
        self.moves(TransactionKind.DEPOSIT, Decimal(amount))

    @rule(quantity=LOTS, side=SIDES, tif=st.sampled_from(["gtc", "ioc", "fok"]))
    def market_order(self, quantity: Decimal, side: Side, tif: str) -> None:
        self.asks(quantity, side, time_in_force=TimeInForce(tif))

    @rule(quantity=LOTS, side=SIDES, limit=PRICES, tif=st.sampled_from(list(TimeInForce)))
    def limit_order(self, quantity: Decimal, side: Side, limit: Decimal, tif: TimeInForce) -> None:
        until = self.world.now + timedelta(minutes=3) if tif is TimeInForce.GTD else None
        self.asks(quantity, side, limit_price=limit, time_in_force=tif, expires_at=until)

    @rule(quantity=LOTS, side=SIDES, trigger=PRICES, limit=st.one_of(st.none(), PRICES))
    def stop_order(
        self, quantity: Decimal, side: Side, trigger: Decimal, limit: Decimal | None
    ) -> None:
        kind = OrderType.STOP if limit is None else OrderType.STOP_LIMIT
        self.asks(quantity, side, type=kind, stop_price=trigger, limit_price=limit)

    @rule(quantity=LOTS, side=SIDES, percent=st.integers(1, 20), reduce=st.booleans())
    def trailing_stop(self, quantity: Decimal, side: Side, percent: int, reduce: bool) -> None:
        kind = OrderType.TRAILING_STOP
        self.asks(quantity, side, type=kind, trail_percent=percent, reduce_only=reduce)

    @rule(quantity=LOTS, entry=st.one_of(st.none(), PRICES), away=st.integers(1, 10))
    def bracket(self, quantity: Decimal, entry: Decimal | None, away: int) -> None:
        around = entry or self.world.mark.price
        self.asks(
            quantity,
            Side.BUY,
            limit_price=entry,
            take_profit=around + away,
            stop_loss=StopLoss(stop_price=around - away),
        )

    @precondition(lambda self: self.world.resting())
    @rule(which=st.integers(0, 9), trigger=PRICES)
    def linked(self, which: int, trigger: Decimal) -> None:
        resting = self.world.resting()
        other = resting[which % len(resting)]
        self.asks(
            other.remaining,
            other.side,
            type=OrderType.STOP,
            stop_price=trigger,
            oco_order_id=other.id,
        )

    @precondition(lambda self: self.world.resting())
    @rule(which=st.integers(0, 9), how=st.sampled_from(["cancelled", "expired"]))
    def an_order_ends(self, which: int, how: str) -> None:
        resting = self.world.resting()
        self.world.end(resting[which % len(resting)], OrderStatus(how))

    @rule(state=st.sampled_from(list(TradingState)))
    def the_switch_is_set(self, state: TradingState) -> None:
        world = self.world
        update = {"trading_state": state, "trading_state_since": world.now}
        world.account = world.account.model_copy(update=update)

    @rule(at=PRICES)
    def a_price_comes(self, at: Decimal) -> None:
        time = self.world.now + timedelta(seconds=10)
        self.shows(
            Observation(symbol="ACME", start=time, time=time, open=at, high=at, low=at, close=at)
        )

    @rule(prices=st.tuples(PRICES, PRICES, PRICES, PRICES), volume=st.integers(0, 400))
    def a_bar_completes(self, prices: tuple[Decimal, ...], volume: int) -> None:
        opens, *_, closes = prices
        start = self.world.now
        self.shows(
            Observation(
                symbol="ACME",
                start=start,
                time=start + timedelta(minutes=1),
                open=opens,
                high=max(prices),
                low=min(prices),
                close=closes,
                volume=Decimal(volume),
            )
        )

    def shows(self, seen: Observation) -> None:
        """Show it twice: what was seen before must change nothing."""
        world = self.world
        states = {o.id: o for o in world.orders.values()}
        fills, halted = len(world.fills), world.account.trading_state is TradingState.HALTED
        world.see(seen)
        for made in world.fills[fills:]:
            assert not halted
            assert seen.start <= made.time <= seen.time
            self.no_better_than_the_market(made, seen)
        traded = sum(f.quantity for f in world.fills[fills:])
        rate = world.account.fill_model.participation_rate
        assert rate is None or seen.volume is None or traded <= rate * seen.volume
        before = dict(world.orders), world.account, world.position
        world.see(seen)
        assert (dict(world.orders), world.account, world.position) == before
        for order_id, was in states.items():
            assert world.orders[order_id].filled_quantity >= was.filled_quantity

    def no_better_than_the_market(self, made: Fill, seen: Observation) -> None:
        """No fill is better for the trader than the best that the market has shown."""
        if made.side is Side.BUY:
            assert made.price >= seen.low
        else:
            assert made.price <= seen.high

    @invariant()
    def promises_are_what_the_open_orders_say(self) -> None:
        self.world.check_promises()

    @invariant()
    def nothing_is_spent_or_sold_that_is_not_there(self) -> None:
        world = self.world
        if not self.margin:
            assert world.account.cash_in("USD") >= 0
            assert world.position.quantity >= 0

    @invariant()
    def the_ledger_rebuilds_what_is_stored_and_sums_to_zero(self) -> None:
        world = self.world
        derived = rebuild(world.ledger)
        assert derived.cash == world.account.cash
        assert derived.hash == world.account.ledger_hash
        held = derived.positions.get("ACME")
        figures = ("quantity", "cost_basis", "realized_pnl", "fees")
        for name in figures if held else ():
            assert getattr(held, name) == getattr(world.position, name)
        for transaction in world.ledger:
            assert set(sums_by_commodity(transaction.entries).values()) <= {Decimal(0)}

    @invariant()
    def no_limit_was_ever_exceeded(self) -> None:
        assert self.world.accepted <= MAX_DAILY
        if self.margin:
            return
        # Orders that only get out are spared by the cap: without margin those are the sells.
        entries = [o for o in self.world.resting() if o.side is Side.BUY]
        assert len(entries) <= MAX_OPEN

    @invariant()
    def no_order_is_lost_or_filled_beyond_its_quantity(self) -> None:
        world = self.world
        for order in world.orders.values():
            own = [f for f in world.fills if f.order_id == order.id]
            assert sum(f.quantity for f in own) == order.filled_quantity <= order.quantity
            assert len({f.id for f in own}) == len(own) == order.fills
            assert (order.execution_status is OrderStatus.FILLED) == (order.remaining == 0)
            self.limit_holds(order)

    def limit_holds(self, order: Order) -> None:
        """No fill of an order is worse than its limit."""
        for made in self.world.fills:
            if made.order_id == order.id and order.limit_price is not None:
                worse = made.price - order.limit_price
                assert worse <= 0 if order.side is Side.BUY else worse >= 0

    @invariant()
    def linked_orders_live_and_end_together(self) -> None:
        orders = self.world.orders
        for order in orders.values():
            twin = orders.get(order.oco_id or "")
            if twin is not None and order.is_open:
                assert twin.is_open
                assert twin.oco_id == order.id
                assert twin.remaining == order.remaining
            if order.waits_for_entry:
                assert orders[order.parent_id or ""].filled_quantity == 0

    @invariant()
    def a_brackets_exits_never_sell_more_than_its_entry_bought(self) -> None:
        orders = self.world.orders
        for entry in orders.values():
            exits = [orders.get(i or "") for i in (entry.take_profit_id, entry.stop_loss_id)]
            sold = sum(leg.filled_quantity for leg in exits if leg)
            assert sold <= entry.filled_quantity or not any(exits)


class OrdersOnMargin(Orders):
    """The same where holdings may be short and cash borrowed."""

    margin = True

    @invariant()
    def profit_is_what_prices_brought_less_fees(self) -> None:
        world = self.world
        held, mark = world.position, world.mark.price
        profit = held.realized_pnl + held.unrealized_pnl(mark) - held.fees
        equity = world.account.cash_in("USD") + held.market_value(mark)
        assert abs(profit - (equity - world.account.capital.get("USD", 0))) < Decimal("1e-8")


TestOrders = Orders.TestCase
TestOrders.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestOrdersOnMargin = OrdersOnMargin.TestCase
TestOrdersOnMargin.settings = TestOrders.settings
