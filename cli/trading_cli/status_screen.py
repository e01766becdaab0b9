"""The screen of `trading status`: one panel for each part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from trading_cli.spending import Spending
from trading_cli.status import (
    Alarm,
    Failed,
    PortfolioState,
    PriceState,
    Queue,
    Schedule,
    Service,
    Status,
)

BAD = "bold red"
T = TypeVar("T")


def screen(status: Status) -> RenderableType:
    """Draw everything: two columns of panels, the widest ones below."""
    head = Text.assemble(
        ("Stack ", ""), (status.stack, "bold"), f" at {status.api_url}, {status.time:%F %T} UTC"
    )
    columns = Table.grid(expand=True)
    columns.add_column(ratio=1)
    columns.add_column(ratio=1)
    columns.add_row(
        Group(
            _panel("Services", status.services, _services),
            _panel("Alarms", status.alarms, _alarms),
        ),
        Group(
            _panel("Queues", status.queues, _queues),
            _panel("Schedules", status.schedules, _schedules),
            _panel("Spending, estimated (US$)", status.spending, _spending),
        ),
    )
    return Group(
        head,
        columns,
        _panel("Portfolios", status.portfolios, _portfolios),
        _panel("Prices", status.prices, _prices),
    )


def age(seconds: int | None) -> str:
    """A length of time in its greatest unit."""
    if seconds is None:
        return "-"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _panel(title: str, part: T | Failed, draw: Callable[[T], RenderableType]) -> Panel:
    """A part in its frame, or why there is none."""
    failed = isinstance(part, Failed)
    inside = Text(f"cannot be read: {part.why}", "red") if isinstance(part, Failed) else draw(part)
    return Panel(inside, title=title, title_align="left", border_style="red" if failed else "dim")


def _table(*columns: str) -> Table:
    """A table without lines; columns named with a ``#`` hold numbers."""
    made = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    for name in columns:
        made.add_column(name.removeprefix("#"), justify="right" if name.startswith("#") else "left")
    return made


def _services(services: list[Service]) -> RenderableType:
    lines = Table.grid(padding=(0, 1))
    for one in services:
        said = Text("good", "green") if one.well else Text(one.failing, BAD)
        lines.add_row(Text(f"/{one.name}"), said)
    return lines


def _queues(queues: list[Queue]) -> RenderableType:
    shown = _table("queue", "#waiting", "#in flight", "#oldest")
    for q in queues:
        style = BAD if q.dead_letters and q.waiting + q.in_flight else ""
        name = "dead letters" if q.dead_letters else "execution"
        cells = (name, str(q.waiting), str(q.in_flight), age(q.oldest_seconds))
        shown.add_row(*(Text(cell, style) for cell in cells))
    return shown


def _alarms(alarms: list[Alarm]) -> RenderableType:
    counts = Counter(a.state for a in alarms)
    if not alarms:
        return Text("the stack has none", "dim")
    if counts["OK"] == len(alarms):
        return Text(f"all {len(alarms)} are OK", "green")
    lines = [Text(", ".join(f"{count} {state}" for state, count in sorted(counts.items())))]
    lines += [Text(f"{a.name}: {a.reason}", BAD) for a in alarms if a.state in ("ALARM", "MISSING")]
    return Group(*lines)


def _schedules(schedules: list[Schedule]) -> RenderableType:
    shown = _table("schedule", "when", "state")
    for one in schedules:
        style = "green" if one.state == "ENABLED" else "yellow"
        shown.add_row(Text(one.name), Text(one.expression), Text(one.state, style))
    return shown if schedules else Text("the stack has none", "dim")


def _portfolios(portfolios: list[PortfolioState]) -> RenderableType:
    shown = _table("portfolio", "mode", "state", "#equity", "#drawdown", "since", "reason")
    for p in portfolios:
        cells = (
            p.id,
            p.mode,
            p.state,
            "-" if p.equity is None else f"{p.equity:,.2f} {p.currency}",
            "-" if p.drawdown_percent is None else f"{p.drawdown_percent:.2f}%",
            f"{p.since:%F %H:%M}" if p.restricted and p.since else "",
            (p.reason or "") if p.restricted else "",
        )
        shown.add_row(*(Text(cell, BAD if p.restricted else "") for cell in cells))
    return shown if portfolios else Text("there is none", "dim")


def _prices(prices: list[PriceState]) -> RenderableType:
    shown = _table("symbol", "#price", "#age", "#stale after", "")
    for p in prices:
        cells = (
            p.symbol,
            str(p.price),
            age(p.age_seconds),
            age(p.max_age_seconds),
            "stale" if p.stale else "",
        )
        shown.add_row(*(Text(cell, BAD if p.stale else "") for cell in cells))
    return shown if prices else Text("there is none", "dim")


def _spending(spending: Spending) -> RenderableType:
    shown = Table.grid(padding=(0, 2))
    shown.add_column()
    shown.add_column(justify="right")
    for item, dollars in (spending.used or {}).items():
        shown.add_row(item, _dollars(dollars))
    if spending.used is None:
        shown.add_row("By use", Text("no figures", "dim"))
    for item, dollars in spending.fixed.items():
        shown.add_row(f"{item} (fixed)", _dollars(dollars))
    shown.add_row(
        Text(f"Since {spending.since:%F}", "bold"), Text(_dollars(spending.total), "bold")
    )
    return shown


def _dollars(amount: Decimal) -> str:
    return f"${amount:,.4f}"
