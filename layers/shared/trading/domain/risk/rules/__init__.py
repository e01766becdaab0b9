"""Every risk rule, one file each; a new rule is a new file and a line here."""

from trading.domain.risk.rule import RiskRule
from trading.domain.risk.rules.allocation import Allocation
from trading.domain.risk.rules.allowed_symbols import AllowedSymbols
from trading.domain.risk.rules.borrowed_cash import BorrowedCash
from trading.domain.risk.rules.cash_available import CashAvailable
from trading.domain.risk.rules.concentration import Concentration
from trading.domain.risk.rules.cooldown import Cooldown
from trading.domain.risk.rules.cvar import ExpectedShortfall
from trading.domain.risk.rules.daily_loss import DailyLoss
from trading.domain.risk.rules.daily_trades import DailyTrades
from trading.domain.risk.rules.drawdown import Drawdown
from trading.domain.risk.rules.duplicate_order import DuplicateOrder
from trading.domain.risk.rules.gross_leverage import GrossLeverage
from trading.domain.risk.rules.holding_available import HoldingAvailable
from trading.domain.risk.rules.lot_size import LotSize
from trading.domain.risk.rules.min_notional import MinNotional
from trading.domain.risk.rules.net_leverage import NetLeverage
from trading.domain.risk.rules.open_orders import OpenOrders
from trading.domain.risk.rules.order_notional import OrderNotional
from trading.domain.risk.rules.order_quantity import OrderQuantity
from trading.domain.risk.rules.position_notional import PositionNotional
from trading.domain.risk.rules.price_collar import PriceCollar
from trading.domain.risk.rules.reduce_only import ReduceOnly
from trading.domain.risk.rules.short_notional import ShortNotional
from trading.domain.risk.rules.stale_price import StalePrice
from trading.domain.risk.rules.symbol_exposure import SymbolExposure
from trading.domain.risk.rules.trading_state import TradingStateRule
from trading.domain.risk.rules.var import ValueAtRisk
from trading.domain.risk.rules.volatility import Volatility

# In the order in which a rejected order's reason is named.
ALL_RULES: tuple[RiskRule, ...] = (
    TradingStateRule(),
    AllowedSymbols(),
    StalePrice(),
    PriceCollar(),
    LotSize(),
    MinNotional(),
    ReduceOnly(),
    DuplicateOrder(),
    Cooldown(),
    OrderQuantity(),
    OrderNotional(),
    HoldingAvailable(),
    CashAvailable(),
    ShortNotional(),
    BorrowedCash(),
    PositionNotional(),
    Allocation(),
    SymbolExposure(),
    Concentration(),
    GrossLeverage(),
    NetLeverage(),
    Volatility(),
    ValueAtRisk(),
    ExpectedShortfall(),
    DailyLoss(),
    Drawdown(),
    OpenOrders(),
    DailyTrades(),
)
