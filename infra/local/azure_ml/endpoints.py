"""Endpoints of either kind: create, change, delete. What is particular to a kind is in its rules."""

import uuid
from typing import Any, Protocol

from aiohttp import web

from infra.local.azure_ml.assets import paged
from infra.local.azure_ml.cloud import Cloud, asked_of, caller_of
from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.endpoint_checks import RegionLimits, check_idle, known_endpoint
from infra.local.azure_ml.endpoint_operations import EndpointOperations
from infra.local.azure_ml.endpoint_store import EndpointKind, EndpointStore, with_state
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.times import system_data
from infra.local.azure_ml.workspaces import WORKSPACE_PATH
from infra.local.resource_manager.surroundings import ENTRA_TENANT


class EndpointRules(Protocol):
    """What only online or only batch endpoints have."""

    def properties(
        self, workspace: Workspace, asked: dict[str, Any], before: Document | None, deployments: list[Document]
    ) -> dict[str, Any]:
        """Those of the endpoint, as GET will show them. Raises AzureError 400; `before` is None while it is created."""

    def kept(self) -> dict[str, Any]:
        """What is kept of a new endpoint, and shown by no GET."""


def endpoint_path(kind: EndpointKind) -> str:
    return f"{WORKSPACE_PATH}/{kind.segment}/{{endpoint}}"


class Endpoints:
    def __init__(
        self, cloud: Cloud, store: EndpointStore, limits: RegionLimits, operations: EndpointOperations, rules: EndpointRules
    ) -> None:
        self._cloud = cloud
        self._store = store
        self._limits = limits
        self._operations = operations
        self._rules = rules

    def routes(self) -> list[web.RouteDef]:
        path = endpoint_path(self._store.kind)
        return [
            web.get(f"{WORKSPACE_PATH}/{self._store.kind.segment}", self._list),
            web.get(path, self._get),
            web.put(path, self._put),
            web.patch(path, self._patch),
            web.delete(path, self._delete),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        workspace = self._cloud.workspace(request)
        caller_of(request).demand(workspace.id, write=False)
        return paged(request, self._cloud.base_url, [document["body"] for document in self._store.endpoints(workspace)])

    async def _get(self, request: web.Request) -> web.Response:
        _workspace, document = self._known(request, write=False)
        return web.json_response(document["body"])

    async def _put(self, request: web.Request) -> web.Response:
        workspace, name = self._cloud.workspace(request), request.match_info["endpoint"]
        caller_of(request).demand(workspace.id, write=True)
        asked = await asked_of(request)
        before = self._store.endpoint(workspace, name)
        if before is None:
            self._limits.check_new_endpoint(self._store.kind, workspace, name)
        else:
            check_idle(self._store.kind, workspace, before, f"endpoint {name}")
            name = before["name"]
        deployments = self._store.deployments(workspace, name)
        properties = self._rules.properties(workspace, asked, before, deployments)
        document = self._document(workspace, name, asked, properties, before, caller_of(request).principal)
        return self._operations.put_endpoint(request, workspace, document, status=200 if before else 201)

    async def _patch(self, request: web.Request) -> web.Response:
        """Tags are all that PATCH changes."""
        asked = await asked_of(request)
        workspace, document = self._known(request, write=True)
        check_idle(self._store.kind, workspace, document, f"endpoint {document['name']}")
        body = {**document["body"], "tags": asked.get("tags", document["body"]["tags"])}
        changed = with_state({**document, "body": body}, "Updating")
        return self._operations.put_endpoint(request, workspace, changed, status=202)

    async def _delete(self, request: web.Request) -> web.Response:
        """With its deployments, unless one of them is being changed."""
        workspace, name = self._cloud.workspace(request), request.match_info["endpoint"]
        caller_of(request).demand(workspace.id, write=True)
        document = self._store.endpoint(workspace, name)
        if document is None:
            return web.Response(status=204)
        check_idle(self._store.kind, workspace, document, f"endpoint {name}")
        for deployment in self._store.deployments(workspace, name):
            check_idle(self._store.kind, workspace, deployment, f"deployment {deployment['name']}")
        return self._operations.delete_endpoint(request, workspace, document)

    def _known(self, request: web.Request, *, write: bool) -> tuple[Workspace, Document]:
        workspace = self._cloud.workspace(request)
        caller_of(request).demand(workspace.id, write=write)
        return workspace, known_endpoint(self._store, workspace, request.match_info["endpoint"])

    def _document(
        self,
        workspace: Workspace,
        name: str,
        asked: dict[str, Any],
        properties: dict[str, Any],
        before: Document | None,
        principal: str,
    ) -> Document:
        kind = self._store.kind
        place = f"{self._cloud.base_url}endpoints/{workspace.location.lower()}/{name.lower()}"
        identity = asked.get("identity") or {"type": "SystemAssigned"}
        scoring = f"{place}/{kind.invoked_at}"
        body = {
            "id": f"{workspace.id}/{kind.segment}/{name}",
            "name": name,
            "type": kind.type,
            "location": workspace.location,
            "tags": asked.get("tags") or {},
            "kind": asked.get("kind") or "Managed",
            "identity": {"principalId": str(uuid.uuid5(uuid.NAMESPACE_URL, scoring)), "tenantId": ENTRA_TENANT, **identity},
            "systemData": system_data(principal, before["body"]["systemData"] if before else None),
            "properties": {**properties, "scoringUri": scoring, "swaggerUri": f"{place}/swagger.json"},
        }
        document = {**before, "body": body} if before else {"name": name, "body": body, "serving": {}, **self._rules.kept()}
        return with_state(document, "Updating" if before else "Creating")
