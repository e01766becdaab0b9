"""What a load run does, decided before it starts: the same seed gives the same plan.

Every portfolio opens with so many units of every symbol and so much cash that no order can fail
for want of either, whatever the order in which they come; so the books that must be left follow
from the plan alone. Every fifth portfolio has a daily cap below the number of its orders instead:
of it the count that may pass is known, not which.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

PRICES = {"ACME": Decimal(100), "BOLT": Decimal(50), "CORE": Decimal(20), "DUNE": Decimal(10)}
"""Symbols and their price while the load runs."""
FALL = Decimal("0.9")
"""By how much prices fall at the end, which fills the orders that rest."""
COMMISSION = Decimal("0.001")
CASH = Decimal(100_000_000)
UNITS = Decimal(50_000)
"""Units of every symbol that a portfolio opens with."""
BUNCH = 10
"""Recommendations that are saved together and then sent together."""
RESTING, UNSENT = 0.02, 0.01
"""Parts of the recommendations that rest first, and of the bunches whose writer never sends."""
LAST_CALL = 8
"""A worker dies at one of the first so many AWS calls for an order, or right after the order."""


@dataclass(frozen=True)
class Planned:
    """One recommendation, and what befalls it.

    ``twice`` sends it twice under different deduplication ids. ``dies_at`` is the number of the
    AWS call at which its worker dies (0: none), before the call is sent or, if ``answered``, after
    it took effect.
    """

    portfolio_id: str
    number: int
    symbol: str
    is_buy: bool
    quantity: Decimal
    rests: bool
    twice: bool
    dies_at: int
    answered: bool

    @property
    def cause(self) -> str:
        """What its id is derived from."""
        return f"load:{self.number}"

    @property
    def price(self) -> Decimal:
        """What it trades at: the price, or its limit if it rests."""
        return PRICES[self.symbol] * (FALL if self.rests else 1)

    @property
    def cash(self) -> Decimal:
        """How it moves the cash, commission included."""
        notional = self.quantity * self.price
        return (-notional if self.is_buy else notional) - notional * COMMISSION


@dataclass(frozen=True)
class Plan:
    """A whole run. ``duplicate`` and ``crash`` are parts of the recommendations, 0 to 1."""

    recommendations: int
    portfolios: int
    duplicate: float
    crash: float
    seed: int

    @cached_property
    def portfolio_ids(self) -> list[str]:
        """All portfolios."""
        return [f"load{i:03d}" for i in range(self.portfolios)]

    @cached_property
    def planned(self) -> list[Planned]:
        """All recommendations; those of one portfolio stand in the order of their sending."""
        chance = random.Random(self.seed)
        count = self.recommendations
        twice = set(chance.sample(range(count), round(count * self.duplicate)))
        dying = set(chance.sample(range(count), round(count * self.crash)))
        return [self._one(n, chance, n in twice, n in dying) for n in range(count)]

    def _one(self, number: int, chance: random.Random, twice: bool, dying: bool) -> Planned:
        rests = chance.random() < RESTING
        return Planned(
            portfolio_id=self.portfolio_ids[number % self.portfolios],
            number=number,
            symbol=chance.choice(list(PRICES)),
            is_buy=rests or chance.random() < 0.5,
            quantity=Decimal(chance.randint(1, 9)),
            rests=rests,
            twice=twice,
            dies_at=chance.randint(1, LAST_CALL) if dying else 0,
            answered=chance.random() < 0.5,
        )

    @cached_property
    def of_portfolio(self) -> dict[str, list[Planned]]:
        """The recommendations by portfolio."""
        found: dict[str, list[Planned]] = {pid: [] for pid in self.portfolio_ids}
        for one in self.planned:
            found[one.portfolio_id].append(one)
        return found

    def cap(self, portfolio_id: str) -> int | None:
        """The daily trades that a portfolio may make, the opening ones included; None: any."""
        if self.portfolio_ids.index(portfolio_id) % 5 != 4:
            return None
        return len(PRICES) + len(self.of_portfolio[portfolio_id]) * 3 // 4

    def bunches(self, part: int, parts: int) -> Iterator[tuple[list[Planned], bool]]:
        """One sender's bunches, portfolio by turns, and whether the writer dies before sending."""
        chance = random.Random(f"{self.seed}/{part}")
        own = [self.of_portfolio[pid] for pid in self.portfolio_ids[part::parts]]
        for start in range(0, max(map(len, own), default=0), BUNCH):
            for planned in own:
                if bunch := planned[start : start + BUNCH]:
                    yield bunch, chance.random() < UNSENT

    def expected_cash(self, portfolio_id: str) -> Decimal:
        """The cash of a portfolio without a cap after all its orders."""
        opening = sum((UNITS * price for price in PRICES.values()), Decimal(0))
        moves = (one.cash for one in self.of_portfolio[portfolio_id])
        return CASH - opening * (1 + COMMISSION) + sum(moves, Decimal(0))

    def expected_units(self, portfolio_id: str) -> dict[str, Decimal]:
        """The units that a portfolio without a cap holds after all its orders."""
        units = dict.fromkeys(PRICES, UNITS)
        for one in self.of_portfolio[portfolio_id]:
            units[one.symbol] += one.quantity if one.is_buy else -one.quantity
        return units
