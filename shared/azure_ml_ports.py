"""What the handlers need of Azure ML, as Protocols."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from shared.actions import Endpoint as EndpointAction
from shared.assets import Asset, Kind, RegistryAsset, WorkspaceAsset, WorkspaceId
from shared.copies import Folder, Progress
from shared.endpoints import Deployment, Endpoint, NewDeployment
from shared.listings import Listing


class OperationState(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    ENDED = "ended"  # how, only what it changed can tell


class Registries(Protocol):
    """Azure ML registries. Each call raises Transient or Permanent; the `begin_` ones answer an operation's address."""

    def asset(self, registry: str, asset: Asset) -> RegistryAsset | None: ...

    def latest(self, registry: str, kind: Kind, name: str) -> Asset | None:
        """The version that came last, archived ones left out."""

    def names(self, registry: str, kind: Kind, page: str = "") -> Listing:
        """A page of the names of a kind; `page` is what the page before it leads to."""

    def newest(self, registry: str, kind: Kind, name: str, most: int) -> Sequence[RegistryAsset]:
        """The versions of a name that came last, newest first, archived ones left out."""

    def regions(self, registry: str) -> tuple[str, ...]:
        """All regions that it replicates to."""

    def source_id(self, workspace: WorkspaceId, asset: Asset) -> str:
        """The asset's id as a registry records it: azureml://locations/…/workspaces/<guid>/models/…/versions/…"""

    def begin_import(self, registry: str, asset: Asset, source: WorkspaceId, source_asset: Asset) -> str | None:
        """Begin the copy of a model, data or an environment; None where the registry says one is under way or done already."""

    def begin_component(self, registry: str, component: RegistryAsset) -> str | None:
        """Make a component, its references rewritten already; None as for an import."""

    def has_code(self, registry: str, name: str) -> bool:
        """Whether version 1 of the code asset is there."""

    def begin_code(self, registry: str, name: str, place: Folder) -> str | None:
        """Make version 1 of a code asset of the files that lie in `place`; None as for an import."""

    def begin_update(
        self, seen: RegistryAsset, tags: Mapping[str, str], *, without: Collection[str] = (), archive: bool = False
    ) -> str | None:
        """Add tags to a version just looked at, take others away, and archive it: all that Azure lets anyone change.

        None where done at once.
        """

    def operation(self, address: str) -> OperationState:
        """Permanent, with Azure's own text, when the operation failed."""


class Workspaces(Protocol):
    """The assets of Azure ML workspaces. Each call raises Transient or Permanent."""

    def asset(self, workspace: WorkspaceId, asset: Asset) -> WorkspaceAsset | None: ...

    def latest(self, workspace: WorkspaceId, kind: Kind, name: str) -> Asset | None:
        """The version that was registered last."""

    def names(self, workspace: WorkspaceId, kind: Kind, page: str = "") -> Listing:
        """A page of the names of a kind; `page` is what the page before it leads to."""

    def newest(self, workspace: WorkspaceId, kind: Kind, name: str, most: int) -> Sequence[WorkspaceAsset]:
        """The versions of a name that were registered last, newest first, archived ones left out."""

    def register(self, workspace: WorkspaceId, asset: RegistryAsset, properties: Mapping[str, str]) -> None:
        """Register it under its own name and version, its bytes where `asset.uri` says."""

    def archive(self, workspace: WorkspaceId, asset: Asset) -> None: ...


class Endpoints(Protocol):
    """Online and batch endpoints of workspaces. Each call raises Transient or Permanent.

    The `begin_` ones answer an operation's address, None where Azure was done at once. The traffic of a batch endpoint is 100 for
    its default deployment, or empty.
    """

    def endpoint(self, workspace: WorkspaceId, action: EndpointAction, *, bare: bool = False) -> Endpoint | None:
        """The endpoint that the action names. Its deployments are left out of a bare look, and while it is being changed itself."""

    def deployments(self, workspace: WorkspaceId, action: EndpointAction) -> tuple[Deployment, ...] | None:
        """Those of the endpoint that the action names, without a look at it itself; None where there is no such endpoint."""

    def begin_endpoint(self, workspace: WorkspaceId, action: EndpointAction, tags: Mapping[str, str]) -> str | None: ...

    def begin_deployment(self, workspace: WorkspaceId, action: EndpointAction, new: NewDeployment) -> str | None: ...

    def begin_traffic(
        self, workspace: WorkspaceId, action: EndpointAction, endpoint: Endpoint, traffic: Mapping[str, int]
    ) -> str | None:
        """Change the endpoint as it was looked at, and nothing but its traffic."""

    def begin_delete_deployment(self, workspace: WorkspaceId, action: EndpointAction, deployment: str) -> str | None: ...

    def smoke_test(self, workspace: WorkspaceId, endpoint: Endpoint, deployment: str, sample: str) -> None:
        """Send JSON to one deployment of an online endpoint, whatever its traffic.

        Permanent `smoke_test_failed`, with its answer, where the deployment refuses it.
        """

    def operation(self, address: str) -> OperationState:
        """Permanent, with Azure's own text, when the operation failed."""


class Copies(Protocol):
    """Copies that the storage services make between themselves: no byte passes through here. Raises Transient or Permanent."""

    def of_registry_asset(self, asset: RegistryAsset) -> Folder:
        """Where a model's or a data asset's bytes lie, with the right to read them."""

    def in_workspace(self, workspace: WorkspaceId, name: str) -> tuple[Folder, str]:
        """A folder of that name in the workspace's own storage, with the right to write there, and its uri for an asset."""

    def of_code(self, workspace: WorkspaceId, code: str) -> Folder:
        """Where the files of a workspace's code asset, by its ARM id, lie."""

    def for_code(self, registry: str, name: str) -> Folder:
        """Where the files of a registry's new code asset go."""

    def advance(self, source: Folder, target: Folder) -> Progress:
        """Begin what is absent, compare what arrived. Call again until done; Permanent `copy_differs` where it is another's."""
