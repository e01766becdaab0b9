"""Pairs: two prices that part and meet again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from trading.quant.strategies.strategy import Candles, Strategy, StrategyParameters

if TYPE_CHECKING:
    from trading.quant.strategies.strategy import FloatArray

STILL = 1e-12
"""A spread that deviates by less than this has not moved."""


class PairsParameters(StrategyParameters):
    """The two symbols, bars over which their spread is normal, and deviations that are enough.

    Without ``first`` and ``second`` the symbols are paired in order: the first with the second of
    them, the third with the fourth.
    """

    first: str = Field(default="", max_length=32)
    second: str = Field(default="", max_length=32)
    bars: int = Field(default=60, ge=5, le=1000)
    entry: float = Field(default=2.0, gt=0, le=10)

    @model_validator(mode="after")
    def _are_two(self) -> PairsParameters:
        if bool(self.first) != bool(self.second):
            raise ValueError("first and second are given both or neither")
        if self.first and self.first == self.second:
            raise ValueError("first and second must be two symbols")
        return self


class Pairs(Strategy):
    """How cheap a symbol is beside its partner: +1 when ``entry`` deviations, -1 when as dear.

    The spread is log(price) - log(partner's price), its mean and population standard deviation are
    those of the newest ``bars`` bars, and the score is -z / entry, cut at [-1, 1]. It is 0 without
    a partner, and where the partner lacks a bar of the window. After Gatev, Goetzmann and
    Rouwenhorst, Pairs Trading, Review of Financial Studies 19 (2006), with a moving normal.
    """

    Parameters: ClassVar[type[StrategyParameters]] = PairsParameters

    @property
    def warm_up(self) -> int:
        """The bars over which the spread is normal."""
        return int(self.parameters.bars)

    def others(self, symbol: str, universe: Sequence[str]) -> Sequence[str]:
        """The partner, if it has one."""
        given = self.parameters
        couple: tuple[str, ...] = ()
        if given.first:
            couple = (given.first, given.second)
        elif symbol in universe:
            place = sorted(universe).index(symbol) // 2 * 2
            couple = tuple(sorted(universe)[place : place + 2])
        return [other for other in couple if other != symbol] if symbol in couple else []

    def score(self, candles: Candles) -> FloatArray:
        """How cheap it is, NaN while warming up."""
        import numpy as np

        from trading.quant.strategies.rolling import deviation, mean

        scores: FloatArray = np.zeros(len(candles))
        partner = next((s for s in candles.symbols if s != candles.symbol), None)
        if partner is not None:
            spread = np.log(candles.close) - np.log(candles.of(partner).close)
            apart = spread - mean(spread, self.warm_up)
            usual = deviation(spread, self.warm_up)
            moved = usual > STILL
            z = np.where(moved, apart, 0.0) / np.where(moved, usual, 1.0)
            scores = np.clip(-z / self.parameters.entry, -1.0, 1.0)
            # The sums of a window with a missing bar are missing too.
            scores = np.where(np.isnan(spread), 0.0, np.nan_to_num(scores, nan=0.0))
        scores[: self.warm_up - 1] = np.nan
        return scores
