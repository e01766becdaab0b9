"""A backtest as one HTML page that opens without a network."""

from __future__ import annotations

import html
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from trading.quant.simulation.curve import closes
from trading.quant.simulation.fills import SCALE
from trading.quant.simulation.market import Market
from trading.quant.simulation.result import BacktestResult
from trading.quant.statistics.backtest import Statistics, buy_and_hold
from trading_cli.output import figure_text

POINTS = 4000
"""A curve is drawn with at most about so many points; peaks and troughs are kept."""
MARKS = 3000
BLUE, GREY, GREEN, RED = "#2563eb", "#94a3b8", "#15803d", "#dc2626"

STYLE = """
:root { color-scheme: light; --ink: #0f172a; --dim: #64748b; --line: #e2e8f0; --back: #ffffff; }
body { margin: 0; background: #f8fafc; color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; margin: 0 0 2px; } h2 { font-size: 17px; margin: 34px 0 10px; }
.dim { color: var(--dim); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px;
  margin: 20px 0 6px; }
.card { background: var(--back); border: 1px solid var(--line); border-radius: 8px;
  padding: 10px 14px; }
.card b { display: block; font-size: 21px; font-variant-numeric: tabular-nums; }
.plot { background: var(--back); border: 1px solid var(--line); border-radius: 8px; padding: 6px; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 14px;
  align-items: start; }
table { border-collapse: collapse; width: 100%; background: var(--back);
  border: 1px solid var(--line); border-radius: 8px; }
td, th { padding: 5px 12px; border-top: 1px solid var(--line); text-align: left; }
td:last-child { text-align: right; font-variant-numeric: tabular-nums; }
th { border-top: 0; } pre { white-space: pre-wrap; word-break: break-all; font-size: 12px; }
"""

CARDS = (
    ("Total return", "returns", "total_return"),
    ("CAGR", "returns", "cagr"),
    ("Sharpe", "returns", "sharpe"),
    ("Sortino", "returns", "sortino"),
    ("Max drawdown", "risk", "max_drawdown"),
    ("Profit factor", "trades", "profit_factor"),
    ("Win rate", "trades", "win_rate"),
    ("Round trips", "trades", "round_trips"),
)


def report(result: BacktestResult, market: Market, statistics: Statistics) -> str:
    """The page: figures, equity beside buying and holding, drawdown, months, trades on price."""
    config = result.config
    title = f"{config.strategy} on {', '.join(config.symbols)}"
    figures = statistics.as_dict()
    cards = "".join(
        f'<div class="card"><span class="dim">{label}</span>'
        f"<b>{figure_text(name, figures[group][name])}</b></div>"
        for label, group, name in CARDS
    )
    plots = [
        ("Equity and drawdown", _curves(result, market)),
        ("Return by month", _months(statistics)),
        *((f"Trades in {symbol}", _trades(result, market, symbol)) for symbol in market.symbols),
    ]
    drawn = "".join(
        f'<h2>{html.escape(name)}</h2><div class="plot">{_embedded(figure)}</div>'
        for name, figure in plots
    )
    groups = ("returns", "risk", "trades", "costs", "benchmark")
    tables = "".join(_table(name, figures[name]) for name in groups)
    parts = "".join(
        _table(f"{kind[3:]}: {name}", values)
        for kind in ("by_symbol", "by_reason")
        for name, values in figures[kind].items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}'
        f'</title><meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<script>{get_plotlyjs()}</script></head><body><main><h1>{html.escape(title)}</h1>"
        f'<div class="dim">{html.escape(statistics.start[:10])} to {statistics.end[:10]},'
        f" {statistics.bars:,} bars of {config.timeframe}, {len(result.fills):,} fills,"
        f' {result.gear.value} gear</div><div class="cards">{cards}</div>{drawn}'
        f'<h2>Figures</h2><div class="tables">{tables}{parts}</div><h2>Configuration</h2>'
        f"<pre>{html.escape(config.canonical_json())}</pre></main></body></html>\n"
    )


def _embedded(figure: go.Figure) -> str:
    """A figure as a part of the page."""
    text: str = figure.to_html(
        full_html=False, include_plotlyjs=False, config={"displaylogo": False, "responsive": True}
    )
    return text


