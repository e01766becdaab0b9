"""What can be traded, with the steps its prices and quantities move in."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from trading.domain.errors import InvalidInput
from trading.domain.money import ceil_to_step, floor_to_step, is_multiple, plain
from trading.domain.value import Value


class Instrument(Value):
    """One tradable thing, for example AAPL quoted in USD, or BTC-USDT.

    ``tick_size`` and ``lot_size`` are the steps of price and quantity, ``min_notional`` the
    smallest order value in the quote currency, ``max_price_age_seconds`` how old a price may be to
    trade on. ``venue`` and ``venue_symbol`` say where its candles are fetched from, if anywhere.
    """

    symbol: str
    base_currency: str
    quote_currency: str
    tick_size: Decimal
    lot_size: Decimal
    min_notional: Decimal
    max_price_age_seconds: int
    venue: str | None = None
    venue_symbol: str | None = None

    @property
    def max_price_age(self) -> timedelta:
        """How old a price may be to trade on."""
        return timedelta(seconds=self.max_price_age_seconds)

    def check_price(self, price: Decimal, field: str) -> None:
        """Raise InvalidInput unless ``price`` is a whole number of ticks."""
        if not is_multiple(price, self.tick_size):
            raise InvalidInput(
                field,
                f"must be a multiple of {self.symbol}'s tick size {plain(self.tick_size)},"
                f" for example {plain(floor_to_step(price, self.tick_size))}",
            )

    def round_quantity(self, quantity: Decimal) -> Decimal:
        """Round a computed quantity down to a whole number of lots."""
        return floor_to_step(quantity, self.lot_size)

    def worse_price(self, price: Decimal, *, buys: bool) -> Decimal:
        """The nearest whole tick that is no better for the trader than ``price``."""
        if buys:
            return ceil_to_step(price, self.tick_size)
        return max(floor_to_step(price, self.tick_size), self.tick_size)
