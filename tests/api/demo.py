"""A small service that uses every part of the scaffolding."""

from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

from trading.api.app import CheckResult, MetricFamily, create_app, lambda_entry, new_router
from trading.api.idempotency import IdempotencyKey, OptionalIdempotencyKey, replayable
from trading.api.security import CallerDep, requires
from trading.domain.audit import AuditEntry
from trading.domain.errors import Unavailable
from trading.schemas.amount import Amount, OutAmount, PositiveAmount
from trading.schemas.base import Symbol, UtcDatetime, Wire

BULK_LIMIT = 1024 * 1024


class Thing(Wire):
    amount: Amount
    price: PositiveAmount | None = None
    symbol: Symbol = "AAPL"
    at: UtcDatetime | None = None
    note: Any = None


class Shown(Wire):
    amount: OutAmount
    at: UtcDatetime | None
    caller: str


class MemoryTrail:
    """Takes what is noted, unless it is told to fail."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, AuditEntry]] = []
        self.broken: set[str] = set()

    def asked(self, entry: AuditEntry) -> None:
        self._note("asked", entry)

    def answered(self, entry: AuditEntry) -> None:
        self._note("answered", entry)

    def _note(self, what: str, entry: AuditEntry) -> None:
        if what in self.broken:
            raise Unavailable("the table does not answer")
        self.notes.append((what, entry))


class Hooks:
    """What tests make the service do, and the trail that it leaves."""

    action: Callable[[], None] = staticmethod(lambda: None)
    calls = 0
    healthy = True
    trail = MemoryTrail()

    @classmethod
    def reset(cls) -> None:
        cls.trail = MemoryTrail()
        cls.action, cls.calls, cls.healthy = staticmethod(lambda: None), 0, True


router = new_router()


@router.post("/things", status_code=201, dependencies=[requires("market:write")])
def post_thing(body: Thing, caller: CallerDep) -> Shown:
    Hooks.action()
    return Shown(amount=body.amount, at=body.at, caller=caller.key_id)


@router.post("/things/bulk", dependencies=[requires("market:write")])
def post_bulk(body: list[Thing]) -> int:
    return len(body)


def _once(body: Thing, caller: CallerDep, request: Request, key: str | None) -> Response:
    def action() -> tuple[int, Shown]:
        Hooks.calls += 1
        Hooks.action()
        return 201, Shown(amount=body.amount, at=body.at, caller=caller.key_id)

    return replayable(caller, request, key, body, action)


@router.post("/things/{pid}/once", response_model=Shown)
def post_once(
    pid: str, body: Thing, caller: CallerDep, request: Request, key: IdempotencyKey
) -> Response:
    caller.check_portfolio(pid)
    return _once(body, caller, request, key)


@router.post("/things/{pid}/maybe", response_model=Shown)
def post_maybe(
    pid: str,
    body: Thing,
    caller: CallerDep,
    request: Request,
    key: OptionalIdempotencyKey = None,
) -> Response:
    return _once(body, caller, request, key)


app = create_app(
    "demo",
    "Demonstration",
    router,
    prefix="/things",
    checks={"part": lambda: CheckResult(Hooks.healthy, "fine" if Hooks.healthy else "broken")},
    metrics=lambda: [MetricFamily("demo", 'a "help"\nline').add(3, state='a"b\\c\nd')],
    trail=lambda: Hooks.trail,
    body_limits={"POST /things/bulk": BULK_LIMIT},
)
api = lambda_entry(app)
