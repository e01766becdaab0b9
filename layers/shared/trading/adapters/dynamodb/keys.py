"""Every key string of every table. The layout is described in docs/architecture.md."""

from __future__ import annotations

from datetime import date, datetime

from trading.domain.time import to_text

Key = dict[str, str]

STATS = "STATS"
INSTRUMENTS = "INSTRUMENTS"
PRICES = "PRICES"
API_KEYS = "KEYS"
PORTFOLIOS = "PORTFOLIOS"
WATCHED = "WATCHED"
CLOCK: Key = {"pk": "CLOCK", "sk": "CLOCK"}
STRATEGY_SCHEDULE: Key = {"pk": "SCHEDULE", "sk": "STRATEGIES"}
RECENT_SIGNALS = "SIGNALS"
OUTBOX = "OUTBOX"
OPEN_ORDERS = "OPEN"
RETURNS = "RETURNS"
RECENT_RUNS = "RUNS"
RECENT_SWEEPS = "SWEEPS"


def api_key(key_id: str) -> Key:
    """An API key."""
    return {"pk": API_KEYS, "sk": key_id}


def instrument(symbol: str) -> Key:
    """An instrument."""
    return {"pk": INSTRUMENTS, "sk": symbol}


def price(symbol: str) -> Key:
    """The latest price of a symbol."""
    return {"pk": PRICES, "sk": symbol}


def matched(symbol: str) -> Key:
    """How far a symbol's market was shown to its resting orders."""
    return {"pk": "MATCHED", "sk": symbol}


def candles(symbol: str, timeframe: str) -> str:
    """The partition of a symbol's candles, whose range key is their time."""
    return f"CANDLES#{symbol}#{timeframe}"


def signals_of(symbol: str) -> str:
    """The partition of a symbol's signals."""
    return f"SYMBOL#{symbol}"


def strategy(source: str, name: str) -> str:
    """A strategy of a source, as partition of the strategy index and as counter."""
    return f"{source}#{name}"


def strategy_pass(key: str) -> Key:
    """That a strategy passed its check."""
    return {"pk": "PASSED", "sk": key}


def timed(moment: datetime, identifier: str) -> str:
    """A range key that sorts by time and is unique."""
    return f"{to_text(moment)}#{identifier}"


def recommendation(identifier: str) -> Key:
    """A recommendation."""
    return {"pk": f"RECOMMENDATION#{identifier}", "sk": "RECOMMENDATION"}


def on_the_way(portfolio_id: str) -> str:
    """The outbox index's partition of a portfolio's sent, not yet executed recommendations."""
    return f"SENT#{portfolio_id}"


def stats(name: str) -> Key:
    """A portfolio's or strategy's counters."""
    return {"pk": STATS, "sk": name}


def order(identifier: str) -> Key:
    """An order."""
    return {"pk": f"ORDER#{identifier}", "sk": "ORDER"}


def fill(order_id: str, identifier: str) -> Key:
    """A fill, in its order's partition."""
    return {"pk": f"ORDER#{order_id}", "sk": f"FILL#{identifier}"}


def orders_of(portfolio_id: str) -> str:
    """The index partition of a portfolio's orders."""
    return f"ORDERS#{portfolio_id}"


def fills_of(portfolio_id: str) -> str:
    """The index partition of a portfolio's fills."""
    return f"FILLS#{portfolio_id}"


def open_order(symbol: str, moment: datetime, identifier: str) -> str:
    """The range key of a resting order among all of them."""
    return f"{symbol}#{to_text(moment)}#{identifier}"


def portfolio(portfolio_id: str) -> str:
    """A portfolio's partition in the portfolio and risk tables."""
    return f"PORTFOLIO#{portfolio_id}"


def account(portfolio_id: str) -> Key:
    """The head of a portfolio's books."""
    return {"pk": portfolio(portfolio_id), "sk": "ACCOUNT"}


def registered(portfolio_id: str) -> Key:
    """A portfolio's line in the list of all."""
    return {"pk": PORTFOLIOS, "sk": portfolio_id}


