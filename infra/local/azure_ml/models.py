"""A workspace's models: containers and versions. A new version is told to Event Grid."""

import uuid
from typing import Any

from aiohttp import web

from infra.local.azure_ml.assets import MODELS, check_name, container_body, listed, paged
from infra.local.azure_ml.blobs import Folder
from infra.local.azure_ml.cloud import Cloud, asked_of, caller_of
from infra.local.azure_ml.config import PROVIDER, Workspace
from infra.local.azure_ml.errors import front_end_error
from infra.local.azure_ml.model_uris import canonical, datastore_uri
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.times import system_data
from infra.local.azure_ml.workspaces import WORKSPACE_PATH

TYPE = f"{PROVIDER}/workspaces/models"
PATH_DIFFERS = (
    "A model version with this name and version already exists. If you are trying to create a new model version, use a "
    "different name or version. If you are trying to update an existing model version, the existing asset's model uri "
    "cannot be changed. Only tags, description, and isArchived can be updated."
)


class Models:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        models = f"{WORKSPACE_PATH}/models"
        return [
            web.get(models, self._list),
            web.get(f"{models}/{{name}}", self._get_container),
            web.put(f"{models}/{{name}}", self._put_container),
            web.get(f"{models}/{{name}}/versions", self._list_versions),
            web.get(f"{models}/{{name}}/versions/{{version}}", self._get),
            web.put(f"{models}/{{name}}/versions/{{version}}", self._put),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        workspace = self._readable(request)
        containers = self._cloud.assets.containers(workspace.owner, MODELS)
        found = listed(request, lambda document: bool(document["isArchived"]), containers)
        bodies = [self._container_body(workspace, document) for document in found]
        return paged(request, self._cloud.base_url, bodies)

    async def _get_container(self, request: web.Request) -> web.Response:
        workspace = self._readable(request)
        return web.json_response(self._container_body(workspace, self._known_container(request, workspace)))

    async def _put_container(self, request: web.Request) -> web.Response:
        workspace = self._writable(request)
        name = request.match_info["name"]
        check_name(name, "1", workspace.location)
        asked = (await asked_of(request)).get("properties", {})
        before = self._cloud.assets.container(workspace.owner, MODELS, name)
        principal = caller_of(request).principal
        document = {
            "name": name,
            "isArchived": bool(asked.get("isArchived", False)),
            "description": asked.get("description"),
            "tags": asked.get("tags") or {},
            "properties": asked.get("properties") or {},
            "systemData": system_data(principal, before["systemData"] if before else None),
        }
        self._cloud.assets.write_container(workspace.owner, MODELS, document)
        return web.json_response(self._container_body(workspace, document), status=200 if before else 201)

    async def _list_versions(self, request: web.Request) -> web.Response:
        workspace = self._readable(request)
        self._known_container(request, workspace)
        versions = self._cloud.assets.versions(workspace.owner, MODELS, request.match_info["name"])
        found = listed(request, lambda document: bool(document["properties"]["isArchived"]), versions)
        return paged(request, self._cloud.base_url, [version_body(workspace, document) for document in found])

    async def _get(self, request: web.Request) -> web.Response:
        workspace = self._readable(request)
        name, version = request.match_info["name"], request.match_info["version"]
        document = self._cloud.assets.version(workspace.owner, MODELS, name, version)
        if document is None:
            message = f"Model not found: Model container with name: {name} and version: {version} not found."
            raise front_end_error(404, message, workspace.location)
        return web.json_response(version_body(workspace, document))

    async def _put(self, request: web.Request) -> web.Response:
        workspace, principal = self._writable(request), caller_of(request).principal
        name, version = request.match_info["name"], request.match_info["version"]
        check_name(name, version, workspace.location)
        asked = (await asked_of(request)).get("properties") or {}
        if not asked.get("modelUri"):
            raise front_end_error(400, "The modelUri field is required.", workspace.location)
        before = self._cloud.assets.version(workspace.owner, MODELS, name, version)
        if before is None:
            stored_uri = await self._take_over(asked["modelUri"], workspace)
            before = self._cloud.assets.version(workspace.owner, MODELS, name, version)  # another PUT may have been faster
        if before is not None:
            return self._update(workspace, before, asked, principal)
        document = _new_version(name, version, asked, stored_uri, principal)
        with self._cloud.state.transaction():
            self._cloud.assets.write_version(workspace.owner, MODELS, document, principal)
            self._cloud.outbox.model_registered(workspace, document)
        headers = {"Location": f"{self._cloud.base_url.rstrip('/')}{request.rel_url}"}
        return web.json_response(version_body(workspace, document), status=201, headers=headers)

    def _update(self, workspace: Workspace, before: Document, asked: dict[str, Any], principal: str) -> web.Response:
        """Only tags, description and isArchived can change; the uri that was sent and the one it became both mean "the same"."""
        properties = before["properties"]
        known = (properties["modelUri"], before["requestedUri"])
        if canonical(asked["modelUri"]) not in map(canonical, known):
            raise front_end_error(409, PATH_DIFFERS, workspace.location)
        changed = {
            "tags": asked.get("tags") or {},
            "description": asked.get("description"),
            "isArchived": bool(asked.get("isArchived", False)),
        }
        document = {
            **before,
            "properties": {**properties, **changed},
            "systemData": system_data(principal, before["systemData"]),
        }
        self._cloud.assets.write_version(workspace.owner, MODELS, document, principal)
        return web.json_response(version_body(workspace, document))

    async def _take_over(self, uri: str, workspace: Workspace) -> str:
        """Move an upload to a place of the service's own, as recorded; every other uri is kept as it was sent."""
        upload = self._cloud.uris.own_upload(uri, workspace)
        if upload is None:
            return uri
        kept = Folder(upload.container, f"ServiceReplicated/{uuid.uuid4()}/{upload.path}")
        copied = await self._cloud.blobs.copy(upload, kept)
        return datastore_uri(workspace, kept.path) if copied else uri

    def _readable(self, request: web.Request) -> Workspace:
        workspace = self._cloud.workspace(request)
        caller_of(request).demand(workspace.id, write=False)
        return workspace

    def _writable(self, request: web.Request) -> Workspace:
        workspace = self._cloud.workspace(request)
        caller_of(request).demand(workspace.id, write=True)
        return workspace

    def _known_container(self, request: web.Request, workspace: Workspace) -> Document:
        name = request.match_info["name"]
        document = self._cloud.assets.container(workspace.owner, MODELS, name)
        if document is None:
            raise front_end_error(404, f"Could not find model container with name: {name}", workspace.location)
        return document

    def _container_body(self, workspace: Workspace, document: Document) -> dict[str, Any]:
        versions = self._cloud.assets.versions(workspace.owner, MODELS, document["name"])
        return container_body(f"{workspace.id}/models/{document['name']}", TYPE, document, versions)


def version_body(workspace: Workspace, document: Document) -> dict[str, Any]:
    return {
        "id": f"{workspace.id}/models/{document['name']}/versions/{document['version']}",
        "name": document["version"],
        "type": f"{TYPE}/versions",
        "properties": document["properties"],
        "systemData": document["systemData"],
    }


def _new_version(name: str, version: str, asked: dict[str, Any], uri: str, principal: str) -> Document:
    properties = {
        "description": asked.get("description"),
        "tags": asked.get("tags") or {},
        "properties": asked.get("properties") or {},
        "isArchived": bool(asked.get("isArchived", False)),
        "isAnonymous": bool(asked.get("isAnonymous", False)),
        "flavors": asked.get("flavors") or {},
        "modelType": asked.get("modelType") or "custom_model",
        "modelUri": uri,
        "jobName": asked.get("jobName"),
    }
    if asked.get("stage"):
        properties["stage"] = asked["stage"]
    return {
        "name": name,
        "version": version,
        "properties": properties,
        "requestedUri": asked["modelUri"],
        "systemData": system_data(principal),
    }
