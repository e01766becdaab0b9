"""Movements of money and units other than fills, each as one ledger transaction.

Pure: what was read goes in, a ``BookChange`` comes out. Whatever is refused names its field.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from decimal import Decimal

from trading.domain.books import BookChange, Posting, post
from trading.domain.equity import EquitySnapshot, take_snapshot
from trading.domain.errors import Conflict, InvalidInput, MissingRate
from trading.domain.instrument import Instrument
from trading.domain.ledger import (
    Entry,
    TransactionKind,
    apply_to_position,
    cash_entries,
    conversion_entries,
    correction_entries,
    income_entries,
    split_entries,
)
from trading.domain.money import (
    MAX_INTEGER_DIGITS,
    MAX_NOTIONAL,
    MAX_SCALE,
    ZERO,
    average,
    floor_to_step,
    plain,
)
from trading.domain.portfolio import Account, Portfolio
from trading.domain.position import Position
from trading.domain.value import Value

_K = TransactionKind
_CENT = Decimal(1).scaleb(-MAX_SCALE)
_MAX_UNITS = Decimal(10) ** MAX_INTEGER_DIGITS


class HoldingsUpdate(Value):
    """One movement, and the ``cause`` under which it happens once.

    Deposits, withdrawals and borrow costs take a positive ``amount`` of ``currency``; dividends
    and funding a signed one (received is positive), or a dividend ``per_unit`` held. Corrections
    change cash by ``amount``, or the holding of ``symbol`` by ``quantity`` units that cost
    ``unit_cost`` each. A split makes ``split_to`` units of every ``split_from``. A conversion
    changes ``amount`` into ``to_currency``, at ``rate`` of that per unit, or at the known rate.
    """

    kind: TransactionKind
    cause: str
    currency: str
    amount: Decimal = ZERO
    symbol: str | None = None
    quantity: Decimal = ZERO
    unit_cost: Decimal | None = None
    per_unit: Decimal | None = None
    split_to: int = 1
    split_from: int = 1
    to_currency: str | None = None
    rate: Decimal | None = None
    note: str | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 over what is asked for, by which a repeat is told from another request."""
        asked = self.model_dump(mode="json", exclude={"cause"}, exclude_defaults=True)
        amounts = {
            name: plain(value) for name, value in dict(self).items() if isinstance(value, Decimal)
        }
        asked |= {name: amount for name, amount in amounts.items() if name in asked}
        text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def moved(
    portfolio: Portfolio,
    update: HoldingsUpdate,
    instrument: Instrument | None,
    now: datetime,
    recorded_at: datetime,
    correlation_id: str,
) -> BookChange:
    """Book a movement. ``instrument`` is that of the update's symbol, if it names one.

    Raises InvalidInput for what does not fit the books, Conflict for a split under resting orders.
    """
    _check_rate(portfolio, update.currency, "currency")
    position = _position(portfolio, update, instrument)
    entries = _entries(portfolio, update, position)
    if not entries:
        raise InvalidInput("amount", "changes nothing")
    posting = Posting(
        kind=update.kind,
        cause=update.cause,
        entries=entries,
        currency=update.currency,
        symbol=update.symbol,
        note=update.note,
        time=now,
        recorded_at=recorded_at,
        correlation_id=correlation_id,
    )
    account, transaction = post(portfolio.account, posting)
    return BookChange.trusted(
        before=portfolio.account,
        account=account,
        position=apply_to_position(position, transaction) if position else None,
        transaction=transaction,
        equity=_equity_at_flow(portfolio, account, update, now),
        marker=update.cause,
        fingerprint=update.fingerprint,
    )


def _equity_at_flow(
    portfolio: Portfolio, account: Account, update: HoldingsUpdate, now: datetime
) -> EquitySnapshot | None:
    """The equity right after the owner put money in or took it out.

    It ends the interval before the flow, so that returns never contain it. Where another
    currency has no rate, equity cannot be told; the owner's money moves all the same.
    """
    if update.kind not in (_K.DEPOSIT, _K.WITHDRAWAL):
        return None
    try:
        return take_snapshot(portfolio.model_copy(update={"account": account}), now)
    except MissingRate:
        return None


def _check_rate(portfolio: Portfolio, currency: str, field: str) -> None:
    """Raise InvalidInput for a currency that could not be counted in the base one."""
    try:
        portfolio.rate(currency)
    except MissingRate as error:
        raise InvalidInput(field, error.detail) from error


def _position(
    portfolio: Portfolio, update: HoldingsUpdate, instrument: Instrument | None
) -> Position | None:
    """The holding that the movement is about, if any. Raises InvalidInput if it does not fit."""
    if update.symbol is None:
        return None
    if instrument is None:
        raise InvalidInput("symbol", f"there is no instrument '{update.symbol}'")
    if instrument.quote_currency != update.currency:
        raise InvalidInput("currency", f"{update.symbol} is held in {instrument.quote_currency}")
    if update.kind is not _K.CORRECTION and update.symbol not in portfolio.positions:
        raise InvalidInput("symbol", f"{update.symbol} is not held")
    return portfolio.position(update.symbol, update.currency)


def _named(position: Position | None) -> Position:
    """The holding of a movement that must name one."""
    if position is None:
        raise InvalidInput("symbol", "is needed")
    return position


