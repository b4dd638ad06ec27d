"""One Entra tenant for all: an import carries one token, and a managed identity has one only."""

from collections.abc import Iterator

from shared.assets import WorkspaceId
from shared.doctor.findings import Finding, Severity
from shared.doctor.mending import az, change_rules
from shared.doctor.seen import AT_RISK, ENABLED, AzureSubscription, same

ANOTHER_TENANT = "another_entra_tenant"
_DUE = "https://learn.microsoft.com/azure/cost-management-billing/manage/resolve-past-due-balance"


def check_entra(workspace: WorkspaceId, subscription: AzureSubscription, home: str, of_home: str, tenant: str) -> Iterator[Finding]:
    """`home` is the Entra tenant where all has to be, `of_home` says whose it is."""
    if not same(subscription.entra_tenant, home):
        yield in_another_tenant(workspace, f"Entra tenant {subscription.entra_tenant}; {of_home} is in {home}", tenant)
    if subscription.state in AT_RISK:
        looking = az("account show", subscription=subscription.id, query="state")
        yield Finding(
            code="azure_subscription_at_risk",
            scope=f"/subscriptions/{subscription.id}",
            what=f"Azure subscription {subscription.id} is {subscription.state}",
            why="all works in it as yet; Azure disables it if that goes on",
            command=f"{looking}  # and settle what is due: {_DUE}",
            severity=Severity.WARNING,
        )
    elif subscription.state != ENABLED:
        yield Finding(
            code="azure_subscription_disabled",
            scope=f"/subscriptions/{subscription.id}",
            what=f"Azure subscription {subscription.id} is {subscription.state}",
            why="Azure refuses every change in it",
            command=az("account subscription enable", subscription_id=subscription.id),
        )


def in_another_tenant(workspace: WorkspaceId, where: str, tenant: str) -> Finding:
    return Finding(
        code=ANOTHER_TENANT,
        scope=str(workspace),
        what=f"workspace {workspace.name} is in another Entra tenant: {where}",
        why="a share and a push carry one token of the one Entra tenant that the app's identity is in: nothing can pass",
        command=change_rules(f"tenants/{tenant}.yaml", "take the workspace out"),
    )
