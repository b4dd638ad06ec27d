"""What the local Azure ML is made of: workspaces, registries, durations and limits, read once from `cloud.json`."""

import re
import uuid
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from infra.local.resource_manager.surroundings import Surroundings

PROVIDER = "Microsoft.MachineLearningServices"
WORKSPACE_ID = re.compile(
    rf"^/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/{re.escape(PROVIDER)}"
    r"/workspaces/(?P<name>[^/]+)$",
    re.IGNORECASE,
)
REGISTRY_NAME = r"^[a-zA-Z0-9][a-zA-Z0-9\-_]{2,32}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Workspace(_Strict):
    id: str
    location: str
    computes: tuple[str, ...] = ("cpu-cluster",)

    @field_validator("id")
    @classmethod
    def _is_workspace_id(cls, value: str) -> str:
        if not WORKSPACE_ID.match(value):
            raise ValueError("not the ARM id of a workspace")
        return value

    @cached_property
    def _parts(self) -> dict[str, str]:
        match = WORKSPACE_ID.match(self.id)
        assert match
        return match.groupdict()

    @property
    def subscription(self) -> str:
        return self._parts["subscription"]

    @property
    def resource_group(self) -> str:
        return self._parts["group"]

    @property
    def name(self) -> str:
        return self._parts["name"]

    @property
    def owner(self) -> str:
        """The key under which the state holds what this workspace owns. ARM ids match case-insensitively."""
        return self.id.lower()

    @cached_property
    def guid(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.owner))

    @property
    def storage_account(self) -> str:
        """The name of its own; the bytes of all lie in one account of Azurite."""
        return re.sub(r"[^a-z0-9]", "", f"st{self.name}{self.guid}".lower())[:24]

    @property
    def storage_id(self) -> str:
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/Microsoft.Storage/storageAccounts/{self.storage_account}"

    @property
    def container(self) -> str:
        """The blob container of `workspaceblobstore`."""
        return f"azureml-blobstore-{self.guid}"

    def compute(self, name: str) -> str | None:
        """The compute's own name, whatever the case it is asked for in."""
        return next((compute for compute in self.computes if compute.lower() == name.lower()), None)


class Registry(_Strict):
    name: str = Field(pattern=REGISTRY_NAME)
    subscription: str
    resource_group: str
    primary_region: str
    regions: list[str]

    @property
    def owner(self) -> str:
        return f"registry:{self.name.lower()}"

    @cached_property
    def guid(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.owner))


class Seconds(BaseModel):
    """How long operations take by the wall clock. Changed at run time with `PUT /_control/seconds`."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, validate_assignment=True)

    import_: float = Field(1.0, alias="import", ge=0)
    asset: float = Field(0.5, ge=0, description="what is created in a registry")
    endpoint: float = Field(0.5, ge=0)
    deployment: float = Field(1.0, ge=0)


class Bucket(_Strict):
    size: float = Field(gt=0)
    refill: float = Field(gt=0, description="tokens per second")


class Limits(_Strict):
    """ARM's token buckets, each per region, Azure subscription, principal and kind of operation; and Azure ML's limits."""

    reads: Bucket = Bucket(size=250, refill=25)
    writes: Bucket = Bucket(size=200, refill=10)
    deletes: Bucket = Bucket(size=200, refill=10)
    endpoints: int = 100
    deployments: int = 500
    deployments_per_endpoint: int = 20
    instances_per_deployment: int = 50
    cores: int = Field(100_000, ge=0, description="of online deployments, per Azure subscription and region")


class Denial(_Strict):
    """A missing role assignment: this principal ("*": everyone) gets 403 below the scope, an ARM id or `registry:<name>`."""

    principal: str
    scope: str
    actions: Literal["write", "all"] = "all"


class OperationFailure(_Strict):
    """Every long-running operation begun by a request that matches (a regular expression on "METHOD /path") fails so."""

    match: str
    code: str
    message: str = "failed as the local cloud's configuration says"


class CloudConfig(_Strict):
    workspaces: list[Workspace] = []
    registries: list[Registry] = []
    seconds: Seconds = Field(default_factory=Seconds)
    retry_after_ms: int | None = Field(None, ge=1)
    token_seconds: int = Field(3600, ge=1)
    limits: Limits = Limits()
    denied: list[Denial] = []
    operation_failures: list[OperationFailure] = []
    surroundings: Surroundings = Surroundings()

    def workspace(self, workspace_id: str) -> Workspace | None:
        return next((workspace for workspace in self.workspaces if workspace.owner == workspace_id.lower()), None)

    def workspace_by_guid(self, guid: str) -> Workspace | None:
        return next((workspace for workspace in self.workspaces if workspace.guid == guid.lower()), None)

    def registry(self, name: str) -> Registry | None:
        return next((registry for registry in self.registries if registry.name.lower() == name.lower()), None)


def read_config(path: Path) -> CloudConfig:
    """Raises OSError where the file is missing and ValueError (pydantic's) where it is wrong."""
    return CloudConfig.model_validate_json(path.read_text())
