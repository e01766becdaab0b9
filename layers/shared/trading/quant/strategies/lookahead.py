"""Proves on data that a strategy does not look ahead and that its warm-up is enough."""

from __future__ import annotations

from collections.abc import Iterator

from trading.quant.strategies.strategy import Candles, Strategy

TOLERANCE = 1e-9


def problems(strategy: Strategy, candles: Candles, cuts: int = 40) -> list[str]:
    """Say what is wrong with a strategy on these candles; an empty list when nothing is.

    Scores on histories cut short must equal the scores on the whole; scores on a window that
    starts ``warm_up`` bars before a bar must equal them too; repeating must not change them;
    all lie in [-1, 1], none is missing once warm and none is there before.
    """
    import numpy as np

    if not 1 <= strategy.warm_up <= len(candles):
        return [f"cannot be checked: {len(candles)} bars, and a warm-up of {strategy.warm_up}"]
    # Every run gets a copy, so that a strategy which writes into its candles is found out.
    full = strategy.score(candles.first(len(candles)))
    if len(full) != len(candles):
        return [f"gives {len(full)} scores for {len(candles)} bars"]
    found = list(_of_one_run(strategy, candles, full))
    ends = np.unique(np.linspace(strategy.warm_up, len(candles), cuts).astype(int))
    for end in ends:
        known = strategy.score(candles.first(int(end)))
        if len(known) != end or not np.allclose(known, full[:end], atol=TOLERANCE, equal_nan=True):
            found.append(f"looks ahead: cutting off what follows bar {end} changes its scores")
            break
    for end in ends:
        short = strategy.score(candles.part(int(end) - strategy.warm_up, int(end)))
        if not len(short) or not np.isclose(
            short[-1], full[end - 1], atol=TOLERANCE, equal_nan=True
        ):
            found.append(f"needs more warm-up than {strategy.warm_up} bars (seen at bar {end})")
            break
    return found


def _of_one_run(strategy: Strategy, candles: Candles, full: object) -> Iterator[str]:
    """What one run and its repetition show."""
    import numpy as np

    scores = np.asarray(full)
    again = strategy.score(candles.first(len(candles)))
    if not np.array_equal(again, scores, equal_nan=True):
        yield "is not deterministic: a second run gives other scores"
    warm = scores[strategy.warm_up - 1 :]
    if np.isnan(warm).any():
        yield "gives no score on some bars after its warm-up"
    if not np.isnan(scores[: strategy.warm_up - 1]).all():
        yield "gives scores before its warm-up is over"
    if (np.abs(scores[~np.isnan(scores)]) > 1).any():
        yield "gives scores outside [-1, 1]"
