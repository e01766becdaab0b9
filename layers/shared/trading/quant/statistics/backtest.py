"""Everything that is said of a backtest in figures.

Ratios are measured on daily returns: equity at the last bar of each UTC day against the day before,
the first against the cash at the beginning; by bar for bars of a day or longer. A year has 365 days
where weekends are traded and 252 where not, or 52 weeks. What has no meaning is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trading.quant.simulation.curve import closes
from trading.quant.simulation.fills import SCALE, Reason
from trading.quant.simulation.market import Market
from trading.quant.simulation.result import BacktestResult
from trading.quant.simulation.round_trips import RoundTrips, profits, round_trips
from trading.quant.statistics import ratios
from trading.quant.statistics.drawdowns import drawdown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trading.quant.strategies.strategy import FloatArray

DAY = 86_400.0
YEAR = 365.25 * DAY
Figures = Mapping[str, float | int | None]


@dataclass(frozen=True)
class Statistics:
    """A backtest in figures; rates and returns are fractions, amounts in the base currency.

    ``returns`` are total return, CAGR, volatility and the ratios, ``risk`` drawdown and tails,
    ``trades`` those of the closed round trips, ``benchmark`` the comparison with buying and holding
    all symbols in equal parts. ``by_month`` holds returns by ``YYYY-MM``, ``by_symbol`` and
    ``by_reason`` the round trips' number, profit and win rate.
    """

    start: str
    end: str
    bars: int
    periods_per_year: int
    returns: Figures
    risk: Figures
    trades: Figures
    costs: Figures
    benchmark: Figures
    by_month: Mapping[str, float | None]
    by_symbol: Mapping[str, Figures]
    by_reason: Mapping[str, Figures]

    def as_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return asdict(self)


def statistics_of(
    result: BacktestResult, market: Market, benchmark: FloatArray | None = None
) -> Statistics:
    """Measure a run on its market.

    ``benchmark`` is the value of something to compare with at every step; by default what buying
    and holding the market's symbols in equal parts would be worth.
    """
    import numpy as np

    market = market.between(result.config.start, result.config.end)
    cash = float(result.config.cash)
    ends = market.period_ends
    equity = np.append(cash, result.equity[ends])
    returns = simple_returns(equity)
    periods = periods_per_year(market, ends)
    fall = drawdown(result.equity, result.time, cash, float(market.times[0]))
    held = buy_and_hold(market, ends) if benchmark is None else benchmark[np.append(0, ends)]
    trips = round_trips(result.fills, market)
    years = float(result.time[-1] - market.times[0]) / YEAR
    growth = float(result.equity[-1]) / cash if cash else float("nan")
    cagr = ratios.finite(growth ** (1 / years) - 1) if growth > 0 and years else None
    return Statistics(
        start=_text(float(market.times[0])),
        end=_text(float(result.time[-1])),
        bars=len(market.times),
        periods_per_year=periods,
        returns=_returns(returns, periods, growth, cagr, fall.deepest),
        risk=_risk(returns, fall.deepest, fall.longest_seconds, result),
        trades=_trades(trips, market),
        costs=_costs(result, years, trips),
        benchmark=_against(returns, simple_returns(held), held, periods),
        by_month=_by_month(market, ends, equity),
        by_symbol=_grouped(trips, trips.symbol, dict(enumerate(market.symbols))),
        by_reason=_grouped(trips, trips.reason, {r.value: r.name.lower() for r in Reason}),
    )


def key_figures(result: BacktestResult, market: Market) -> tuple[dict[str, Any], FloatArray]:
    """The few figures that trials are ranked by, as in ``statistics_of``, and the returns.

    ``market`` is the one that the run was on, cut to its start and end.
    """
    import numpy as np

    cash = float(result.config.cash)
    ends = market.period_ends
    returns = simple_returns(np.append(cash, result.equity[ends]))
    periods = periods_per_year(market, ends)
    fall = drawdown(result.equity, result.time, cash, float(market.times[0]))
    pnl = profits(result.fills, market)
    years = float(result.time[-1] - market.times[0]) / YEAR
    growth = float(result.equity[-1]) / cash if cash else float("nan")
    cagr = ratios.finite(growth ** (1 / years) - 1) if growth > 0 and years else None
    gained, lost = float(pnl[pnl > 0].sum()), float(pnl[pnl <= 0].sum())
    figures = {
        "sharpe": ratios.sharpe(returns, periods),
        "sortino": ratios.sortino(returns, periods),
        "calmar": None if cagr is None else ratios.over(cagr, -fall.deepest),
        "total_return": ratios.finite(growth - 1),
        "profit_factor": ratios.over(gained, -lost),
        "max_drawdown": fall.deepest,
        "round_trips": len(pnl),
        "fees": float(result.fills.fee.sum()) / SCALE,
    }
    return figures, returns


def simple_returns(equity: FloatArray) -> FloatArray:
    """Change over the value before; 0 from where there was nothing left to lose."""
    import numpy as np

    before = equity[:-1]
    there = before > 0
    found: FloatArray = np.where(there, equity[1:] / np.where(there, before, 1.0) - 1, 0.0)
    return found


def periods_per_year(market: Market, ends: NDArray[np.int64]) -> int:
    """How many returns make a year: 365, 252 without weekends, 52 for weeks."""
    if market.bar_length.total_seconds() > DAY:
        return 52
    span = (float(market.times[-1]) - float(market.times[0])) / DAY
    return 365 if span < 5 or len(ends) / (span + 1) > 0.8 else 252


def buy_and_hold(market: Market, steps: NDArray[np.int64]) -> FloatArray:
    """What one unit of money, put in equal parts into every symbol's first bar, is worth.

    At the beginning, then at some steps.
    """
    import numpy as np

    worth = np.zeros(len(steps))
    for symbol in market.symbols:
        close = closes(market, symbol)[steps]
        first = market.candles[symbol].open[0]
        worth += np.where(close > 0, close / first, 1.0)
    return np.append(1.0, worth / len(market.symbols))


def _returns(
    returns: FloatArray, periods: int, growth: float, cagr: float | None, deepest: float
) -> Figures:
    """What was earned, and for what risk."""
    return {
        "total_return": ratios.finite(growth - 1),
        "cagr": cagr,
        "annual_volatility": ratios.annual_volatility(returns, periods),
        "sharpe": ratios.sharpe(returns, periods),
        "sortino": ratios.sortino(returns, periods),
        "calmar": None if cagr is None else ratios.over(cagr, -deepest),
        "omega": ratios.omega(returns),
    }


def _risk(returns: FloatArray, deepest: float, longest: float, result: BacktestResult) -> Figures:
    """What could be lost, and how much of the time something was at stake."""
    import numpy as np

    equity = result.equity
    used = result.gross / equity if equity.min() > 0 else _used(result)
    return {
        "max_drawdown": deepest,
        "max_drawdown_days": longest / DAY,
        "var_95": ratios.value_at_risk(returns),
        "cvar_95": ratios.expected_shortfall(returns),
        "exposure_time": np.count_nonzero(result.gross > 0) / len(result.gross),
        "mean_gross_exposure": float(used.mean()) if len(used) else None,
        "max_gross_exposure": float(used.max()) if len(used) else None,
    }


def _used(result: BacktestResult) -> FloatArray:
    """Gross exposure over equity where there is any."""
    there = result.equity > 0
    found: FloatArray = result.gross[there] / result.equity[there]
    return found


def _trades(trips: RoundTrips, market: Market) -> Figures:
    """The closed round trips (Van Tharp's SQN: root of their number times mean over deviation)."""
    import numpy as np

    pnl, count = trips.pnl, len(trips)
    if not count:
        return dict.fromkeys(_TRADE_NAMES) | {"round_trips": 0}
    wins, losses = pnl[pnl > 0], pnl[pnl <= 0]
    deviation = float(trips.pnl_fraction.std(ddof=1)) if count > 1 else 0.0
    quality = ratios.over(float(trips.pnl_fraction.mean()), deviation)
    length = market.times[trips.exit] - market.times[trips.entry]
    values = (
        count,
        len(wins) / count,
        ratios.over(float(wins.sum()), -float(losses.sum())),
        float(pnl.mean()),
        float(trips.pnl_fraction.mean()),
        None if quality is None else quality * float(np.sqrt(count)),
        float(wins.mean()) if len(wins) else None,
        float(losses.mean()) if len(losses) else None,
        float(pnl.max()),
        float(pnl.min()),
        float((trips.exit - trips.entry).mean()),
        float(length.mean()) / DAY,
        float(trips.mae.mean()),
        float(trips.mfe.mean()),
    )
    return dict(zip(_TRADE_NAMES, values, strict=True))


_TRADE_NAMES = (
    "round_trips",
    "win_rate",
    "profit_factor",
    "expectancy",
    "expectancy_fraction",
    "sqn",
    "mean_win",
    "mean_loss",
    "best",
    "worst",
    "mean_bars",
    "mean_days",
    "mean_mae",
    "mean_mfe",
)


def _costs(result: BacktestResult, years: float, trips: RoundTrips) -> Figures:
    """Fees, and how often the portfolio was turned over: half of what was traded, over equity."""
    import numpy as np

    fills = result.fills
    notional = float((np.abs(fills.quantity / SCALE) * (fills.price / SCALE)).sum())
    mean = float(result.equity.mean())
    turnover = ratios.over(notional / 2, mean) if mean > 0 else None
    return {
        "fills": len(fills),
        "fees": float((fills.fee / SCALE).sum()),
        "traded_notional": notional,
        "turnover": turnover,
        "annual_turnover": ratios.over(turnover, years) if turnover is not None else None,
        "open_fills": len(fills) - 2 * len(trips) if len(fills) > 2 * len(trips) else 0,
    }


def _against(returns: FloatArray, held: FloatArray, benchmark: FloatArray, periods: int) -> Figures:
    """The comparison with the benchmark."""
    alpha, beta = ratios.greeks(returns, held, periods)
    return {
        "total_return": ratios.over(float(benchmark[-1] - benchmark[0]), float(benchmark[0])),
        "alpha": alpha,
        "beta": beta,
        "information_ratio": ratios.information_ratio(returns, held, periods),
    }


def _by_month(
    market: Market, ends: NDArray[np.int64], equity: FloatArray
) -> dict[str, float | None]:
    """The return of each month, from the last equity before it to its own last."""
    import numpy as np

    months = market.times[ends].astype("datetime64[s]").astype("datetime64[M]")
    last = np.append(np.flatnonzero(months[1:] != months[:-1]), len(months) - 1)
    values = np.append(equity[0], equity[1:][last])
    changes = simple_returns(values)
    return {str(m): ratios.finite(c) for m, c in zip(months[last], changes, strict=True)}


def _grouped(
    trips: RoundTrips, keys: NDArray[np.int64], names: Mapping[int, str]
) -> dict[str, Figures]:
    """Round trips by a key: their number, profit after fees, and the part that gained."""
    found: dict[str, Figures] = {}
    for key, name in names.items():
        own = trips.pnl[keys == key]
        if len(own):
            found[name] = {
                "round_trips": len(own),
                "pnl": float(own.sum()),
                "win_rate": float((own > 0).mean()),
            }
    return found


def _text(seconds: float) -> str:
    """A moment as text."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
