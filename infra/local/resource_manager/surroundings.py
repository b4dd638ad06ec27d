"""What surrounds the workspaces, as the configuration has it and `PUT /_control/surroundings` changes it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

ENTRA_TENANT = "00000000-0000-0000-0000-0000000000aa"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Assignment(_Strict):
    """`principal` is an object id, of a group perhaps; `role` the name or the id of a role, built in or of `roles`."""

    principal: str
    role: str
    scope: str


class Permissions(_Strict):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True)

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()


class CustomRole(_Strict):
    id: str
    name: str
    permissions: tuple[Permissions, ...]


class Policy(_Strict):
    """Denies resources of a type (`Microsoft.MachineLearningServices/workspaces/onlineEndpoints`) at and below a scope."""

    name: str
    scope: str
    type: str


class StorageNetwork(_Strict):
    """Of a storage account, as Azure's API has it."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True)

    public_network_access: Literal["Enabled", "Disabled"] = "Enabled"
    network_acls: dict[str, Any] = Field(
        default_factory=lambda: {"bypass": "AzureServices", "defaultAction": "Allow", "resourceAccessRules": []}
    )


class Surroundings(_Strict):
    """`entra_tenants` are those of Azure subscriptions that lie in another Entra tenant than everything else.

    `groups` are the object ids of their members, `storage` by the names of accounts, `private_workspaces` ARM ids without public
    access, `cores` the quota of single families, by VM family and Azure subscription (`standardDSv2Family@<id>`).
    """

    entra_tenants: dict[str, str] = {}
    disabled_subscriptions: tuple[str, ...] = ()
    groups: dict[str, tuple[str, ...]] = {}
    role_assignments: tuple[Assignment, ...] = ()
    roles: tuple[CustomRole, ...] = ()
    storage: dict[str, StorageNetwork] = {}
    private_workspaces: tuple[str, ...] = ()
    policies: tuple[Policy, ...] = ()
    cores: dict[str, int] = {}

    def entra_tenant(self, azure_subscription: str) -> str:
        return self.entra_tenants.get(azure_subscription, ENTRA_TENANT)

    def is_private(self, workspace: str) -> bool:
        return workspace.lower() in map(str.lower, self.private_workspaces)

    def storage_network(self, account: str) -> StorageNetwork:
        return self.storage.get(account, StorageNetwork())


class Around:
    """The surroundings as they are now."""

    def __init__(self, configured: Surroundings) -> None:
        self.now = configured

    def change(self, changes: dict[str, Any]) -> None:
        """Those fields that are named; pydantic's ValidationError for what is none."""
        self.now = Surroundings.model_validate({**self.now.model_dump(by_alias=True), **changes})