def _entries(
    portfolio: Portfolio, update: HoldingsUpdate, position: Position | None
) -> tuple[Entry, ...]:
    """The entries of a movement, by its kind."""
    kind, currency = update.kind, update.currency
    match kind:
        case _K.DEPOSIT | _K.WITHDRAWAL:
            return _flow(portfolio, update)
        case _K.CONVERSION:
            return _conversion(portfolio, update)
        case _K.BORROW_COST:
            return _income(portfolio, update, -update.amount)
        case _K.DIVIDEND | _K.FUNDING:
            return _income(portfolio, update, _received(update, _named(position)))
        case _K.SPLIT:
            held = _named(position)
            return split_entries(held.symbol, _split_units(update, held))
        case _K.CORRECTION:
            _check_free(portfolio, currency, update.amount)
            cost = _corrected_cost(portfolio, position, update) if position else ZERO
            return correction_entries(currency, update.amount, update.symbol, update.quantity, cost)
        case _:
            raise InvalidInput("type", f"a {kind} is not a movement")


def _flow(portfolio: Portfolio, update: HoldingsUpdate) -> tuple[Entry, ...]:
    """Money put in or taken out; capital counts it in the base currency, at the rate of now."""
    currency = update.currency
    amount = update.amount if update.kind is _K.DEPOSIT else -update.amount
    _check_free(portfolio, currency, amount)
    if amount < ZERO and portfolio.account.margin:
        # What shorts brought in is cash too, but it is owed.
        most = max(ZERO, floor_to_step(portfolio.equity / portfolio.rate(currency), _CENT))
        if -amount > most:
            raise InvalidInput("amount", f"all equity is worth no more than {plain(most)}")
    worth = floor_to_step(amount * portfolio.rate(currency), _CENT)
    return cash_entries(currency, amount, portfolio.account.base_currency, worth)


def _check_free(portfolio: Portfolio, currency: str, amount: Decimal) -> None:
    """Raise InvalidInput if a negative amount takes more than is free."""
    free = portfolio.account.available(currency)
    if amount < ZERO and -amount > free:
        raise InvalidInput("amount", f"only {plain(free)} {currency} are free to take out")


def _income(portfolio: Portfolio, update: HoldingsUpdate, amount: Decimal) -> tuple[Entry, ...]:
    """What holding or owing brought or cost; with margin a charge may be borrowed."""
    if not portfolio.account.margin:
        _check_free(portfolio, update.currency, amount)
    return income_entries(update.kind, update.currency, amount)


def _received(update: HoldingsUpdate, position: Position) -> Decimal:
    """The money of a dividend or of funding: as given, or per unit; a short pays."""
    if update.per_unit is None:
        return update.amount
    if not position.quantity:
        raise InvalidInput("symbol", f"{position.symbol} is not held now; give the amount")
    return _small_enough("per_unit", update.per_unit * position.quantity)


def _small_enough(field: str, amount: Decimal) -> Decimal:
    """Return an amount; raises InvalidInput for one too large to be stored exactly."""
    if abs(amount) >= MAX_NOTIONAL:
        raise InvalidInput(field, f"makes the movement worth {plain(MAX_NOTIONAL)} or more")
    return amount


def _split_units(update: HoldingsUpdate, position: Position) -> Decimal:
    """The units that a split adds or takes; parts of the smallest unit are lost."""
    if not position.quantity:
        raise InvalidInput("symbol", f"{position.symbol} is not held")
    if position.reserved_quantity or position.reserved_notional:
        raise Conflict(f"{position.symbol} has resting orders at prices before the split")
    after = floor_to_step(position.quantity * update.split_to / update.split_from, _CENT)
    if not after or abs(after) >= _MAX_UNITS:
        raise InvalidInput("split_to", f"makes {plain(after)} units of {plain(position.quantity)}")
    return after - position.quantity


def _corrected_cost(portfolio: Portfolio, position: Position, update: HoldingsUpdate) -> Decimal:
    """What corrected units add to the cost of the holding; they leave at what they cost."""
    units, held = update.quantity, position.quantity
    if not position.adds(units):
        promised = position.reserved_quantity if held > ZERO else ZERO
        free = abs(held) - promised
        if abs(units) > free:
            raise InvalidInput(
                "quantity", f"only {plain(free)} {position.symbol} are held and free"
            )
        return -position.cost_of(units)
    if units < ZERO and not portfolio.account.margin:
        raise InvalidInput("quantity", f"only 0 {position.symbol} are held and free")
    if update.unit_cost is None:
        raise InvalidInput("unit_cost", "is needed to add to a holding")
    return units * update.unit_cost


def _conversion(portfolio: Portfolio, update: HoldingsUpdate) -> tuple[Entry, ...]:
    """One currency changed into another, the proceeds rounded down."""
    target = update.to_currency
    if target is None or target == update.currency:
        raise InvalidInput("to_currency", "must be another currency")
    _check_rate(portfolio, target, "to_currency")
    _check_free(portfolio, update.currency, -update.amount)
    rate = update.rate
    if rate is None:
        rate = average(portfolio.rate(update.currency), portfolio.rate(target))
    proceeds = _small_enough("amount", floor_to_step(update.amount * rate, _CENT))
    if not proceeds:
        raise InvalidInput("amount", f"is worth nothing in {target}")
    return conversion_entries(update.currency, update.amount, target, proceeds)
