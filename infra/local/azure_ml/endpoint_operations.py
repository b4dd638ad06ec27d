"""The long-running part of changing endpoints and deployments of one kind, and the answers that announce it."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import PROVIDER, Workspace
from infra.local.azure_ml.endpoint_store import ONLINE, EndpointStore, with_state
from infra.local.azure_ml.faults import operation_failure
from infra.local.azure_ml.operations import Operation
from infra.local.azure_ml.state import Document

DELETE = "delete"

type Start = Callable[[dict[str, Any]], Awaitable[None]]


async def _nothing(_serving: dict[str, Any]) -> None:
    """A batch deployment runs nothing until a job comes."""


class EndpointOperations:
    """Begins the operations, and is their work. Their arguments name the workspace, the endpoint and the deployment.

    `start` makes what is to serve ready, or raises OperationFailed.
    """

    def __init__(self, cloud: Cloud, store: EndpointStore, start: Start = _nothing) -> None:
        self._cloud = cloud
        self._store = store
        self._start = start
        word = store.kind.word
        self._put_endpoint, self._delete_endpoint = f"put {word} endpoint", f"{DELETE} {word} endpoint"
        self._put_deployment, self._delete_deployment = f"put {word} deployment", f"{DELETE} {word} deployment"
        for work in (self._put_endpoint, self._delete_endpoint, self._put_deployment, self._delete_deployment):
            cloud.operations.register(work, self)

    def put_endpoint(self, request: web.Request, workspace: Workspace, document: Document, status: int) -> web.Response:
        """Write the endpoint as asked for, begin the operation, answer with both."""
        with self._cloud.state.transaction():
            self._store.put_endpoint(workspace, document)
            place = {"workspace": workspace.id, "endpoint": document["name"]}
            operation = self._begin(self._put_endpoint, place, operation_failure(request, self._cloud.config))
        return web.json_response(document["body"], status=status, headers=self._headers(request, workspace, operation))

    def delete_endpoint(self, request: web.Request, workspace: Workspace, document: Document) -> web.Response:
        with self._cloud.state.transaction():
            self._store.put_endpoint(workspace, with_state(document, "Deleting"))
            place = {"workspace": workspace.id, "endpoint": document["name"]}
            operation = self._begin(self._delete_endpoint, place, operation_failure(request, self._cloud.config))
        return web.Response(status=202, headers=self._headers(request, workspace, operation))

    def put_deployment(
        self,
        request: web.Request,
        workspace: Workspace,
        endpoint: str,
        document: Document,
        serving: dict[str, Any],
        failure: dict[str, str] | None,
        status: int,
    ) -> web.Response:
        """As `put_endpoint`; `serving` is what will answer, and `failure` how the operation must end."""
        place = {"workspace": workspace.id, "endpoint": endpoint, "deployment": document["name"]}
        with self._cloud.state.transaction():
            self._store.put_deployment(workspace, endpoint, document)
            operation = self._begin(self._put_deployment, {**place, "serving": serving}, failure)
        return web.json_response(document["body"], status=status, headers=self._headers(request, workspace, operation))

    def delete_deployment(self, request: web.Request, workspace: Workspace, endpoint: str, document: Document) -> web.Response:
        place = {"workspace": workspace.id, "endpoint": endpoint, "deployment": document["name"]}
        with self._cloud.state.transaction():
            self._store.put_deployment(workspace, endpoint, with_state(document, "Deleting"))
            operation = self._begin(self._delete_deployment, place, operation_failure(request, self._cloud.config))
        return web.Response(status=202, headers=self._headers(request, workspace, operation))

    def _begin(self, work: str, arguments: dict[str, Any], failure: dict[str, str] | None) -> Operation:
        seconds = self._cloud.config.seconds
        duration = seconds.deployment if "deployment" in arguments else seconds.endpoint
        return self._cloud.operations.begin(work, arguments, duration, failure)

    def _headers(self, request: web.Request, workspace: Workspace, operation: Operation) -> dict[str, str]:
        api_version = request.query.get("api-version", "2024-10-01")
        base = self._cloud.base_url.rstrip("/")
        place = f"{base}/subscriptions/{workspace.subscription}/providers/{PROVIDER}/locations/{workspace.location}"
        return {
            "Azure-AsyncOperation": f"{place}/mfeOperationsStatus/{operation.id}?api-version={api_version}",
            "Location": f"{place}/mfeOperationResults/{operation.id}?api-version={api_version}",
            "x-ms-async-operation-timeout": "PT1H",
            **self._cloud.retry_after(),
        }

    async def prepare(self, operation: Operation) -> None:
        if operation.work == self._put_deployment:
            await self._start(operation.arguments["serving"])

    def settle(self, operation: Operation) -> None:
        workspace = self._cloud.config.workspace(operation.arguments["workspace"])
        endpoint = operation.arguments["endpoint"]
        assert workspace is not None
        if operation.work in (self._put_endpoint, self._delete_endpoint):
            self._settle_endpoint(workspace, endpoint, operation)
        else:
            self._settle_deployment(workspace, endpoint, operation)

    def _settle_endpoint(self, workspace: Workspace, name: str, operation: Operation) -> None:
        document = self._store.endpoint(workspace, name)
        assert document is not None
        if operation.failure:
            self._store.put_endpoint(workspace, with_state(document, "Failed"))
        elif operation.work == self._delete_endpoint:
            self._store.delete_endpoint(workspace, name)
        else:
            serving = document["body"]["properties"][self._store.kind.routing]
            self._store.put_endpoint(workspace, with_state({**document, "serving": serving}, "Succeeded"))

    def _settle_deployment(self, workspace: Workspace, endpoint: str, operation: Operation) -> None:
        name = operation.arguments["deployment"]
        document = self._store.deployment(workspace, endpoint, name)
        assert document is not None
        if operation.failure:
            self._store.put_deployment(workspace, endpoint, with_state(document, "Failed"))
        elif operation.work == self._delete_deployment:
            self._store.delete_deployment(workspace, endpoint, name)
            self._forget_traffic(workspace, endpoint, document)
        else:
            serving, cores = operation.arguments["serving"], document["wanted_cores"]
            self._store.put_deployment(
                workspace, endpoint, with_state({**document, "serving": serving, "cores": cores}, "Succeeded")
            )

    def _forget_traffic(self, workspace: Workspace, endpoint: str, deployment: Document) -> None:
        document = self._store.endpoint(workspace, endpoint)
        assert document is not None
        if self._store.kind is ONLINE:
            document["body"]["properties"]["traffic"].pop(deployment["name"], None)
            document["serving"].pop(deployment["name"], None)
            self._store.put_endpoint(workspace, document)
