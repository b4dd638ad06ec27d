"""What the doctor has to look up."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.assets import WorkspaceId
from shared.doctor.seen import (
    AzureSubscription,
    CoreUsages,
    Datastore,
    DeadLetters,
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


class Surroundings(Protocol):
    """Azure, as whoever asks may read it. Each call raises Permanent or Transient, and several threads may make them."""

    def azure_subscription(self, azure_subscription_id: str) -> AzureSubscription: ...

    def workspace(self, workspace: WorkspaceId) -> Workspace: ...

    def workspaces_in(self, azure_subscription_id: str) -> Sequence[Workspace]:
        """All that there are, whosever they are."""

    def registry(self, name: str) -> Registry: ...

    def role_assignments(self, scope: str, principal: str) -> Sequence[RoleAssignment]:
        """Of the principal, by its object id, and of the groups that it is in: at the scope, above and below it."""

    def role(self, definition: str) -> Role:
        """By its definition's ARM id."""

    def system_topics(self, azure_subscription_id: str) -> Sequence[SystemTopic]: ...

    def event_subscriptions(self, topic: str) -> Sequence[EventSubscription]:
        """Those of a system topic, by its ARM id."""

    def has_dead_letters(self, place: DeadLetters) -> bool: ...

    def storage_account(self, arm_id: str) -> StorageAccount: ...

    def datastore(self, workspace: WorkspaceId) -> Datastore: ...

    def has_compute(self, workspace: WorkspaceId, name: str) -> bool: ...

    def endpoints(self, workspace: WorkspaceId) -> Sequence[PlacedEndpoint]:
        """All of both kinds, with their deployments."""

    def core_usages(self, azure_subscription_id: str, region: str) -> CoreUsages: ...

    def vm_sizes(self, azure_subscription_id: str, region: str) -> Mapping[str, VmSize]:
        """By their names, in lower case."""

    def denials(self, workspace: Workspace, resource: Mapping[str, object], api_version: str) -> Sequence[PolicyDenial]:
        """The policies that would deny a resource of these contents below the workspace."""
