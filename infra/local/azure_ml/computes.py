"""A workspace's computes: clusters that the configuration lists. Nothing runs on them; batch deployments name them."""

from typing import Any

from aiohttp import web

from infra.local.azure_ml.assets import paged
from infra.local.azure_ml.cloud import Cloud, caller_of
from infra.local.azure_ml.config import PROVIDER, Workspace
from infra.local.azure_ml.errors import front_end_error
from infra.local.azure_ml.times import now_iso
from infra.local.azure_ml.workspaces import WORKSPACE_PATH


class Computes:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._created = cloud.state.setting("created", now_iso)

    def routes(self) -> list[web.RouteDef]:
        computes = f"{WORKSPACE_PATH}/computes"
        return [web.get(computes, self._list), web.get(f"{computes}/{{compute}}", self._get)]

    async def _list(self, request: web.Request) -> web.Response:
        workspace = self._readable(request)
        return paged(request, self._cloud.base_url, [self._body(workspace, name) for name in workspace.computes])

    async def _get(self, request: web.Request) -> web.Response:
        workspace, name = self._readable(request), request.match_info["compute"]
        found = workspace.compute(name)
        if found is None:
            message = f"Compute '{name}' was not found in workspace {workspace.name}."
            raise front_end_error(404, message, workspace.location, code="ResourceNotFound")
        return web.json_response(self._body(workspace, found))

    def _readable(self, request: web.Request) -> Workspace:
        workspace = self._cloud.workspace(request)
        caller_of(request).demand(workspace.id, write=False)
        return workspace

    def _body(self, workspace: Workspace, name: str) -> dict[str, Any]:
        cluster = {
            "vmSize": "Standard_DS3_v2",
            "vmPriority": "Dedicated",
            "osType": "Linux",
            "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT2M"},
            "remoteLoginPortPublicAccess": "NotSpecified",
            "allocationState": "Steady",
            "currentNodeCount": 0,
            "targetNodeCount": 0,
            "enableNodePublicIp": True,
        }
        return {
            "id": f"{workspace.id}/computes/{name}",
            "name": name,
            "type": f"{PROVIDER}/workspaces/computes",
            "location": workspace.location,
            "tags": {},
            "properties": {
                "computeType": "AmlCompute",
                "computeLocation": workspace.location,
                "provisioningState": "Succeeded",
                "createdOn": self._created,
                "modifiedOn": self._created,
                "isAttachedCompute": False,
                "disableLocalAuth": False,
                "properties": cluster,
            },
        }
