"""Rows as people read them: one line each, its id and its reason below it, as wide as the terminal."""

import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.console import Console
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from handlers.cli.documents import asset_text, since
from shared.errors import Reason
from shared.planning import Decision
from shared.rows import DeliveryRow, ShareRow, WorkRow

NARROW = 110  # columns: below that a row's line has no place for where it goes
WITHOUT_TERMINAL = 200  # columns, unless COLUMNS says otherwise: what reads a pipe can cope
INDENT = "  "
GAP = 2  # columns between two of a table's
_STYLES = {
    "delivered": "green",
    "shared": "green",
    "failed": "bold red",
    "running": "cyan",
    "importing": "cyan",
    "fanning_out": "cyan",
    "recalling": "magenta",
    "recalled": "magenta",
    "awaiting_approval": "yellow",
    "held": "yellow",
}


def paper(*, stderr: bool = False) -> Console:
    """Where tables go."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else WITHOUT_TERMINAL
    return Console(stderr=stderr, highlight=False, emoji=False, width=width)


def bare_table(*columns: str) -> Table:
    """Without lines; what does not fit is cut off, so that each row stays one line."""
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for name in columns:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    return table


def state_text(row: WorkRow) -> Text:
    return Text(row.state.value.replace("_", " "), _STYLES.get(row.state.value, ""))


def age_text(time: datetime, now: datetime) -> str:
    """`12s`, `5m`, `3h`, `2d`."""
    seconds = max(0, int((now - time) / timedelta(seconds=1)))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def place_text(row: WorkRow) -> str:
    """Where it goes: a delivery's workspace and route, a share's registry."""
    if isinstance(row, ShareRow):
        return row.registry
    return f"{row.workspace.name} {route_text(row)}"


def route_text(row: DeliveryRow | Decision) -> str:
    """`register`, `online/cards`, `batch/cards`."""
    return row.action.route.replace("_endpoint", "")


def rows_table(rows: Sequence[WorkRow], now: datetime, *, places: bool = True) -> Table:
    """One line each. `places`: with the column that says where it goes."""
    table = bare_table("State", "Tenant", "Asset", *(["Where"] if places else []), "Since")
    for row in rows:
        tenant = row.tenant if isinstance(row, DeliveryRow) else row.origin_tenant or "provider"
        where = [f"→ {place_text(row)}"] if places else []
        table.add_row(state_text(row), tenant, asset_text(row.asset), *where, age_text(since(row), now))
    return table


def print_rows(rows: Sequence[WorkRow], now: datetime) -> None:
    """The table, with each row's id, and why it failed, below its line; where it goes too, on a narrow terminal."""
    console = paper()
    narrow = console.width < NARROW
    table = rows_table(rows, now, places=not narrow)
    head, *lines = console.render_lines(table, pad=False)
    print_line(console, head)
    for row, line in zip(rows, lines, strict=True):
        print_line(console, line)
        below = [Text(f"→ {place_text(row)}")] if narrow else []
        below += [Text(str(row.address), "dim"), *([reason_text(row.reason)] if row.reason else [])]
        for text in below:
            print_below(text)


def print_below(text: Text) -> None:
    """Indented, and nothing filled up behind it: who copies a line copies its words."""
    for line in text.wrap(paper(), paper().width - len(INDENT)):
        paper().print(Text(INDENT) + line, soft_wrap=True)


def reason_text(reason: Reason) -> Text:
    """What went wrong, then who must do what."""
    return Text.assemble(
        (f"{reason.code}: ", "red"), reason.text, "\n", (f"{reason.owner.value} must act: ", "yellow"), reason.remedy
    )


def print_line(console: Console, line: list[Segment]) -> None:
    console.print(Segments([*line, Segment.line()]), end="")
