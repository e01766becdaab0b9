"""Computed trials as bytes, and what names the trials that one can be told from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from trading.quant.search.sweep import Trial, code_fingerprint

if TYPE_CHECKING:
    from trading.domain.backtest import BacktestConfig

COUNTS = ("round_trips",)
"""Figures that are whole numbers."""


def family_of(config: BacktestConfig, data_hash: str) -> str:
    """Names the trials that differ by parameters alone: same code, configuration and candles."""
    blank: dict[str, Any] = {"parameters": {}, "start": None, "end": None, "data_hash": None}
    text = config.model_copy(update=blank).canonical_json()
    return hashlib.sha256(
        f"{code_fingerprint(config.strategy)}\n{text}\n{data_hash}".encode()
    ).hexdigest()


def name_of(parameters: Mapping[str, Any]) -> str:
    """Names a trial within its family."""
    return json.dumps(dict(parameters), sort_keys=True, separators=(",", ":"))


def pack(trials: Sequence[Trial]) -> bytes:
    """Trials of one family as the bytes of an npz file."""
    import numpy as np

    names = list(dict.fromkeys(name for trial in trials for name in trial.figures))
    figures = [[_number(trial.figures.get(name)) for name in names] for trial in trials]
    lengths = [len(trial.returns) for trial in trials]
    file = BytesIO()
    np.savez_compressed(
        file,
        parameters=np.array([name_of(trial.parameters) for trial in trials], dtype=np.str_),
        errors=np.array([trial.error or "" for trial in trials], dtype=np.str_),
        names=np.array(names, dtype=np.str_),
        figures=np.array(figures, np.float64).reshape(len(trials), len(names)),
        lengths=np.array(lengths, np.int64),
        returns=np.concatenate([np.empty(0), *(trial.returns for trial in trials)]),
    )
    return file.getvalue()


def unpack(content: bytes) -> list[Trial]:
    """Read trials back. Raises ValueError for what is no such file."""
    import numpy as np

    try:
        with np.load(BytesIO(content), allow_pickle=False) as kept:
            names = kept["names"].tolist()
            ends = np.cumsum(kept["lengths"])
            returns = np.split(kept["returns"], ends[:-1]) if len(ends) else []
            rows = zip(
                kept["parameters"].tolist(),
                kept["errors"].tolist(),
                kept["figures"].tolist(),
                returns,
                strict=True,
            )
            return [
                Trial(
                    json.loads(parameters),
                    {} if error else dict(zip(names, map(_figure, names, values), strict=True)),
                    each,
                    error or None,
                )
                for parameters, error, values, each in rows
            ]
    except (OSError, KeyError, EOFError) as error:
        raise ValueError(f"is no file of trials: {error}") from error


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _figure(name: str, value: float) -> float | int | None:
    """A figure as it was before it was kept as a float."""
    if value != value:
        return None
    return int(value) if name in COUNTS else value
