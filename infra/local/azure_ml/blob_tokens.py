"""Reading blobs by identity: a bearer token for storage is exchanged for a SAS, since this Azurite takes no tokens.

In Azure it takes the role Storage Blob Data Reader; here who has no role stands in the configuration's `denied`.
"""

from aiohttp import web

from infra.local.azure_ml.access import caller
from infra.local.azure_ml.blobs import Blobs
from infra.local.azure_ml.config import CloudConfig
from infra.local.azure_ml.errors import AzureError
from infra.local.azure_ml.identity import Identity

AUDIENCES = frozenset({"https://storage.azure.com"})
READING = ("GET", "HEAD")


class BlobTokens:
    def __init__(self, config: CloudConfig, identity: Identity, blobs: Blobs) -> None:
        self._config = config
        self._identity = identity
        self._blobs = blobs

    def exchanged(self, request: web.Request) -> str:
        """Path and query to ask the storage for. Raises AzureError 401 or 403; writing by identity is not served."""
        asked = request.rel_url.raw_path_qs
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return asked
        principal, container = self._identity.principal(request, AUDIENCES), request.match_info["container"]
        account = request.match_info.get("account", "").partition(".")[0]
        workspace = next((each for each in self._config.workspaces if each.storage_account == account), None)
        if workspace is None or request.method not in READING:
            raise AzureError(403, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation.")
        scope = f"{workspace.storage_id}/blobServices/default/containers/{container}"
        try:
            caller(principal, self._config.denied, request.path).demand(scope, write=False)
        except AzureError as denied:
            raise AzureError(403, "AuthorizationPermissionMismatch", denied.message) from denied
        return f"{asked}{'&' if '?' in asked else '?'}{self._blobs.sas(container, 'rl')}"
