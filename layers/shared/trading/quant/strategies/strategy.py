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
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pydantic import ConfigDict, ValidationError

from trading.domain.errors import InvalidInput
from trading.domain.value import Value
from trading.quant.strategies.candles import COLUMNS, Candles, columns_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pydantic_core import ErrorDetails

    FloatArray = NDArray[np.float64]


__all__ = ["COLUMNS", "Candles", "Hints", "Strategy", "StrategyParameters", "columns_of"]


class Hints(NamedTuple):
    """What a strategy says of an entry on each bar; None, or NaN on a bar, where it says nothing.

    ``stop_distance`` and ``target_distance`` are how far from the close to leave it, as fractions
    of the close above zero; ``size`` is the part of the usual size to take, above 0 up to 1.
    """

    stop_distance: FloatArray | None = None
    target_distance: FloatArray | None = None
    size: FloatArray | None = None


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
        """Make it from unchecked parameters. Raises InvalidInput naming every wrong one."""
        try:
            return cls(cls.Parameters.model_validate(dict(given)))
        except ValidationError as error:
            known = list(cls.Parameters.model_fields)
            takes = f"{name} takes {', '.join(known) or 'none'}"
            first, *more = [_wrong(each, known, takes) for each in error.errors()]
            raise InvalidInput(first.field, first.message, more) from error

    @property
    @abstractmethod
    def warm_up(self) -> int:
        """How many bars must have been seen before a score means anything."""

    @abstractmethod
    def score(self, candles: Candles) -> FloatArray:
        """Give a score in [-1, 1] for every bar, from bars up to that one only.

        The answer has the length of the window; it is NaN while warming up.
        """

    def others(self, symbol: str, universe: Sequence[str]) -> Sequence[str]:  # noqa: ARG002
        """Which other symbols of the universe it wants to see beside ``symbol``: none.

        They come as ``candles.of(name)``, aligned to the bars of ``symbol``.
        """
        return ()

    def hints(self, candles: Candles) -> Hints | None:  # noqa: ARG002
        """Where to leave an entry, and how large it is to be, on every bar; nothing.

        As with scores, from bars up to that one only.
        """
        return None


def _wrong(entry: ErrorDetails, known: Sequence[str], takes: str) -> InvalidInput:
    """One parameter's error, and what would be right."""
    where = ".".join(str(part) for part in entry["loc"])
    said = str(entry["msg"]).removeprefix("Value error, ")
    if entry["type"] == "extra_forbidden":
        near = get_close_matches(where, known, 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return InvalidInput(f"parameters.{where}", f"{where}: is no parameter{hint} ({takes})")
    if not where:
        return InvalidInput("parameters", f"{said} ({takes})")
    said = said[:1].lower() + said[1:]
    given = repr(entry["input"])[:60]
    return InvalidInput(f"parameters.{where}", f"{where}: {said}, not {given}")
