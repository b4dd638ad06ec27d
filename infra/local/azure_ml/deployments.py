"""Deployments of endpoints of either kind. What is particular to a kind is in its rules."""

from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from infra.local.azure_ml.access import Caller
from infra.local.azure_ml.assets import paged
from infra.local.azure_ml.cloud import Cloud, asked_of, caller_of
from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.endpoint_checks import (
    OUT_OF_QUOTA,
    RegionLimits,
    check_idle,
    check_resource_name,
    known_endpoint,
)
from infra.local.azure_ml.endpoint_operations import EndpointOperations
from infra.local.azure_ml.endpoint_store import EndpointStore, provisioning_state, with_state
from infra.local.azure_ml.endpoints import endpoint_path
from infra.local.azure_ml.faults import operation_failure
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.times import system_data


@dataclass(frozen=True, slots=True)
class Accepted:
    """A deployment that may run: what will answer (JSON), and the cores it takes of the region's quota."""

    serving: dict[str, Any]
    cores: int = 0


class DeploymentRules(Protocol):
    """What only online or only batch deployments have."""

    @property
    def defaults(self) -> dict[str, Any]:
        """Properties that Azure fills in."""

    @property
    def sku(self) -> dict[str, Any] | None:
        """Likewise; None where the kind has none."""

    def accept(self, workspace: Workspace, caller: Caller, body: dict[str, Any]) -> Accepted:
        """Raises AzureError 400, 403 or 404 unless it can run."""

    def check_unused(self, workspace: Workspace, endpoint: Document, deployment: str) -> None:
        """Raises AzureError 400 for one that must not be deleted."""


class Deployments:
    def __init__(
        self, cloud: Cloud, store: EndpointStore, limits: RegionLimits, operations: EndpointOperations, rules: DeploymentRules
    ) -> None:
        self._cloud = cloud
        self._store = store
        self._limits = limits
        self._operations = operations
        self._rules = rules

    def routes(self) -> list[web.RouteDef]:
        deployments = f"{endpoint_path(self._store.kind)}/deployments"
        path = f"{deployments}/{{deployment}}"
        return [
            web.get(deployments, self._list),
            web.get(path, self._get),
            web.put(path, self._put),
            web.patch(path, self._patch),
            web.delete(path, self._delete),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        workspace, endpoint = self._of_endpoint(request, write=False)
        bodies = [document["body"] for document in self._store.deployments(workspace, endpoint["name"])]
        return paged(request, self._cloud.base_url, bodies)

    async def _get(self, request: web.Request) -> web.Response:
        _workspace, _endpoint, document = self._known(request, write=False)
        return web.json_response(document["body"])

    async def _put(self, request: web.Request) -> web.Response:
        name, asked, kind = request.match_info["deployment"], await asked_of(request), self._store.kind
        workspace, endpoint = self._of_endpoint(request, write=True)
        before = self._store.deployment(workspace, endpoint["name"], name)
        if before is None:
            check_resource_name(kind, workspace, name, "deployment")
            self._limits.check_new_deployment(kind, workspace, self._store.deployments(workspace, endpoint["name"]))
        else:
            check_idle(kind, workspace, before, f"deployment {name}")
            name = before["name"]
        body = self._body(workspace, endpoint, name, asked, before, caller_of(request).principal)
        document = {**before, "body": body} if before else {"name": name, "body": body, "serving": None, "cores": 0}
        return self._begin_put(request, workspace, endpoint, before, document, status=200 if before else 201)

    async def _patch(self, request: web.Request) -> web.Response:
        """Tags, sku (the number of instances) and description are all that PATCH changes."""
        asked = await asked_of(request)
        workspace, endpoint, document = self._known(request, write=True)
        check_idle(self._store.kind, workspace, document, f"deployment {document['name']}")
        body, properties = document["body"], asked.get("properties") or {}
        changed = {**body, "tags": asked.get("tags", body["tags"])}
        if body["sku"]:
            changed["sku"] = {**body["sku"], **(asked.get("sku") or {})}
        if "description" in properties:
            changed["properties"] = {**body["properties"], "description": properties["description"]}
        changed_document = with_state({**document, "body": changed}, "Updating")
        return self._begin_put(request, workspace, endpoint, document, changed_document, status=202)

    async def _delete(self, request: web.Request) -> web.Response:
        workspace, endpoint = self._of_endpoint(request, write=True)
        name = request.match_info["deployment"]
        document = self._store.deployment(workspace, endpoint["name"], name)
        if document is None:
            return web.Response(status=204)
        check_idle(self._store.kind, workspace, document, f"deployment {name}")
        self._rules.check_unused(workspace, endpoint, document["name"])
        return self._operations.delete_deployment(request, workspace, endpoint["name"], document)

    def _begin_put(
        self,
        request: web.Request,
        workspace: Workspace,
        endpoint: Document,
        before: Document | None,
        document: Document,
        status: int,
    ) -> web.Response:
        """The cores are taken at once, and those of an update's old instances given back when it has succeeded."""
        body = document["body"]
        accepted = self._rules.accept(workspace, caller_of(request), body)
        instance_type = str(body["properties"].get("instanceType"))
        shortage = self._limits.core_shortage(workspace, instance_type, accepted.cores, before)
        failure = operation_failure(request, self._cloud.config) or shortage
        held = before.get("cores", 0) if before else 0
        if not failure or failure["code"] != OUT_OF_QUOTA:
            held = max(held, accepted.cores)
        document = {**document, "cores": held, "wanted_cores": accepted.cores}
        serving = {**accepted.serving, "deployment": body["id"]}
        return self._operations.put_deployment(request, workspace, endpoint["name"], document, serving, failure, status)

    def _of_endpoint(self, request: web.Request, *, write: bool) -> tuple[Workspace, Document]:
        workspace = self._cloud.workspace(request)
        caller_of(request).demand(workspace.id, write=write)
        endpoint = known_endpoint(self._store, workspace, request.match_info["endpoint"])
        if write and provisioning_state(endpoint) in ("Creating", "Deleting"):
            check_idle(self._store.kind, workspace, endpoint, f"endpoint {endpoint['name']}")
        return workspace, endpoint

    def _known(self, request: web.Request, *, write: bool) -> tuple[Workspace, Document, Document]:
        workspace, endpoint = self._of_endpoint(request, write=write)
        name = request.match_info["deployment"]
        document = self._store.deployment(workspace, endpoint["name"], name)
        if document is None:
            raise self._store.kind.refusal(404, f"Deployment {name} was not found.", workspace)
        return workspace, endpoint, document

    def _body(
        self,
        workspace: Workspace,
        endpoint: Document,
        name: str,
        asked: dict[str, Any],
        before: Document | None,
        principal: str,
    ) -> dict[str, Any]:
        properties = {
            **self._rules.defaults,
            **{key: value for key, value in (asked.get("properties") or {}).items() if value is not None},
            "provisioningState": "Updating" if before else "Creating",
        }
        return {
            "id": f"{endpoint['body']['id']}/deployments/{name}",
            "name": name,
            "type": f"{self._store.kind.type}/deployments",
            "location": workspace.location,
            "tags": asked.get("tags") or {},
            "kind": "Managed",
            "sku": {**self._rules.sku, **(asked.get("sku") or {})} if self._rules.sku else None,
            "identity": asked.get("identity"),
            "systemData": system_data(principal, before["body"]["systemData"] if before else None),
            "properties": properties,
        }
