"""What running strategies reads, and what it leaves out."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.candles import START, course, real
from trading.domain.candle import Candle
from trading.domain.signal import Signal
from trading.quant.strategies.registry import make
from trading.quant.strategies.strategy import columns_of
from trading.usecases.generate_signals import Generated, StrategyChoice, generate_signals


class History:
    """Candles in memory that note how many are asked for."""

    def __init__(self, bars: Sequence[Candle]) -> None:
        self.bars = list(bars)
        self.asked: list[int | None] = []

    def candles(
        self,
        symbol: str,
        timeframe: str,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[Candle]:
        self.asked.append(limit)
        found = [b for b in self.bars if (b.symbol, b.timeframe) == (symbol, timeframe)]
        return sorted(found, key=lambda b: b.time, reverse=newest_first)[:limit]


class Kept:
    """Signals in memory, once each."""

    def __init__(self) -> None:
        self.signals: dict[str, Signal] = {}

    def record(self, signals: Sequence[Signal]) -> tuple[int, int]:
        fresh = [s for s in signals if s.id not in self.signals]
        self.signals |= {s.id: s for s in fresh}
        return len(fresh), len(signals) - len(fresh)


def run(history: History, kept: Kept, now: datetime, *names: str, **parameters: Any) -> Generated:
    choices = [StrategyChoice(name, parameters) for name in names]
    return generate_signals(history, kept, ["IBM"], "1d", choices, now, "c")


@pytest.mark.parametrize("name", ["ma_cross", "rsi_reversion"])
def test_what_is_signalled_day_by_day_is_what_a_backtest_sees(name: str) -> None:
    bars = real("IBM")
    strategy = make(name, {})
    whole, kept = strategy.score(columns_of(bars)), Kept()
    ends = range(max(200, strategy.warm_up), 700, 7)
    for end in ends:
        run(History(bars[:end]), kept, bars[end - 1].close_time, name)
    by_time = {s.time: float(s.score) for s in kept.signals.values()}
    assert by_time == {bars[end - 1].close_time: float(whole[end - 1]) for end in ends}


def test_no_more_candles_are_read_than_the_longest_warm_up_and_one() -> None:
    history = History(real("IBM"))
    run(history, Kept(), real("IBM")[-1].close_time, "ma_cross", "rsi_reversion")
    assert history.asked == [make("rsi_reversion", {}).warm_up + 1]


def test_nothing_is_read_when_no_strategy_can_be_made() -> None:
    history = History(real("IBM"))
    result = run(history, Kept(), real("IBM")[-1].close_time, "nonsense")
    assert (history.asked, list(result.errors)) == ([], ["nonsense"])


def test_a_candle_counts_from_the_moment_it_closes() -> None:
    bars = course(range(100, 131), symbol="IBM")
    kept = Kept()
    last = bars[-1].close_time
    run(History(bars), kept, last - timedelta(microseconds=1), "ma_cross")
    run(History(bars), kept, last, "ma_cross")
    assert sorted(s.time for s in kept.signals.values()) == [bars[-2].close_time, last]


def test_the_same_candle_of_another_symbol_or_timeframe_is_another_signal() -> None:
    kept = Kept()
    choices = [StrategyChoice("ma_cross", {"fast": 1, "slow": 2})]
    now = START + timedelta(days=5)
    bars = [
        *course([1, 2], symbol="IBM"), *course([1, 2], symbol="AAPL"),
        *course([1, 2], symbol="IBM", timeframe="1h"),
    ]  # fmt: skip
    for timeframe in ("1d", "1h"):
        generate_signals(History(bars), kept, ["IBM", "AAPL"], timeframe, choices, now, "c")
    found = {(s.symbol, s.timeframe) for s in kept.signals.values()}
    assert found == {("IBM", "1d"), ("AAPL", "1d"), ("IBM", "1h")}
