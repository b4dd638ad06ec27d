"""The workspaces' storage accounts (storage 2023-05-01): one account in Azurite, yet each with network rules of its own."""

from aiohttp import web

from infra.local.azure_ml.cloud import Cloud, caller_of
from infra.local.azure_ml.errors import resource_not_found
from infra.local.resource_manager.requests import GROUP, demand_version

API = "2023-05-01"
TYPE = "Microsoft.Storage/storageAccounts"


class StorageAccounts:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{GROUP}/providers/{TYPE}/{{account}}", self._get)]

    async def _get(self, request: web.Request) -> web.Response:
        demand_version(request, API)
        group, account = request.match_info["group"], request.match_info["account"]
        asked = request.path.rstrip("/").lower()
        workspace = next((each for each in self._cloud.config.workspaces if each.storage_id.lower() == asked), None)
        if workspace is None:
            raise resource_not_found(f"{TYPE}/{account}", group)
        caller_of(request).demand(workspace.storage_id, write=False)
        network = self._cloud.around.now.storage_network(workspace.storage_account).model_dump(by_alias=True)
        return web.json_response(
            {
                "sku": {"name": "Standard_LRS", "tier": "Standard"},
                "kind": "StorageV2",
                "id": workspace.storage_id,
                "name": workspace.storage_account,
                "type": TYPE,
                "location": workspace.location,
                "tags": {},
                "properties": {
                    **network,
                    "allowSharedKeyAccess": False,
                    "primaryEndpoints": {"blob": f"{self._cloud.base_url}blob/{workspace.storage_account}/"},
                    "primaryLocation": workspace.location,
                    "provisioningState": "Succeeded",
                },
            }
        )
