"""Trying again: against what, how long, and when to stop so that there is time to answer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from trading import deadline
from trading.domain.errors import ConcurrentUpdate, NotFound, Throttled, TradingError, Unavailable
from trading.usecases import retry
from trading.usecases.retry import ATTEMPTS, BASE_SECONDS, CAP_SECONDS, retried


class Clock:
    """Time that passes by being slept."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(deadline, "time", clock)
    monkeypatch.setattr(retry, "random", SimpleNamespace(uniform=lambda _, most: most))
    deadline.begin(None)
    return clock


def invocation(seconds: float) -> SimpleNamespace:
    return SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000)


def failing(times: int, error: TradingError) -> tuple[list[int], object]:
    calls: list[int] = []

    def action() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return "done"

    return calls, action


@pytest.mark.parametrize("error", [ConcurrentUpdate("outrun"), Throttled("slow down")])
def test_what_was_outrun_or_throttled_is_tried_again(clock: Clock, error: TradingError) -> None:
    calls, action = failing(3, error)
    assert retried(action) == "done"  # type: ignore[arg-type]
    assert len(calls) == 4


@pytest.mark.parametrize("error", [NotFound("order", "x"), Unavailable("gone")])
def test_nothing_else_is_tried_again(clock: Clock, error: TradingError) -> None:
    calls, action = failing(1, error)
    with pytest.raises(type(error)):
        retried(action)  # type: ignore[arg-type]
    assert (len(calls), clock.pauses) == (1, [])


def test_pauses_are_a_random_part_of_a_span_that_doubles_up_to_a_cap(clock: Clock) -> None:
    calls, action = failing(ATTEMPTS, ConcurrentUpdate("outrun"))
    with pytest.raises(ConcurrentUpdate):
        retried(action)  # type: ignore[arg-type]
    assert len(calls) == ATTEMPTS
    expected = [min(CAP_SECONDS, BASE_SECONDS * 2**n) for n in range(ATTEMPTS - 1)]
    assert clock.pauses == expected
    assert clock.pauses[-1] == CAP_SECONDS


@pytest.mark.parametrize("seconds", [3.0, 5.0, 10.0])
def test_it_gives_up_while_there_is_time_to_answer(clock: Clock, seconds: float) -> None:
    deadline.begin(invocation(seconds))
    _, action = failing(ATTEMPTS, Throttled("slow down"))
    with pytest.raises(Throttled):
        retried(action)  # type: ignore[arg-type]
    assert seconds - clock.now >= deadline.RESERVE_SECONDS
    assert clock.now > 0


def test_without_time_to_spare_there_is_one_try(clock: Clock) -> None:
    deadline.begin(invocation(deadline.RESERVE_SECONDS))
    calls, action = failing(1, ConcurrentUpdate("outrun"))
    with pytest.raises(ConcurrentUpdate):
        retried(action)  # type: ignore[arg-type]
    assert (len(calls), clock.pauses) == (1, [])


def test_outside_of_an_invocation_nothing_limits_a_wait(clock: Clock) -> None:
    assert deadline.spare() is None
    assert deadline.wait(1000)
    assert clock.pauses == [1000]
