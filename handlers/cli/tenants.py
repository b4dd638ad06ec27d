"""`fanout tenants`: who is in the rules in force, and their pauses."""

from typing import Annotated

import typer

from handlers.cli.documents import AsJson, print_json
from handlers.cli.rules_in_force import By, change_tenant, rules_in_force, tenant_named
from handlers.cli.rules_prints import count_text, print_table, print_yaml
from shared.rules_document import to_document
from shared.rules_pauses import with_tenant_state
from shared.tenants import RuleState, Tenant

tenants = typer.Typer(no_args_is_help=True, help="The tenants of the rules in force: list, show, pause, resume.")

TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="A tenant's id.")]


@tenants.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all tenants, with their workspaces and how many rules they have.

    \b
    fanout tenants list --json
    """
    found = sorted(rules_in_force().tenants.values(), key=lambda tenant: tenant.id)
    if as_json:
        print_json([to_document(tenant) for tenant in found])
    else:
        columns = ("Tenant", "State", "Publications", "Subscriptions", "Workspaces")
        print_table(columns, [(tenant.id, tenant.state.value, *_summary(tenant)) for tenant in found])


@tenants.command()
def show(name: TenantId, as_json: AsJson = False) -> None:
    """Show a tenant's rules, as its file has them.

    \b
    fanout tenants show fabrikam
    """
    document = to_document(tenant_named(name, rules_in_force()))
    if as_json:
        print_json(document)
    else:
        print_yaml(document)


@tenants.command()
def pause(name: TenantId, by: By = "") -> None:
    """Pause a tenant: nothing of it is shared, and nothing is delivered to it. What is under way is held.

    A file that says `state: active` ends the pause when it is applied.

    \b
    fanout tenants pause fabrikam --by jo@contoso
    """
    change_tenant(lambda in_force: with_tenant_state(tenant_named(name, in_force), RuleState.PAUSED), by)


@tenants.command()
def resume(name: TenantId, by: By = "") -> None:
    """End a tenant's pause: what was held goes on.

    \b
    fanout tenants resume fabrikam
    """
    change_tenant(lambda in_force: with_tenant_state(tenant_named(name, in_force), RuleState.ACTIVE), by)


def _summary(tenant: Tenant) -> tuple[str, str, str]:
    regions = {workspace: f" ({region})" for workspace, region in tenant.regions.items()}
    workspaces = ", ".join(f"{workspace.name}{regions.get(workspace, '')}" for workspace in tenant.workspaces)
    return count_text(tenant.publications), count_text(tenant.subscriptions), workspaces
