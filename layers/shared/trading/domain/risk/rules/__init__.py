"""Every risk rule, one file each; a new rule is a new file and a line here."""

from trading.domain.risk.rule import RiskRule
from trading.domain.risk.rules.allocation import Allocation
from trading.domain.risk.rules.cash_available import CashAvailable
from trading.domain.risk.rules.daily_trades import DailyTrades
from trading.domain.risk.rules.holding_available import HoldingAvailable
from trading.domain.risk.rules.lot_size import LotSize
from trading.domain.risk.rules.min_notional import MinNotional
from trading.domain.risk.rules.order_notional import OrderNotional
from trading.domain.risk.rules.order_quantity import OrderQuantity
from trading.domain.risk.rules.stale_price import StalePrice
from trading.domain.risk.rules.symbol_exposure import SymbolExposure
from trading.domain.risk.rules.trading_state import TradingStateRule

# In the order in which a rejected order's reason is named.
ALL_RULES: tuple[RiskRule, ...] = (
    TradingStateRule(),
    StalePrice(),
    LotSize(),
    MinNotional(),
    OrderQuantity(),
    OrderNotional(),
    HoldingAvailable(),
    CashAvailable(),
    Allocation(),
    SymbolExposure(),
    DailyTrades(),
)
