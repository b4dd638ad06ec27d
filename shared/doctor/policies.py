"""What Azure Policy would say to what Fanout makes in a workspace: the resources to ask about, and what a denial means."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shared.actions import AuthMode, Endpoint, OnlineEndpoint
from shared.assets import Kind
from shared.doctor.findings import Finding
from shared.doctor.mending import az, name_of
from shared.doctor.needs import WorkspaceNeeds
from shared.doctor.seen import PolicyDenial, Workspace

_WORKSPACES = "Microsoft.MachineLearningServices/workspaces"
_AUTH_MODES = {AuthMode.KEY: "Key", AuthMode.AML_TOKEN: "AMLToken", AuthMode.AAD_TOKEN: "AADToken"}
API_VERSION = "2024-04-01"  # of the resources as they are written here


@dataclass(frozen=True, slots=True)
class Asked:
    """A resource that Fanout would make, as far as it is known before there is one."""

    what: str
    content: Mapping[str, object]


def resources(needs: WorkspaceNeeds, workspace: Workspace) -> Iterator[Asked]:
    if Kind.MODEL in needs.registers:
        yield Asked("a model", {"type": f"{_WORKSPACES}/models/versions", "properties": {"modelType": "custom_model"}})
    for need in needs.endpoints:
        yield from _of_endpoint(need.action, workspace.region)


def check_policies(asked: Asked, denials: Iterable[PolicyDenial], workspace: Workspace) -> Iterator[Finding]:
    for denial in denials:
        yield Finding(
            code="policy_denies",
            scope=str(workspace.id),
            what=f"policy {name_of(denial.assignment)} denies {asked.what} in workspace {workspace.id.name}",
            why="Azure refuses what the subscription asks for (RequestDisallowedByPolicy)",
            command=az(
                "policy exemption create",
                name="fanout",
                exemption_category="Waiver",
                policy_assignment=denial.assignment,
                scope=str(workspace.id),
            ),
        )


def _of_endpoint(action: Endpoint, region: str) -> Iterator[Asked]:
    """As shared/azure/endpoint_entities.py has them made."""
    if isinstance(action, OnlineEndpoint):
        kind, segment = "online endpoint", "onlineEndpoints"
        endpoint = {"authMode": _AUTH_MODES[action.auth_mode], "publicNetworkAccess": "Enabled"}
        deployment: dict[str, object] = {
            "endpointComputeType": "Managed",
            "instanceType": action.instance_type,
            "egressPublicNetworkAccess": "Enabled",
        }
    else:
        kind, segment = "batch endpoint", "batchEndpoints"
        endpoint = {"authMode": "AADToken"}
        deployment = {"compute": action.compute, "resources": {"instanceCount": action.instance_count}}
    named = {"name": action.name, "location": region}
    yield Asked(f"{kind} {action.name}", {"type": f"{_WORKSPACES}/{segment}", **named, "properties": endpoint})
    below = {"name": f"{action.name}/fanout", "location": region}
    yield Asked(
        f"a deployment of {kind} {action.name}", {"type": f"{_WORKSPACES}/{segment}/deployments", **below, "properties": deployment}
    )
