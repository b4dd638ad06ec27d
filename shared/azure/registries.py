"""Azure ML registries, on azure-core's pipeline: look at an asset, begin its import or its making, look at the operation.

The SDK's own `share` waits 30 s at least, swaps the scope of its client (so it is not thread-safe), and fails when done twice.
The import is the same request; tests/contract/test_azure_adapters.py holds ours to the SDK's.
"""

import functools
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from azure.core.rest import HttpResponse

from shared.assets import Asset, Kind, RegistryAsset, WorkspaceId
from shared.azure.arm import Caller, operation_state
from shared.azure.asset_bodies import LATEST, defined_asset, latest_version, path_of, registry_asset, versions_of
from shared.azure.asset_lists import listing, newest, page_of_names, version_in
from shared.azure.errors import translated
from shared.azure_ml_ports import OperationState
from shared.copies import Folder
from shared.errors import Conflict, NotFound, Owner, Permanent
from shared.listings import Listing

DATAPLANE_API = "2021-10-01-dataplanepreview"
WORKSPACE_API = "2023-08-01-preview"
DISCOVERY_API = "v1.0"
KNOWN_FOR = 900.0  # seconds; further regions of a registry can be added


@dataclass(frozen=True, slots=True)
class _Registry:
    url: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Workspace:
    location: str
    guid: str


