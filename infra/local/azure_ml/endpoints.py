"""Online endpoints: create, change (traffic included), delete."""

import re
import secrets
import uuid
from typing import Any

from aiohttp import web

from infra.local.azure_ml.assets import paged
from infra.local.azure_ml.cloud import Cloud, asked_of, caller_of
from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.errors import inferencing_error
from infra.local.azure_ml.online_operations import DELETE_ENDPOINT, OnlineOperations
from infra.local.azure_ml.online_store import ENDPOINT_TYPE, OnlineStore, is_changing, with_state
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.times import system_data
from infra.local.azure_ml.traffic import check_traffic
from infra.local.azure_ml.workspaces import TENANT, WORKSPACE_PATH

ENDPOINT_PATH = f"{WORKSPACE_PATH}/onlineEndpoints/{{endpoint}}"
NAME = re.compile(r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$")
AUTH_MODES = ("Key", "AMLToken", "AADToken")
NAME_TAKEN = "There is already an endpoint with this name, Endpoint name needs to be unique within a region. Try some other name."


class Endpoints:
    def __init__(self, cloud: Cloud, store: OnlineStore, operations: OnlineOperations) -> None:
        self._cloud = cloud
        self._store = store
        self._operations = operations

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{WORKSPACE_PATH}/onlineEndpoints", self._list),
            web.get(ENDPOINT_PATH, self._get),
            web.put(ENDPOINT_PATH, self._put),
            web.patch(ENDPOINT_PATH, self._patch),
            web.delete(ENDPOINT_PATH, self._delete),
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
            self._check_new(workspace, name)
        else:
            check_idle(before, f"endpoint {name}")
        properties = _checked_properties(asked, before)
        deployments = self._store.deployments(workspace, name) if before else None
        check_traffic(properties["traffic"], properties["mirrorTraffic"], deployments)
        document = self._document(workspace, name, asked, properties, before, caller_of(request).principal)
        return self._operations.put_endpoint(request, workspace, document, status=200 if before else 201)

    async def _patch(self, request: web.Request) -> web.Response:
        """Tags and identity are all that PATCH changes."""
        asked = await asked_of(request)
        workspace, document = self._known(request, write=True)
        check_idle(document, f"endpoint {document['name']}")
        body = {**document["body"], "tags": asked.get("tags", document["body"]["tags"])}
        changed = with_state({**document, "body": body}, "Updating")
        return self._operations.put_endpoint(request, workspace, changed, status=202)

    async def _delete(self, request: web.Request) -> web.Response:
        workspace, name = self._cloud.workspace(request), request.match_info["endpoint"]
        caller_of(request).demand(workspace.id, write=True)
        document = self._store.endpoint(workspace, name)
        if document is None:
            return web.Response(status=204)
        check_idle(document, f"endpoint {name}")
        for deployment in self._store.deployments(workspace, name):
            check_idle(deployment, f"deployment {deployment['name']}")
        with self._cloud.state.transaction():
            self._store.put_endpoint(workspace, with_state(document, "Deleting"))
            arguments = {"workspace": workspace.id, "endpoint": document["name"]}
            operation = self._operations.begin(request, DELETE_ENDPOINT, arguments)
        return web.Response(status=202, headers=self._operations.headers(request, workspace, operation))

    def _check_new(self, workspace: Workspace, name: str) -> None:
        check_resource_name(name, "endpoint")
        there = self._store.in_region(workspace.location)
        if any(document["name"].lower() == name.lower() for _workspace, document in there):
            raise inferencing_error(400, NAME_TAKEN)
        mine = sum(owner.subscription.lower() == workspace.subscription.lower() for owner, _document in there)
        if mine >= self._cloud.config.limits.endpoints:
            raise inferencing_error(400, f"The subscription has reached its limit of {mine} endpoints in this region.")

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
        scoring = f"{self._cloud.base_url}endpoints/{workspace.location.lower()}/{name.lower()}/score"
        identity = asked.get("identity") or {"type": "SystemAssigned"}
        body = {
            "id": f"{workspace.id}/onlineEndpoints/{name}",
            "name": name,
            "type": ENDPOINT_TYPE,
            "location": workspace.location,
            "tags": asked.get("tags") or {},
            "kind": asked.get("kind") or "Managed",
            "identity": {"principalId": str(uuid.uuid5(uuid.NAMESPACE_URL, scoring)), "tenantId": TENANT, **identity},
            "systemData": system_data(principal, before["body"]["systemData"] if before else None),
            "properties": {
                **properties,
                "provisioningState": "Updating" if before else "Creating",
                "scoringUri": scoring,
                "swaggerUri": scoring.removesuffix("score") + "swagger.json",
            },
        }
        keys = {"primaryKey": secrets.token_urlsafe(32), "secondaryKey": secrets.token_urlsafe(32)}
        kept = {"serving": before["serving"], "keys": before["keys"]} if before else {"serving": {}, "keys": keys}
        return {"name": name, "body": body, **kept}


def _checked_properties(asked: dict[str, Any], before: Document | None) -> dict[str, Any]:
    properties = asked.get("properties") or {}
    modes = {mode.lower(): mode for mode in AUTH_MODES}
    mode = modes.get(str(properties.get("authMode", "")).lower())
    if mode is None:
        raise inferencing_error(400, f"authMode must be one of {', '.join(AUTH_MODES)}.")
    if before and mode != before["body"]["properties"]["authMode"]:
        raise inferencing_error(400, "authMode cannot be changed after the endpoint was created.")
    return {
        "authMode": mode,
        "description": properties.get("description"),
        "properties": properties.get("properties") or {},
        "traffic": properties.get("traffic") or {},
        "mirrorTraffic": properties.get("mirrorTraffic") or {},
        "compute": properties.get("compute"),
        "publicNetworkAccess": properties.get("publicNetworkAccess") or "Enabled",
    }


def known_endpoint(store: OnlineStore, workspace: Workspace, name: str) -> Document:
    document = store.endpoint(workspace, name)
    if document is None:
        raise inferencing_error(404, f"Endpoint {name} was not found.")
    return document


def check_idle(document: Document, what: str) -> None:
    """What is being changed cannot be changed again: 409, until the running operation has ended."""
    if is_changing(document):
        state = document["body"]["properties"]["provisioningState"]
        message = f"The {what} is {state}: another operation on it is in progress. Try again after it has completed."
        raise inferencing_error(409, message)


def check_resource_name(name: str, what: str) -> None:
    if not 3 <= len(name) <= 32 or not NAME.match(name):
        message = (
            f"The {what} name {name!r} is invalid: 3 to 32 characters, letters, digits and hyphens, beginning with a letter "
            "and ending with a letter or digit."
        )
        raise inferencing_error(400, message)
