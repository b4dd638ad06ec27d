"""`fanout watch`: what is happening now."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from handlers.cli import completion
from handlers.cli.connection import connect
from handlers.cli.documents import row_document, time_text
from handlers.cli.tables import paper, rows_table
from handlers.cli.terminal import err, reaching
from handlers.cli.waiting import change_line
from shared.errors import Transient, Unreadable
from shared.rows import Address, DeliveryRow, RowKind, WorkRow

if TYPE_CHECKING:
    from shared.bootstrap import AzureFanout

REFRESHED = 3.0  # seconds


def watch(
    tenant: Annotated[str | None, completion.tenant("--tenant", "What is from this tenant, or for it.")] = None,
    every: Annotated[float, typer.Option("--every", min=0.5, help="Seconds between two looks.")] = REFRESHED,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each change, for programs.")] = False,
) -> None:
    """Watch what is under way, until Ctrl-C: a live table on a terminal, else a line for each change of a state.

    \b
    fanout watch
    fanout watch --tenant fabrikam >> fabrikam.log
    fanout watch --json | jq 'select(.state == "failed")'
    """
    with reaching("the tables"):
        fanout = connect()
        if paper().is_terminal and not as_json:
            _live(fanout, tenant, every)
        else:
            print_changes(fanout, tenant, every, _json_line if as_json else _line)


def _live(fanout: "AzureFanout", tenant: str | None, every: float) -> None:
    with Live(console=paper(), auto_refresh=False, screen=False) as live:
        while True:
            try:
                live.update(_picture(_open_rows(fanout, tenant), fanout.clock.now()), refresh=True)
            except Transient as failure:
                live.update(Text(f"Cannot look now, and tries again: {failure}", "yellow"), refresh=True)
            time.sleep(every)


def _picture(rows: Sequence[WorkRow], now: datetime) -> Group | Text:
    if not rows:
        return Text(f"{now:%H:%M:%S} UTC: nothing is under way.")
    most = max(3, paper().height - 4)
    counts = Counter(row.state.value.replace("_", " ") for row in rows)
    more = [Text(f"… and {len(rows) - most} more", "dim")] if len(rows) > most else []
    summary = ", ".join(f"{number} {state}" for state, number in counts.most_common())
    return Group(rows_table(rows[:most], now), *more, Text(f"{now:%H:%M:%S} UTC: {summary}."))


def _line(row: WorkRow, at: datetime) -> str:
    return f"{time_text(at)} {change_line(row)}"


def _json_line(row: WorkRow, at: datetime) -> str:
    return json.dumps({"at": time_text(at), **row_document(row)}, ensure_ascii=False)


def print_changes(fanout: "AzureFanout", tenant: str | None, every: float, line: Callable[[WorkRow, datetime], str]) -> None:
    """What was open and is no longer is read once more, for its end."""
    known: dict[Address, WorkRow] = {}
    while True:
        try:
            rows = {row.address: row for row in _open_rows(fanout, tenant)}
            ended = [row for address in known.keys() - rows.keys() if (row := _read(fanout, address))]
        except Transient as failure:
            err.print(f"Cannot look now, and tries again: {failure}", markup=False)
        else:
            for row in (*ended, *rows.values()):
                before = known.get(row.address)
                if before is None or before.state is not row.state:
                    typer.echo(line(row, fanout.clock.now()))
            known = rows
        time.sleep(every)


def _read(fanout: "AzureFanout", address: Address) -> WorkRow | None:
    """None for what is not there, or was written by another version of Fanout meanwhile: read again, it would say the same."""
    with suppress(Unreadable):
        return fanout.rows.get(address) if address.kind is RowKind.SHARE else fanout.rows.find_delivery(address)
    return None


def _open_rows(fanout: "AzureFanout", tenant: str | None) -> list[WorkRow]:
    concerned = (row for row in fanout.history.open_rows() if tenant is None or tenant in _tenants(row))
    return sorted(concerned, key=lambda row: row.created_at, reverse=True)


def _tenants(row: WorkRow) -> tuple[str | None, ...]:
    return (row.origin_tenant, row.tenant) if isinstance(row, DeliveryRow) else (row.origin_tenant,)
