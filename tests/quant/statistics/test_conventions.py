"""Ratios follow the published conventions: quantstats on real stocks, and reference figures."""

from __future__ import annotations

import csv
import gzip
import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.support.candles import real
from trading.quant.statistics import ratios
from trading.quant.statistics.drawdowns import drawdown
from trading.quant.strategies.strategy import columns_of

with warnings.catch_warnings():
    # Its plots' packages warn on import.
    warnings.simplefilter("ignore")
    import pandas as pd
    import quantstats

DATA = Path(__file__).parents[3].parent / "shared" / "data"


def returns_of(prices: np.ndarray) -> np.ndarray:
    return np.diff(prices) / prices[:-1]


def deepest(returns: np.ndarray) -> float:
    equity = np.append(1.0, np.cumprod(1 + returns))
    return drawdown(equity, np.arange(len(equity)) * 1.0, equity[0], 0.0).deepest


def test_ratios_are_those_of_quantstats() -> None:
    closes = columns_of(real("IBM"))
    index = pd.to_datetime(closes.time[1:], unit="s")
    returns = returns_of(closes.close)
    series = pd.Series(returns, index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = {
            "sharpe": quantstats.stats.sharpe(series, periods=252),
            "sortino": quantstats.stats.sortino(series, periods=252),
            "volatility": quantstats.stats.volatility(series, periods=252),
            "omega": quantstats.stats.omega(series, periods=252),
            "drawdown": quantstats.stats.max_drawdown(series),
        }
    ours = {
        "sharpe": ratios.sharpe(returns, 252),
        "sortino": ratios.sortino(returns, 252),
        "volatility": ratios.annual_volatility(returns, 252),
        "omega": ratios.omega(returns),
        "drawdown": deepest(returns),
    }
    assert ours == pytest.approx(peer)


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the reference figures")
def test_ratios_are_the_reference_figures() -> None:
    given = json.loads((DATA / "reference_metrics.json").read_text())
    series, figures = given["series"], given["by_library"]
    asset, market = (
        returns_of(closes(series[name].split()[0], series["from"], series["to"]))
        for name in ("asset", "benchmark")
    )
    assert len(asset) == series["returns"]
    alpha, beta = ratios.greeks(asset, market, 365)
    found = {
        "empyrical.sharpe_ratio(annualization=365)": ratios.sharpe(asset, 365),
        "empyrical.sortino_ratio(required_return=0,annualization=365)": ratios.sortino(asset, 365),
        "empyrical.annual_volatility(annualization=365)": ratios.annual_volatility(asset, 365),
        "empyrical.value_at_risk(cutoff=0.05)": ratios.value_at_risk(asset),
        "empyrical.alpha(annualization=365)": alpha,
        "empyrical.beta": beta,
        "empyrical.omega_ratio": ratios.omega(asset),
        "empyrical.max_drawdown": deepest(asset),
    }
    assert found == pytest.approx({name: figures[name] for name in found})
    by_hand = given["formulas_checked_by_hand"]["CVaR: mean(r<=linear quantile)"]
    assert ratios.expected_shortfall(asset) == pytest.approx(by_hand)


def closes(name: str, first: str, last: str) -> np.ndarray:
    """A file's closes from one day to another, both included."""
    with gzip.open(DATA / name, "rt", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    time = next(key for key in rows[0] if key.lower() in ("timestamp", "time", "date"))
    return np.array([float(r["close"]) for r in rows if first <= r[time][:10] <= last])
