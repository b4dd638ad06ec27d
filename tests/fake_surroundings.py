"""`shared.doctor.ports.Surroundings` in memory: sound for whatever rules, until a test changes one thing."""

from collections.abc import Mapping, Sequence

from shared.assets import WorkspaceId
from shared.doctor.events import MODEL_REGISTERED
from shared.doctor.seen import (
    AzureSubscription,
    CoreUsage,
    CoreUsages,
    Datastore,
    DeadLetters,
    Destination,
    DestinationKind,
    EventSubscription,
    Permission,
    PlacedEndpoint,
    PolicyDenial,
    Registry,
    Role,
    RoleAssignment,
    StorageAccount,
    SystemTopic,
    VmSize,
    Workspace,
)
from shared.rules import Rules

HOST = "fanout.azurewebsites.net"
HOME = "entra-tenant"
OWNER = "/roles/owner"
ALL = Permission(actions=("*",), data_actions=("*",))
QUOTA = 1_000


class FakeSurroundings:
    """`failing` raises, by the name of the call; `looked_up` is what was asked for, in order."""

    def __init__(self, rules: Rules, region: str = "westeurope") -> None:
        self._workspaces = [workspace for tenant in rules.tenants.values() for workspace in tenant.workspaces]
        self.region = region
        self.failing: dict[str, Exception] = {}
        self.roles: dict[str, Permission] = {OWNER: ALL}
        self.datastore_has_secret = True
        self.looked_up: list[tuple[str, str]] = []

    def azure_subscription(self, azure_subscription_id: str) -> AzureSubscription:
        self._look("azure_subscription", azure_subscription_id)
        return AzureSubscription(azure_subscription_id, HOME, "enabled")

    def workspace(self, workspace: WorkspaceId) -> Workspace:
        self._look("workspace", str(workspace))
        return self._workspace(workspace)

    def workspaces_in(self, azure_subscription_id: str) -> Sequence[Workspace]:
        self._look("workspaces_in", azure_subscription_id)
        return [self._workspace(each) for each in self._workspaces if each.azure_subscription_id == azure_subscription_id]

    def registry(self, name: str) -> Registry:
        self._look("registry", name)
        return Registry(name, f"/subscriptions/hub/resourceGroups/rg/providers/P/registries/{name}", ("westeurope",))

    def role_assignments(self, scope: str, principal: str) -> Sequence[RoleAssignment]:
        self._look("role_assignments", scope)
        return [RoleAssignment(role, "/", f"/assignments{role}", principal) for role in self.roles]

    def role(self, definition: str) -> Role:
        self._look("role", definition)
        return Role(definition.rpartition("/")[2].title(), (self.roles[definition],))

    def system_topics(self, azure_subscription_id: str) -> Sequence[SystemTopic]:
        self._look("system_topics", azure_subscription_id)
        return [SystemTopic(f"{each}/topic", str(each), "succeeded") for each in self._workspaces]

    def event_subscriptions(self, topic: str) -> Sequence[EventSubscription]:
        self._look("event_subscriptions", topic)
        webhook = Destination(DestinationKind.WEBHOOK, f"https://{HOST}/runtime/webhooks/EventGrid")
        dead_letters = DeadLetters(f"{topic}/storage", "dead")
        return [EventSubscription(f"{topic}/fanout", "succeeded", webhook, (MODEL_REGISTERED,), dead_letters=dead_letters)]

    def has_dead_letters(self, place: DeadLetters) -> bool:
        self._look("has_dead_letters", place.storage_account)
        return False

    def storage_account(self, arm_id: str) -> StorageAccount:
        self._look("storage_account", arm_id)
        return StorageAccount(arm_id, "https://blobs", is_open=True, is_shut=False)

    def datastore(self, workspace: WorkspaceId) -> Datastore:
        self._look("datastore", str(workspace))
        return Datastore("container", self.datastore_has_secret)

    def has_compute(self, workspace: WorkspaceId, name: str) -> bool:
        self._look("has_compute", name)
        return True

    def endpoints(self, workspace: WorkspaceId) -> Sequence[PlacedEndpoint]:
        self._look("endpoints", str(workspace))
        return ()

    def core_usages(self, azure_subscription_id: str, region: str) -> CoreUsages:
        self._look("core_usages", azure_subscription_id)
        return CoreUsages(CoreUsage(0, QUOTA), {})

    def vm_sizes(self, azure_subscription_id: str, region: str) -> Mapping[str, VmSize]:
        self._look("vm_sizes", azure_subscription_id)
        return {"standard_ds3_v2": VmSize(4, "standardDSv2Family")}

    def denials(self, workspace: Workspace, resource: Mapping[str, object], api_version: str) -> Sequence[PolicyDenial]:
        self._look("denials", str(workspace.id))
        return ()

    def times(self, call: str) -> int:
        return sum(each == call for each, _ in self.looked_up)

    def _workspace(self, workspace: WorkspaceId) -> Workspace:
        return Workspace(workspace, self.region, f"{workspace}/storage", is_public=True)

    def _look(self, call: str, what: str) -> None:
        self.looked_up.append((call, what))
        if call in self.failing:
            raise self.failing[call]
