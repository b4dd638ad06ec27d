"""What Azure's refusals and silence mean to the doctor: what is not there is a fault, what may not be looked at is unseen."""

from dataclasses import replace

from shared.doctor.entra import ANOTHER_TENANT, in_another_tenant
from shared.doctor.findings import Finding, Severity
from shared.doctor.mending import Shell, az, change_rules
from shared.doctor.needs import RegistryNeeds, WorkspaceNeeds
from shared.doctor.operations import READER
from shared.errors import NotFound, Permanent, Transient

_WORKSPACE_MISSING = "workspace_not_found"
_REGISTRY_MISSING = "registry_not_found"
_WHOEVER_ASKS = Shell('"$(az ad signed-in-user show --query id --output tsv)"')


def workspace_unreachable(needs: WorkspaceNeeds, error: Permanent | Transient) -> Finding:
    if isinstance(error, Permanent) and error.reason.code == ANOTHER_TENANT:
        return in_another_tenant(needs.workspace, error.reason.text, needs.tenant)
    if not is_missing(error):
        return not_seen("the workspace", str(needs.workspace), READER, error)
    return Finding(
        code=_WORKSPACE_MISSING,
        scope=str(needs.workspace),
        what=f"workspace {needs.workspace.name} is not there, or nothing in its Azure subscription may be seen",
        why="nothing can be shared from it, or delivered to it",
        command=change_rules(f"tenants/{needs.tenant}.yaml", "correct the workspace's ARM id"),
    )


def is_missing(error: Permanent | Transient) -> bool:
    """Whether it is about a workspace that is not there, or that nobody here may see."""
    return isinstance(error, NotFound) or (isinstance(error, Permanent) and error.reason.code == _WORKSPACE_MISSING)


def registry_unreachable(needs: RegistryNeeds, error: Permanent | Transient) -> Finding:
    if isinstance(error, Permanent) and error.reason.code == _REGISTRY_MISSING:
        return Finding(
            code=_REGISTRY_MISSING,
            scope=needs.name,
            what=f"registry {needs.name} is not there, or may not be seen",
            why="nothing can be shared into it, or delivered from it",
            command=change_rules("provider.yaml", f"correct the name of registry {needs.name}"),
        )
    unseen = not_seen("the registry", f"<ARM id of registry {needs.name}>", READER, error)
    return replace(unseen, scope=needs.name)


def not_seen(concern: str, scope: str, role: str, error: Permanent | Transient) -> Finding:
    """`role` is what whoever asks needs at `scope` to look."""
    refused = isinstance(error, Permanent)
    return Finding(
        code="not_seen",
        scope=scope,
        what=f"could not look at {concern}: {error}",
        why="whether it is as the rules need it is not known",
        command=az("role assignment create", assignee=_WHOEVER_ASKS, role=role, scope=scope) if refused else "fanout doctor",
        severity=Severity.UNSEEN,
    )
