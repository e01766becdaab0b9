"""How long a client of AWS waits and how often it tries again by itself."""

from __future__ import annotations

from botocore.config import Config

CONNECT_SECONDS = 2
READ_SECONDS = 5
TRIES = 3


def client_config() -> Config:
    """Return the terms of every client in the path of an order.

    botocore's own terms, a minute for each of up to ten tries, outlast any function: a connection
    that hangs would end in Lambda's time limit instead of an answer.
    """
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": TRIES},
    )
