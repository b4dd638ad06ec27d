"""The assets of Azure ML workspaces, by plain requests.

What a workspace is to hold is put there as it is, to the letter: of environments and components the SDK's entities would make
others; of a table it would read the bytes, without the right to those of a registry, and fetch a schema from the internet to check
them. And whoever only registers assets need not import it: 55 MB of memory and some seconds. The requests are the SDK's own;
tests/contract/test_azure_adapters.py holds that of models to it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from azure.core.rest import HttpResponse

from shared.assets import Asset, Kind, RegistryAsset, WorkspaceAsset, WorkspaceId
from shared.azure.arm import Caller
from shared.azure.asset_bodies import LATEST, defined_asset, latest_version, path_of, versions_of, workspace_asset
from shared.azure.asset_lists import listing, newest, page_of_names, version_in
from shared.azure.errors import translated
from shared.azure.ml_clients import MlClients
from shared.errors import NotFound
from shared.listings import Listing

ASSETS_API = "2024-04-01"  # the newest stable one that has all four kinds


class AzureWorkspaces:
    """`resource_manager` is the cloud's address, without trailing slash."""

    def __init__(self, clients: MlClients, arm: Caller, resource_manager: str) -> None:
        self._clients = clients
        self._arm = arm
        self._resource_manager = resource_manager

    def asset(self, workspace: WorkspaceId, asset: Asset) -> WorkspaceAsset | None:
        doing = f"look for {asset} in workspace {workspace.name}"
        try:
            answer = self._call("GET", workspace, path_of(asset), doing=doing)
        except NotFound:
            return None
        with translated(doing):
            return workspace_asset(asset, answer.json())

    def latest(self, workspace: WorkspaceId, kind: Kind, name: str) -> Asset | None:
        doing = f"look for the latest {kind} {name} in workspace {workspace.name}"
        try:
            answer = self._call("GET", workspace, versions_of(kind, name), LATEST, doing=doing)
        except NotFound:
            return None
        with translated(doing):
            version = latest_version(answer.json())
        return None if version is None else Asset(kind, name, version)

    def names(self, workspace: WorkspaceId, kind: Kind, page: str = "") -> Listing:
        doing = f"list the {kind.plural} of workspace {workspace.name}"
        answer = self._call("GET", workspace, kind.plural, page_of_names(page), doing=doing)
        with translated(doing):
            return listing(answer.json())

    def newest(self, workspace: WorkspaceId, kind: Kind, name: str, most: int) -> Sequence[WorkspaceAsset]:
        doing = f"list the versions of {kind} {name} in workspace {workspace.name}"
        try:
            answer = self._call("GET", workspace, versions_of(kind, name), newest(most), doing=doing)
        except NotFound:
            return ()
        with translated(doing):
            return [workspace_asset(Asset(kind, name, version_in(each)), each) for each in answer.json()["value"]]

    def register(self, workspace: WorkspaceId, asset: RegistryAsset, properties: Mapping[str, str]) -> None:
        what = asset.asset
        doing = f"register {what} in workspace {workspace.name}"
        self._call("PUT", workspace, path_of(what), body=defined_asset(asset, properties), doing=doing)

    def archive(self, workspace: WorkspaceId, asset: Asset) -> None:
        with suppress(NotFound), translated(f"archive {asset} in workspace {workspace.name}"):
            client = self._clients.of(workspace)
            operations: dict[Kind, Any] = {
                Kind.MODEL: client.models,
                Kind.DATA: client.data,
                Kind.ENVIRONMENT: client.environments,
                Kind.COMPONENT: client.components,
            }
            operations[asset.kind].archive(asset.name, asset.version)

    def _call(
        self,
        method: str,
        workspace: WorkspaceId,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        body: object = None,
        doing: str,
    ) -> HttpResponse:
        url = f"{self._resource_manager}{workspace}/{path}"
        return self._arm.call(method, url, params={"api-version": ASSETS_API, **(params or {})}, body=body, doing=doing)
