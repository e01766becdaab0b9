"""The money-weighted return: the growth at which all that was paid in becomes what is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext

from trading.domain.money import ONE, ZERO

_STEP = Decimal("1.25")
_MOST_STEPS = 18
_MOST_TRIES = 200
_DIGITS = 30
_ACCURACY = Decimal("1e-14")
_SHOWN = Decimal("1e-10")


def money_weighted_growth(
    start: Decimal, flows: Sequence[tuple[Decimal, Decimal]], end: Decimal
) -> Decimal | None:
    """The factor x with start·x + Σ flow·x^left = end, to ten decimals.

    ``flows`` are (the part of the period that was left, from 1 to 0; the amount put in, negative
    for one taken out). This is the internal rate of return over the whole period, in the form of
    the modified Dietz method's exact counterpart (GIPS Standards, 'money-weighted return'): with
    x = (1 + r)^(days / 365) it is the r of spreadsheets' XIRR. Of several solutions it is the one
    nearest to no growth; None where there is none, zero where all is lost.
    """
    with localcontext() as context:
        context.prec = _DIGITS

        def missing(x: Decimal) -> Decimal:
            # x^left is exp(left·ln x), of which the logarithm is found once for all flows.
            rate = x.ln()
            grown = sum((amount * (left * rate).exp() for left, amount in flows), ZERO)
            return start * x + grown - end

        bracket = _bracket(missing)
        if bracket is not None:
            return _root(missing, *bracket).quantize(_SHOWN)
    put_in = start + sum((amount for _, amount in flows), ZERO)
    return ZERO if end == ZERO and put_in > ZERO else None


def _bracket(function: Callable[[Decimal], Decimal]) -> tuple[Decimal, Decimal] | None:
    """Two points between which the function crosses zero, searched outwards from 1."""
    at_one = function(ONE)
    if not at_one:
        # Nothing was gained; nothing at all may have been there.
        return (ONE, ONE) if function(_STEP) else None
    up, step = ONE, _STEP
    for _ in range(_MOST_STEPS):
        further = up * step
        for near, far in ((up, further), (ONE / up, ONE / further)):
            if function(far) * at_one <= ZERO:
                return near, far
        up, step = further, step * _STEP
    return None


def _root(function: Callable[[Decimal], Decimal], a: Decimal, b: Decimal) -> Decimal:
    """Where the function crosses zero between two points.

    By false position in the Illinois form (Dowell and Jarratt, 1971): the end that stays twice
    counts half, so that both ends close in.
    """
    at_a, at_b = function(a), function(b)
    for _ in range(_MOST_TRIES):
        if not at_b or abs(b - a) <= _ACCURACY * abs(b):
            return b
        c = (a * at_b - b * at_a) / (at_b - at_a)
        at_c = function(c)
        if at_c * at_b < ZERO:
            a, at_a = b, at_b
        else:
            at_a /= 2
        b, at_b = c, at_c
    return b
