"""This part's own calls under `/_control`, beside those that every part has: durations, roles, and a summary of what is there."""

from typing import Any

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from infra.local.azure_ml.asset_kinds import KINDS
from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import Denial, Seconds
from infra.local.azure_ml.endpoint_summary import EndpointSummary
from infra.local.azure_ml.state import Document

# Of one kind or another: what a version is, and where its bytes lie.
DEFINITIONS = ("modelUri", "dataUri", "codeUri", "image", "condaFile", "build", "osType", "componentSpec")
DENIALS = TypeAdapter(list[Denial])


class Inspection:
    def __init__(self, cloud: Cloud, endpoints: EndpointSummary) -> None:
        self._cloud = cloud
        self._endpoints = endpoints

    def routes(self) -> list[web.RouteDef]:
        return [
            web.put("/_control/seconds", self._set_seconds),
            web.get("/_control/seconds", self._get_seconds),
            web.put("/_control/denied", self._set_denied),
            web.get("/_control/state", self._state),
            web.get("/_control/surroundings", self._get_surroundings),
            web.put("/_control/surroundings", self._set_surroundings),
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

    async def _set_denied(self, request: web.Request) -> web.Response:
        """All that is denied from now on; until the next start, which denies what the configuration does."""
        try:
            denied = DENIALS.validate_json(await request.read())
        except ValidationError as wrong:
            raise web.HTTPBadRequest(text=f'not denials, such as [{{"principal": "*", "scope": "<ARM id>"}}]: {wrong}') from wrong
        self._cloud.config.denied[:] = denied  # the guard holds this very list
        return web.json_response(DENIALS.dump_python(denied, mode="json"))

    async def _get_surroundings(self, _request: web.Request) -> web.Response:
        return web.json_response(self._cloud.around.now.model_dump(mode="json", by_alias=True))

    async def _set_surroundings(self, request: web.Request) -> web.Response:
        """The fields that are named; until the next start, as with denials."""
        try:
            self._cloud.around.change(await request.json())
        except (ValidationError, TypeError, ValueError) as wrong:
            raise web.HTTPBadRequest(text=f'not surroundings, such as {{"private_workspaces": []}}: {wrong}') from wrong
        return await self._get_surroundings(request)

    async def _state(self, _request: web.Request) -> web.Response:
        workspaces = {
            workspace.id: {
                **self._assets(workspace.owner),
                "endpoints": self._endpoints.online(workspace),
                "batch_endpoints": self._endpoints.batch(workspace),
            }
            for workspace in self._cloud.config.workspaces
        }
        registries = {registry.name: self._assets(registry.owner) for registry in self._cloud.config.registries}
        running = [
            {"id": operation.id, "work": operation.work, "started": operation.started, "due": operation.due}
            for operation in self._cloud.operations.running()
        ]
        return web.json_response({"workspaces": workspaces, "registries": registries, "operations": running})

    def _assets(self, owner: str) -> dict[str, list[dict[str, Any]]]:
        """By kind, all versions."""
        return {plural: [_summary(version) for version in self._cloud.assets.everything(owner, plural)] for plural in KINDS}


def _summary(document: Document) -> dict[str, Any]:
    """Without what the kinds do not share, but for their definitions and where their bytes lie."""
    properties = document["properties"]
    summary = {
        "name": document["name"],
        "version": document["version"],
        "type": properties.get("modelType") or properties.get("dataType") or properties.get("componentSpec", {}).get("type"),
        "tags": properties["tags"],
        "properties": properties["properties"],
        "isArchived": properties["isArchived"],
        "originAssetId": properties.get("originAssetId"),
        "createdBy": document["systemData"]["createdBy"],
    }
    return summary | {field: properties[field] for field in DEFINITIONS if field in properties}
