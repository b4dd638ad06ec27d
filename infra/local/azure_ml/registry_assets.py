"""The versioned assets of a registry, of one kind, as its front end serves them."""

from typing import Any

from aiohttp import web

from infra.local.azure_ml.asset_definitions import InvalidAsset
from infra.local.azure_ml.asset_kinds import COMPONENT, DATA_ASSET, AssetKind
from infra.local.azure_ml.assets import check_name, container_body, listed, named_container, paged, with_changes
from infra.local.azure_ml.cloud import Cloud, asked_of, caller_of
from infra.local.azure_ml.component_references import in_registry
from infra.local.azure_ml.config import Registry
from infra.local.azure_ml.errors import front_end_error
from infra.local.azure_ml.registry_changes import CREATE, UPDATE, RegistryChanges, asset_id, own_place
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.times import system_data
from infra.local.azure_ml.workspace_assets import DEFAULT_VERSION
from infra.local.azure_ml.workspaces import GROUP_PATH

REGISTRY_PATH = f"/mferp/managementfrontend{GROUP_PATH}/registries/{{registry}}"


class RegistryAssets:
    def __init__(self, cloud: Cloud, kind: AssetKind, changes: RegistryChanges) -> None:
        self._cloud = cloud
        self._kind = kind
        self._changes = changes

    def routes(self) -> list[web.RouteDef]:
        assets = f"{REGISTRY_PATH}/{self._kind.plural}"
        return [
            web.get(assets, self._list),
            web.get(f"{assets}/{{name}}", self._get_container),
            web.put(f"{assets}/{{name}}", self._put_container),
            web.get(f"{assets}/{{name}}/versions", self._list_versions),
            web.get(f"{assets}/{{name}}/versions/{{version}}", self._get),
            web.put(f"{assets}/{{name}}/versions/{{version}}", self._put),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        registry = allowed(self._cloud, request, write=False)
        containers = self._cloud.assets.named_containers(registry.owner, self._kind.plural)
        found = listed(request, lambda document: bool(document["isArchived"]), containers)
        return paged(request, self._cloud.base_url, [self._container_body(registry, document) for document in found])

    async def _get_container(self, request: web.Request) -> web.Response:
        registry, name = allowed(self._cloud, request, write=False), request.match_info["name"]
        return web.json_response(self._container_body(registry, self._known_container(registry, name)))

    async def _put_container(self, request: web.Request) -> web.Response:
        """Archive or restore a name as a whole. Whether the service does it by an operation was never recorded."""
        registry, name = allowed(self._cloud, request, write=True), request.match_info["name"]
        asked = (await asked_of(request)).get("properties") or {}
        document = named_container(name, asked, caller_of(request).principal, self._known_container(registry, name))
        self._cloud.assets.write_container(registry.owner, self._kind.plural, document)
        return web.json_response(self._container_body(registry, document))

    async def _list_versions(self, request: web.Request) -> web.Response:
        """Empty, not 404, where there is none: so recorded."""
        registry = allowed(self._cloud, request, write=False)
        versions = self._cloud.assets.versions(registry.owner, self._kind.plural, request.match_info["name"])
        found = listed(request, lambda document: bool(document["properties"]["isArchived"]), versions)
        return paged(request, self._cloud.base_url, [self._body(registry, document) for document in found])

    async def _get(self, request: web.Request) -> web.Response:
        registry = allowed(self._cloud, request, write=False)
        name, version = request.match_info["name"], request.match_info["version"]
        if self._kind is COMPONENT and version == DEFAULT_VERSION:
            latest = self._cloud.assets.latest(registry.owner, self._kind.plural, name)
            version = latest["version"] if latest else version
        return web.json_response(self._body(registry, known_version(self._cloud, registry, self._kind, name, version)))

    async def _put(self, request: web.Request) -> web.Response:
        """Create a version, or change what may change of one."""
        asked = (await asked_of(request)).get("properties") or {}
        registry, principal = allowed(self._cloud, request, write=True), caller_of(request).principal
        name, version = request.match_info["name"], request.match_info["version"]
        check_name(name, version, registry.primary_region)
        definition = self._definition(request, registry, asked)
        before = self._cloud.assets.version(registry.owner, self._kind.plural, name, version)
        if before is not None:
            document = self._updated(registry, before, asked, definition, principal)
            return self._changes.begin(request, UPDATE, registry, self._kind, document, principal)
        self._changes.check_free(registry, self._kind, name, version)
        self._check_place(registry, name, version, definition)
        document = {
            "name": name,
            "version": version,
            "properties": self._kind.properties(asked, definition),
            "systemData": system_data(principal),
        }
        return self._changes.begin(request, CREATE, registry, self._kind, document, principal)

    def _definition(self, request: web.Request, registry: Registry, asked: Document) -> Document:
        """What was asked for as the service writes it, its references resolved. Raises AzureError 400, 403 or 404."""
        try:
            definition = self._kind.define(asked)
        except InvalidAsset as invalid:
            raise front_end_error(400, str(invalid), registry.primary_region) from invalid
        if self._kind is COMPONENT:
            named = {field: request.match_info[field] for field in ("name", "version")}
            spec = {**definition["componentSpec"], **named}
            return {"componentSpec": in_registry(self._cloud, registry, caller_of(request), spec)}
        return definition

    def _check_place(self, registry: Registry, name: str, version: str, definition: Document) -> None:
        """Bytes must lie where `tempdatarefs` told to upload them. Data alone may lie at any public address besides."""
        uri = self._kind.uri(definition)
        if uri is None:
            return
        place = self._cloud.uris.locate(uri)
        mine = own_place(registry, self._kind, name, version, "").container
        elsewhere = self._kind is DATA_ASSET and place is None and uri.startswith("https://")
        if not elsewhere and (place is None or place.container != mine):
            message = f"The {self._kind.label} of a registry must lie in the registry's own storage, not at {uri}"
            raise front_end_error(400, message, registry.primary_region)

    def _updated(self, registry: Registry, before: Document, asked: Document, definition: Document, principal: str) -> Document:
        if not self._kind.is_same(definition, before["properties"]):
            identity = asset_id(registry, self._kind, before["name"], before["version"])
            message = f"Asset with ID: {identity} already exists and is immutable; its {self._kind.fixed_name} cannot be changed."
            raise front_end_error(409, message, registry.primary_region)
        own = {field: definition[field] for field in self._kind.updatable}
        return with_changes(before, own, asked, principal)

    def _known_container(self, registry: Registry, name: str) -> Document:
        document = self._cloud.assets.container(registry.owner, self._kind.plural, name)
        if document is None:
            message = f"Could not find asset with ID: azureml://registries/{registry.name}/{self._kind.plural}/{name}"
            raise front_end_error(404, message, registry.primary_region)
        return document

    def _container_body(self, registry: Registry, document: Document) -> dict[str, Any]:
        plural = self._kind.plural
        versions = self._cloud.assets.versions(registry.owner, plural, document["name"])
        return container_body(f"azureml://registries/{registry.name}/{plural}/{document['name']}", plural, document, versions)

    def _body(self, registry: Registry, document: Document) -> dict[str, Any]:
        return {
            "id": asset_id(registry, self._kind, document["name"], document["version"]),
            "name": document["version" if self._kind.named_by_version else "name"],
            "type": self._kind.registry_type,
            "properties": document["properties"],
            "systemData": document["systemData"],
        }


def allowed(cloud: Cloud, request: web.Request, *, write: bool) -> Registry:
    registry = cloud.registry(request)
    caller_of(request).demand(registry.owner, write=write)
    return registry


def known_version(cloud: Cloud, registry: Registry, kind: AssetKind, name: str, version: str) -> Document:
    document = cloud.assets.version(registry.owner, kind.plural, name, version)
    if document is None:
        message = f"Could not find asset with ID: {asset_id(registry, kind, name, version)}"
        raise front_end_error(404, message, registry.primary_region)
    return document
