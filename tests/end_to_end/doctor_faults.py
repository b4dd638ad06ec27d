"""One thing each that can be missing in Azure, planted in the local cloud under the demo's rules, and taken back afterwards."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from infra.local import event_subscriptions
from infra.local.azure_ml.config import Workspace as Configured
from infra.local.clients import credential
from infra.local.cloud import EVENTS_FUNCTION, LocalCloud
from infra.local.environment import FANOUT_CLIENT_ID
from infra.local.topology import OTHER_SUBSCRIPTION, Workspace
from shared.azure.arm import ArmClient

ML = "Microsoft.MachineLearningServices"
REGISTRY = "contoso-hub"
ENDPOINTS_API = {"api-version": "2022-02-01-preview"}
COLLEAGUES, EVERYONE = "c0000000-0000-0000-0000-000000000001", "c0000000-0000-0000-0000-000000000002"

type Plant = Callable[[LocalCloud], Iterator[None]]


@contextmanager
def planted(cloud: LocalCloud, plant: Plant) -> Iterator[None]:
    before = cloud.azure_ml.surroundings()
    with contextmanager(plant)(cloud):
        yield
    cloud.azure_ml.surroundings(**before)


def storage_account(workspace: Workspace) -> str:
    return Configured(id=workspace.id, location=workspace.location).storage_account


# ---- roles


def no_role_on_a_workspace(cloud: LocalCloud) -> Iterator[None]:
    _reassign(cloud, {cloud.workspaces["workspace3"].id: None})
    yield


def only_reader_on_the_registry(cloud: LocalCloud) -> Iterator[None]:
    _reassign(cloud, {cloud.registries[REGISTRY].id: "Reader"})
    yield


def a_custom_role_that_leaves_deployments_out(cloud: LocalCloud) -> Iterator[None]:
    role = {"actions": [f"{ML}/workspaces/*"], "notActions": [f"{ML}/workspaces/onlineEndpoints/deployments/write"]}
    _reassign(cloud, {cloud.workspaces["workspace4"].id: _custom(cloud, role)})
    yield


def broader_roles_by_other_ways(cloud: LocalCloud) -> Iterator[None]:
    """No fault: Contributor on the resource group, of a group within a group; a custom role on the registry."""
    group, member = {"principal": EVERYONE, "role": "Contributor"}, {EVERYONE: [COLLEAGUES], COLLEAGUES: [FANOUT_CLIENT_ID]}
    groups = {each.id.partition("/providers/")[0] for each in cloud.workspaces.values()}
    role = _custom(cloud, {"actions": [f"{ML}/registries/*"]})
    assignments = [{**group, "scope": scope} for scope in sorted(groups)]
    assignments.append({"principal": FANOUT_CLIENT_ID, "role": role, "scope": cloud.registries[REGISTRY].id})
    cloud.azure_ml.surroundings(role_assignments=assignments, groups=member)
    yield


def _reassign(cloud: LocalCloud, roles: Mapping[str, str | None]) -> None:
    """Other roles at these scopes; None is none."""
    now = cloud.azure_ml.surroundings()["role_assignments"]
    changed = [each | {"role": roles.get(each["scope"], each["role"])} for each in now]
    cloud.azure_ml.surroundings(role_assignments=[each for each in changed if each["role"]])


def _custom(cloud: LocalCloud, permissions: Mapping[str, Any]) -> str:
    """The role's name."""
    role = {"id": "d0000000-0000-0000-0000-000000000001", "name": "Fanout", "permissions": [permissions]}
    cloud.azure_ml.surroundings(roles=[role])
    return "Fanout"


# ---- Azure subscriptions


def another_entra_tenant(cloud: LocalCloud) -> Iterator[None]:
    cloud.azure_ml.surroundings(entra_tenants={OTHER_SUBSCRIPTION: "99999999-9999-9999-9999-999999999999"})
    yield


def a_disabled_azure_subscription(cloud: LocalCloud) -> Iterator[None]:
    cloud.azure_ml.surroundings(disabled_subscriptions=[OTHER_SUBSCRIPTION])
    yield


# ---- event subscriptions


def no_event_subscription(cloud: LocalCloud) -> Iterator[None]:
    cloud.event_grid.unsubscribe(event_subscriptions.name_of(cloud.workspaces["workspace1"]))
    yield
    _subscribe(cloud)


def an_event_subscription_of_somebody_else(cloud: LocalCloud) -> Iterator[None]:
    """To their own queue."""
    theirs = event_subscriptions.queue(cloud.environment["ServiceBus"])
    _subscribe(cloud, destination=theirs | {"resourceId": theirs["resourceId"].replace("/events", "/theirs")})
    yield
    _subscribe(cloud)


def other_events_only(cloud: LocalCloud) -> Iterator[None]:
    _subscribe(cloud, includedEventTypes=[f"{ML}.RunCompleted"])
    yield
    _subscribe(cloud)


