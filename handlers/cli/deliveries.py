"""`fanout deliveries` and `fanout show`: what went where, what became of it, and why."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from handlers.cli import completion
from handlers.cli.arguments import address_in, since_in
from handlers.cli.connection import connect
from handlers.cli.details import print_details
from handlers.cli.documents import AsJson, print_json, row_details, row_document
from handlers.cli.tables import print_rows
from handlers.cli.terminal import INVALID, out, reaching, stop
from shared.clock import local_now
from shared.rows import DeliveryRow, RowKind
from shared.states import DeliveryState

if TYPE_CHECKING:
    from shared.bootstrap import AzureFanout

MOST_PRINTED = 200


def deliveries(
    failed: Annotated[bool, typer.Option("--failed", help="Those that failed.")] = False,
    only_open: Annotated[bool, typer.Option("--open", help="Those under way, or waiting; however old.")] = False,
    state: Annotated[DeliveryState | None, typer.Option("--state", help="Those in this state.")] = None,
    tenant: Annotated[str | None, completion.tenant("--tenant", "Those to this tenant.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Planned since: 2d, 12h, 2026-11-20. 7d where left out.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="How many are printed, the newest first.")] = MOST_PRINTED,
    as_json: AsJson = False,
) -> None:
    """List deliveries, newest first: to one tenant, or to all that the rules have.

    \b
    fanout deliveries --failed --since 2d
    fanout deliveries --open
    fanout deliveries --tenant fabrikam --since 2026-11-01 --json
    """
    if sum((failed, only_open, state is not None)) > 1:
        stop(INVALID, "--failed, --open and --state say one thing: write one of them.")
    begin = since_in(since, local_now()) if since else None
    wanted = DeliveryState.FAILED if failed else state
    with reaching("the tables"):
        fanout = connect()
        found = _open(fanout, tenant, begin) if only_open else planned(fanout, tenant, begin or _week_ago(fanout))
        rows = sorted((row for row in found if wanted in (None, row.state)), key=lambda row: row.created_at, reverse=True)
    if as_json:
        print_json([row_document(row) for row in rows])
    elif rows:
        print_rows(rows[:most], fanout.clock.now())
        if len(rows) > most:
            out.print(f"… and {len(rows) - most} older: --most {len(rows)} prints all, a shorter --since fewer.")
    else:
        out.print("None." if since or only_open else "None in the last 7 days: --since looks further back.")


def show(
    row: Annotated[str, typer.Argument(metavar="DELIVERY|SHARE", help="Its id: delivery/…/… or share/…/…")],
    as_json: AsJson = False,
) -> None:
    """Show one delivery or share: its attempts, what decided it, why it failed and who must act.

    \b
    fanout show delivery/4k…/x2…
    """
    address = address_in(row, RowKind.DELIVERY, RowKind.SHARE)
    with reaching("the tables"):
        rows = connect().rows
        found = rows.get(address) if address.kind is RowKind.SHARE else rows.find_delivery(address)
    if found is None:
        stop(INVALID, f"There is no {address}: correct the id, as `fanout deliveries` or an event has it.")
    if as_json:
        print_json(row_details(found))
    else:
        print_details(found)


def planned(fanout: "AzureFanout", tenant: str | None, since: datetime) -> Iterator[DeliveryRow]:
    """A tenant that is no longer in the rules has its history still, under its name."""
    if tenant:
        return fanout.history.deliveries_to(tenant, since)
    return fanout.history.deliveries_since(since, fanout.rules.current().tenants)


def _week_ago(fanout: "AzureFanout") -> datetime:
    return fanout.clock.now() - timedelta(days=7)


def _open(fanout: "AzureFanout", tenant: str | None, since: datetime | None) -> Iterator[DeliveryRow]:
    for row in fanout.history.open_rows():
        if isinstance(row, DeliveryRow) and tenant in (None, row.tenant) and (since is None or row.created_at >= since):
            yield row
