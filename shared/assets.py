"""The things that travel: assets, and the workspaces and registries between which they do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from shared.keys import key

_WORKSPACE_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/?#%\s]+)/resourceGroups/(?P<group>[^/?#%\s]+)"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/(?P<name>[^/?#%\s]+)",
    re.IGNORECASE,
)


class Kind(StrEnum):
    MODEL = "model"
    DATA = "data"
    ENVIRONMENT = "environment"
    COMPONENT = "component"

    @property
    def plural(self) -> str:
        """As it stands in the ids and addresses of Azure ML."""
        return "data" if self is Kind.DATA else f"{self}s"


@dataclass(frozen=True, slots=True)
class Asset:
    """One version of a model, a data asset, an environment or a component. Versions are opaque."""

    kind: Kind
    name: str
    version: str

    @property
    def key(self) -> str:
        return key(self.kind, self.name, self.version)

    @property
    def document(self) -> dict[str, str]:
        """As commands and events name it."""
        return {"kind": self.kind.value, "name": self.name, "version": self.version}

    def __str__(self) -> str:
        return f"{self.kind} {self.name}:{self.version}"


@dataclass(frozen=True, slots=True, eq=False)
class WorkspaceId:
    """The ARM id of an Azure ML workspace. Two that differ in case alone are equal, as they are to Azure."""

    azure_subscription_id: str
    resource_group: str
    name: str

    @classmethod
    def parse(cls, arm_id: str) -> "WorkspaceId":
        """Read an ARM id; ValueError, with what was expected, for anything else."""
        match = _WORKSPACE_ID.fullmatch(arm_id.rstrip("/"))
        if not match:
            raise ValueError(
                f"{arm_id!r} is not the ARM id of a workspace: /subscriptions/…/resourceGroups/…"
                "/providers/Microsoft.MachineLearningServices/workspaces/…"
            )
        return cls(match["subscription"], match["group"], match["name"])

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.azure_subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"
        )

    @property
    def canonical(self) -> str:
        return str(self).lower()

    @property
    def key(self) -> str:
        return key(self.canonical)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WorkspaceId) and self.canonical == other.canonical

    def __hash__(self) -> int:
        return hash(self.canonical)


@dataclass(frozen=True, slots=True)
class WorkspaceAsset:
    """What a workspace says of an asset that it holds. `uri` is where the bytes lie; an environment and a component have none.

    `definition` is what makes an environment (image, condaFile, …) or a component (its componentSpec), as in Azure's REST API;
    of data, what a table refers to.
    """

    asset: Asset
    uri: str
    created_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    description: str | None = None
    definition: Mapping[str, object] = field(default_factory=dict)
    archived: bool = False

    @property
    def rank(self) -> str:
        """Orders the versions of a name, as text: by when they were registered, then by version."""
        return rank_of(self.created_at, self.asset.version)


def rank_of(created_at: datetime, version: str) -> str:
    return f"{created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f} {version.rjust(12, '0')}"


@dataclass(frozen=True, slots=True)
class RegistryAsset:
    """What a registry says of an asset that it holds: enough to register or deploy it without asking the registry again.

    `origin` is the registry's own record of where an import came from,
    `azureml://locations/<region>/workspaces/<guid>/models/…`, None for what was created in the registry directly.
    `uri` and `definition` are as a workspace's are. `document` is the adapter's own, for changing what was looked at.
    `regions` are those that its registry replicates to, as its plan keeps them: none where they were not asked for.
    """

    asset: Asset
    registry: str
    uri: str
    type: str
    origin: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    flavors: Mapping[str, object] = field(default_factory=dict)
    definition: Mapping[str, object] = field(default_factory=dict)
    archived: bool = False
    created_at: datetime | None = None
    regions: tuple[str, ...] = ()
    document: Mapping[str, object] | None = field(default=None, compare=False, repr=False)

    @property
    def path(self) -> str:
        """The id by which deployments and jobs name it."""
        return registry_path(self.registry, self.asset)


def registry_path(registry: str, asset: Asset) -> str:
    return f"azureml://registries/{registry}/{asset.kind.plural}/{asset.name}/versions/{asset.version}"
