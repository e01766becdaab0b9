"""What a backtest says is what paper trading does: every fill, to the last digit, and the books."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.quant.simulation.test_against_a_peer import EURUSD, columns
from tests.support.local_stack import LocalStack
from trading.domain.backtest import BacktestConfig
from trading.quant.simulation.market import Market
from trading.quant.strategies.strategy import Candles
from trading_cli.backtest_setup import Prepared, checked, prepare
from trading_cli.parity import check_parity

DATA = os.environ.get("COIN_CANDLES")
"""A folder with 5-minute candles of three coins; the run takes a quarter of an hour."""


def settings(prepared: Prepared, **given: Any) -> BacktestConfig:
    """The configuration with other terms, checked."""
    plain = prepared.config.model_dump()
    policy = plain["policy"] | given.pop("policy", {})
    return checked(plain | given | {"policy": policy})


def test_stocks_long_and_short_with_costs_and_exits(stack: LocalStack) -> None:
    prepared = prepare(
        "ma_cross",
        '{"fast": 5, "slow": 20}',
        "AAPL,GOOG,IBM",
        start=datetime(2009, 3, 2, tzinfo=UTC),
        end=datetime(2009, 8, 15, tzinfo=UTC),
    )
    config = settings(
        prepared,
        margin=True,
        fill_model={
            "timing": "next_bar",
            "spread_bps": "2",
            "slippage": "fixed",
            "slippage_bps": 1,
        },
        policy={"direction": "both", "stop_loss_percent": "4", "take_profit_percent": "9"},
    )
    found = check_parity(stack.stack, config, prepared.market)
    assert found.difference is None
    assert found.fills > 15


def test_hourly_currencies_that_enter_by_limit(stack: LocalStack) -> None:
    euro = columns(EURUSD.iloc[:300], 5)
    hourly = Candles("EURUSD", "1h", *(getattr(euro, n) for n in _COLUMNS))
    market = Market.of([hourly])
    stocks = prepare("ma_cross").config
    instrument = stocks.instruments["AAPL"].model_copy(
        update={"symbol": "EURUSD", "base_currency": "EUR", "tick_size": Decimal("0.00001")}
    )
    config = settings(
        Prepared(stocks, market),
        symbols=["EURUSD"],
        timeframe="1h",
        data_hash=None,
        instruments={"EURUSD": instrument.model_dump()},
        policy={"entry": "limit", "entry_offset_bps": 2, "trail_percent": "0.5"},
    )
    found = check_parity(stack.stack, config, market, every_bar=False)
    assert found.difference is None
    assert found.fills > 5


_COLUMNS = ("time", "open", "high", "low", "close", "volume")


@pytest.mark.skipif(not DATA, reason="needs COIN_CANDLES, a folder with three coins' candles")
def test_three_months_of_three_coins(stack: LocalStack) -> None:
    files = [f"{c}USDT={DATA}/{c}USDT_5m_binance_genetrader.csv.gz" for c in ("BTC", "ETH", "SOL")]
    prepared = prepare(
        "ma_cross",
        '{"fast": 144, "slow": 576}',
        files=files,
        timeframe="5m",
        start=datetime(2024, 1, 1, tzinfo=UTC),
        end=datetime(2024, 4, 1, tzinfo=UTC),
    )
    assert prepared.market.times[0] == datetime(2024, 1, 1, tzinfo=UTC).timestamp()
    found = check_parity(stack.stack, prepared.config, prepared.market, every_bar=False)
    assert found.difference is None
    assert found.fills > 50
