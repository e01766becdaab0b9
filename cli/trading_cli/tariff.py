"""AWS's prices for what the platform uses: the one table that the tool and the benchmarks share.

Public prices for us-east-1 in US dollars without free tiers, from memory on the date below: to be
checked against https://aws.amazon.com/pricing before anything depends on them.
"""

from __future__ import annotations

from decimal import Decimal

PRICES_AS_OF = "2026-11-23"
_MILLION = 1_000_000
PRICES: dict[str, Decimal] = {
    "DynamoDB reads": Decimal("0.125") / _MILLION,
    "DynamoDB writes": Decimal("0.625") / _MILLION,
    "SQS FIFO requests": Decimal("0.50") / _MILLION,
    "Lambda requests": Decimal("0.20") / _MILLION,
    "Lambda GB-seconds": Decimal("0.0000166667"),
    "API Gateway requests": Decimal("3.50") / _MILLION,
    "Scheduler invocations": Decimal("1.00") / _MILLION,
    "Log gigabytes": Decimal("0.50"),
    "Alarms": Decimal("0.10"),
}
"""By the piece; alarms by the month."""
PER_GIGABYTE_MONTH = {
    "DynamoDB storage": Decimal("0.25"),
    "point-in-time recovery": Decimal("0.20"),
}
