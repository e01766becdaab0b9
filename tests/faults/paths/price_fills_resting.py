"""A new price in the market's stream fills what rests."""

from collections import Counter

from tests.faults.paths import resting_order_filled
from tests.support.faults_path import Path, PriceStream

PATH = Path(
    "stream: price fills resting orders",
    resting_order_filled.seed,
    PriceStream("execution", "ACME"),
    Counter(Query=1, BatchGetItem=2, TransactWriteItems=2),
    resting_order_filled.outcome,
)
