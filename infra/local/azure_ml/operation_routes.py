"""Where the SDK looks how an operation on an endpoint or deployment goes (`Azure-AsyncOperation`, `Location`)."""

import time
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import PROVIDER
from infra.local.azure_ml.endpoint_operations import DELETE
from infra.local.azure_ml.operations import RUNNING, Operation

LOCATION_PATH = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}"


class OperationRoutes:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{LOCATION_PATH}/mfeOperationsStatus/{{operation}}", self._status),
            web.get(f"{LOCATION_PATH}/mfeOperationResults/{{operation}}", self._result),
        ]

    async def _status(self, request: web.Request) -> web.Response:
        operation = self._cloud.operations.get(request.match_info["operation"])
        headers = self._cloud.retry_after() if operation.status == RUNNING else {}
        return web.json_response(_status_body(request.path, operation), headers=headers)

    async def _result(self, request: web.Request) -> web.Response:
        operation = self._cloud.operations.get(request.match_info["operation"])
        if operation.status == RUNNING:
            return web.Response(status=202, headers={"Location": str(request.url), **self._cloud.retry_after()})
        return web.Response(status=204)


def _status_body(path: str, operation: Operation) -> dict[str, Any]:
    body: dict[str, Any] = {"id": path, "name": operation.id, "startTime": _iso(operation.started)}
    if operation.status == RUNNING:
        deleting = operation.work.startswith(DELETE)
        whole = operation.due - operation.started
        done = min(1.0, (time.time() - operation.started) / whole) if whole else 1.0
        return {**body, "status": "Deleting" if deleting else "Updating", "percentComplete": round(done * 100, 1)}
    body |= {"status": operation.status, "endTime": _iso(operation.ended or operation.due)}
    if operation.failure:
        return {**body, "error": {"code": operation.failure["code"], "message": operation.failure["message"]}}
    return {**body, "percentComplete": 100.0}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
