"""A tenant with its workspace, a registry and what surrounds them, all of it sound; tests spoil one thing each."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shared.actions import BatchEndpoint, OnlineEndpoint
from shared.assets import Kind, WorkspaceId
from shared.doctor import seen
from shared.doctor.findings import Finding
from shared.doctor.needs import EndpointNeed, WorkspaceNeeds
from shared.doctor.seen import CoreUsage, CoreUsages, EndpointKind, PlacedEndpoint, VmSize
from shared.endpoints import MARK_TAG, Deployment, Endpoint, endpoint_mark

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOME = "00000000-0000-0000-0000-00000000000a"
CARDS = WorkspaceId("s1", "rg-cards", "cards")
LOANS = WorkspaceId("s1", "rg-cards", "loans")
HUB = seen.Registry("hub", "/subscriptions/s0/resourceGroups/rg-hub/providers/P/registries/hub", ("westeurope", "northeurope"))
STORAGE = "/subscriptions/s1/resourceGroups/rg-cards/providers/Microsoft.Storage/storageAccounts/stcards"
THERE = seen.Workspace(CARDS, "westeurope", STORAGE, is_public=True)
SERVING = OnlineEndpoint("cards", "Standard_DS3_v2", 1, (100,))
BY_NIGHT = BatchEndpoint("nightly", "cpu-cluster")
NEEDS = WorkspaceNeeds(
    tenant="fabrikam",
    workspace=CARDS,
    stated_region=None,
    shares=frozenset({Kind.MODEL}),
    shares_through=("hub",),
    registers=frozenset({Kind.MODEL}),
    takes_from=("hub",),
    copies=False,
    endpoints=(),
)
EMPTY = seen.Region(
    azure_subscription_id="s1",
    name="westeurope",
    workspaces=frozenset({CARDS, LOANS}),
    endpoints=(),
    usages=CoreUsages(CoreUsage(0, 100), {"standarddsv2family": CoreUsage(0, 50)}),
    vm_sizes={"standard_ds3_v2": VmSize(4, "standardDSv2Family"), "standard_f4s_v2": VmSize(4, "standardFSv2Family")},
)


def need(action: OnlineEndpoint | BatchEndpoint = SERVING, workspace: WorkspaceId = CARDS) -> EndpointNeed:
    return EndpointNeed(workspace, "cards-live", action)


def placed(need: EndpointNeed, *, ours: bool = True, deployments: Sequence[Deployment] = ()) -> PlacedEndpoint:
    """The endpoint that is needed, as it stands in its workspace."""
    kind = EndpointKind.ONLINE if isinstance(need.action, OnlineEndpoint) else EndpointKind.BATCH
    tags = {MARK_TAG: endpoint_mark(need.workspace, need.action)} if ours else {}
    return PlacedEndpoint(need.workspace, kind, Endpoint(need.action.name, "succeeded", tags, deployments=tuple(deployments)))


def with_endpoints(*endpoints: PlacedEndpoint) -> seen.Region:
    return replace(EMPTY, endpoints=endpoints)


def codes(findings: Sequence[Finding]) -> list[str]:
    return [finding.code for finding in findings]
