"""Warm: microseconds of one in-process call of the portfolio's handler, beside one by hand.

``GET /portfolio/{pid}/positions`` with 50 positions, against ``bare_positions``, which makes the
same DynamoDB calls (checked: names and parameters are compared) and gives the same answer (checked
too) with FastAPI, Mangum, boto3 and json alone. Calls alternate; the ratio is the median over the
pairs.

Two tables: DynamoDB as moto answers it in this process, and DynamoDB that answers at once, by
replaying moto's answers below botocore. The second leaves out the emulator's own time, which is
longer than the network's would be and hides what is ours.

    python -m benchmarks.warm [--calls 300]
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws

from benchmarks.machine import described
from tests.support import aws
from tests.support.http import Context, invoke, proxy_event

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

POSITIONS = 50
PATH = "/portfolio/main/positions"
AIM = 1.5


class Wire:
    """What passes between botocore and DynamoDB: noted, and later replayed."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.answers: dict[str, tuple[dict[str, str], bytes]] = {}
        self._replaying = False

    def listen(self) -> None:
        """Attach to every client that is made from here on."""
        boto3.setup_default_session()
        assert boto3.DEFAULT_SESSION is not None
        events: Any = boto3.DEFAULT_SESSION.events
        events.register("provide-client-params.dynamodb", self._note_call)
        events.register("response-received.dynamodb", self._note_answer)
        events.register("before-send.dynamodb", self._replay)

    def calls_of(self, action: Callable[[], object]) -> list[tuple[str, Any]]:
        """Return the calls that an action makes, with their parameters."""
        self.calls.clear()
        action()
        return list(self.calls)

    @contextlib.contextmanager
    def replayed(self) -> Iterator[None]:
        """Answer each operation as it was answered last."""
        self._replaying = True
        yield
        self._replaying = False

    def _note_call(self, params: Any, model: Any, **_: Any) -> None:
        if not self._replaying:
            self.calls.append((model.name, json.loads(json.dumps(params))))

    def _note_answer(self, response_dict: Any, **_: Any) -> None:
        if not self._replaying and response_dict:
            name = self.calls[-1][0]
            self.answers[name] = (dict(response_dict["headers"]), response_dict["body"])

    def _replay(self, request: Any, **_: Any) -> AWSResponse | None:
        if not self._replaying:
            return None
        name = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        headers, body = self.answers[name]
        return AWSResponse(request.url, 200, HTTPHeaders.from_dict(headers), _Raw(body))


class _Raw(io.BytesIO):
    """A body as urllib3 would stream it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Give it whole."""
        yield self.read()


def prepare() -> tuple[Handler, Handler]:
    """Make the account, the portfolio and its 50 positions; return our handler and the bare one."""
    for variable, value in aws.OTHER_SETTINGS.items():
        os.environ[variable] = value
    os.environ.update({variable: table for table, variable in aws.ENVIRONMENT.items()})
    aws.create_tables()
    import market.handler
    import portfolio.handler
    from benchmarks import bare_positions

    symbols = [f"SYM{number:02d}" for number in range(POSITIONS)]
    instrument = {
        "base_currency": "XX",
        "quote_currency": "USD",
        "tick_size": "0.01",
        "lot_size": 1,
    }
    _done(market.handler.api, "PUT", "/market/instruments/{}", symbols, instrument)
    prices = [{"symbol": symbol, "price": "101.25"} for symbol in symbols]
    _done(market.handler.api, "POST", "/market/prices", [""], {"prices": prices})
    _done(portfolio.handler.api, "PUT", "/portfolio/main", [""], {"base_currency": "USD"})
    for number, symbol in enumerate(symbols):
        body = {"type": "correction", "currency": "USD", "symbol": symbol}
        body |= {"quantity": str(number + 1), "unit_cost": "99.75"}
        _done(portfolio.handler.api, "POST", "/portfolio/main/holdings/update", [symbol], body)
    return portfolio.handler.api, bare_positions.api


def _done(handler: Handler, method: str, path: str, names: list[str], body: Any) -> None:
    """Make one request per name; any but a good answer ends the benchmark."""
    for name in names:
        answer = invoke(handler, method, path.format(name), body, {"Idempotency-Key": f"k{name}"})
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {answer.text}")


def timed(handler: Handler) -> float:
    """Call a handler once; returns seconds."""
    event, context = proxy_event("GET", PATH), Context()
    start = time.perf_counter()
    answer = handler(event, context)
    elapsed = time.perf_counter() - start
    if answer["statusCode"] != 200:
        raise SystemExit(answer["body"])
    return elapsed


def compared(ours: Handler, bare: Handler, calls: int) -> str:
    """Call both in turn and report microseconds and their ratio."""
    for _ in range(20):
        timed(ours), timed(bare)
    pairs = [(timed(ours), timed(bare)) for _ in range(calls)]
    ratio = median(o / b for o, b in pairs)
    late = "  above the aim" if ratio > AIM else ""
    return (
        f"{median(o for o, _ in pairs) * 1e6:9.0f} {median(b for _, b in pairs) * 1e6:9.0f}"
        f" {ratio:6.2f}{late}"
    )


def report(calls: int) -> Iterator[str]:
    """Check that both do the same, measure them, and give the report line by line."""
    yield f"Warm, GET {PATH}, {POSITIONS} positions. {described()}. Medians of {calls} pairs."
    with mock_aws():
        wire = Wire()
        wire.listen()
        ours, bare = prepare()
        same = [wire.calls_of(functools.partial(timed, h)) for h in (ours, bare)]
        if same[0] != same[1]:
            raise SystemExit(f"the calls differ: {same}")
        if invoke(ours, "GET", PATH).json != invoke(bare, "GET", PATH).json:
            raise SystemExit("the answers differ")
        yield "DynamoDB calls of both: " + ", ".join(name for name, _ in same[0])
        yield f"{'':22} {'ours us':>9} {'bare us':>9} {'ratio':>6}"
        yield f"{'DynamoDB by moto':22} {compared(ours, bare, calls)}"
    # Outside of moto, which would answer first; the clients made above remain.
    with wire.replayed():
        yield f"{'DynamoDB at once':22} {compared(ours, bare, calls)}"


def main() -> None:
    """Print the report. The handlers' log lines are written too, but to nowhere."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=300, help="pairs of calls per table")
    calls = parser.parse_args().calls
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        lines = list(report(calls))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
