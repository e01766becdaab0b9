"""What a strategy is: a class with parameters, a warm-up and one pure function to scores.

A first strategy of one's own::

    class Breakout(Strategy):
        \"\"\"Long while the close is above the highest high of the bars before.\"\"\"

        class Parameters(StrategyParameters):
            bars: int = Field(default=20, ge=2)

        @property
        def warm_up(self) -> int:
            return self.parameters.bars + 1

        def score(self, candles: Candles) -> FloatArray:
            highest = talib.MAX(candles.high, self.parameters.bars)
            before = np.append(np.nan, highest[:-1])
            return np.where(np.isnan(before), np.nan, np.where(candles.close > before, 1.0, 0.0))
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ConfigDict, ValidationError

from trading.domain.candle import Candle
from trading.domain.errors import InvalidInput
from trading.domain.value import Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Candles:
    """A window of candles as columns, oldest first; all columns are of one length.

    ``time`` is when each bar opens, in seconds since 1970; prices in the quote currency.
    """

    symbol: str
    timeframe: str
    time: FloatArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __len__(self) -> int:
        return len(self.close)

    def first(self, bars: int) -> Candles:
        """The oldest ``bars`` of the window, as a copy: what was known then."""
        return self.part(0, bars)

    def part(self, start: int, end: int) -> Candles:
        """The bars from ``start`` up to ``end``, as a copy."""
        columns = {name: getattr(self, name)[start:end].copy() for name in COLUMNS}
        return Candles(self.symbol, self.timeframe, **columns)


COLUMNS = ("time", "open", "high", "low", "close", "volume")


def columns_of(candles: Sequence[Candle]) -> Candles:
    """Turn candles of one symbol into columns; the one place where prices become floats.

    Raises ValueError for no candles.
    """
    import numpy as np

    if not candles:
        raise ValueError("no candles")
    values: dict[str, Any] = {
        name: np.array([float(getattr(c, name)) for c in candles])
        for name in COLUMNS
        if name != "time"
    }
    times = np.array([c.time.timestamp() for c in candles])
    return Candles(candles[0].symbol, candles[0].timeframe, time=times, **values)


class StrategyParameters(Value):
    """Base of a strategy's parameters; unknown names are refused."""

    model_config = ConfigDict(extra="forbid")


class Strategy(ABC):
    """A rule that turns candles into a score per bar, the same in a backtest, on paper and live."""

    Parameters: ClassVar[type[StrategyParameters]] = StrategyParameters

    def __init__(self, parameters: StrategyParameters | None = None) -> None:
        self.parameters: Any = parameters if parameters is not None else self.Parameters()

    @classmethod
    def configured(cls, name: str, given: Mapping[str, Any]) -> Strategy:
        """Make it from unchecked parameters. Raises InvalidInput naming a wrong one."""
        try:
            return cls(cls.Parameters.model_validate(dict(given)))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "parameters"
            known = list(cls.Parameters.model_fields)
            near = get_close_matches(where, known, 1) if where not in known else []
            hint = f" (did you mean '{near[0]}'?)" if near else ""
            raise InvalidInput(
                f"strategies.{name}.{where}",
                f"{where}: {first['msg']}{hint}; {name} takes {', '.join(known) or 'none'}",
            ) from error

    @property
    @abstractmethod
    def warm_up(self) -> int:
        """How many bars must have been seen before a score means anything."""

    @abstractmethod
    def score(self, candles: Candles) -> FloatArray:
        """Give a score in [-1, 1] for every bar, from bars up to that one only.

        The answer has the length of the window; it is NaN while warming up.
        """
