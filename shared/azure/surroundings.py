"""`shared.doctor.ports.Surroundings`, on Azure Resource Manager: reads, on azure-core's pipeline, that the role Reader allows.

Dead letters are the exception: to list a container takes Storage Blob Data Reader. The one POST is a read by its action,
`Microsoft.PolicyInsights/checkPolicyRestrictions/read` (`role-based-access-control/permissions/management-and-governance.md`). It
evaluates all that a policy asks, on the contents that a resource would have, where policyStates know existing resources alone.
Users report that it leaves out what is assigned at a management group: such denials are seen when they happen.
"""

import functools
from collections.abc import Callable, Mapping, Sequence

from azure.core.credentials import TokenCredential

from shared.assets import WorkspaceId
from shared.azure import surroundings_documents as documents
from shared.azure.arm import Caller, in_all_pages
from shared.azure.blob_copies import blob_options
from shared.azure.endpoint_documents import BATCH, ONLINE
from shared.azure.errors import translated
from shared.azure.storage_places import DATASTORE, DATASTORES_API
from shared.azure.surroundings_documents import Document
from shared.doctor.seen import (
    AzureSubscription,
    CoreUsages,
    Datastore,
    DeadLetters,
    EndpointKind,
    EventSubscription,
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
from shared.errors import NotFound

SUBSCRIPTIONS_API = "2022-12-01"
ML_API = "2024-04-01"
AUTHORIZATION_API = "2022-04-01"
EVENT_GRID_API = "2022-06-15"
STORAGE_API = "2023-05-01"
POLICY_API = "2022-03-01"
_ML = "providers/Microsoft.MachineLearningServices"
_KINDS = ((EndpointKind.ONLINE, ONLINE), (EndpointKind.BATCH, BATCH))


class AzureSurroundings:
    """`registry_address` knows where each registry is managed; `credential` is for storage alone."""

    def __init__(
        self, arm: Caller, resource_manager: str, registry_address: Callable[[str], str], credential: TokenCredential
    ) -> None:
        self._arm = arm
        self._resource_manager = resource_manager
        self._registry_address = registry_address
        self._credential = credential

    def azure_subscription(self, azure_subscription_id: str) -> AzureSubscription:
        doing = f"look at Azure subscription {azure_subscription_id}"
        return self._get(f"/subscriptions/{azure_subscription_id}", SUBSCRIPTIONS_API, doing, documents.azure_subscription)

    def workspace(self, workspace: WorkspaceId) -> Workspace:
        doing = f"look at workspace {workspace.name}"
        return self._get(str(workspace), ML_API, doing, documents.workspace)

    def workspaces_in(self, azure_subscription_id: str) -> Sequence[Workspace]:
        doing = f"list the workspaces of Azure subscription {azure_subscription_id}"
        return self._each(f"/subscriptions/{azure_subscription_id}/{_ML}/workspaces", ML_API, doing, documents.workspace)

    def registry(self, name: str) -> Registry:
        doing = f"look at registry {name}"
        path = self._registry_address(name).partition("/subscriptions/")[2]
        return self._get(f"/subscriptions/{path}", ML_API, doing, functools.partial(documents.registry, name))

    def role_assignments(self, scope: str, principal: str) -> Sequence[RoleAssignment]:
        """`assignedTo` follows groups, and groups in groups (`role-based-access-control/role-assignments-list-rest.md`)."""
        doing = f"list the role assignments of {principal} for {scope}"
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
        return self._each(path, AUTHORIZATION_API, doing, documents.role_assignment, {"$filter": f"assignedTo('{principal}')"})

    def role(self, definition: str) -> Role:
        doing = f"look at role {definition}"
        return self._get(definition, AUTHORIZATION_API, doing, documents.role)

    def system_topics(self, azure_subscription_id: str) -> Sequence[SystemTopic]:
        """A system topic lies in its source's Azure subscription, in whatever resource group (`event-grid/system-topics.md`)."""
        doing = f"list the system topics of Azure subscription {azure_subscription_id}"
        path = f"/subscriptions/{azure_subscription_id}/providers/Microsoft.EventGrid/systemTopics"
        return self._each(path, EVENT_GRID_API, doing, documents.system_topic)

    def event_subscriptions(self, topic: str) -> Sequence[EventSubscription]:
        doing = f"list the event subscriptions of {topic}"
        return self._each(f"{topic}/eventSubscriptions", EVENT_GRID_API, doing, documents.event_subscription)

    def has_dead_letters(self, place: DeadLetters) -> bool:
        from azure.storage.blob import ContainerClient

        account = self.storage_account(place.storage_account)
        with (
            translated(f"look into container {place.container} of {place.storage_account}"),
            ContainerClient(account.blob_endpoint, place.container, self._credential, **blob_options()) as client,
        ):
            return next(iter(client.list_blob_names(results_per_page=1)), None) is not None

    def storage_account(self, arm_id: str) -> StorageAccount:
        doing = f"look at storage account {arm_id}"
        return self._get(arm_id, STORAGE_API, doing, documents.storage_account)

    def datastore(self, workspace: WorkspaceId) -> Datastore:
        doing = f"look at the storage of workspace {workspace.name}"
        return self._get(f"{workspace}/datastores/{DATASTORE}", DATASTORES_API, doing, documents.datastore)

    def has_compute(self, workspace: WorkspaceId, name: str) -> bool:
        try:
            doing = f"look for compute {name} in workspace {workspace.name}"
            self._get(f"{workspace}/computes/{name}", ML_API, doing, dict)
        except NotFound:
            return False
        return True

    def endpoints(self, workspace: WorkspaceId) -> Sequence[PlacedEndpoint]:
        found: list[PlacedEndpoint] = []
        doing = f"list the endpoints of workspace {workspace.name}"
        with translated(doing):
            for kind, form in _KINDS:
                for each in self._list(f"{workspace}/{form.segment}", form.api, doing):
                    deployments = self._list(f"{workspace}/{form.segment}/{each['name']}/deployments", form.api, doing)
                    found.append(PlacedEndpoint(workspace, kind, form.endpoint(each, deployments)))
        return found

    def core_usages(self, azure_subscription_id: str, region: str) -> CoreUsages:
        doing = f"look at the quota of Azure subscription {azure_subscription_id} in {region}"
        found = self._list(f"/subscriptions/{azure_subscription_id}/{_ML}/locations/{region}/usages", ML_API, doing)
        with translated(doing):
            return documents.core_usages(found)

    def vm_sizes(self, azure_subscription_id: str, region: str) -> Mapping[str, VmSize]:
        doing = f"list the instance types of {region}"
        found = self._list(f"/subscriptions/{azure_subscription_id}/{_ML}/locations/{region}/vmSizes", ML_API, doing)
        with translated(doing):
            return documents.vm_sizes(found)

    def denials(self, workspace: Workspace, resource: Mapping[str, object], api_version: str) -> Sequence[PolicyDenial]:
        doing = f"ask which policies deny {resource['type']} in workspace {workspace.id.name}"
        group = f"/subscriptions/{workspace.id.azure_subscription_id}/resourceGroups/{workspace.id.resource_group}"
        url = f"{self._resource_manager}{group}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
        details = {"resourceContent": resource, "apiVersion": api_version, "scope": str(workspace.id)}
        answer = self._arm.call("POST", url, params={"api-version": POLICY_API}, body={"resourceDetails": details}, doing=doing)
        with translated(doing):
            return documents.denials(answer.json())

    def _get[R](self, path: str, api: str, doing: str, read: Callable[[Document], R]) -> R:
        answer = self._arm.call("GET", f"{self._resource_manager}{path}", params={"api-version": api}, doing=doing)
        with translated(doing):
            return read(answer.json())

    def _each[R](
        self, path: str, api: str, doing: str, read: Callable[[Document], R], params: Mapping[str, str] | None = None
    ) -> list[R]:
        found = self._list(path, api, doing, params)
        with translated(doing):
            return [read(each) for each in found]

    def _list(self, path: str, api: str, doing: str, params: Mapping[str, str] | None = None) -> list[Document]:
        return in_all_pages(self._arm, f"{self._resource_manager}{path}", {"api-version": api, **(params or {})}, doing)