def position(portfolio_id: str, symbol: str) -> Key:
    """A portfolio's holding of a symbol."""
    return {"pk": portfolio(portfolio_id), "sk": f"POSITION#{symbol}"}


def ledger(portfolio_id: str, sequence: int) -> Key:
    """A ledger transaction; twelve digits sort as the numbers do."""
    return {"pk": portfolio(portfolio_id), "sk": f"LEDGER#{sequence:012d}"}


def marker(portfolio_id: str, cause: str) -> Key:
    """The mark that a cause was acted on."""
    return {"pk": portfolio(portfolio_id), "sk": f"CAUSE#{cause}"}


def equity(portfolio_id: str, moment: datetime) -> Key:
    """An equity snapshot."""
    return {"pk": portfolio(portfolio_id), "sk": f"EQUITY#{to_text(moment)}"}


def limits(portfolio_id: str) -> Key:
    """A portfolio's risk limits."""
    return {"pk": portfolio(portfolio_id), "sk": "LIMITS"}


def marks(portfolio_id: str) -> Key:
    """The equity that a portfolio's losses are measured from."""
    return {"pk": portfolio(portfolio_id), "sk": "MARKS"}


def tail(portfolio_id: str) -> Key:
    """A portfolio's tail state."""
    return {"pk": portfolio(portfolio_id), "sk": "TAIL"}


def returns(symbol: str) -> Key:
    """A symbol's series of returns."""
    return {"pk": RETURNS, "sk": symbol}


def day(portfolio_id: str, on: date) -> Key:
    """A portfolio's counters of one day."""
    return {"pk": portfolio(portfolio_id), "sk": f"DAY#{on.isoformat()}"}


def decision(portfolio_id: str, moment: datetime, order_id: str) -> Key:
    """The risk verdict on an order."""
    return {"pk": portfolio(portfolio_id), "sk": f"DECISION#{timed(moment, order_id)}"}


def stop(portfolio_id: str, symbol: str, identifier: str) -> Key:
    """A stop on a holding."""
    return {"pk": portfolio(portfolio_id), "sk": f"STOP#{symbol}#{identifier}"}


def armed_stops(symbol: str) -> str:
    """The partition of the armed stops on a symbol."""
    return f"STOPS#{symbol}"


def armed_stop(portfolio_id: str, symbol: str, identifier: str) -> Key:
    """An armed stop's line among those of its symbol."""
    return {"pk": armed_stops(symbol), "sk": f"{portfolio_id}#{identifier}"}


def watched(portfolio_id: str) -> Key:
    """A portfolio's line in the list of those whose losses are limited."""
    return {"pk": WATCHED, "sk": portfolio_id}


def exposure(portfolio_id: str, moment: datetime) -> Key:
    """A portfolio's exposure at a moment."""
    return {"pk": portfolio(portfolio_id), "sk": f"EXPOSURE#{to_text(moment)}"}


def run(identifier: str) -> Key:
    """A backtest."""
    return {"pk": f"RUN#{identifier}", "sk": "RUN"}


def result(key: str) -> Key:
    """What a backtest came to, by all that decided it."""
    return {"pk": f"RESULT#{key}", "sk": "RESULT"}


def sweep(identifier: str) -> Key:
    """A sweep."""
    return {"pk": f"SWEEP#{identifier}", "sk": "SWEEP"}


def chunk(identifier: str, attempt: int, number: int) -> Key:
    """A chunk of a sweep that was computed."""
    return {"pk": f"SWEEP#{identifier}", "sk": f"CHUNK#{attempt:04d}#{number:06d}"}


def audit_of(key_id: str) -> str:
    """The partition of what a key's holder asked for."""
    return f"KEY#{key_id}"


def audit_asked(key_id: str, place: str) -> Key:
    """A request to write, before it is acted on."""
    return {"pk": audit_of(key_id), "sk": f"{place}#1"}


def audit_answered(key_id: str, place: str) -> Key:
    """What that request was answered."""
    return {"pk": audit_of(key_id), "sk": f"{place}#2"}
