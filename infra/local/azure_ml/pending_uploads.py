"""Where the SDK uploads code to before it registers it: a container for each upload, as the real service makes one."""

import uuid

from aiohttp import web

from infra.local.azure_ml.asset_uris import pending_prefix
from infra.local.azure_ml.assets import check_name
from infra.local.azure_ml.cloud import Cloud, caller_of
from infra.local.azure_ml.workspaces import WORKSPACE_PATH


class PendingUploads:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        return [web.post(f"{WORKSPACE_PATH}/codes/{{name}}/versions/{{version}}/startPendingUpload", self._start)]

    async def _start(self, request: web.Request) -> web.Response:
        workspace = self._cloud.workspace(request)
        caller_of(request).demand(workspace.id, write=True)
        check_name(request.match_info["name"], request.match_info["version"], workspace.location)
        container = f"{pending_prefix(workspace)}{uuid.uuid4()}"
        await self._cloud.blobs.ensure(container)
        address = f"{self._cloud.base_url}{container}"
        body = {
            "pendingUploadId": str(uuid.uuid4()),
            "pendingUploadType": "TemporaryBlobReference",
            "blobReferenceForConsumption": {
                "blobUri": address,
                "storageAccountArmId": workspace.storage_id,
                "credential": {"credentialType": "SAS", "sasUri": f"{address}?{self._cloud.blobs.sas(container, 'rcwl')}"},
            },
        }
        return web.json_response(body)
