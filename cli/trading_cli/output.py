"""What the user sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

console = Console()
errors = Console(stderr=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show that something is going on, then that it is done and how long it took."""
    started = monotonic()
    with console.status(f"{title} ..."):
        yield
    console.print(f"[green]ok[/] {title} [dim]({monotonic() - started:.1f} s)[/]")


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table; columns named with a ``#`` hold numbers, ``Text`` cells keep their style."""
    shown = Table(title=title, title_justify="left", title_style="bold")
    for name in columns:
        shown.add_column(
            name.removeprefix("#"),
            justify="right" if name[0] == "#" else "left",
            overflow="fold",  # rather than cut off: half an id is no id
        )
    for row in rows:
        shown.add_row(*(cell if isinstance(cell, Text) else escape(str(cell)) for cell in row))
    console.print(shown)


FRACTIONS = (
    "return",
    "cagr",
    "rate",
    "drawdown",
    "var_95",
    "cvar_95",
    "volatility",
    "exposure",
    "alpha",
    "mae",
    "mfe",
    "fraction",
)


def figure_text(name: str, value: float | int | None) -> str:
    """Write a figure for reading: fractions as percentages, amounts with separators."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if any(part in name for part in FRACTIONS) and not name.endswith("days"):
        return f"{value:.2%}"
    return f"{value:,.2f}"


def progress(what: str) -> Progress:
    """A progress bar over long work, gone when that is done."""
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)
