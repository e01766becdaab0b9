"""Signals in their table: written once with their count, and found without reading them all."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest

from trading.adapters.dynamodb.signals import SignalFilter, SignalRepository
from trading.adapters.dynamodb.store import Store
from trading.desk import desk
from trading.domain.errors import ConcurrentUpdate
from trading.domain.identifiers import derived_id
from trading.domain.signal import Signal
from trading.domain.time import to_text

START = datetime(2024, 5, 1, tzinfo=UTC)


class Meter(Store):
    """A store that counts the items its queries read, and can be interrupted before a write."""

    read = 0
    before_write: Any = None

    def query(self, *args: Any, **options: Any) -> Any:
        items = super().query(*args, **options)
        self.read += len(items)
        return items

    def transact(self, writes: Any) -> None:
        if self.before_write:
            interruption, self.before_write = self.before_write, None
            interruption()
        super().transact(writes)


@pytest.fixture
def store(account: None) -> Meter:
    return Meter(boto3.client("dynamodb"))


@pytest.fixture
def signals(store: Meter) -> SignalRepository:
    return SignalRepository(store, "SignalsTable")


def signal(
    hour: int = 0, symbol: str = "AAPL", source: str = "desk", strategy: str = "mood"
) -> Signal:
    time = START + timedelta(hours=hour)
    return Signal(
        id=derived_id("sig", source, strategy, symbol, to_text(time)), symbol=symbol,
        source=source, strategy=strategy, score=Decimal("0.25"), time=time, created_at=time,
        correlation_id="c",
    )  # fmt: skip


def test_signals_are_counted_once_however_often_they_are_recorded(
    signals: SignalRepository,
) -> None:
    first, second = signal(0), signal(1)
    assert signals.record([first]) == (1, 0)
    assert signals.record([first, second, second]) == (1, 2)
    assert signals.counts() == {("desk", "mood"): 2}


def test_more_signals_than_one_transaction_holds_are_all_written(
    signals: SignalRepository,
) -> None:
    many = [signal(hour, strategy=f"s{hour % 60}") for hour in range(130)]
    assert signals.record(many) == (130, 0)
    assert sum(signals.counts().values()) == 130
    assert signals.record(many) == (0, 130)


def test_a_signal_that_a_twin_wrote_meanwhile_is_not_counted_twice(
    signals: SignalRepository, store: Meter
) -> None:
    store.before_write = lambda: desk().signals.record([signal()])
    with pytest.raises(ConcurrentUpdate):
        signals.record([signal(), signal(1)])
    assert signals.counts() == {("desk", "mood"): 1}
    assert signals.record([signal(), signal(1)]) == (1, 1)
    assert signals.counts() == {("desk", "mood"): 2}


def test_the_latest_are_the_newest_of_each_source_and_strategy(signals: SignalRepository) -> None:
    old, new = signal(0), signal(5)
    others = [signal(3, strategy="tone"), signal(4, source="model"), signal(9, symbol="IBM")]
    signals.record([old, new, *others])
    assert {s.id for s in signals.latest("AAPL", START)} == {
        new.id, others[0].id, others[1].id,
    }  # fmt: skip


def test_the_latest_are_none_that_is_too_old(signals: SignalRepository) -> None:
    signals.record([signal(0), signal(3, strategy="tone")])
    since = START + timedelta(hours=3)
    assert [s.strategy for s in signals.latest("AAPL", since)] == ["tone"]
    assert signals.latest("AAPL", since + timedelta(seconds=1)) == []


@pytest.mark.parametrize("past", [20, 200])
@pytest.mark.parametrize(
    "wanted",
    [
        SignalFilter(),
        SignalFilter(source="rare"),
        SignalFilter(strategy="once"),
        SignalFilter(source="rare", strategy="once"),
        SignalFilter(source="nobody"),
    ],
    ids=str,
)
def test_listing_reads_no_more_with_a_longer_past(
    wanted: SignalFilter, past: int, signals: SignalRepository, store: Meter
) -> None:
    signals.record([signal(0, source="rare", strategy="once")])
    signals.record([signal(hour) for hour in range(1, past)])
    store.read = 0
    found = signals.newest(wanted, 5)
    assert all(s.source in (wanted.source, s.source) for _, s in found)
    counters = 2
    assert store.read <= 5 + counters


def test_numbers_of_parameters_survive_the_table(signals: SignalRepository) -> None:
    own = signal().model_copy(update={"parameters": {"period": 14, "level": 30.5, "on": True}})
    signals.record([own])
    ((_, kept),) = signals.newest(SignalFilter(), 1)
    assert kept.parameters == {"period": 14, "level": Decimal("30.5"), "on": True}
