"""Deployments of online endpoints."""

from typing import Any

from aiohttp import web

from infra.local.azure_ml.assets import paged
from infra.local.azure_ml.cloud import Cloud, asked_of, caller_of
from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.deployment_rules import DeploymentRules
from infra.local.azure_ml.endpoints import ENDPOINT_PATH, check_idle, check_resource_name, known_endpoint
from infra.local.azure_ml.errors import inferencing_error
from infra.local.azure_ml.online_operations import DELETE_DEPLOYMENT, PUT_DEPLOYMENT, OnlineOperations
from infra.local.azure_ml.online_store import ENDPOINT_TYPE, OnlineStore, provisioning_state, with_state
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.times import system_data
from infra.local.azure_ml.traffic import takes_traffic

DEPLOYMENT_PATH = f"{ENDPOINT_PATH}/deployments/{{deployment}}"
DEFAULT_SKU = {"name": "Default", "tier": None, "size": None, "family": None, "capacity": 1}


class Deployments:
    def __init__(self, cloud: Cloud, store: OnlineStore, operations: OnlineOperations) -> None:
        self._cloud = cloud
        self._store = store
        self._operations = operations

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{ENDPOINT_PATH}/deployments", self._list),
            web.get(DEPLOYMENT_PATH, self._get),
            web.put(DEPLOYMENT_PATH, self._put),
            web.patch(DEPLOYMENT_PATH, self._patch),
            web.delete(DEPLOYMENT_PATH, self._delete),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        workspace, endpoint = self._of_endpoint(request, write=False)
        bodies = [document["body"] for document in self._store.deployments(workspace, endpoint["name"])]
        return paged(request, self._cloud.base_url, bodies)

    async def _get(self, request: web.Request) -> web.Response:
        _workspace, _endpoint, document = self._known(request, write=False)
        return web.json_response(document["body"])

    async def _put(self, request: web.Request) -> web.Response:
        name, asked = request.match_info["deployment"], await asked_of(request)
        workspace, endpoint = self._of_endpoint(request, write=True)
        if provisioning_state(endpoint) in ("Creating", "Deleting"):
            check_idle(endpoint, f"endpoint {endpoint['name']}")
        before = self._store.deployment(workspace, endpoint["name"], name)
        if before is None:
            check_resource_name(name, "deployment")
            self._check_room(workspace, endpoint)
        else:
            check_idle(before, f"deployment {name}")
        model = DeploymentRules(self._cloud, workspace, caller_of(request)).check(asked)
        body = _body(workspace, endpoint, name, asked, before, caller_of(request).principal)
        document = {"name": name, "body": body, "serving": before["serving"] if before else None}
        return self._begin_put(request, workspace, endpoint, document, model, status=200 if before else 201)

    async def _patch(self, request: web.Request) -> web.Response:
        """Tags and sku (the number of instances) are all that PATCH changes."""
        asked = await asked_of(request)
        workspace, endpoint, document = self._known(request, write=True)
        check_idle(document, f"deployment {document['name']}")
        body = document["body"]
        changed = {**body, "tags": asked.get("tags", body["tags"]), "sku": {**body["sku"], **(asked.get("sku") or {})}}
        model = DeploymentRules(self._cloud, workspace, caller_of(request)).check(changed)
        document = with_state({**document, "body": changed}, "Updating")
        return self._begin_put(request, workspace, endpoint, document, model, status=202)

    async def _delete(self, request: web.Request) -> web.Response:
        workspace, endpoint = self._of_endpoint(request, write=True)
        name = request.match_info["deployment"]
        document = self._store.deployment(workspace, endpoint["name"], name)
        if document is None:
            return web.Response(status=204)
        check_idle(document, f"deployment {name}")
        if takes_traffic(endpoint, document["name"]):
            raise inferencing_error(400, f"Deployment {name} takes traffic: set its traffic to 0 before deleting it.")
        with self._cloud.state.transaction():
            self._store.put_deployment(workspace, endpoint["name"], with_state(document, "Deleting"))
            arguments = {"workspace": workspace.id, "endpoint": endpoint["name"], "deployment": document["name"]}
            operation = self._operations.begin(request, DELETE_DEPLOYMENT, arguments)
        return web.Response(status=202, headers=self._operations.headers(request, workspace, operation))

    def _begin_put(
        self,
        request: web.Request,
        workspace: Workspace,
        endpoint: Document,
        document: Document,
        model: dict[str, str] | None,
        status: int,
    ) -> web.Response:
        place = {"workspace": workspace.id, "endpoint": endpoint["name"], "deployment": document["name"]}
        with self._cloud.state.transaction():
            self._store.put_deployment(workspace, endpoint["name"], document)
            operation = self._operations.begin(request, PUT_DEPLOYMENT, {**place, "model": model})
        headers = self._operations.headers(request, workspace, operation)
        return web.json_response(document["body"], status=status, headers=headers)

    def _check_room(self, workspace: Workspace, endpoint: Document) -> None:
        limits = self._cloud.config.limits
        if len(self._store.deployments(workspace, endpoint["name"])) >= limits.deployments_per_endpoint:
            message = f"An endpoint can have at most {limits.deployments_per_endpoint} deployments."
            raise inferencing_error(400, message)
        count = sum(
            len(self._store.deployments(owner, document["name"]))
            for owner, document in self._store.in_region(workspace.location)
            if owner.subscription.lower() == workspace.subscription.lower()
        )
        if count >= limits.deployments:
            raise inferencing_error(400, f"The subscription has reached its limit of {count} deployments in this region.")

    def _of_endpoint(self, request: web.Request, *, write: bool) -> tuple[Workspace, Document]:
        workspace = self._cloud.workspace(request)
        caller_of(request).demand(workspace.id, write=write)
        return workspace, known_endpoint(self._store, workspace, request.match_info["endpoint"])

    def _known(self, request: web.Request, *, write: bool) -> tuple[Workspace, Document, Document]:
        workspace, endpoint = self._of_endpoint(request, write=write)
        name = request.match_info["deployment"]
        document = self._store.deployment(workspace, endpoint["name"], name)
        if document is None:
            raise inferencing_error(404, f"Deployment {name} was not found.")
        return workspace, endpoint, document


def _body(
    workspace: Workspace,
    endpoint: Document,
    name: str,
    asked: dict[str, Any],
    before: Document | None,
    principal: str,
) -> dict[str, Any]:
    properties = {
        "scaleSettings": {"scaleType": "Default"},  # the SDK cannot read a deployment without
        "egressPublicNetworkAccess": "Enabled",
        "endpointComputeType": "Managed",
        "environmentVariables": {},
        "properties": {},
        **{key: value for key, value in (asked.get("properties") or {}).items() if value is not None},
        "provisioningState": "Updating" if before else "Creating",
    }
    return {
        "id": f"{endpoint['body']['id']}/deployments/{name}",
        "name": name,
        "type": f"{ENDPOINT_TYPE}/deployments",
        "location": workspace.location,
        "tags": asked.get("tags") or {},
        "kind": "Managed",
        "sku": {**DEFAULT_SKU, **(asked.get("sku") or {})},
        "identity": asked.get("identity"),
        "systemData": system_data(principal, before["body"]["systemData"] if before else None),
        "properties": properties,
    }
