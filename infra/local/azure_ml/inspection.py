"""This part's own calls under `/_control`, beside those that every part has: durations, and a summary of what is there."""

from typing import Any

from aiohttp import web
from pydantic import ValidationError

from infra.local.azure_ml.assets import MODELS
from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import Seconds, Workspace
from infra.local.azure_ml.online_store import OnlineStore
from infra.local.azure_ml.state import Document


class Inspection:
    def __init__(self, cloud: Cloud, store: OnlineStore) -> None:
        self._cloud = cloud
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        return [
            web.put("/_control/seconds", self._set_seconds),
            web.get("/_control/seconds", self._get_seconds),
            web.get("/_control/state", self._state),
        ]

    async def _set_seconds(self, request: web.Request) -> web.Response:
        """For operations that begin from now on; those that run keep the end they have."""
        seconds = self._cloud.config.seconds
        try:
            changed = Seconds.model_validate({**seconds.model_dump(by_alias=True), **await request.json()})
        except (ValidationError, TypeError, ValueError) as wrong:
            raise web.HTTPBadRequest(text=f'not durations, such as {{"import": 90, "deployment": 2}}: {wrong}') from wrong
        for name in Seconds.model_fields:
            setattr(seconds, name, getattr(changed, name))
        return await self._get_seconds(request)

    async def _get_seconds(self, _request: web.Request) -> web.Response:
        return web.json_response(self._cloud.config.seconds.model_dump(by_alias=True))

    async def _state(self, _request: web.Request) -> web.Response:
        workspaces = {
            workspace.id: {"models": self._models(workspace.owner), "endpoints": self._endpoints(workspace)}
            for workspace in self._cloud.config.workspaces
        }
        registries = {registry.name: {"models": self._models(registry.owner)} for registry in self._cloud.config.registries}
        running = [
            {"id": operation.id, "work": operation.work, "started": operation.started, "due": operation.due}
            for operation in self._cloud.operations.running()
        ]
        return web.json_response({"workspaces": workspaces, "registries": registries, "operations": running})

    def _models(self, owner: str) -> list[dict[str, Any]]:
        return [
            _model_summary(version)
            for container in self._cloud.assets.containers(owner, MODELS)
            for version in self._cloud.assets.versions(owner, MODELS, container["name"])
        ]

    def _endpoints(self, workspace: Workspace) -> list[dict[str, Any]]:
        return [
            {
                "name": endpoint["name"],
                "state": endpoint["body"]["properties"]["provisioningState"],
                "traffic": endpoint["serving"],
                "scoringUri": endpoint["body"]["properties"]["scoringUri"],
                "deployments": [_deployment_summary(document) for document in self._store.deployments(workspace, endpoint["name"])],
            }
            for endpoint in self._store.endpoints(workspace)
        ]


def _model_summary(document: Document) -> dict[str, Any]:
    properties = document["properties"]
    return {
        "name": document["name"],
        "version": document["version"],
        "type": properties["modelType"],
        "tags": properties["tags"],
        "isArchived": properties["isArchived"],
        "modelUri": properties["modelUri"],
        "originAssetId": properties.get("originAssetId"),
        "createdBy": document["systemData"]["createdBy"],
    }


def _deployment_summary(document: Document) -> dict[str, Any]:
    body = document["body"]
    return {
        "name": document["name"],
        "state": body["properties"]["provisioningState"],
        "model": body["properties"].get("model"),
        "instanceType": body["properties"].get("instanceType"),
        "instanceCount": body["sku"]["capacity"],
        "tags": body["tags"],
    }
