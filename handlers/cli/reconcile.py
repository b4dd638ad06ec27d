"""`fanout reconcile`: what is wanted beside what is, at once."""

from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from handlers.cli.connection import connect
from handlers.cli.documents import AsJson, print_json
from handlers.cli.terminal import LOST, UNREACHABLE, err, out, reaching, stop
from shared.errors import Lost
from shared.reconciling import Finding, What

SIGNS = {
    What.REFUSED: "[red]![/]",
    What.NOT_ALLOWED: "[red]-[/]",
    What.UNREACHABLE: "[red]?[/]",
    What.ARCHIVED: "[dim]=[/]",
    What.REMOVED: "[yellow]![/]",
}
MENDED = "[green]+[/]"


def reconcile(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what differs, and send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at all workspaces and registries of the rules now, show what differs from what is wanted, and mend it.

    The timer does the same bit by bit. What was missed is shared or delivered, by commands on the queue; a share that would be
    refused, what is no longer allowed, what its tenant archived, and an endpoint that its tenant removed are shown and left
    as they are.

    Exit codes: 0 all was looked at, whatever was found; 1 some of it, or all, could not be looked at; 3 another run is at work,
    such as the timer's: try again.

    \b
    fanout reconcile --dry-run
    """
    from handlers import reconcile_pass

    found: list[Finding] = []

    def show(finding: Finding) -> None:
        found.append(finding)
        if not as_json:
            out.print(_line(finding))

    looking = err.status("Looking at workspaces and registries …")
    try:
        with reaching("the tables and the queue"), looking:
            (reconcile_pass.preview if dry_run else reconcile_pass.whole_pass)(connect(), show)
    except (reconcile_pass.BusyError, Lost) as busy:
        stop(LOST, f"Another run is at work: {busy}. Try again in some minutes.")
    if as_json:
        print_json({"dry_run": dry_run, "findings": [asdict(finding) for finding in found]})
    else:
        out.print(_sum(found, dry_run=dry_run))
    missed = sum(finding.what is What.UNREACHABLE for finding in found)
    if missed:
        stop(UNREACHABLE, f"{missed} could not be looked at: what differs there is not known. Try again, or leave it to the timer.")


def _line(finding: Finding) -> str:
    place = f"{finding.tenant} ({finding.workspace})" if finding.tenant else finding.workspace
    text = escape(f"{finding.asset}, {place}: {finding.what}: {finding.why}")
    return f"{SIGNS.get(finding.what, MENDED)} {text}"


def _sum(found: list[Finding], *, dry_run: bool) -> str:
    if not found:
        return "All is as it is wanted."
    counts = Counter(finding.what for finding in found)
    mended = sum(finding.healed_by is not None for finding in found)
    verb = "would be mended" if dry_run else "are being mended"
    return f"{', '.join(f'{count} {what}' for what, count in counts.items())}. {mended} {verb}."
