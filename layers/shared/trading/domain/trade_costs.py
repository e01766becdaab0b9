"""What a market order takes from cash or brings to it, at worst."""

from __future__ import annotations

from decimal import Decimal

from trading.domain.candle import Price
from trading.domain.instrument import Instrument
from trading.domain.money import ZERO, affordable, fee_amount, with_commission
from trading.domain.order import Side
from trading.domain.portfolio import Account


def purchase_cost(
    quantity: Decimal, mark: Price, instrument: Instrument, account: Account
) -> Decimal:
    """What buying takes from cash: spread, slippage and commission included, quote currency."""
    price = _price(Side.BUY, quantity, mark, instrument, account)
    return with_commission(quantity * price, account.highest_commission)


def sale_proceeds(
    quantity: Decimal, mark: Price, instrument: Instrument, account: Account
) -> Decimal:
    """What selling brings to cash after spread, slippage and commission, quote currency."""
    notional = quantity * _price(Side.SELL, quantity, mark, instrument, account)
    return notional - fee_amount(notional * account.highest_commission)


def affordable_quantity(
    wanted: Decimal,
    budget: Decimal,
    mark: Price,
    instrument: Instrument,
    account: Account,
    side: Side = Side.BUY,
) -> Decimal:
    """The whole lots of at most ``wanted`` that ``budget`` (quote currency) pays for.

    For a short sale: whose worth, with the commission on top, is within the budget.
    """
    lots = instrument.round_quantity(wanted)
    if lots <= ZERO:
        return ZERO
    # The price grows with the quantity if it depends on it at all: fewer units cost no more each.
    price = _price(side, lots, mark, instrument, account)
    if with_commission(lots * price, account.highest_commission) <= budget:
        return lots
    paid = affordable(max(budget, ZERO), account.highest_commission)
    return max(min(lots, instrument.round_quantity(paid / price)), ZERO)


def _price(
    side: Side, quantity: Decimal, mark: Price, instrument: Instrument, account: Account
) -> Decimal:
    """What a taker pays or gets per unit."""
    model = account.fill_model
    return model.taker_price(mark.price, side, quantity, mark.volume, instrument.tick_size)
