"""`fanout offboard`: a tenant's end."""

from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from handlers.apply_rules import Proposal, apply_proposal, propose_tenant
from handlers.cli.connection import connect
from handlers.cli.doctor import looks_as
from handlers.cli.documents import AsJson, print_json
from handlers.cli.offboard_report import Farewell, document_of, print_report
from handlers.cli.rules_in_force import By, changing, tenant_named
from handlers.cli.sending import login_name
from handlers.cli.terminal import INVALID, UNREACHABLE, err, reaching, stop
from handlers.offboard import cancels, delivered_elsewhere, ended, named_by, under_way
from shared.doctor.leftovers import Leftover, Whose
from shared.messages import Queue
from shared.rules_reading import InvalidRulesError
from shared.rules_tenant_file import file_of_who_left, own_file, shape_in
from shared.tenants import Tenant

if TYPE_CHECKING:
    from shared.bootstrap import AzureFanout
    from shared.rows import WorkRow

AT_ONCE = 50  # commands of a batch


def offboard(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="Its id.")],
    folder: Annotated[
        Path | None, typer.Option("--folder", help="The folder of the rules: the tenant's file there is rewritten.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and change and send nothing.")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """End it with a tenant: nothing leaves its workspaces any more, and nothing arrives there.

    Its rules in force become empty, and it is paused; its workspaces stay, so that events that still come are refused, and
    others may name it yet. What is under way to it or from it is cancelled. What others have of it stays theirs, and is listed with
    the commands that would take it back. Then it looks for what is left of Fanout in the tenant's Azure subscription, and prints
    what removes it; the event subscriptions of others are left alone.

    Run it again to see what is still there; when nothing is, it says how the tenant is taken out of the rules.

    Exit codes: 0 done; 1 the tables or the queue cannot be reached, or Azure could not be looked at: that is said, and all else was
    done; 2 there is no such tenant, or no such folder; 3 another apply is at work or came first, and nothing was changed.

    \b
    fanout offboard fabrikam --dry-run
    fanout offboard fabrikam --folder rules
    """
    if folder and not folder.is_dir():
        stop(INVALID, f"{folder} is no folder: name that of the rules. Nothing was changed.")
    who = by or login_name()
    with changing():
        store = connect().rules_table
        in_force = store.load()
        gone = ended(tenant_named(tenant, in_force))
        proposal = propose_tenant(gone, in_force)
        revision = proposal.based_on if _is_idle(proposal, dry_run=dry_run) else apply_proposal(proposal, store, who).revision
    file = _rewrite(gone, folder, dry_run=dry_run) if folder else None
    with reaching("the tables and the queue"):
        fanout = connect()
        rows = _cancel(tenant, who, fanout, dry_run=dry_run)
        with err.status("Looking for what others have of it …"):
            elsewhere = list(delivered_elsewhere(tenant, fanout.history.shares_from(tenant), fanout.rows))
    named = list(named_by(tenant, in_force))
    farewell = Farewell(gone, proposal.change, revision, file, rows, elsewhere, _leftovers(gone), named, dry_run)
    if as_json:
        print_json(document_of(farewell))
    else:
        print_report(farewell)
    if any(each.whose is Whose.UNSEEN for each in farewell.leftovers):
        raise typer.Exit(UNREACHABLE)


def _is_idle(proposal: Proposal, *, dry_run: bool) -> bool:
    return dry_run or proposal.change.is_empty


def _rewrite(gone: Tenant, folder: Path, *, dry_run: bool) -> Path | None:
    """The tenant's file, which says from now on what is in force; None where the folder has none, and brings nothing back."""
    file = own_file(gone.id, folder)
    if file and not dry_run and not _says(file, gone):
        try:
            file.write_text(file_of_who_left(gone), encoding="utf-8", newline="\n")
        except OSError as wrong:
            remedy = "write it by hand, or run this again"
            stop(INVALID, f"The rules in force are ended, but {file} cannot be written ({wrong.strerror}): {remedy}.")
    return file


def _says(file: Path, gone: Tenant) -> bool:
    try:
        return shape_in(file).value() == gone
    except InvalidRulesError:
        return False


def _cancel(tenant: str, by: str, fanout: "AzureFanout", *, dry_run: bool) -> list["WorkRow"]:
    """What is under way, after its cancels are sent."""
    with err.status("Looking for what is under way …"):
        rows = under_way(tenant, fanout.history.open_rows())
    batches = [] if dry_run else list(batched(cancels(rows, by), AT_ONCE, strict=False))
    for batch in track(batches, "Cancelling", console=err, transient=True, disable=not batches):
        fanout.queues.send(Queue.COMMANDS, batch)
    return rows


def _leftovers(gone: Tenant) -> list[Leftover]:
    from handlers.offboard_looks import leftovers
    from shared import settings

    with err.status("Looking for what is left in Azure …"), reaching("the tables"):
        return list(leftovers(gone, looks_as(settings.principal_id() or "")))
