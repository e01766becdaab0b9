"""Instruments, prices and portfolios for tests on the deployed stack."""

from __future__ import annotations

from typing import Any

from trading_cli.api import Api

INSTRUMENT = {
    "base_currency": "ACME",
    "quote_currency": "USD",
    "tick_size": "0.01",
    "lot_size": "1",
    "min_notional": "1",
    "max_price_age_seconds": 3600,
}


def open_floor(
    api: Api, portfolio_id: str, symbol: str, limits: dict[str, Any], cash: str = "100000"
) -> None:
    """Register a symbol priced at 100 now, and open a portfolio with these limits."""
    api.put(f"/market/instruments/{symbol}", INSTRUMENT)
    api.post("/market/prices", {"prices": [{"symbol": symbol, "price": "100"}]})
    api.put(f"/portfolio/{portfolio_id}", {"base_currency": "USD", "cash": cash})
    api.put(f"/risk/{portfolio_id}/limits", limits)


def buy(portfolio_id: str, symbol: str, quantity: str) -> dict[str, str]:
    """The body of a market order."""
    return {
        "portfolio_id": portfolio_id,
        "symbol": symbol,
        "side": "buy",
        "quantity": quantity,
    }
