"""`fanout onboard`: a tenant's beginning, from its file to its first deliveries."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handlers.cli.arguments import workspace_in
from handlers.cli.backfill import bring
from handlers.cli.connection import connect
from handlers.cli.doctor import app_principal, examine_all, exit_code, looks_as
from handlers.cli.doctor_report import document_of, print_report
from handlers.cli.documents import AsJson, print_json
from handlers.cli.onboard_preparation import Preparation, prepare
from handlers.cli.terminal import err, out, reaching
from shared.rules import Rules
from shared.tenants import Tenant

if TYPE_CHECKING:
    from shared.reconciling import Finding

_RIGHTS = "Contributor and Role Based Access Control Administrator on the resource group"
_KEY = (
    'az functionapp keys list --resource-group "$AZURE_RESOURCE_GROUP" --name "$AZURE_FUNCTION_NAME" '
    "--query systemKeys.eventgrid_extension --output tsv"
)


def onboard(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="Its id, new or not.")],
    workspace: Annotated[
        list[str] | None, typer.Option("--workspace", help="The ARM id of a workspace of its own; may be repeated.")
    ] = None,
    folder: Annotated[Path, typer.Option("--folder", help="The folder of the rules.")] = Path("rules"),
    region: Annotated[str, typer.Option("--region", help="Where these workspaces lie, such as westeurope.")] = "",
    by_queue: Annotated[bool, typer.Option("--by-queue", help="Events come by queue, as private networks need it.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and write and send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Begin with a tenant: first its file and its part in Azure, then, run again, a look at both and the first deliveries.

    The first run writes the tenant's file into the folder of the rules, with examples to make its rules of, and prints what
    is to be deployed in its Azure subscription. A file that is there already is left as it is. Then have it deployed, and apply
    the file.

    The next run, when the rules are in force, looks whether all is sound, as `fanout doctor` does, and delivers to the
    tenant's subscriptions what was shared before, as `fanout backfill` does; where there are faults it stops at them. Run
    again it does the same.

    Exit codes: 0 done, perhaps with warnings; 1 the tables, or something of what is to be looked at, cannot be reached; 2 the
    input is wrong, or the file there is another's; 4 there are faults, and nothing was delivered.

    \b
    fanout onboard fabrikam --workspace /subscriptions/…/workspaces/live --region westeurope
    fanout apply --tenant fabrikam rules/tenants/fabrikam.yaml
    fanout onboard fabrikam
    """
    with reaching("the tables"):
        in_force = connect().rules.current()
    named = [workspace_in(each, lambda: in_force) for each in workspace or ()]
    known = in_force.tenant(tenant)
    if known and all(each in known.workspaces for each in named):
        _complete(known, in_force, dry_run=dry_run, as_json=as_json)
        return
    prepared = prepare(tenant, named, folder, region or None, in_force, by_queue=by_queue, dry_run=dry_run)
    if as_json:
        print_json({"tenant": tenant, "in_force": False, "dry_run": dry_run, **prepared.document})
    else:
        _show(prepared, by_queue=by_queue, dry_run=dry_run)


def _show(prepared: Preparation, *, by_queue: bool, dry_run: bool) -> None:
    if not prepared.text:
        out.print(f"{prepared.file} is there, and names these workspaces.", markup=False)
    elif dry_run:
        out.print(f"{prepared.file} would be written:", markup=False)
        typer.echo(prepared.text)
    else:
        out.print(f"{prepared.file} is written: say there what the tenant publishes, and what it wants.", markup=False)
    out.print(f"\nTo deploy, with {_RIGHTS}:")
    for step in prepared.steps:
        out.print(f"  the {step.who}: {step.what}", markup=False)
        typer.echo(f"    {step.command}")
    if not by_queue:
        out.print("  <key> is the app's own, from the provider:")
        typer.echo(f"    {_KEY}")
    out.print("  where the workspace has a system topic, add: existingSystemTopicName=<its name>", markup=False)
    out.print("  so that fanout doctor may look there, add: doctorPrincipalId=<object id of a group>", markup=False)
    out.print("  infra/azure/README.md has the rest.\n")
    out.print("Then:")
    for command in prepared.next_commands:
        typer.echo(f"  {command}")


def _complete(tenant: Tenant, in_force: Rules, *, dry_run: bool, as_json: bool) -> None:
    principal = app_principal()
    with reaching("the tables"):
        looks = looks_as(principal)
    examined = examine_all([tenant], looks)
    if not as_json:
        print_report(examined)
    code = exit_code(examined)
    brought = None if code else _backfill(tenant, dry_run=dry_run, silent=as_json)
    if as_json:
        document = {"tenant": tenant.id, "in_force": True, "dry_run": dry_run, "doctor": document_of(examined, in_force.revision)}
        print_json({**document, "backfill": brought})
    if code:
        err.print("Nothing was delivered. Mend this, and run the command again.")
        raise typer.Exit(code)


def _backfill(tenant: Tenant, *, dry_run: bool, silent: bool) -> dict[str, object]:
    """To all of its subscriptions that are active: what is paused comes when it is resumed."""
    from handlers.backfill import Backfill
    from handlers.reconcile_round import boundless

    active = [each for each in tenant.subscriptions if tenant.active and each.active]
    paused = [each.name for each in tenant.subscriptions if each not in active]
    for reason in () if silent else reasons_for_less(tenant):
        out.print(reason, markup=False)
    found: list[Finding] = []
    with reaching("the tables and the queue"):
        round_ = boundless(connect(), found.append, dry_run=dry_run)
        wanted = [Backfill(tenant, each, all_versions=False) for each in active]
        return {**bring(wanted, round_, found, silent=silent), "paused": paused}


def reasons_for_less(tenant: Tenant) -> Iterator[str]:
    """Why nothing is delivered to the tenant, or not all that its rules ask for."""
    if not tenant.subscriptions:
        yield f"Tenant {tenant.id} subscribes to nothing yet."
    paused = [each.name for each in tenant.subscriptions if not each.active]
    if not tenant.active:
        yield f"Tenant {tenant.id} is paused: `fanout tenants resume {tenant.id}` lets it begin."
    elif paused:
        yield f"Nothing comes by what is paused until it is resumed: {', '.join(paused)}."
