"""`import`: a registry takes a copy of a workspace's asset, bytes included, while the caller polls.

There is no public specification; the SDK and a recording of the real service are the contract.
"""

import re
import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from infra.local.azure_ml.assets import MODELS, check_name
from infra.local.azure_ml.blobs import Folder
from infra.local.azure_ml.cloud import Cloud, asked_of, caller_of
from infra.local.azure_ml.config import Registry, Workspace
from infra.local.azure_ml.errors import front_end_error
from infra.local.azure_ml.faults import operation_failure
from infra.local.azure_ml.model_uris import without_replication
from infra.local.azure_ml.operations import Operation, OperationFailed
from infra.local.azure_ml.registries import REGISTRY_PATH, accepted, asset_id
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.times import system_data

IMPORT = "import"
SOURCE = re.compile(
    r"^azureml://locations/(?P<location>[^/]+)/workspaces/(?P<guid>[^/]+)/(?P<kind>[^/]+)/(?P<name>[^/]+)"
    r"/versions/(?P<version>[^/]+)$"
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an import names: the source, and where it is to go."""

    source_id: str
    source: re.Match[str]
    name: str
    version: str


class Imports:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        cloud.operations.register(IMPORT, self)

    def routes(self) -> list[web.RouteDef]:
        return [web.post(f"{REGISTRY_PATH}/import", self._begin)]

    async def _begin(self, request: web.Request) -> web.Response:
        registry, caller = self._cloud.registry(request), caller_of(request)
        caller.demand(registry.owner, write=True)
        asked = _asked((await asked_of(request)).get("properties") or {}, registry)
        workspace = self._source_workspace(asked, registry)
        caller.demand(workspace.id, write=False)
        model = self._cloud.assets.version(workspace.owner, MODELS, asked.source["name"], asked.source["version"])
        if asked.source["kind"] != MODELS or model is None:
            raise front_end_error(404, f"Could not find asset with ID: {asked.source_id}", workspace.location)
        self._check_free(asked, registry)
        document = self._document(asked, registry, model, caller.principal)
        arguments = {
            "registry": registry.name,
            "document": document,
            "source": model["properties"]["modelUri"],
            "principal": caller.principal,
        }
        with self._cloud.state.transaction():
            seconds, failure = self._cloud.config.seconds.import_, operation_failure(request, self._cloud.config)
            operation = self._cloud.operations.begin(IMPORT, arguments, seconds, failure)
        return accepted(self._cloud, operation)

    async def prepare(self, operation: Operation) -> None:
        """Copy the bytes inside the storage, into a container of the registry."""
        source, target = operation.arguments["source"], operation.arguments["document"]["properties"]["modelUri"]
        origin, place = self._cloud.uris.locate(source), self._cloud.uris.locate(target)
        assert place is not None
        if origin is None or not await self._cloud.blobs.copy(origin, place):
            raise OperationFailed("UserError", f"No files found at {source}")

    def settle(self, operation: Operation) -> None:
        if operation.failure is None:
            registry = self._cloud.config.registry(operation.arguments["registry"])
            assert registry is not None
            document, principal = operation.arguments["document"], operation.arguments["principal"]
            document = {**document, "systemData": system_data(principal)}
            self._cloud.assets.write_version(registry.owner, MODELS, document, principal)

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

    def _check_free(self, asked: _Asked, registry: Registry) -> None:
        """A registry's versions are immutable, and one import at a time may make one."""
        identity = asset_id(registry, asked.name, asked.version)
        running = (
            (operation.arguments["registry"], operation.arguments["document"])
            for operation in self._cloud.operations.running(IMPORT)
        )
        if any(
            (name, document["name"], document["version"]) == (registry.name, asked.name, asked.version)
            for name, document in running
        ):
            message = f"Asset with ID: {identity} is being created by another operation."
            raise front_end_error(409, message, registry.primary_region)
        if self._cloud.assets.version(registry.owner, MODELS, asked.name, asked.version):
            raise front_end_error(409, f"Asset with ID: {identity} already exists.", registry.primary_region)

    def _document(self, asked: _Asked, registry: Registry, model: Document, principal: str) -> Document:
        source = self._cloud.uris.locate(model["properties"]["modelUri"])
        place = Folder(
            registry_container(registry, asset_id(registry, asked.name, asked.version)),
            without_replication(source.path) if source else "",
        )
        properties = {
            **model["properties"],
            "modelUri": f"{self._cloud.base_url}{place.container}/{place.path}",
            "originAssetId": asked.source_id,
            "jobName": None,
        }
        return {
            "name": asked.name,
            "version": asked.version,
            "properties": properties,
            "systemData": system_data(principal),
        }


def _asked(properties: dict[str, Any], registry: Registry) -> _Asked:
    source_id = str(properties.get("sourceAssetId", ""))
    source = SOURCE.match(source_id)
    if source is None:
        raise front_end_error(400, f"The sourceAssetId {source_id!r} is not valid.", registry.primary_region)
    name = str(properties.get("destinationName") or source["name"])
    version = str(properties.get("destinationVersion") or source["version"])
    check_name(name, version, registry.primary_region)
    return _Asked(source_id, source, name, version)


def registry_container(registry: Registry, identity: str) -> str:
    """`<registry>-<guid>` as recorded, within what a container's name may be (63 characters, lower case)."""
    stem = registry.name.lower().replace("_", "-").strip("-")[:26].rstrip("-")
    while "--" in stem:
        stem = stem.replace("--", "-")
    return f"{stem}-{uuid.uuid5(uuid.NAMESPACE_URL, identity)}"
