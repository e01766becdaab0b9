"""Backtests, their results by content, and sweeps with the money that they may spend."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from trading.adapters.dynamodb import keys, store
from trading.adapters.dynamodb.codec import decode, encode, to_stored
from trading.adapters.dynamodb.store import ConditionFailed, Store
from trading.domain.backtest_run import BacktestRun, RunStatus, Sweep, SweepStatus
from trading.domain.errors import Conflict, NotFound
from trading.domain.time import to_text

M = TypeVar("M", BacktestRun, Sweep)


class BacktestRepository:
    """The table of backtests."""

    def __init__(self, source: Store, table: str) -> None:
        self._store = source
        self._table = table

    def add_run(self, run: BacktestRun) -> BacktestRun:
        """Write a run that is new; answers the one that is there under its id."""
        return self._add(run, keys.run(run.id), keys.RECENT_RUNS)

    def add_sweep(self, sweep: Sweep) -> Sweep:
        """Write a sweep that is new; answers the one that is there under its id."""
        return self._add(sweep, keys.sweep(sweep.id), keys.RECENT_SWEEPS)

    def run(self, identifier: str) -> BacktestRun:
        """A run. Raises NotFound."""
        return self._read(BacktestRun, keys.run(identifier), "backtest", identifier)

    def sweep(self, identifier: str) -> Sweep:
        """A sweep. Raises NotFound."""
        return self._read(Sweep, keys.sweep(identifier), "sweep", identifier)

    def newest_runs(self, limit: int, before: str | None = None) -> list[tuple[str, BacktestRun]]:
        """The newest runs, each with its place in the list."""
        return self._newest(BacktestRun, keys.RECENT_RUNS, limit, before)

    def newest_sweeps(self, limit: int, before: str | None = None) -> list[tuple[str, Sweep]]:
        """The newest sweeps, each with its place in the list."""
        return self._newest(Sweep, keys.RECENT_SWEEPS, limit, before)

    def begin_run(self, identifier: str, now: datetime) -> BacktestRun:
        """Count another attempt. Raises Conflict for a run that has ended, NotFound."""
        self._change(
            keys.run(identifier),
            {"status": RunStatus.RUNNING, "updated_at": now},
            {"attempts": 1},
            unless=(RunStatus.DONE, RunStatus.FAILED),
        )
        return self.run(identifier)

    def end_run(self, run: BacktestRun) -> None:
        """Write how a run ended, once. Raises Conflict if it had ended before."""
        was = {"status": run.status, "updated_at": run.updated_at, "cached": run.cached}
        names = {"error", "result_key", "data_hash", "gear", "why_reference", "bars", "fills"}
        known = run.model_dump(include={*names, "figures"})
        outcome = {name: value for name, value in known.items() if value not in (None, {})}
        self._change(keys.run(run.id), was | outcome, {}, unless=(RunStatus.DONE, RunStatus.FAILED))

    def result(self, key: str) -> BacktestRun | None:
        """The run that computed a result, if one did."""
        item = self._store.get(self._table, keys.result(key))
        return self.run(item["run_id"]) if item else None

    def note_result(self, key: str, run_id: str) -> None:
        """Remember which run computed a result."""
        self._store.put_item(self._table, {**keys.result(key), "run_id": run_id})

    def begin_sweep(self, identifier: str, attempt: int, now: datetime) -> Sweep | None:
        """Set an attempt going; None where it is not the sweep's present one, or has ended."""
        try:
            self._change(
                keys.sweep(identifier),
                {"status": SweepStatus.RUNNING, "updated_at": now, "out_of_money": False},
                {},
                unless=(SweepStatus.DONE, SweepStatus.STOPPED, SweepStatus.FAILED),
                where=("attempt = :attempt", {":attempt": attempt}),
            )
        except Conflict:
            return None
        return self.sweep(identifier)

    def note_sweep(self, identifier: str, now: datetime, known: Mapping[str, Any]) -> None:
        """Write what became known of a sweep under way, or how it ended."""
        self._change(keys.sweep(identifier), {**known, "updated_at": now}, {})

    def again(self, identifier: str, max_cost: Decimal, attempt: int, now: datetime) -> Sweep:
        """Queue a sweep that is not done once more, as its ``attempt``-th.

        Raises Conflict where another attempt was begun meanwhile.
        """
        try:
            self._change(
                keys.sweep(identifier),
                {
                    "status": SweepStatus.QUEUED,
                    "attempt": attempt,
                    "max_cost": max_cost,
                    "updated_at": now,
                    "tried": 0,
                    "failed": 0,
                },
                {},
                unless=(SweepStatus.DONE,),
                where=("attempt = :before", {":before": attempt - 1}),
                remove=("error",),
            )
        except Conflict as error:
            raise Conflict(f"the sweep '{identifier}' was resumed meanwhile") from error
        return self.sweep(identifier)

    def reserve(self, sweep: Sweep, cost: Decimal) -> bool:
        """Take money (US$) for work to come; False, and the sweep marked, where the cap forbids."""
        try:
            self._change(
                keys.sweep(sweep.id),
                {},
                {"spent": cost},
                where=("spent <= :room", {":room": sweep.max_cost - cost}),
            )
        except Conflict:
            self._change(keys.sweep(sweep.id), {"out_of_money": True}, {})
            return False
        return True

    def settle(self, identifier: str, difference: Decimal) -> None:
        """Correct what is spent by how much work cost more, or less, than was reserved."""
        self._change(keys.sweep(identifier), {}, {"spent": difference})

    def count_chunk(
        self, sweep: Sweep, number: int, tried: int, failed: int, now: datetime
    ) -> None:
        """Count a chunk's trials, once however often the chunk is repeated."""
        place = keys.chunk(sweep.id, sweep.attempt, number)
        writes = [
            store.put_new("chunk", self._table, {**place, "tried": tried, "failed": failed}),
            store.update(
                "sweep",
                self._table,
                keys.sweep(sweep.id),
                "SET updated_at = :now ADD tried :tried, failed :failed",
                {":now": to_text(now), ":tried": tried, ":failed": failed},
            ),
        ]
        try:
            self._store.transact(writes)
        except ConditionFailed:
            return

    def counts(self) -> dict[str, dict[str, int]]:
        """How many of the newest 200 runs and sweeps are in each state."""
        found: dict[str, dict[str, int]] = {"run": {}, "sweep": {}}
        for kind, listed in (("run", self.newest_runs(200)), ("sweep", self.newest_sweeps(200))):
            for _, each in listed:
                found[kind][each.status] = found[kind].get(each.status, 0) + 1
        return found

    def _add(self, thing: M, place: keys.Key, listing: str) -> M:
        item = encode(thing) | place
        item |= {"recent_pk": listing, "recent_sk": keys.timed(thing.created_at, thing.id)}
        try:
            self._store.put_item(self._table, item, "attribute_not_exists(pk)")
        except ConditionFailed:
            return self._read(type(thing), place, listing, thing.id)
        return thing

    def _read(self, model: type[M], place: keys.Key, kind: str, identifier: str) -> M:
        item = self._store.get(self._table, place)
        if item is None:
            raise NotFound(kind, identifier)
        return decode(model, item)

    def _newest(
        self, model: type[M], listing: str, limit: int, before: str | None
    ) -> list[tuple[str, M]]:
        items = self._store.query(
            self._table, listing, index="recent", before=before, limit=limit, newest_first=True
        )
        return [(item["recent_sk"], decode(model, item)) for item in items]

    def _change(
        self,
        place: keys.Key,
        values: Mapping[str, Any],
        add: Mapping[str, Any],
        unless: tuple[str, ...] = (),
        where: tuple[str, Mapping[str, Any]] | None = None,
        remove: tuple[str, ...] = (),
    ) -> None:
        """Change an item that exists; raises Conflict where its state or ``where`` forbids."""
        names = {f"#{n}": n for n in (*values, *add, *remove)}
        sent: dict[str, Any] = {f":v{i}": v for i, v in enumerate(map(to_stored, values.values()))}
        sent |= {f":a{i}": v for i, v in enumerate(add.values())}
        parts = []
        if values:
            parts.append("SET " + ", ".join(f"#{n} = :v{i}" for i, n in enumerate(values)))
        if add:
            parts.append("ADD " + ", ".join(f"#{n} :a{i}" for i, n in enumerate(add)))
        if remove:
            parts.append("REMOVE " + ", ".join(f"#{n}" for n in remove))
        conditions = ["attribute_exists(pk)"]
        if unless:
            names["#status"] = "status"
            sent |= {f":u{i}": str(state) for i, state in enumerate(unless)}
            conditions.append(f"NOT #status IN ({', '.join(f':u{i}' for i in range(len(unless)))})")
        if where:
            conditions.append(where[0])
            sent |= {name: to_stored(value) for name, value in where[1].items()}
        try:
            self._store.update_item(
                self._table, place, " ".join(parts), sent, " AND ".join(conditions), names
            )
        except ConditionFailed as error:
            raise Conflict("its state does not allow that") from error
