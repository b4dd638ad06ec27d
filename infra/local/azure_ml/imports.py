"""`import`: a registry takes a copy of a workspace's model, data or environment, bytes included, while the caller polls.

There is no public specification; the SDK and a recording of the real service are the contract.
"""

import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from infra.local.azure_ml.asset_kinds import KINDS, AssetKind
from infra.local.azure_ml.asset_uris import without_replication
from infra.local.azure_ml.assets import check_name
from infra.local.azure_ml.cloud import Cloud, asked_of, caller_of
from infra.local.azure_ml.config import Registry, Workspace
from infra.local.azure_ml.errors import front_end_error
from infra.local.azure_ml.registry_assets import REGISTRY_PATH, allowed
from infra.local.azure_ml.registry_changes import IMPORT, RegistryChanges, own_place
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.times import system_data

SOURCE = re.compile(
    r"^azureml://locations/(?P<location>[^/]+)/workspaces/(?P<guid>[^/]+)/(?P<kind>[^/]+)/(?P<name>[^/]+)"
    r"/versions/(?P<version>[^/]+)$"
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an import names: the source, and where it is to go."""

    source_id: str
    source: re.Match[str]
    kind: AssetKind
    name: str
    version: str


class Imports:
    def __init__(self, cloud: Cloud, changes: RegistryChanges) -> None:
        self._cloud = cloud
        self._changes = changes

    def routes(self) -> list[web.RouteDef]:
        return [web.post(f"{REGISTRY_PATH}/import", self._begin)]

    async def _begin(self, request: web.Request) -> web.Response:
        body = await asked_of(request)
        registry, caller = allowed(self._cloud, request, write=True), caller_of(request)
        asked = _asked(body.get("properties") or {}, registry)
        workspace = self._source_workspace(asked, registry)
        caller.demand(workspace.id, write=False)
        plural = asked.kind.plural
        source = self._cloud.assets.version(workspace.owner, plural, asked.source["name"], asked.source["version"])
        if source is None:
            raise front_end_error(404, f"Could not find asset with ID: {asked.source_id}", workspace.location)
        self._changes.check_free(registry, asked.kind, asked.name, asked.version)
        document = self._document(asked, registry, source["properties"], caller.principal)
        uri = asked.kind.uri(source["properties"])
        more = {"source": uri} if uri else {}
        return self._changes.begin(request, IMPORT, registry, asked.kind, document, caller.principal, **more)

    def _source_workspace(self, asked: _Asked, registry: Registry) -> Workspace:
        location = asked.source["location"]
        if location.lower() not in (region.lower() for region in registry.regions):
            regions = ", ".join(registry.regions)
            message = f"The workspace's region {location} is not among the regions of registry {registry.name}: {regions}."
            raise front_end_error(400, message, registry.primary_region)
        workspace = self._cloud.config.workspace_by_guid(asked.source["guid"])
        if workspace is None or workspace.location.lower() != location.lower():
            raise front_end_error(404, f"Could not find asset with ID: {asked.source_id}", location)
        return workspace

    def _document(self, asked: _Asked, registry: Registry, source: Document, principal: str) -> Document:
        properties = {**source, "originAssetId": asked.source_id}
        if uri := asked.kind.uri(source):
            properties = asked.kind.with_uri(properties, self._destination(asked, registry, uri))
        if "jobName" in properties:
            properties["jobName"] = None
        return {
            "name": asked.name,
            "version": asked.version,
            "properties": properties,
            "systemData": system_data(principal),
        }

    def _destination(self, asked: _Asked, registry: Registry, uri: str) -> str:
        """The same path in the registry's own container; a uri of a folder keeps its slash."""
        source = self._cloud.uris.locate(uri)
        path = without_replication(source.path) if source else ""
        place = own_place(registry, asked.kind, asked.name, asked.version, path)
        return f"{self._cloud.base_url}{place.container}/{place.path}{'/' if uri.endswith('/') else ''}"


def _asked(properties: dict[str, Any], registry: Registry) -> _Asked:
    source_id = str(properties.get("sourceAssetId", ""))
    source = SOURCE.match(source_id)
    if source is None:
        raise front_end_error(400, f"The sourceAssetId {source_id!r} is not valid.", registry.primary_region)
    kind = KINDS.get(source["kind"])
    if kind is None or not kind.importable:
        raise front_end_error(400, f"Import of {source['kind']} is not supported: {source_id}", registry.primary_region)
    name = str(properties.get("destinationName") or source["name"])
    version = str(properties.get("destinationVersion") or source["version"])
    check_name(name, version, registry.primary_region)
    return _Asked(source_id, source, kind, name, version)
