"""`fanout apply`: puts a folder of rules in force, or one tenant's file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from handlers.apply_rules import Proposal, propose, propose_tenant
from handlers.cli import completion
from handlers.cli.connection import connect
from handlers.cli.rules_in_force import By, changing, put_in_force, show
from handlers.cli.terminal import INVALID, err, out, stop
from shared.rules_change import RulesStore
from shared.rules_file import read_folder, read_tenant
from shared.rules_reading import TENANTS_FOLDER, Problem, RulesRead

RulesPath = Annotated[
    Path,
    typer.Argument(metavar="FOLDER|FILE", help="Folder with provider.yaml and tenants/*.yaml; with --tenant, a tenant's file."),
]


def apply(
    path: RulesPath,
    tenant: Annotated[
        str | None, completion.tenant("--tenant", "Put this tenant's rules in force, of FILE, and no others.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference, and change nothing.")] = False,
    by: By = "",
) -> None:
    """Put the rules of FOLDER in force, all of them: a tenant without a file there is removed.

    With --tenant T and a FILE, that tenant's rules alone, new or not: the others stay as they are, and what FILE says is held
    to them. Shows first what changes. What will not work as things are, but may later, is a warning.

    Exit codes: 0 done, or nothing to do; 1 the tables refuse or cannot be reached; 2 the rules are wrong, with every mistake
    named, or would leave no tenant; 3 another apply is at work or came first, and this one changed nothing.

    \b
    fanout apply rules --dry-run
    fanout apply --tenant fabrikam rules/tenants/fabrikam.yaml
    """
    with changing():
        if tenant is None:
            rules = _read(path)
            fanout = connect()
            proposal = propose(rules.provider, rules.tenants, fanout.rules_table)
            _keep_some(proposal, path)
        else:
            fanout = connect()
            proposal = _of_tenant(tenant, path, fanout.rules_table)
        show(proposal)
        if dry_run:
            out.print("Dry run: nothing was changed.")
        else:
            fanout.create_tables()
            put_in_force(proposal, fanout.rules_table, by)


def _read(folder: Path) -> RulesRead:
    if folder.is_file():
        stop(INVALID, f"{folder} is a file: name its folder, or with --tenant the tenant whose rules it has. Nothing was changed.")
    rules = read_folder(folder)
    _warn(rules.warnings)
    return rules


def _keep_some(proposal: Proposal, folder: Path) -> None:
    """Nobody means to remove all tenants: their files are elsewhere."""
    if proposal.change.tenants and not proposal.tenants:
        everybody = f"{folder / TENANTS_FOLDER} has no tenant's file, and {len(proposal.change.tenants)} in force would be removed"
        stop(INVALID, f"{everybody}: put theirs there, as `fanout export` writes them. Nothing was changed.")


def _of_tenant(tenant: str, file: Path, store: RulesStore) -> Proposal:
    in_force = store.load()
    read = read_tenant(file, tenant, in_force)
    _warn(read.warnings)
    return propose_tenant(read.tenants[0], in_force)


def _warn(warnings: Sequence[Problem]) -> None:
    for warning in warnings:
        err.print(f"Warning: {warning}", markup=False)
