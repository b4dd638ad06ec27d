"""Rows as people read them: one line each, its id and its reason below it, as wide as the terminal."""

import os
import sys
import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence
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
LEAST = 20  # columns for text that is indented, however narrow the terminal
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


def bare_table(*columns: str, cut: Collection[str] = ()) -> Table:
    """Without lines. What does not fit is cut off, of the columns in `cut` first: their cells are `one_line`."""
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for name in columns:
        table.add_column(name, no_wrap=name not in cut, overflow="ellipsis")
    return table


def one_line(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")


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
    table = bare_table("State", "Tenant", "Asset", *(["Where"] if places else []), "Since", cut=("Asset", "Where"))
    for row in rows:
        tenant = row.tenant if isinstance(row, DeliveryRow) else row.origin_tenant or "provider"
        where = [one_line(f"→ {place_text(row)}")] if places else []
        table.add_row(state_text(row), tenant, one_line(asset_text(row.asset)), *where, age_text(since(row), now))
    return table


def print_rows(rows: Sequence[WorkRow], now: datetime) -> None:
    """The table, with each row's id, and why it failed, below its line; where it goes too, on a narrow terminal."""
    narrow = paper().width < NARROW
    print_with_below(rows_table(rows, now, places=not narrow), (_below(row, with_place=narrow) for row in rows))


def _below(row: WorkRow, *, with_place: bool) -> Iterator[Text]:
    if with_place:
        yield Text(f"→ {place_text(row)}")
    yield Text(str(row.address), "dim")
    if row.reason:
        yield reason_text(row.reason)


def print_with_below(table: Table, belows: Iterable[Iterable[Text]]) -> None:
    """The table, with some lines below each of its rows, none of which takes more than one."""
    console = paper()
    head, *lines = console.render_lines(table, pad=False)
    print_line(console, head)
    for line, below in zip(lines, belows, strict=True):
        print_line(console, line)
        for text in below:
            print_below(text)


def print_below(text: Text) -> None:
    print_indented(Text(INDENT), text)


def print_indented(before: Text, text: Text) -> None:
    """`before` stands on the first line, and blanks in its place on the others. Nothing is filled up behind a line."""
    console = paper()
    for number, line in enumerate(_wrapped(text, console.width - len(before))):
        console.print((Text(" " * len(before)) if number else before) + line, soft_wrap=True)


def _wrapped(text: Text, width: int) -> Iterator[Text]:
    """Broken between words alone: an id that is longer than a line can still be copied."""
    words = textwrap.TextWrapper(max(width, LEAST), break_long_words=False, break_on_hyphens=False, replace_whitespace=False)
    for line in text.split():
        at = 0
        for part in words.wrap(line.plain):
            at = line.plain.index(part, at)
            yield line[at : at + len(part)]


def reason_text(reason: Reason) -> Text:
    """What went wrong, then who must do what."""
    return Text.assemble(
        (f"{reason.code}: ", "red"), reason.text, "\n", (f"{reason.owner.value} must act: ", "yellow"), reason.remedy
    )


def print_line(console: Console, line: list[Segment]) -> None:
    console.print(Segments([*line, Segment.line()]), end="")
