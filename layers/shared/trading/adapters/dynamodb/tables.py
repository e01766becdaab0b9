"""The names of the tables, as the environment gives them; a function has only its own."""

from __future__ import annotations

import os


class MissingTable(RuntimeError):
    """The function was not given a table that the code asks for; names the variable."""


class Tables:
    """Table names by what they hold, read from ``<NAME>_TABLE`` when first asked for."""

    @staticmethod
    def _name(variable: str) -> str:
        name = os.environ.get(variable)
        if not name:
            raise MissingTable(f"environment variable {variable} is not set for this function")
        return name

    @property
    def market(self) -> str:
        """Instruments, prices, candles."""
        return self._name("MARKET_TABLE")

    @property
    def recommendations(self) -> str:
        """Recommendations and their outbox."""
        return self._name("RECOMMENDATIONS_TABLE")

    @property
    def orders(self) -> str:
        """Orders and fills."""
        return self._name("ORDERS_TABLE")

    @property
    def portfolio(self) -> str:
        """Accounts, positions, ledger, equity."""
        return self._name("PORTFOLIO_TABLE")

    @property
    def risk(self) -> str:
        """Limits, counters, decisions, stops."""
        return self._name("RISK_TABLE")
