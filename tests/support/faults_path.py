"""Ways that work reaches the platform, and what its senders do when it goes wrong."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.support.faults_world import World
from tests.support.floor import SERVICES
from tests.support.http import ALL_SCOPES, Answer, proxy_event

TRIES = 8
PASSING_SECONDS = 60.0
"""More than any invocation may take: whoever was at work is gone."""


class Act(Protocol):
    """Work that comes from outside, and how its sender behaves.

    ``ignored`` names the fields of an answer that may differ when it is asked for again.
    """

    @property
    def ignored(self) -> frozenset[str]: ...

    def event(self, world: World) -> Callable[[Any], Any]:
        """The invocation, ready to be handed to a worker, or to two."""
        ...

    def concluded(self, world: World, answer: Any) -> None:
        """What the sender does with the worker's answer (None: there was none)."""
        ...

    def again(self, world: World) -> Any:
        """Send again until it is settled; gives what the sender has learnt by then."""
        ...


@dataclass(frozen=True)
class Request:
    """An HTTPS request whose client tries again, under the same key, while it is told to."""

    method: str
    path: str
    body: Any = None
    key: str | None = None
    ignored: frozenset[str] = frozenset()

    def event(self, world: World) -> Callable[[Any], Any]:
        service = SERVICES[self.path.split("/")[1]]
        handler = importlib.import_module(f"{service}.handler")
        headers = {"X-Correlation-Id": "from-the-client"}
        headers |= {"Idempotency-Key": self.key} if self.key else {}
        sent = proxy_event(self.method, self.path, self.body, headers, ALL_SCOPES)
        return lambda context: handler.api(sent, context)

    def concluded(self, world: World, answer: Any) -> None:
        """Nothing: the client remembers no answer that it did not get."""

    def again(self, world: World) -> Any:
        for _ in range(TRIES):
            answer = world.work(self.event(world))
            headers = {name.lower() for name in answer["headers"]} if answer else set()
            if answer and answer["statusCode"] < 500 and "retry-after" not in headers:
                shown = Answer(answer["statusCode"], {}, answer["body"]).json
                return {k: v for k, v in shown.items() if k not in self.ignored}
            world.clock.sleep(PASSING_SECONDS)
        raise AssertionError(f"never settled: {answer}")


@dataclass(frozen=True)
class Delivery:
    """A batch from the queue, which comes again as long as part of it failed."""

    ignored: frozenset[str] = frozenset()
    _taken: list[dict[str, Any]] = field(default_factory=list)

    def event(self, world: World) -> Callable[[Any], Any]:
        from execution.handler import on_recommendations

        self._taken[:] = world.receive()
        records = list(self._taken)
        return lambda context: on_recommendations({"Records": records}, context)

    def concluded(self, world: World, answer: Any) -> None:
        everything = {record["messageId"] for record in self._taken}
        failed = (
            {f["itemIdentifier"] for f in answer["batchItemFailures"]} if answer else everything
        )
        world.give_back(self._taken, failed)

    def again(self, world: World) -> Any:
        for _ in range(TRIES):
            event = self.event(world)
            if not self._taken:
                return None
            self.concluded(world, world.work(event))
            world.clock.sleep(PASSING_SECONDS)
        raise AssertionError("the queue never emptied")


@dataclass(frozen=True)
class Schedule:
    """A timer that goes off again and again, whatever became of the last time."""

    service: str
    entry: str = "on_schedule"
    more: Mapping[str, Any] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()

    def event(self, world: World) -> Callable[[Any], Any]:
        handler = importlib.import_module(f"{self.service}.handler")
        sent = {"correlation_id": "schedule", **self.more}
        return lambda context: getattr(handler, self.entry)(sent, context)

    def concluded(self, world: World, answer: Any) -> None:
        """Nothing: nobody waits for it."""

    def again(self, world: World) -> Any:
        world.work(self.event(world))


@dataclass(frozen=True)
class PriceStream:
    """The market table's stream with a symbol's newest price, repeated until it is taken."""

    service: str
    symbol: str
    ignored: frozenset[str] = frozenset()

    def event(self, world: World) -> Callable[[Any], Any]:
        handler = importlib.import_module(f"{self.service}.handler")
        image = world.raw_item("MarketTable", "PRICES", self.symbol)
        change = {"Keys": {"pk": image["pk"], "sk": image["sk"]}, "NewImage": image}
        sent = {"Records": [{"eventName": "MODIFY", "dynamodb": change}]}
        return lambda context: handler.on_prices(sent, context)

    def concluded(self, world: World, answer: Any) -> None:
        """Nothing: the stream stays where it is until its reader has got by."""

    def again(self, world: World) -> Any:
        for _ in range(TRIES):
            if world.work(self.event(world)) is not None:
                return
            world.clock.sleep(PASSING_SECONDS)
        raise AssertionError("the stream never moved on")


STANDING: tuple[Act, ...] = (
    Schedule("recommendations", "on_relay"),
    Delivery(),
    Schedule("execution"),
    Schedule("risk"),
    Delivery(),
)
"""The work that goes on by itself, which recovery may count on."""


@dataclass(frozen=True)
class Path:
    """One way through the platform: what is there before, what comes in, what must follow.

    ``calls`` are the least numbers of calls by operation that the way must make. ``outcome`` looks
    at the books after the undisturbed run, so that the comparison is with something true.
    """

    name: str
    seed: Callable[[World], None]
    act: Act
    calls: Counter[str]
    outcome: Callable[[], None]
