"""The long-running part of changing online endpoints and deployments, and the answers that announce it."""

from typing import Any

from aiohttp import web

from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import PROVIDER, Workspace
from infra.local.azure_ml.faults import operation_failure
from infra.local.azure_ml.online_store import OnlineStore, with_state
from infra.local.azure_ml.operations import Operation, OperationFailed
from infra.local.azure_ml.state import Document

PUT_ENDPOINT, DELETE_ENDPOINT = "put online endpoint", "delete online endpoint"
PUT_DEPLOYMENT, DELETE_DEPLOYMENT = "put online deployment", "delete online deployment"


class OnlineOperations:
    """Begins the operations, and is their work. Their arguments name the workspace, the endpoint and the deployment."""

    def __init__(self, cloud: Cloud, store: OnlineStore) -> None:
        self._cloud = cloud
        self._store = store
        for work in (PUT_ENDPOINT, DELETE_ENDPOINT, PUT_DEPLOYMENT, DELETE_DEPLOYMENT):
            cloud.operations.register(work, self)

    def begin(self, request: web.Request, work: str, arguments: dict[str, Any]) -> Operation:
        seconds = self._cloud.config.seconds
        duration = seconds.deployment if work in (PUT_DEPLOYMENT, DELETE_DEPLOYMENT) else seconds.endpoint
        failure = operation_failure(request, self._cloud.config)
        return self._cloud.operations.begin(work, arguments, duration, failure)

    def put_endpoint(self, request: web.Request, workspace: Workspace, document: Document, status: int) -> web.Response:
        """Write the endpoint as asked for, begin the operation, answer with both."""
        with self._cloud.state.transaction():
            self._store.put_endpoint(workspace, document)
            operation = self.begin(request, PUT_ENDPOINT, {"workspace": workspace.id, "endpoint": document["name"]})
        return web.json_response(document["body"], status=status, headers=self.headers(request, workspace, operation))

    def headers(self, request: web.Request, workspace: Workspace, operation: Operation) -> dict[str, str]:
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
        """A new deployment fetches its model: fails where the bytes are missing, as the service's container would."""
        if operation.work != PUT_DEPLOYMENT:
            return
        model = operation.arguments["model"]
        if model is None:
            return
        folder = self._cloud.uris.locate(model["uri"])
        names = await self._cloud.blobs.names(folder) if folder else []
        if folder is None or not names:
            raise OperationFailed("BadArgument", f"Unable to download user model: no files found at {model['uri']}")
        if model["type"] == "mlflow_model" and f"{folder.path}/MLmodel" not in names:
            raise OperationFailed("BadArgument", f"Unable to load the MLflow model: no MLmodel file in {model['uri']}")

    def settle(self, operation: Operation) -> None:
        workspace = self._cloud.config.workspace(operation.arguments["workspace"])
        endpoint = operation.arguments["endpoint"]
        assert workspace is not None
        if operation.work in (PUT_ENDPOINT, DELETE_ENDPOINT):
            self._settle_endpoint(workspace, endpoint, operation)
        else:
            self._settle_deployment(workspace, endpoint, operation)

    def _settle_endpoint(self, workspace: Workspace, name: str, operation: Operation) -> None:
        document = self._store.endpoint(workspace, name)
        assert document is not None
        if operation.failure:
            self._store.put_endpoint(workspace, with_state(document, "Failed"))
        elif operation.work == DELETE_ENDPOINT:
            self._store.delete_endpoint(workspace, name)
        else:
            serving = document["body"]["properties"]["traffic"]
            self._store.put_endpoint(workspace, with_state({**document, "serving": serving}, "Succeeded"))

    def _settle_deployment(self, workspace: Workspace, endpoint: str, operation: Operation) -> None:
        name = operation.arguments["deployment"]
        document = self._store.deployment(workspace, endpoint, name)
        assert document is not None
        if operation.failure:
            self._store.put_deployment(workspace, endpoint, with_state(document, "Failed"))
        elif operation.work == DELETE_DEPLOYMENT:
            self._store.delete_deployment(workspace, endpoint, name)
            self._forget_traffic(workspace, endpoint, document)
        else:
            serving = operation.arguments["model"]
            self._store.put_deployment(workspace, endpoint, with_state({**document, "serving": serving}, "Succeeded"))

    def _forget_traffic(self, workspace: Workspace, endpoint: str, deployment: Document) -> None:
        document = self._store.endpoint(workspace, endpoint)
        assert document is not None
        document["body"]["properties"]["traffic"].pop(deployment["name"], None)
        document["serving"].pop(deployment["name"], None)
        self._store.put_endpoint(workspace, document)
