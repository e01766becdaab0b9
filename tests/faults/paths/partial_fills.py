"""A resting order larger than its part of a bar: filled bar by bar."""

from collections import Counter
from datetime import timedelta

from tests.support.faults_path import Path, Schedule
from tests.support.faults_world import World
from tests.support.floor import books, good, open_floor, order

BARS = ((60, "96", "94", "40"), (120, "96", "93", "60"))
"""Minutes until the bar opens after the first, high, low, volume."""


def seed(world: World) -> None:
    open_floor(fill_model={"participation_rate": "0.1"})
    good("POST", "/orders", order("20", type="limit", limit_price="95"), key="k")
    start = (world.wall + timedelta(hours=1)).replace(minute=0)
    candles = [
        {
            "time": (start + timedelta(minutes=minutes - 60)).isoformat(),
            "open": "96",
            "high": high,
            "low": low,
            "close": low,
            "volume": volume,
        }
        for minutes, high, low, volume in BARS
    ]
    world.wall = start + timedelta(hours=2)
    good("POST", "/market/candles", {"symbol": "ACME", "timeframe": "1h", "candles": candles})


def outcome() -> None:
    found = good("GET", "/orders")["items"][0]
    assert found["execution_status"] == "partially_filled"
    assert books()["positions"]["ACME"].quantity == 10


PATH = Path(
    "schedule: partial fills over two bars",
    seed,
    Schedule("execution"),
    Counter(Query=2, BatchGetItem=2, TransactWriteItems=2),
    outcome,
)