def an_event_subscription_that_failed(cloud: LocalCloud) -> Iterator[None]:
    cloud.event_grid.provisioning({event_subscriptions.name_of(cloud.workspaces["workspace1"]): "Failed"})
    yield
    cloud.event_grid.provisioning({})


def no_place_for_dead_letters(cloud: LocalCloud) -> Iterator[None]:
    _subscribe(cloud, deadLetterDestination=None)
    yield
    _subscribe(cloud)


def a_dead_letter(cloud: LocalCloud) -> Iterator[None]:
    from azure.storage.blob import ContainerClient

    place = event_subscriptions.dead_letters(cloud.workspaces["workspace1"], cloud.environment["Tables"])
    with ContainerClient.from_connection_string(cloud.environment["Tables"], place["blobContainerName"]) as container:
        container.upload_blob("FANOUT/2026/5/4/12/1.json", b"[]")
        yield
        container.delete_blob("FANOUT/2026/5/4/12/1.json")


def _subscribe(cloud: LocalCloud, **changes: Any) -> None:
    """Northwind's, as it is by default but for the changes."""
    workspace = cloud.workspaces["workspace1"]
    webhook = event_subscriptions.webhook(cloud.host.webhook(EVENTS_FUNCTION))
    wanted = event_subscriptions.event_subscription(workspace, webhook, "EventGridSchema", cloud.environment["Tables"])
    cloud.event_grid.subscribe(event_subscriptions.name_of(workspace), wanted | changes)


# ---- endpoints and quota


def the_tenants_own_endpoint(cloud: LocalCloud) -> Iterator[None]:
    return _endpoint(cloud, "workspace4", "bert-adventure")


def a_name_that_another_workspace_has(cloud: LocalCloud) -> Iterator[None]:
    return _endpoint(cloud, "workspace1", "credit-card-tailwind")


def _endpoint(cloud: LocalCloud, workspace: str, *names: str) -> Iterator[None]:
    arm = arm_client(cloud)
    urls = [f"{cloud.azure_ml.url}{cloud.workspaces[workspace].id}/onlineEndpoints/{name}" for name in names]
    for url in urls:
        body = {"location": cloud.workspaces[workspace].location, "properties": {"authMode": "Key"}}
        arm.call("PUT", url, params=ENDPOINTS_API, body=body, doing="make an endpoint")
    yield
    for url in urls:
        arm.call("DELETE", url, params=ENDPOINTS_API, doing="delete an endpoint")


def a_hundred_endpoints(cloud: LocalCloud) -> Iterator[None]:
    return _endpoint(cloud, "workspace4", *(f"endpoint-{number}" for number in range(100)))


def too_few_cores(cloud: LocalCloud) -> Iterator[None]:
    """One instance of four cores takes eight: 1.2 are two."""
    cloud.azure_ml.surroundings(cores={f"standardDSv2Family@{OTHER_SUBSCRIPTION}": 7})
    yield


def arm_client(cloud: LocalCloud) -> ArmClient:
    return ArmClient(credential("a0000000-0000-0000-0000-000000000001"), f"{cloud.azure_ml.url}/.default")


# ---- networks and policies


def storage_that_shuts_the_registry_out(cloud: LocalCloud) -> Iterator[None]:
    _private_storage(cloud, [])
    yield


def storage_that_lets_the_registry_in(cloud: LocalCloud) -> Iterator[None]:
    """No fault."""
    tenant, registry = "00000000-0000-0000-0000-0000000000aa", cloud.registries[REGISTRY].id
    _private_storage(cloud, [{"tenantId": tenant, "resourceId": registry}])
    yield


def _private_storage(cloud: LocalCloud, rules: list[dict[str, str]]) -> None:
    network = {"networkAcls": {"bypass": "AzureServices", "defaultAction": "Deny", "resourceAccessRules": rules}}
    cloud.azure_ml.surroundings(storage={storage_account(cloud.workspaces["workspace1"]): network})


def a_private_workspace_with_a_webhook(cloud: LocalCloud) -> Iterator[None]:
    cloud.azure_ml.surroundings(private_workspaces=[cloud.workspaces["workspace1"].id])
    yield


def a_private_workspace_with_the_queue(cloud: LocalCloud) -> Iterator[None]:
    """No fault."""
    cloud.azure_ml.surroundings(private_workspaces=[cloud.workspaces["workspace1"].id])
    _subscribe(cloud, destination=event_subscriptions.queue(cloud.environment["ServiceBus"]))
    yield
    _subscribe(cloud)


def a_policy_against_endpoints(cloud: LocalCloud) -> Iterator[None]:
    scope = cloud.workspaces["workspace3"].id.partition("/providers/")[0]
    policy = {"name": "no-endpoints", "scope": scope, "type": f"{ML}/workspaces/onlineEndpoints"}
    cloud.azure_ml.surroundings(policies=[policy])
    yield
