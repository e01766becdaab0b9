"""Structured logs, and the one id that runs from a request through the queue to the fill."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping
from contextvars import ContextVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

from trading import deadline

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


def begin_scheduled(event: Mapping[str, object], context: object = None) -> str:
    """Set the current id from a schedule's event, or a new one, and the time limit; return the id.

    ``context`` is Lambda's.
    """
    deadline.begin(context)
    given = (event.get("correlation_id"), event.get("id"))
    return set_correlation_id(choose_correlation_id(*(g for g in given if isinstance(g, str))))


def choose_correlation_id(*candidates: str | None) -> str:
    """Return the first candidate that is safe to log and to answer, else a new random id."""
    for candidate in candidates:
        if candidate and _SAFE.fullmatch(candidate):
            return candidate
    return uuid.uuid4().hex
