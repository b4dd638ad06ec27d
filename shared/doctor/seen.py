"""What Azure shows the doctor. Regions are written as `westeurope`; states in lower case; ARM ids match whatever their case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.assets import WorkspaceId
from shared.endpoints import Endpoint

# States of an Azure subscription: MicrosoftDocs/azure-docs `cost-management-billing/manage/subscription-states.md`
ENABLED, AT_RISK = "enabled", ("warned", "pastdue")


@dataclass(frozen=True, slots=True)
class AzureSubscription:
    id: str
    entra_tenant: str
    state: str


@dataclass(frozen=True, slots=True)
class Workspace:
    id: WorkspaceId
    region: str
    storage_account: str
    is_public: bool


@dataclass(frozen=True, slots=True)
class Registry:
    """`regions` are all that it replicates to."""

    name: str
    arm_id: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Permission:
    """Patterns of operations: `*` stands for any characters. What is not granted by `actions` less `not_actions` is not granted."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    permissions: tuple[Permission, ...]


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """Of the principal that was asked about, or of a group that it is in. `role` is the role definition's ARM id.

    `condition` narrows it (Azure's attribute-based access control): what it comes to only Azure can tell.
    """

    role: str
    scope: str
    arm_id: str
    principal: str
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class SystemTopic:
    """`source` is the ARM id of what it tells of, `state` the provisioning state."""

    arm_id: str
    source: str
    state: str


class DestinationKind(StrEnum):
    WEBHOOK = "webhook"
    FUNCTION = "azurefunction"
    QUEUE = "servicebusqueue"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Destination:
    """`address`: a webhook's URL without its query; else an ARM id."""

    kind: DestinationKind
    address: str


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Where undeliverable events go: a container of a storage account, by its ARM id."""

    storage_account: str
    container: str


@dataclass(frozen=True, slots=True)
class EventSubscription:
    """`event_types` None is all. `narrowed_by` names the filters that keep other events out."""

    arm_id: str
    state: str
    destination: Destination
    event_types: tuple[str, ...] | None = None
    narrowed_by: tuple[str, ...] = ()
    dead_letters: DeadLetters | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class ResourceRule:
    """Azure resources of that Entra tenant that a storage account lets in; `*` in `resource` stands for any name."""

    entra_tenant: str
    resource: str


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """`is_open`: its public endpoint answers anybody who is allowed to read; `is_shut`: it answers nobody."""

    arm_id: str
    blob_endpoint: str
    is_open: bool
    is_shut: bool
    lets_in: tuple[ResourceRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Datastore:
    """The workspace's own. Without a secret it is reached by identity."""

    container: str
    has_secret: bool


class EndpointKind(StrEnum):
    ONLINE = "online"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class PlacedEndpoint:
    workspace: WorkspaceId
    kind: EndpointKind
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class VmSize:
    """An instance type: how many cores one instance has, and of which family's quota they are taken."""

    cores: int
    family: str


@dataclass(frozen=True, slots=True)
class CoreUsage:
    """`limit` None is none."""

    used: int
    limit: int | None

    @property
    def left(self) -> int | None:
        return None if self.limit is None else self.limit - self.used


@dataclass(frozen=True, slots=True)
class CoreUsages:
    """Of one Azure subscription and region: of all families together, and by family, in lower case."""

    total: CoreUsage
    families: Mapping[str, CoreUsage]


@dataclass(frozen=True, slots=True)
class PolicyDenial:
    """A policy that would deny what was asked about, by ARM ids."""

    assignment: str
    definition: str


@dataclass(frozen=True, slots=True)
class Region:
    """What there is in one region of one Azure subscription. `vm_sizes` are by name in lower case."""

    azure_subscription_id: str
    name: str
    workspaces: frozenset[WorkspaceId]
    endpoints: Sequence[PlacedEndpoint]
    usages: CoreUsages
    vm_sizes: Mapping[str, VmSize]

    @property
    def scope(self) -> str:
        return f"/subscriptions/{self.azure_subscription_id}/providers/Microsoft.MachineLearningServices/locations/{self.name}"


def region_name(written: str) -> str:
    """`West Europe` is `westeurope`."""
    return written.replace(" ", "").lower()


def is_within(arm_id: str, scope: str) -> bool:
    """Whether it is the scope itself, or below it. The scope of everything is `/`."""
    return f"{arm_id.lower()}/".startswith(f"{scope.rstrip('/').lower()}/")


def same(some: str, other: str) -> bool:
    """Whether two ARM ids, or names, are the same to Azure."""
    return some.rstrip("/").lower() == other.rstrip("/").lower()
