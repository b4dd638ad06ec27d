"""The workspace itself and its default datastore, through which the SDK uploads."""

from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from infra.local.azure_ml.asset_uris import DEFAULT_DATASTORE
from infra.local.azure_ml.blobs import ACCOUNT
from infra.local.azure_ml.cloud import Cloud, caller_of
from infra.local.azure_ml.config import PROVIDER, Workspace
from infra.local.azure_ml.errors import front_end_error
from infra.local.azure_ml.times import now_iso
from infra.local.resource_manager.surroundings import ENTRA_TENANT

# ARM writes `resourceGroups`; some clients write `resourcegroups`, and both are right.
GROUP_PATH = r"/subscriptions/{subscription}/{_groups:(?i:resourceGroups)}/{group}/providers/" + PROVIDER
WORKSPACE_PATH = GROUP_PATH + "/workspaces/{workspace}"


class Workspaces:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        created = cloud.state.setting("created", now_iso)
        self._created = {"createdAt": created, "createdBy": "local cloud", "createdByType": "Application"}
        self._created |= {name.replace("created", "lastModified"): value for name, value in self._created.items()}

    def routes(self) -> list[web.RouteDef]:
        stores = f"{WORKSPACE_PATH}/datastores"
        return [
            web.get(WORKSPACE_PATH, self._get),
            web.get(stores, self._list_datastores),
            web.get(f"{stores}/{{datastore}}", self._get_datastore),
            web.post(f"{stores}/{{datastore}}/listSecrets", self._list_secrets),
        ]

    async def _get(self, request: web.Request) -> web.Response:
        workspace = self._cloud.workspace(request)
        caller_of(request).demand(workspace.id, write=False)
        return web.json_response(self.body(workspace))

    def body(self, workspace: Workspace) -> dict[str, Any]:
        """As GET shows it."""
        access = "Disabled" if self._cloud.around.now.is_private(workspace.id) else "Enabled"
        return _workspace_body(workspace, self._cloud.base_url, self._created, access)

    async def _list_datastores(self, request: web.Request) -> web.Response:
        workspace = self._cloud.workspace(request)
        caller_of(request).demand(workspace.id, write=False)
        return web.json_response({"value": [self._datastore(workspace)], "nextLink": None})

    async def _get_datastore(self, request: web.Request) -> web.Response:
        workspace = self._known_datastore(request)
        caller_of(request).demand(workspace.id, write=False)
        return web.json_response(self._datastore(workspace))

    async def _list_secrets(self, request: web.Request) -> web.Response:
        workspace = self._known_datastore(request)
        caller_of(request).demand(workspace.id, write=True)
        await self._cloud.blobs.ensure(workspace.container)
        token = self._cloud.blobs.sas(workspace.container, "rcwl")
        return web.json_response({"secretsType": "Sas", "sasToken": token})

    def _known_datastore(self, request: web.Request) -> Workspace:
        workspace, name = self._cloud.workspace(request), request.match_info["datastore"]
        if name.lower() != DEFAULT_DATASTORE:
            raise front_end_error(404, f"Could not find datastore: {name}", workspace.location)
        return workspace

    def _datastore(self, workspace: Workspace) -> dict[str, Any]:
        return {
            "id": f"{workspace.id}/datastores/{DEFAULT_DATASTORE}",
            "name": DEFAULT_DATASTORE,
            "type": f"{PROVIDER}/workspaces/datastores",
            "properties": {
                "description": None,
                "tags": None,
                "properties": None,
                "isDefault": True,
                "credentials": {"credentialsType": "Sas"},
                "datastoreType": "AzureBlob",
                # The SDK forms https://{accountName}.blob.{endpoint}: this makes it an address here (see blob_proxy.py).
                "accountName": f"{urlsplit(self._cloud.base_url).netloc}/blob/{ACCOUNT}",
                "containerName": workspace.container,
                "endpoint": "core.local",
                "protocol": "https",
                "serviceDataAccessAuthIdentity": "WorkspaceSystemAssignedIdentity",
            },
            "systemData": self._created,
        }


def _workspace_body(workspace: Workspace, base_url: str, created: dict[str, str], public_access: str) -> dict[str, Any]:
    vaults = f"/subscriptions/{workspace.subscription}/resourceGroups/{workspace.resource_group}/providers"
    return {
        "id": workspace.id,
        "name": workspace.name,
        "type": f"{PROVIDER}/workspaces",
        "location": workspace.location,
        "tags": {},
        "etag": None,
        "kind": "Default",
        "identity": {"type": "SystemAssigned", "principalId": workspace.guid, "tenantId": ENTRA_TENANT},
        "sku": {"name": "Basic", "tier": "Basic"},
        "systemData": created,
        "properties": {
            "friendlyName": workspace.name,
            "description": "",
            "storageAccount": workspace.storage_id,
            "keyVault": f"{vaults}/Microsoft.KeyVault/vaults/local",
            "applicationInsights": f"{vaults}/Microsoft.Insights/components/local",
            "containerRegistry": None,
            "hbiWorkspace": False,
            "tenantId": ENTRA_TENANT,
            "provisioningState": "Succeeded",
            "workspaceId": workspace.guid,
            "publicNetworkAccess": public_access,
            "discoveryUrl": f"{base_url}discovery",
            "mlFlowTrackingUri": f"azureml://{urlsplit(base_url).netloc}/mlflow/v1.0{workspace.id}",
        },
    }
