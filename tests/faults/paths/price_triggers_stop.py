"""A new price in the market's stream sets a stop off."""

from collections import Counter

from tests.faults.paths import stop_triggered
from tests.support.faults_path import Path, PriceStream

PATH = Path(
    "stream: price triggers a stop",
    stop_triggered.seed,
    PriceStream("risk", "ACME"),
    Counter(Query=1, TransactWriteItems=3, SendMessageBatch=1),
    stop_triggered.outcome,
)
