"""Every strategy that ships passes the gate on real data, and every known way to cheat fails it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.candles import real
from tests.support.peer import EURUSD
from trading.quant.strategies.lookahead import problems
from trading.quant.strategies.registry import discover
from trading.quant.strategies.strategy import Candles, Hints, Strategy, columns_of

STOCKS = {name: columns_of(real(name)) for name in ("AAPL", "GOOG", "IBM", "MSFT")}
NAMES = (
    "bollinger_breakout",
    "cross_sectional_momentum",
    "donchian",
    "ma_cross",
    "macd",
    "momentum",
    "pairs",
    "rsi_reversion",
    "volatility_breakout",
)


def euro() -> Candles:
    names = ("open", "high", "low", "close", "volume")
    time = np.arange(len(EURUSD)) * 3600.0
    return Candles("EURUSD", "1h", time, *(EURUSD[n.title()].to_numpy(float) for n in names))


def beside(strategy: Strategy, symbol: str) -> Candles:
    """A stock with those that the strategy wants to see beside it."""
    wanted = strategy.others(symbol, sorted(STOCKS))
    return STOCKS[symbol].seeing({name: STOCKS[name] for name in wanted})


def test_all_of_them_are_installed() -> None:
    assert set(NAMES) <= set(discover().strategies)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("symbol", ["AAPL", "IBM"])
def test_it_is_honest_on_stocks_and_says_something(name: str, symbol: str) -> None:
    strategy = discover().strategies[name]()
    candles = beside(strategy, symbol)
    assert problems(strategy, candles) == []
    scores = strategy.score(candles)
    assert len(np.unique(scores[~np.isnan(scores)])) > 1


@pytest.mark.parametrize("name", NAMES)
def test_it_is_honest_on_hourly_currencies(name: str) -> None:
    assert problems(discover().strategies[name](), euro(), cuts=20) == []


class Cheat(Strategy):
    """What the cheats below have in common: one bar of warm-up."""

    @property
    def warm_up(self) -> int:
        return 5


class Peek(Cheat):
    """Knows the next close."""

    def score(self, candles: Candles) -> Any:
        return warm(np.sign(np.append(np.diff(candles.close), 0)))


class Normalised(Cheat):
    """Scales by mean and deviation of the whole sample."""

    def score(self, candles: Candles) -> Any:
        return warm(np.clip((candles.close - candles.close.mean()) / candles.close.std(), -1, 1))


class Centred(Cheat):
    """Averages over two bars on either side."""

    def score(self, candles: Candles) -> Any:
        smooth = np.convolve(np.pad(candles.close, 2, mode="edge"), np.ones(5) / 5, "valid")
        return warm(np.sign(candles.close - smooth))


class FilledBackward(Cheat):
    """Fills days without a signal with the next signal."""

    def score(self, candles: Candles) -> Any:
        scores = np.where(np.arange(len(candles)) % 7 == 6, np.sign(candles.close - 100), np.nan)
        known = np.flatnonzero(~np.isnan(scores))
        if not len(known):
            return warm(np.zeros(len(candles)))
        places = np.minimum(np.searchsorted(known, np.arange(len(candles))), len(known) - 1)
        return warm(scores[known[places]])


class HintsAhead(Cheat):
    """Honest scores, and a stop just below the lowest low that is still to come."""

    def score(self, candles: Candles) -> Any:
        return warm(np.ones(len(candles)))

    def hints(self, candles: Candles) -> Hints:
        lowest = np.minimum.accumulate(candles.low[::-1])[::-1]
        return Hints(stop_distance=np.maximum(1 - lowest / candles.close, 0.001))


class PartnerAhead(Cheat):
    """Knows its partner's last close."""

    def score(self, candles: Candles) -> Any:
        other = candles.of("GOOG").close if "GOOG" in candles.symbols else candles.close
        return warm(np.sign(other[-1] - other))


def warm(scores: Any) -> Any:
    scores = np.asarray(scores, float).copy()
    scores[:4] = np.nan
    return scores


@pytest.mark.parametrize(
    "cheat", [Peek, Normalised, Centred, FilledBackward, HintsAhead, PartnerAhead]
)
def test_a_cheat_is_caught(cheat: type[Strategy]) -> None:
    candles = STOCKS["AAPL"].seeing({"GOOG": STOCKS["GOOG"]})
    assert any("looks ahead" in problem for problem in problems(cheat(), candles))