class AzureRegistries:
    """`arm` and `discovery` are callers of their audiences; the addresses are the cloud's, without trailing slash."""

    def __init__(self, arm: Caller, discovery: Caller, resource_manager: str, registry_discovery: str) -> None:
        self._arm = arm
        self._discovery = discovery
        self._resource_manager = resource_manager
        self._registry_discovery = registry_discovery
        self._lock = threading.Lock()
        self._registries: dict[str, tuple[float, _Registry]] = {}
        self._workspace = functools.lru_cache(maxsize=10_000)(self._read_workspace)

    def asset(self, registry: str, asset: Asset) -> RegistryAsset | None:
        doing = f"look for {asset} in registry {registry}"
        try:
            answer = self._call("GET", self._url(registry, asset), doing=doing)
        except NotFound:
            return None
        with translated(doing):
            return registry_asset(registry, asset, answer.json())

    def latest(self, registry: str, kind: Kind, name: str) -> Asset | None:
        doing = f"look for the latest {kind} {name} in registry {registry}"
        url = f"{self._registry(registry).url}/{versions_of(kind, name)}"
        try:
            answer = self._call("GET", url, LATEST, doing=doing)
        except NotFound:
            return None
        with translated(doing):
            version = latest_version(answer.json())
        return None if version is None else Asset(kind, name, version)

    def names(self, registry: str, kind: Kind, page: str = "") -> Listing:
        doing = f"list the {kind.plural} of registry {registry}"
        answer = self._call("GET", f"{self._registry(registry).url}/{kind.plural}", page_of_names(page), doing=doing)
        with translated(doing):
            return listing(answer.json())

    def newest(self, registry: str, kind: Kind, name: str, most: int) -> Sequence[RegistryAsset]:
        doing = f"list the versions of {kind} {name} in registry {registry}"
        url = f"{self._registry(registry).url}/{versions_of(kind, name)}"
        try:
            answer = self._call("GET", url, newest(most), doing=doing)
        except NotFound:
            return ()
        with translated(doing):
            return [registry_asset(registry, Asset(kind, name, version_in(each)), each) for each in answer.json()["value"]]

    def address(self, registry: str) -> str:
        """The url of the registry's own control plane, below which its assets are found."""
        return self._registry(registry).url

    def regions(self, registry: str) -> tuple[str, ...]:
        return self._registry(registry).regions

    def source_id(self, workspace: WorkspaceId, asset: Asset) -> str:
        place = self._workspace(workspace)
        return (
            f"azureml://locations/{place.location}/workspaces/{place.guid}"
            f"/{asset.kind.plural}/{asset.name}/versions/{asset.version}"
        )

    def begin_import(self, registry: str, asset: Asset, source: WorkspaceId, source_asset: Asset) -> str | None:
        known, place = self._registry(registry), self._workspace(source)
        if place.location not in known.regions:
            text = f"workspace {source.name} is in {place.location}; registry {registry} covers {', '.join(known.regions)}"
            raise Permanent("region_not_covered", text, Owner.PROVIDER, f"add region {place.location} to the registry")
        properties = {
            "referenceType": "Id",
            "destinationName": asset.name,
            "destinationVersion": asset.version,
            "sourceAssetId": self.source_id(source, source_asset),
        }
        doing = f"import {asset} into registry {registry}"
        return self._begin("POST", f"{known.url}/import", {"properties": properties}, doing)

    def begin_component(self, registry: str, component: RegistryAsset) -> str | None:
        doing = f"make {component.asset} in registry {registry}"
        return self._begin("PUT", self._url(registry, component.asset), defined_asset(component, {}), doing)

    def has_code(self, registry: str, name: str) -> bool:
        try:
            self._call("GET", self._code_url(registry, name), doing=f"look for code {name} in registry {registry}")
        except NotFound:
            return False
        return True

    def begin_code(self, registry: str, name: str, place: Folder) -> str | None:
        uri = f"{place.container_url}/{place.prefix}".rstrip("/")
        body = {"properties": {"codeUri": uri, "isAnonymous": True}}
        return self._begin("PUT", self._code_url(registry, name), body, f"make code {name} in registry {registry}")

    def begin_update(
        self, seen: RegistryAsset, tags: Mapping[str, str], *, without: Collection[str] = (), archive: bool = False
    ) -> str | None:
        """What is sent replaces what is there: so it is the document that was seen, with the change."""
        kept = {name: value for name, value in seen.tags.items() if name not in without}
        changed = {"tags": {**kept, **tags}, "isArchived": archive or seen.archived}
        body = {"properties": {**(seen.document or {}), **changed}}
        return self._begin("PUT", self._url(seen.registry, seen.asset), body, f"update {seen.asset} in registry {seen.registry}")

    def operation(self, address: str) -> OperationState:
        return operation_state(self._arm, address)

    def _registry(self, name: str) -> _Registry:
        with self._lock:
            read_at, known = self._registries.get(name, (0.0, None))
        if known and time.monotonic() - read_at < KNOWN_FOR:
            return known
        known = self._discover(name)
        with self._lock:
            self._registries[name] = (time.monotonic(), known)
        return known

    def _discover(self, name: str) -> _Registry:
        url = f"{self._registry_discovery}/registrymanagement/v1.0/registries/{name}/discovery"
        doing = f"find registry {name}"
        try:
            answer = self._discovery.call("GET", url, params={"api-version": DISCOVERY_API}, doing=doing)
        except NotFound as missing:
            remedy = "correct the registry's name in provider.yaml, or give the app's identity access to it"
            raise Permanent("registry_not_found", str(missing), Owner.PROVIDER, remedy) from missing
        with translated(doing):
            found = answer.json()
            address = (
                f"{found['primaryRegionResourceProviderUri'].rstrip('/')}/mferp/managementfrontend/subscriptions/"
                f"{found['subscriptionId']}/resourceGroups/{found['resourceGroup']}"
                f"/providers/Microsoft.MachineLearningServices/registries/{name}"
            )
            return _Registry(address, tuple(found["regions"]))

    def _read_workspace(self, workspace: WorkspaceId) -> _Workspace:
        """Kept for good by `_workspace`: a workspace's region and guid never change."""
        try:
            answer = self._arm.call(
                "GET",
                f"{self._resource_manager}{workspace}",
                params={"api-version": WORKSPACE_API},
                doing=f"find workspace {workspace.name}",
            )
        except NotFound as missing:
            remedy = "correct the workspace's ARM id in the rules, or let the app's identity see it"
            raise Permanent("workspace_not_found", str(missing), Owner.PROVIDER, remedy) from missing
        with translated(f"find workspace {workspace.name}"):
            found = answer.json()
            return _Workspace(found["location"], found["properties"]["workspaceId"])

    def _begin(self, method: str, url: str, body: object, doing: str) -> str | None:
        """The operation's address; None where it is under way, or done, already."""
        try:
            answer = self._call(method, url, body=body, doing=doing)
        except Conflict:
            return None
        location: str | None = answer.headers.get("Location")
        return location if answer.status_code == 202 else None

    def _url(self, registry: str, asset: Asset) -> str:
        return f"{self._registry(registry).url}/{path_of(asset)}"

    def _code_url(self, registry: str, name: str) -> str:
        return f"{self._registry(registry).url}/codes/{name}/versions/1"

    def _call(
        self, method: str, url: str, params: Mapping[str, str] | None = None, *, body: object = None, doing: str
    ) -> HttpResponse:
        return self._arm.call(method, url, params={"api-version": DATAPLANE_API, **(params or {})}, body=body, doing=doing)