def _laid_out(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 60, "r": 20, "t": 20, "b": 40},
        legend={"orientation": "h", "y": 1.08},
        hovermode="x unified",
    )
    return figure


def _curves(result: BacktestResult, market: Market) -> go.Figure:
    """Equity beside holding, and below it how far it is under its peak."""
    steps = np.arange(len(result.time))
    held = buy_and_hold(market, steps)[1:] * float(result.config.cash)
    peak = np.maximum.accumulate(np.append(float(result.config.cash), result.equity))[1:]
    fall = np.where(peak > 0, result.equity / np.where(peak > 0, peak, 1) - 1, 0)
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.04
    )
    for name, values, colour in (("strategy", result.equity, BLUE), ("buy and hold", held, GREY)):
        at = thinned(values)
        line = {"color": colour, "width": 1.6}
        figure.add_scatter(x=_dates(result.time[at]), y=values[at], name=name, line=line)
    at = thinned(fall)
    figure.add_scatter(
        x=_dates(result.time[at]),
        y=fall[at],
        name="drawdown",
        fill="tozeroy",
        line={"color": RED, "width": 1},
        row=2,
        col=1,
    )
    figure.update_yaxes(tickformat=".0%", row=2, col=1)
    return _laid_out(figure, 520)


def _months(statistics: Statistics) -> go.Figure:
    """A heat map: years down, months across."""
    years = sorted({month[:4] for month in statistics.by_month})
    grid = [[statistics.by_month.get(f"{y}-{m:02d}") for m in range(1, 13)] for y in years]
    known = [abs(value) for row in grid for value in row if value is not None]
    most = max(known, default=0.01) or 0.01
    names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    figure = go.Figure(
        go.Heatmap(
            z=grid,
            x=names,
            y=years,
            zmin=-most,
            zmax=most,
            colorscale=[[0, RED], [0.5, "#ffffff"], [1, GREEN]],
            text=[["" if v is None else f"{v:.1%}" for v in row] for row in grid],
            texttemplate="%{text}",
            hovertemplate="%{y} %{x}: %{z:.2%}<extra></extra>",
            colorbar={"tickformat": ".0%"},
            xgap=2,
            ygap=2,
        )
    )
    figure.update_yaxes(type="category", autorange="reversed")
    return _laid_out(figure, 130 + 34 * len(years))


def _trades(result: BacktestResult, market: Market, symbol: str) -> go.Figure:
    """The close, and where it was bought and sold."""
    close = closes(market, symbol)
    at = thinned(close)
    figure = go.Figure()
    line = {"color": GREY, "width": 1.2}
    figure.add_scatter(x=_dates(result.time[at]), y=close[at], name="close", line=line)
    fills, place = result.fills, market.symbols.index(symbol)
    own = np.flatnonzero(fills.symbol == place)[-MARKS:]
    for name, side, shape, colour in (
        ("bought", 1, "triangle-up", GREEN),
        ("sold", -1, "triangle-down", RED),
    ):
        marks = own[np.sign(fills.quantity[own]) == side]
        figure.add_scatter(
            x=_dates(fills.time[marks] / 1e6),
            y=fills.price[marks] / SCALE,
            mode="markers",
            name=name,
            marker={"symbol": shape, "size": 9, "color": colour},
        )
    return _laid_out(figure, 380)


def thinned(values: np.ndarray[Any, Any], points: int = POINTS) -> np.ndarray[Any, Any]:
    """Places of a curve that show its shape: of every stretch first, lowest, highest and last."""
    if len(values) <= points:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), points // 4 + 1).astype(int)
    kept = [0, len(values) - 1]
    for first, end in pairwise(edges):
        part = values[first:end]
        kept += [first, first + int(part.argmin()), first + int(part.argmax()), end - 1]
    return np.unique(kept)


def _dates(seconds: np.ndarray[Any, Any]) -> list[str]:
    """Times as a plot reads them."""
    return [str(t) for t in np.asarray(seconds).astype("datetime64[s]")]


def _table(name: str, values: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(key.replace('_', ' '))}</td><td>{figure_text(key, value)}</td></tr>"
        for key, value in values.items()
    )
    heading = html.escape(name.replace("_", " ").capitalize())
    return f'<table><tr><th colspan="2">{heading}</th></tr>{rows}</table>'
