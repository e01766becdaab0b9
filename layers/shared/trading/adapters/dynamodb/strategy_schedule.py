"""The strategies' schedule and the passes of their check, in the signals table."""

from __future__ import annotations

from collections.abc import Collection

from trading.adapters.dynamodb import keys
from trading.adapters.dynamodb.store import Store
from trading.domain.strategy_schedule import StrategyPass, StrategySchedule


class StrategyScheduleRepository:
    """Schedule and passes, each as the text that it reads back from to the byte."""

    def __init__(self, source: Store, table: str) -> None:
        self._store = source
        self._table = table

    def schedule(self) -> StrategySchedule | None:
        """What was set, or None."""
        item = self._store.get(self._table, keys.STRATEGY_SCHEDULE)
        return StrategySchedule.model_validate_json(item["document"]) if item else None

    def put_schedule(self, schedule: StrategySchedule) -> None:
        """Replace what was set."""
        item = {**keys.STRATEGY_SCHEDULE, "document": schedule.model_dump_json()}
        self._store.put_item(self._table, item)

    def put_pass(self, passed: StrategyPass) -> None:
        """Remember that a check was passed."""
        item = {**keys.strategy_pass(passed.key), "document": passed.model_dump_json()}
        self._store.put_item(self._table, item)

    def passed(self, names: Collection[str]) -> set[str]:
        """Those of some keys under which a check was passed."""
        wanted = [(self._table, keys.strategy_pass(name)) for name in sorted(set(names))]
        found = self._store.get_many(wanted) if wanted else {}
        return {item["sk"] for item in found.values()}
