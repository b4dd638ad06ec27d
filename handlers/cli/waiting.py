"""`--wait`: follows a command to its outcome, with live progress on stderr and the outcome on stdout."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from handlers.cli.documents import asset_text, print_json, row_document
from handlers.cli.following import Following, Outcome
from handlers.cli.sending import Sent, Way
from handlers.cli.tables import paper, place_text, print_rows, rows_table, state_text
from handlers.cli.terminal import DONE, FAILED, INTERRUPTED, STILL_OPEN, UNREACHABLE, err, harmless, out, stop
from shared.commands import Command, Push, Share
from shared.errors import Permanent, Transient
from shared.messages import WHY, Received
from shared.rows import Address, DeliveryRow, WorkRow, is_done
from shared.states import DeliveryState, State

if TYPE_CHECKING:
    from shared.bootstrap import AzureFanout

MOST_SHOWN = 12  # rows of the live table
ENDS = {Outcome.DONE: DONE, Outcome.FAILED: FAILED, Outcome.REJECTED: FAILED, Outcome.OPEN: STILL_OPEN}


def wait(sent: Sent, told: dict[str, Any], chosen: Way, fanout: "AzureFanout") -> None:
    """Ends the command with the exit code of the outcome. `told` is what the JSON document says of the command itself."""
    following = Following(sent, fanout)
    try:
        with _progress(fanout, quiet=chosen.as_json) as show:
            outcome = _follow(following, chosen.timeout or timedelta(0), show)
    except Permanent as refused:
        _print_json(told, Outcome.OPEN, following, wanted=chosen.as_json)
        stop(UNREACHABLE, f"Sent, but it cannot be followed: {refused.reason}")
    except KeyboardInterrupt:
        _print_json(told, Outcome.OPEN, following, wanted=chosen.as_json)
        stop(INTERRUPTED, f"Interrupted. The work goes on: fanout watch shows it (correlation id {sent.correlation_id}).")
    _print_json(told, outcome, following, wanted=chosen.as_json)
    if not chosen.as_json:
        _tell(outcome, _in_order(following), following, fanout)
    raise typer.Exit(ENDS[outcome])


def _print_json(told: dict[str, Any], outcome: Outcome, following: Following, *, wanted: bool) -> None:
    if wanted:
        rejection = rejection_document(following.rejection) if following.rejection else None
        rows = [row_document(row) for row in _in_order(following)]
        print_json(told | {"outcome": outcome.value, "rows": rows, "rejection": rejection})


def _follow(following: Following, timeout: timedelta, show: "Show") -> Outcome:
    """Looks less and less often. A look that fails is made again; what is Permanent ends the wait."""
    began = time.monotonic()
    outcome = Outcome.OPEN
    while True:
        try:
            outcome = following.look()
            show.rows(following)
        except Transient as failure:
            show.trouble(str(failure))
        elapsed = time.monotonic() - began
        if outcome is not Outcome.OPEN or elapsed >= timeout.total_seconds():
            return outcome
        time.sleep(min(5.0, max(0.5, elapsed / 10), timeout.total_seconds() - elapsed))


class Show:
    """What is seen meanwhile: a live table on a terminal, else a line for each change."""

    def __init__(self, fanout: "AzureFanout", live: Live | None, *, quiet: bool) -> None:
        self._fanout, self._live, self._quiet = fanout, live, quiet
        self._states: dict[Address, State] = {}

    def rows(self, following: Following) -> None:
        if self._live:
            self._live.update(self._picture(following))
        elif not self._quiet:
            for address, row in following.rows.items():
                if self._states.get(address) is not row.state:
                    err.print(change_line(row), markup=False)
        self._states = {address: row.state for address, row in following.rows.items()}

    def trouble(self, text: str) -> None:
        if self._live:
            self._live.update(Text(f"Cannot look now, and tries again: {text}", "yellow"))
        elif not self._quiet:
            err.print(f"Cannot look now, and tries again: {text}", markup=False)

    def _picture(self, following: Following) -> Group | Text:
        if not following.carried_out:
            again = f", attempt {following.attempt}" if following.attempt > 1 else ""
            return Text(f"In queue commands{again} …")
        rows = list(following.rows.values())
        if not rows:
            return Text("Taken from queue commands …")
        going = [row for row in rows if not is_done(row)]
        table = [rows_table(going[:MOST_SHOWN], self._fanout.clock.now())] if going else []
        more = [Text(f"… and {len(going) - MOST_SHOWN} more", "dim")] if len(going) > MOST_SHOWN else []
        return Group(*table, *more, _bar(rows, len(rows) - len(going)))


def _bar(rows: Sequence[WorkRow], ended: int) -> Table:
    counts = Counter(row.state.value.replace("_", " ") for row in rows)
    grid = Table.grid(padding=(0, 1))
    states = ", ".join(f"{number} {state}" for state, number in counts.items())
    grid.add_row(ProgressBar(max(1, len(rows)), ended, width=20), f"{ended} of {len(rows)} ended: {states}")
    return grid


@contextmanager
def _progress(fanout: "AzureFanout", *, quiet: bool) -> Iterator[Show]:
    console = paper(stderr=True)
    if console.is_terminal:
        with Live(console=console, transient=True, refresh_per_second=4) as live:
            yield Show(fanout, live, quiet=quiet)
    else:
        yield Show(fanout, None, quiet=quiet)


def change_line(row: WorkRow) -> str:
    """One row's new state, for who reads lines."""
    whose = f" {row.tenant}" if isinstance(row, DeliveryRow) else ""
    return f"{state_text(row)}: {row.asset}{whose} → {place_text(row)} ({row.address})"


def _in_order(following: Following) -> list[WorkRow]:
    """Shares first, then deliveries by who gets them."""

    def place(row: WorkRow) -> tuple[bool, str, str, str]:
        tenant = row.tenant if isinstance(row, DeliveryRow) else ""
        return isinstance(row, DeliveryRow), tenant, place_text(row), str(row.address)

    return sorted(following.rows.values(), key=place)


def _tell(outcome: Outcome, rows: list[WorkRow], following: Following, fanout: "AzureFanout") -> None:
    if following.rejection:
        print_rejection(following.rejection)
        return
    if rows:
        print_rows(rows, fanout.clock.now())
    if outcome is Outcome.OPEN:
        where = "" if following.carried_out else " in queue commands"
        out.print(f"Still open{where} when the wait ended; the work goes on.")
        for row in rows:
            if row.state is DeliveryState.AWAITING_APPROVAL:
                out.print(f"It waits for: fanout approve {row.address}", markup=False)
    elif not rows:
        out.print("Carried out: there was nothing left to do.")
    elif outcome is Outcome.DONE and _delivers(following.sent.command) and not any(isinstance(row, DeliveryRow) for row in rows):
        out.print(f"Nothing had to be delivered: fanout status {asset_text(rows[0].asset)} shows who has it.", markup=False)


def _delivers(command: Command) -> bool:
    return isinstance(command, Push) or (isinstance(command, Share) and command.fan_out)


def rejection_document(message: Received) -> dict[str, object]:
    return {name: message.properties.get(f"fanout_{name}") for name in WHY}


def print_rejection(message: Received) -> None:
    why = rejection_document(message)
    out.print(f"Rejected: {why['code']}: {harmless(why['reason'])}", markup=False)
    out.print(f"{why['owner']} must act: {why['remedy']}", markup=False)
    out.print(f"Mended, it goes on: fanout rejected resend {message.sequence_number} [--body FILE]", markup=False)
