"""`fanout apply`: puts a folder of rules in force."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from handlers.apply_rules import apply_proposal, propose
from handlers.cli.terminal import INVALID, LOST, out, reaching, stop
from shared.rules_change import ApplyLostError, Fate, RulesChange, RulesStore, RulesTooLargeError
from shared.rules_file import InvalidRulesError, read_rules


def apply(
    folder: Annotated[Path, typer.Argument(help="Folder with provider.yaml and tenants/*.yaml.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference, and change nothing.")] = False,
    by: Annotated[str, typer.Option(help="Who makes the change, for the record.")] = "",
) -> None:
    """Put the rules of FOLDER in force, all of them: a tenant without a file there is removed.

    Shows first what changes. Exit codes: 0 done, or nothing to do; 1 the tables refuse or cannot be reached; 2 the rules are
    wrong, with every mistake named; 3 another apply is at work or came first, and this one changed nothing.
    """
    try:
        provider, tenants = read_rules(folder)
        with reaching("the tables"):
            store, create_tables = _connect()
            proposal = propose(provider, tenants, store)
            _show(proposal.change)
            if not dry_run:
                create_tables()
                applied = apply_proposal(proposal, store, by or getpass.getuser())
                out.print(f"Revision {applied.revision} is in force.")
    except InvalidRulesError as invalid:
        stop(INVALID, *map(str, invalid.problems), f"{len(invalid.problems)} to mend; nothing was changed.")
    except RulesTooLargeError as too_large:
        stop(INVALID, f"{too_large}. Nothing was changed.")
    except ApplyLostError as lost:
        stop(LOST, f"Not applied: {lost}.")


def _connect() -> tuple[RulesStore, Callable[[], None]]:
    """The rules of the tables that this process's settings name, and how to make tables that are not there yet.

    Imported late, so that --help and wrong rules need neither settings nor the SDK.
    """
    from shared.bootstrap import fanout

    return fanout().rules_table, fanout().create_tables


def _show(change: RulesChange) -> None:
    if change.is_empty:
        out.print("Nothing changes.")
    if change.provider:
        out.print("[yellow]~[/] provider")
    signs = {Fate.ADDED: "[green]+[/]", Fate.CHANGED: "[yellow]~[/]", Fate.REMOVED: "[red]-[/]"}
    for tenant in change.tenants:
        details = f": {', '.join(tenant.details)}" if tenant.details else ""
        out.print(f"{signs[tenant.fate]} tenant {escape(tenant.tenant + details)}")
