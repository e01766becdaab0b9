"""Every kind of order, as requests and as the prices that bring it to its end; one line adds one.

All are run on a portfolio that is given units of the symbol first, at a price of 100, and leave
it as they found it, so that each kind is measured on the same books.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.floor import SYMBOLS, Platform
from benchmarks.meter import Work

SYMBOL = SYMBOLS[0]
PRICE = "100"
FIRST = "the first order's id"


@dataclass(frozen=True)
class Kind:
    """Orders to place, then prices to post one after the other, each followed by matching.

    ``orders`` are bodies of ``POST /orders`` without portfolio, symbol and quantity; in a linked
    one ``FIRST`` stands for the id of the first.
    """

    name: str
    orders: tuple[dict[str, Any], ...]
    prices: tuple[str, ...] = ()


BUY, SELL = {"side": "buy"}, {"side": "sell"}
# fmt: off
KINDS = (
    Kind("market", (BUY,)),
    Kind("limit, met at once", (BUY | {"type": "limit", "limit_price": "110"},)),
    Kind("limit, resting", (BUY | {"type": "limit", "limit_price": "90"},), ("90",)),
    Kind("stop", (SELL | {"type": "stop", "stop_price": "90"},), ("90",)),
    Kind("stop-limit", (SELL | {"type": "stop_limit", "stop_price": "90",
                                "limit_price": "80"},), ("90",)),
    Kind("trailing stop", (SELL | {"type": "trailing_stop", "trail_percent": "5"},),
         ("110", "100")),
    Kind("bracket", (BUY | {"take_profit": {"limit_price": "110"},
                            "stop_loss": {"stop_price": "90"}},), ("110",)),
    Kind("OCO", (SELL | {"type": "limit", "limit_price": "110"},
                 SELL | {"type": "stop", "stop_price": "90", "oco_order_id": FIRST}), ("90",)),
)
# fmt: on


def measured(running: Platform, kind: Kind) -> Iterator[tuple[str, Work]]:
    """Run a kind of order to its end, one step and its work after the other; then undo it."""
    import execution.handler

    before = running.units(SYMBOL)
    running.place(BUY | {"symbol": SYMBOL, "quantity": "100"})
    placed: list[str] = []
    for number, body in enumerate(kind.orders):
        links = {k: placed[0] for k, value in body.items() if value is FIRST}
        answer, work = running.place(body | links | {"symbol": SYMBOL, "quantity": "7"})
        placed.append(answer["id"])
        yield "placed" if number == 0 else "the linked one placed", work
    for price in kind.prices:
        running.post_price(SYMBOL, price)
        with running.meter.work() as work:
            execution.handler.on_schedule({"symbol": SYMBOL}, None)
        yield f"matched at {price}", work
    _undo(running, before)


def _undo(running: Platform, before: Any) -> None:
    """Bring price and holding back; raises if the kind left an order open."""
    from trading.desk import desk

    if left := desk().orders.open():
        raise RuntimeError(f"still open: {left}")
    running.post_price(SYMBOL, PRICE)
    moved = running.units(SYMBOL) - before
    if moved:
        side = SELL if moved > 0 else BUY
        running.place(side | {"symbol": SYMBOL, "quantity": str(abs(moved))})
