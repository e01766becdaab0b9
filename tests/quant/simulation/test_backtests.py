"""What a backtest does with a strategy's scores, worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.quant.simulation.markets import candles, config, market, says, walk
from trading.backtesting import run_backtest
from trading.domain.backtest import BacktestConfig, FundingRate, Gear
from trading.domain.errors import InvalidInput
from trading.domain.fill_model import FillModel, FillTiming
from trading.domain.ledger import rebuild
from trading.domain.risk.limits import NO_LIMITS
from trading.quant.simulation.result import BacktestResult

D = Decimal
UP = [(100, 101, 99, 100), (102, 103, 101, 102), (104, 105, 103, 104), (106, 107, 105, 106)]


def run(
    rows: list[tuple[float, ...]], scores: list[float | None], given: BacktestConfig, **hints: Any
) -> BacktestResult:
    data = market(candles("A", rows))
    reference = given.model_copy(update={"gear": Gear.REFERENCE})
    return run_backtest(reference, data, says={"A": says(scores, **hints)})


def trades(result: BacktestResult) -> list[tuple[int, int | float, float, str]]:
    return [
        (r.step, float(r.quantity), float(r.price), r.reason.name) for r in result.fills.records()
    ]


def test_a_score_trades_at_the_next_open_with_all_the_cash() -> None:
    result = run(UP, [1, 1, -1, 0], config(cash=D(1000)))
    assert trades(result) == [(1, 9, 102, "ENTRY"), (3, -9, 106, "EXIT")]
    assert result.final_cash == 1000 + 9 * 4
    assert result.equity.tolist() == [1000, 1000, 1018, 1036]
    assert result.gross.tolist() == [0, 918, 936, 0]


def test_immediate_fills_take_the_close() -> None:
    at_close = FillModel(timing=FillTiming.IMMEDIATE)
    result = run(UP, [1, 1, -1, 0], config(cash=D(1000), fill_model=at_close))
    assert trades(result) == [(0, 10, 100, "ENTRY"), (2, -10, 104, "EXIT")]


def test_commission_is_paid_on_both_sides_and_rounded_up() -> None:
    result = run(UP, [1, 1, -1, 0], config(cash=D(1000), commission_rate=D("0.001")))
    assert [r.fee for r in result.fills.records()] == [D("0.918"), D("0.954")]
    assert result.final_cash == 1000 + 36 - D("1.872")


def test_spread_and_slippage_worsen_the_open() -> None:
    costs = FillModel(
        timing=FillTiming.NEXT_BAR, spread_bps=D(20), slippage="fixed", slippage_bps=D(10)
    )
    result = run(UP, [1, 1, -1, 0], config(cash=D(1000), fill_model=costs))
    # 102 * 1.001 * 1.001 = 102.2041..., 106 * 0.999 * 0.999 = 105.788...; to the worse cent.
    assert [price for _, _, price, _ in trades(result)] == [102.21, 105.78]


def test_no_more_than_a_part_of_the_bar_is_traded_and_the_rest_goes_on() -> None:
    thin = [(100, 101, 99, 100, 40)] * 5
    part = FillModel(timing=FillTiming.NEXT_BAR, participation_rate=D("0.1"))
    result = run(thin, [1, 1, 1, 1, 1], config(cash=D(1000), fill_model=part))
    assert [(step, quantity) for step, quantity, _, _ in trades(result)] == [(1, 4), (2, 4), (3, 2)]


def test_a_short_is_opened_and_covered() -> None:
    short = config(cash=D(1000), margin=True, policy={"direction": "short"})
    result = run(UP[::-1], [-1, -1, 1, 0], short)
    assert trades(result) == [(1, -9, 104, "ENTRY"), (3, 9, 100, "EXIT")]
    assert result.net.tolist() == [0, -936, -918, 0]


def test_a_score_the_other_way_turns_the_holding_around_in_one_order() -> None:
    both = config(cash=D(1000), margin=True, policy={"direction": "both"})
    result = run(UP, [1, 1, -1, -1], both)
    # Worth 1,018 at the close of 104: nine are sold, and another nine.
    assert trades(result) == [(1, 9, 102, "ENTRY"), (3, -18, 106, "FLIP")]
    assert result.final_positions == {"A": D(-9)}


def test_a_bar_that_touches_both_exits_is_taken_to_hit_the_stop_first() -> None:
    rows = [(100, 101, 99, 100), (100, 111, 89, 100), (100, 100, 100, 100)]
    bracket = config(cash=D(1000), policy={"stop_loss_percent": D(5), "take_profit_percent": D(10)})
    assert trades(run(rows, [1, 0, 0], bracket)) == [
        (1, 10, 100, "ENTRY"),
        (1, -10, 95, "STOP_LOSS"),
    ]


def test_a_target_is_taken_at_its_own_price_and_a_gap_through_the_stop_at_the_open() -> None:
    bracket = config(cash=D(1000), policy={"stop_loss_percent": D(5), "take_profit_percent": D(10)})
    calm = (100, 101, 99, 100)
    assert trades(run([calm, calm, (105, 112, 104, 108)], [1, 0, 0], bracket))[1:] == [
        (2, -10, 110, "TAKE_PROFIT")
    ]
    assert trades(run([calm, calm, (90, 91, 88, 89)], [1, 0, 0], bracket))[1:] == [
        (2, -10, 90, "STOP_LOSS")
    ]


def test_a_strategys_hints_go_before_the_policy() -> None:
    rows = [(100, 101, 99, 100), (100, 101, 97, 100), (100, 100, 100, 100)]
    bracket = config(cash=D(1000), policy={"stop_loss_percent": D(50)})
    hinted = run(rows, [1, 0, 0], bracket, stop_distance=[0.02, None, None], size=[0.5, None, None])
    assert trades(hinted) == [(1, 5, 100, "ENTRY"), (1, -5, 98, "STOP_LOSS")]


def test_a_closing_score_ends_the_exits_that_rest() -> None:
    bracket = config(cash=D(1000), policy={"stop_loss_percent": D(50)})
    result = run(UP, [1, 1, -1, 0], bracket)
    assert trades(result) == [(1, 9, 102, "ENTRY"), (3, -9, 106, "EXIT")]


def test_two_symbols_share_the_cash() -> None:
    both = config("A", "B", cash=D(1000), policy={"target_fraction": D("0.7")})
    data = market(candles("A", UP), candles("B", UP))
    said = {"A": says([1, 1, 1, 1]), "B": says([1, 1, 1, 1])}
    result = run_backtest(both, data, says=said)
    bought = [(r.symbol, r.quantity) for r in result.fills.records()]
    assert bought == [("A", 6), ("B", 2)]


def test_funding_is_paid_by_longs_and_stands_in_the_ledger() -> None:
    rate = FundingRate(symbol="A", time=datetime(1970, 1, 1, 2, tzinfo=UTC), rate=D("0.01"))
    result = run(UP, [1, 1, 1, 1], config(cash=D(1000), funding=[rate]))
    # Nine units at the close of 102 when it falls due, the second bar's end.
    assert result.final_cash == 1000 - 9 * 102 - D("9.18")
    assert result.cash[1] == pytest.approx(float(result.final_cash))
    assert [t.kind.value for t in result.ledger] == ["deposit", "fill", "funding"]


def test_a_symbol_is_entered_again_after_an_exit_ended_what_was_left_of_its_entry() -> None:
    rows = [(100, 100, 100, 100, 9), (100, 100, 97, 97, 4), *[(97, 97, 97, 97, 9)] * 4]
    thin = config(
        fill_model=FillModel(timing="next_bar", participation_rate=D(1)),
        policy={"sizing": "fixed_quantity", "quantity": D(10), "stop_loss_percent": D(2)},
        gear=Gear.REFERENCE,
    )
    result = run(rows, [1, 0, 0, 1, 0, 0], thin)
    assert trades(result) == [
        (1, 4, 100, "ENTRY"),
        (2, -4, 97, "STOP_LOSS"),
        (4, 9, 97, "ENTRY"),
        (5, 1, 97, "ENTRY"),
    ]


def test_limits_refuse_orders_and_the_refusals_are_counted() -> None:
    capped = NO_LIMITS.model_copy(update={"max_order_notional": D(500)})
    result = run(UP, [1, 1, 1, 1], config(cash=D(1000), limits=capped))
    assert len(result.fills) == 0
    assert result.rejected == {"order_notional": 4}


def test_a_loss_over_its_limit_stops_the_trading() -> None:
    rows = [(100, 100, 100, 100), (100, 100, 100, 100), (80, 80, 80, 80), (80, 80, 80, 80)]
    tight = NO_LIMITS.model_copy(update={"max_drawdown_percent": D(10)})
    result = run(rows, [1, 1, -1, 1], config(cash=D(1000), limits=tight))
    assert trades(result) == [(1, 10, 100, "ENTRY"), (3, -10, 80, "EXIT")]


def test_the_ledger_of_a_run_rebuilds_to_its_books() -> None:
    result = run_backtest(
        config(commission_rate=D("0.001"), gear=Gear.REFERENCE), market(walk(bars=2000))
    )
    assert len(result.fills) > 50
    books = rebuild(list(result.ledger))
    assert books.cash["USD"] == result.final_cash
    assert result.equity[-1] == pytest.approx(
        float(result.final_cash)
        + float(result.final_positions.get("A", 0)) * walk(bars=2000).close[-1]
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"strategy": "ma_cros"}, "strategy"),
        ({"parameters": {"fats": 3}}, "parameters.fats"),
        ({"parameters": {"fast": "ten"}}, "parameters.fast"),
        ({"parameters": {"fast": 50}}, "parameters"),
        ({"parameters": {"slow": 1500}}, "strategy"),
        ({"symbols": ["A", "B"]}, "symbols"),
        ({"timeframe": "1d"}, "timeframe"),
        ({"instruments": {}}, "instruments.A"),
        ({"base_currency": "EUR"}, "instruments.A.quote_currency"),
        ({"start": datetime(2030, 1, 1, tzinfo=UTC)}, "start"),
        ({"data_hash": "0"}, "data_hash"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        run_backtest(config().model_copy(update=change), market(walk()))
    assert refused.value.field.startswith(field)


def test_the_same_configuration_has_the_same_text_and_hash() -> None:
    given = config(commission_rate=D("0.0010"))
    again = BacktestConfig.model_validate_json(given.canonical_json())
    assert again.canonical_json() == given.canonical_json()
    assert again.config_hash == given.config_hash
