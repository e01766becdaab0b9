"""Exact amounts, and the one place where anything is rounded.

Prices, quantities and money are ``Decimal``. Products and sums are kept exact: amounts have at most
``MAX_SCALE`` decimals and ``MAX_INTEGER_DIGITS`` integer digits, and no order is worth
``MAX_NOTIONAL`` or more, so that every product and sum fits the 38 digits that DynamoDB stores.
What has to be rounded is rounded here, always towards the user's safety: quantities down, fees up,
averages to ``AVERAGE_SCALE`` decimals.
"""

from __future__ import annotations

import decimal
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal

MAX_SCALE = 8
MAX_INTEGER_DIGITS = 12
MAX_NOTIONAL = Decimal(10) ** 18
FEE_SCALE = 8
FEE_STEP = Decimal(1).scaleb(-FEE_SCALE)
AVERAGE_SCALE = 16
ZERO = Decimal(0)
ONE = Decimal(1)

# Python's default context silently rounds to 28 digits; sums and products here need more room.
# DefaultContext is what new threads start from, so the web framework's threads are covered too.
_PRECISION = 60
_STORAGE = decimal.Context(prec=38, rounding=ROUND_HALF_EVEN)
decimal.DefaultContext.prec = _PRECISION
decimal.getcontext().prec = _PRECISION


def floor_to_step(value: Decimal, step: Decimal) -> Decimal:
    """Round a quantity or price down (towards zero) to a whole multiple of ``step`` > 0."""
    return (value / step).to_integral_value(ROUND_DOWN) * step


def ceil_to_step(value: Decimal, step: Decimal) -> Decimal:
    """Round away from zero to a whole multiple of ``step`` > 0."""
    return (value / step).to_integral_value(ROUND_UP) * step


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Tell whether ``value`` is a whole multiple of ``step``."""
    return value % step == 0


def fee_amount(value: Decimal) -> Decimal:
    """Round a fee up to ``FEE_SCALE`` decimals."""
    return value.quantize(FEE_STEP, ROUND_UP)


def with_commission(notional: Decimal, rate: Decimal) -> Decimal:
    """What a purchase worth ``notional`` takes from cash, its commission included."""
    return notional + fee_amount(notional * rate)


def affordable(budget: Decimal, rate: Decimal) -> Decimal:
    """The notional that ``budget`` pays for together with its commission."""
    notional = average(budget, ONE + rate)
    if with_commission(notional, rate) > budget:
        # The commission is rounded up, and its part of a step may be just what is missing.
        notional = average(budget - FEE_STEP, ONE + rate)
    return notional


def storable(value: Decimal) -> Decimal:
    """Round a measured figure to the 38 digits that DynamoDB stores; shorter ones stay exact."""
    return _STORAGE.plus(value)


def average(total: Decimal, parts: Decimal) -> Decimal:
    """Divide, to ``AVERAGE_SCALE`` decimals; zero parts give zero."""
    if parts == 0:
        return ZERO
    return (total / parts).quantize(Decimal(1).scaleb(-AVERAGE_SCALE), ROUND_HALF_EVEN)


def plain(value: Decimal) -> str:
    """Write an amount without exponent and without trailing zeros: ``Decimal('1E+2')`` -> '100'."""
    text = format(value.normalize(), "f")
    return "0" if text == "-0" else text
