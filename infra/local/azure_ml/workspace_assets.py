"""The versioned assets of a workspace, of one kind: containers and versions. Of new models Event Grid is told."""

from typing import Any

from aiohttp import web

from infra.local.azure_ml.asset_definitions import component_identity
from infra.local.azure_ml.asset_kinds import CODE, COMPONENT, MODEL, AssetKind
from infra.local.azure_ml.assets import check_name, container_body, listed, named_container, paged, with_changes
from infra.local.azure_ml.cloud import Cloud, asked_of, caller_of
from infra.local.azure_ml.config import PROVIDER, Workspace
from infra.local.azure_ml.errors import AzureError, front_end_error
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.times import system_data
from infra.local.azure_ml.workspace_intake import WorkspaceIntake
from infra.local.azure_ml.workspaces import WORKSPACE_PATH

# What the SDK asks for when it is given a component's name alone.
DEFAULT_VERSION = "azureml_default"


class WorkspaceAssets:
    def __init__(self, cloud: Cloud, kind: AssetKind) -> None:
        self._cloud = cloud
        self._kind = kind
        self._intake = WorkspaceIntake(cloud, kind)
        self._type = f"{PROVIDER}/workspaces/{kind.plural}"

    def routes(self) -> list[web.RouteDef]:
        assets = f"{WORKSPACE_PATH}/{self._kind.plural}"
        return [
            web.get(assets, self._list),
            web.get(f"{assets}/{{name}}", self._get_container),
            web.put(f"{assets}/{{name}}", self._put_container),
            web.get(f"{assets}/{{name}}/versions", self._list_versions),
            web.get(f"{assets}/{{name}}/versions/{{version}}", self._get),
            web.put(f"{assets}/{{name}}/versions/{{version}}", self._put),
            web.delete(f"{assets}/{{name}}/versions/{{version}}", self._delete),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        workspace = self._allowed(request, write=False)
        containers = self._cloud.assets.named_containers(workspace.owner, self._kind.plural)
        found = listed(request, lambda document: bool(document["isArchived"]), containers)
        bodies = [self._container_body(workspace, document) for document in found]
        return paged(request, self._cloud.base_url, bodies)

    async def _get_container(self, request: web.Request) -> web.Response:
        workspace = self._allowed(request, write=False)
        return web.json_response(self._container_body(workspace, self._known_container(request, workspace)))

    async def _put_container(self, request: web.Request) -> web.Response:
        workspace = self._allowed(request, write=True)
        name, principal = request.match_info["name"], caller_of(request).principal
        check_name(name, "1", workspace.location)
        asked = (await asked_of(request)).get("properties") or {}
        before = self._cloud.assets.container(workspace.owner, self._kind.plural, name)
        document = named_container(name, asked, principal, before)
        self._cloud.assets.write_container(workspace.owner, self._kind.plural, document)
        return web.json_response(self._container_body(workspace, document), status=200 if before else 201)

    async def _list_versions(self, request: web.Request) -> web.Response:
        workspace, plural = self._allowed(request, write=False), self._kind.plural
        if self._kind is CODE and "hash" in request.query:
            versions = self._with_hash(workspace, request.query["hash"])
        else:
            self._known_container(request, workspace)
            versions = self._cloud.assets.versions(workspace.owner, plural, request.match_info["name"])
        found = listed(request, lambda document: bool(document["properties"]["isArchived"]), versions)
        return paged(request, self._cloud.base_url, [self._body(workspace, document) for document in found])

    def _with_hash(self, workspace: Workspace, wanted: str) -> list[Document]:
        """Code of this content, whatever its name and version."""
        everything = self._cloud.assets.everything(workspace.owner, self._kind.plural)
        return [document for document in everything if document["properties"]["properties"].get("hash_sha256") == wanted]

    async def _get(self, request: web.Request) -> web.Response:
        workspace, plural = self._allowed(request, write=False), self._kind.plural
        name, version = request.match_info["name"], request.match_info["version"]
        document = self._cloud.assets.version(workspace.owner, plural, name, version)
        if self._kind is COMPONENT and version == DEFAULT_VERSION:
            document = self._cloud.assets.latest(workspace.owner, plural, name)
        if document is None:
            label = self._kind.label.capitalize()
            message = f"{label} not found: {label} container with name: {name} and version: {version} not found."
            raise front_end_error(404, message, workspace.location)
        return web.json_response(self._body(workspace, document))

    async def _put(self, request: web.Request) -> web.Response:
        workspace, plural = self._allowed(request, write=True), self._kind.plural
        name, version = request.match_info["name"], request.match_info["version"]
        check_name(name, version, workspace.location)
        asked = (await asked_of(request)).get("properties") or {}
        definition = self._intake.definition(workspace, caller_of(request), asked, name, version)
        before = self._cloud.assets.version(workspace.owner, plural, name, version)
        if before is None:
            kept = await self._intake.taken_over(definition, workspace)
            before = self._cloud.assets.version(workspace.owner, plural, name, version)  # another PUT may have been faster
        principal = caller_of(request).principal
        if before is not None:
            return self._update(workspace, before, asked, definition, principal)
        document = {
            "name": name,
            "version": version,
            "properties": self._kind.properties(asked, kept),
            "requested": definition,
            "systemData": system_data(principal),
        }
        with self._cloud.state.transaction():
            self._cloud.assets.write_version(workspace.owner, plural, document, principal)
            if self._kind is MODEL:
                self._cloud.outbox.model_registered(workspace, document)
        headers = {"Location": f"{self._cloud.base_url.rstrip('/')}{request.rel_url}"}
        return web.json_response(self._body(workspace, document), status=201, headers=headers)

    async def _delete(self, request: web.Request) -> web.Response:
        """200, or 204 for one that is not there (azure-ai-ml's generated client takes both); the name stays."""
        workspace, plural = self._allowed(request, write=True), self._kind.plural
        name, version = request.match_info["name"], request.match_info["version"]
        if self._cloud.assets.version(workspace.owner, plural, name, version) is None:
            return web.Response(status=204)
        self._cloud.assets.delete_version(workspace.owner, plural, name, version)
        return web.Response()

    def _update(
        self, workspace: Workspace, before: Document, asked: Document, definition: Document, principal: str
    ) -> web.Response:
        """Only tags, description and isArchived can change; the uri that was sent and the one it became both mean "the same"."""
        if not self._kind.is_same(definition, before["properties"], before["requested"]):
            raise self._immutable(workspace, before, definition)
        own = {field: definition[field] for field in self._kind.updatable}
        document = with_changes(before, own, asked, principal)
        self._cloud.assets.write_version(workspace.owner, self._kind.plural, document, principal)
        return web.json_response(self._body(workspace, document))

    def _immutable(self, workspace: Workspace, before: Document, definition: Document) -> AzureError:
        if self._kind is COMPONENT:
            old, new = (component_identity(each["componentSpec"]) for each in (before["properties"], definition))
            field = next(field for field in sorted({*old, *new}) if old.get(field) != new.get(field))
            name = before["name"]
            message = f'Failed to update component {name} since field "{field}" is immutable, try specifying a new version.'
            return front_end_error(400, message, workspace.location)
        label = self._kind.label
        message = (
            f"A {label} version with this name and version already exists. If you are trying to create a new {label} version, "
            f"use a different name or version. If you are trying to update an existing {label} version, the existing asset's "
            f"{self._kind.fixed_name} cannot be changed. Only tags, description, and isArchived can be updated."
        )
        return front_end_error(409, message, workspace.location)

    def _allowed(self, request: web.Request, *, write: bool) -> Workspace:
        workspace = self._cloud.workspace(request)
        caller_of(request).demand(workspace.id, write=write)
        return workspace

    def _known_container(self, request: web.Request, workspace: Workspace) -> Document:
        name = request.match_info["name"]
        document = self._cloud.assets.container(workspace.owner, self._kind.plural, name)
        if document is None:
            raise front_end_error(404, f"Could not find {self._kind.label} container with name: {name}", workspace.location)
        return document

    def _container_body(self, workspace: Workspace, document: Document) -> dict[str, Any]:
        versions = self._cloud.assets.versions(workspace.owner, self._kind.plural, document["name"])
        return container_body(f"{workspace.id}/{self._kind.plural}/{document['name']}", self._type, document, versions)

    def _body(self, workspace: Workspace, document: Document) -> dict[str, Any]:
        return {
            "id": f"{workspace.id}/{self._kind.plural}/{document['name']}/versions/{document['version']}",
            "name": document["version"],
            "type": f"{self._type}/versions",
            "properties": document["properties"],
            "systemData": document["systemData"],
        }
