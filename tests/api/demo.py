"""A small service that uses every part of the scaffolding."""

from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

from trading.api.app import CheckResult, MetricFamily, create_app, lambda_entry, new_router
from trading.api.idempotency import IdempotencyKey, OptionalIdempotencyKey, replayable
from trading.api.security import CallerDep, requires
from trading.schemas.base import Amount, OutAmount, PositiveAmount, Symbol, UtcDatetime, Wire

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


class Hooks:
    """What tests make the service do."""

    action: Callable[[], None] = staticmethod(lambda: None)
    calls = 0
    healthy = True

    @classmethod
    def reset(cls) -> None:
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
    body_limits={"POST /things/bulk": BULK_LIMIT},
)
api = lambda_entry(app)
