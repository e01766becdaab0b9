"""Around every invocation: structured logs, the id of its chain of work, measures, a span."""

from __future__ import annotations

import functools
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

from trading import deadline, measures, tracing

logger = Logger(use_rfc3339=True, utc=True)
"""The process's logger; the service name comes from POWERTOOLS_SERVICE_NAME."""

# Use cases and strategies log by the standard library alone; this gives their lines the same form.
logging.getLogger("trading")
copy_config_to_registered_loggers(source_logger=logger, include={"trading"})

_SAFE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_current: ContextVar[str] = ContextVar("correlation_id", default="")


def correlation_id() -> str:
    """Return the id of the chain of work at hand; one is made if none was set."""
    return _current.get() or set_correlation_id(uuid.uuid4().hex)


def set_correlation_id(value: str) -> str:
    """Make ``value`` the current id, here and in every log line, and return it."""
    _current.set(value)
    logger.append_keys(correlation_id=value)
    return value


@contextmanager
def invocation(context: object) -> Iterator[None]:
    """One invocation by Lambda, whose ``context`` it is: its time limit, measures and spans."""
    deadline.begin(context)
    measures.begin()
    try:
        yield
    finally:
        measures.flush()
        tracing.flush()


Result = TypeVar("Result")
_Handler = Callable[[dict[str, Any], Any], Result]


def observed(handler: _Handler[Result]) -> _Handler[Result]:
    """Wrap an entry point that is not called by the gateway.

    Its correlation id and trace context are the event's, or new ones. What it raises is logged and
    raised again, so that Lambda counts it and tries again where it does.
    """
    name = f"{handler.__module__.partition('.')[0]} {handler.__name__}"

    @functools.wraps(handler)
    def entry(event: dict[str, Any], context: Any) -> Result:
        given = (event.get("correlation_id"), event.get("id"))
        set_correlation_id(choose_correlation_id(*(g for g in given if isinstance(g, str))))
        carrier = {h: event[h] for h in tracing.HEADERS if isinstance(event.get(h), str)}
        with invocation(context), tracing.span(name, "server", carrier):
            note_trace()
            try:
                return handler(event, context)
            except Exception:
                logger.exception("the invocation failed")
                raise

    return entry


def note_trace() -> None:
    """Let the log lines that follow name the present trace, if there is one."""
    identifier = tracing.trace_id()
    if identifier is not None:
        logger.append_keys(trace_id=identifier)


def choose_correlation_id(*candidates: str | None) -> str:
    """Return the first candidate that is safe to log and to answer, else a new random id."""
    for candidate in candidates:
        if candidate and _SAFE.fullmatch(candidate):
            return candidate
    return uuid.uuid4().hex
