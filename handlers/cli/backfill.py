"""`fanout backfill`: brings a subscription what stands in the registries already."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import track

from handlers.cli import completion
from handlers.cli.connection import connect
from handlers.cli.documents import AsJson, print_json
from handlers.cli.terminal import INVALID, err, out, reaching, stop
from shared.errors import Permanent
from shared.reconciling import Finding

if TYPE_CHECKING:
    from handlers.backfill import Backfill
    from handlers.reconcile_round import Round


def backfill(
    subscription: Annotated[str, completion.subscription("--subscription", "Whose, and which: TENANT/NAME.")],
    all_versions: Annotated[bool, typer.Option("--all-versions", help="All versions of each name, not the newest alone.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is missing, and send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Deliver to a subscription what was shared before it stood, and fits it.

    Shows first what is missing, then puts its push commands on the queue. The reconciler brings a new subscription the newest
    version of each name by itself; --all-versions brings the others too. What failed or was cancelled is left as it is.

    Exit codes: 0 done, or nothing is missing; 1 Azure refuses or cannot be reached; 2 there is no such subscription, or it
    is paused.

    \b
    fanout backfill --subscription fabrikam/cards-live --dry-run
    fanout backfill --subscription fabrikam/cards-live --all-versions
    """
    tenant, slash, name = subscription.partition("/")
    if not (tenant and slash and name):
        stop(INVALID, f"--subscription: {subscription!r} is not TENANT/NAME, such as fabrikam/cards-live.")
    from handlers.backfill import backfill_of
    from handlers.reconcile_round import boundless

    found: list[Finding] = []
    with reaching("the tables and the queue"):
        round_ = boundless(connect(), found.append, dry_run=dry_run)
        try:
            wanted = backfill_of(tenant, name, round_.rules, all_versions=all_versions)
        except Permanent as unknown:
            stop(INVALID, f"{unknown.reason.text}. {unknown.reason.remedy[:1].upper()}{unknown.reason.remedy[1:]}.")
        brought = bring([wanted], round_, found, silent=as_json)
    if as_json:
        print_json({"dry_run": dry_run, **brought})


def bring(wanted: Iterable["Backfill"], round_: "Round", found: list[Finding], *, silent: bool) -> dict[str, Any]:
    """Show what is missing, which the round notes in `found`, and send its commands; what there was as a document."""
    with err.status("Looking into the registries …"):
        pauses = sorted(set[str]().union(*(each.find(round_) for each in wanted)))
    if not silent:
        _show(found, pauses, dry_run=round_.dry_run)
    batches = round_.batches()
    for batch in track(batches, "Sending", console=err, transient=True, disable=not batches):
        round_.deliver(batch)
    return {"missing": [asdict(finding) for finding in found], "pauses": pauses}


def _show(found: list[Finding], pauses: list[str], *, dry_run: bool) -> None:
    for pause in pauses:
        out.print(f"Held back: {escape(pause)}.")
    for finding in found:
        out.print(f"[green]+[/] {escape(f'{finding.asset} to {finding.tenant} ({finding.workspace}): {finding.why}')}")
    if not found:
        out.print("Nothing else is missing." if pauses else "Nothing is missing.")
    else:
        out.print(f"{len(found)} {'would be delivered' if dry_run else 'are being delivered'}.")
