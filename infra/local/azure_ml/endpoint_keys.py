"""What opens an online endpoint to its callers: two keys, or short-lived tokens."""

import secrets

from aiohttp import web

from infra.local.azure_ml.cloud import Cloud, asked_of, caller_of
from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.endpoint_checks import check_idle, known_endpoint
from infra.local.azure_ml.endpoint_operations import EndpointOperations
from infra.local.azure_ml.endpoint_store import ONLINE, EndpointStore, with_state
from infra.local.azure_ml.endpoints import endpoint_path
from infra.local.azure_ml.errors import inferencing_error
from infra.local.azure_ml.identity import Identity
from infra.local.azure_ml.state import Document

KEYS = {"primary": "primaryKey", "secondary": "secondaryKey"}
SECONDS_BEFORE_EXPIRY = 300


class EndpointKeys:
    def __init__(self, cloud: Cloud, store: EndpointStore, operations: EndpointOperations, identity: Identity) -> None:
        self._cloud = cloud
        self._store = store
        self._operations = operations
        self._identity = identity

    def routes(self) -> list[web.RouteDef]:
        path = endpoint_path(ONLINE)
        return [
            web.post(f"{path}/listKeys", self._list),
            web.post(f"{path}/regenerateKeys", self._regenerate),
            web.post(f"{path}/token", self._token),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        _workspace, document = self._of_mode(request, "Key")
        return web.json_response(document["keys"])

    async def _regenerate(self, request: web.Request) -> web.Response:
        asked = await asked_of(request)
        workspace, document = self._of_mode(request, "Key")
        check_idle(ONLINE, workspace, document, f"endpoint {document['name']}")
        which = KEYS.get(str(asked.get("keyType", "")).lower())
        if which is None:
            raise inferencing_error(400, "keyType must be Primary or Secondary.")
        # The SDK sends the present key as `keyValue`; whoever wants a key of their own sends another.
        value = asked.get("keyValue")
        fresh = value if value and value not in document["keys"].values() else secrets.token_urlsafe(32)
        changed = with_state({**document, "keys": {**document["keys"], which: fresh}}, "Updating")
        return self._operations.put_endpoint(request, workspace, changed, status=202)

    async def _token(self, request: web.Request) -> web.Response:
        _workspace, document = self._of_mode(request, "AMLToken")
        audience = document["body"]["properties"]["scoringUri"]
        token, expires = self._identity.token(caller_of(request).principal, audience)
        times = {"expiryTimeUtc": expires, "refreshAfterTimeUtc": expires - SECONDS_BEFORE_EXPIRY}
        return web.json_response({"accessToken": token, "tokenType": "Bearer", **times})

    def _of_mode(self, request: web.Request, mode: str) -> tuple[Workspace, Document]:
        workspace = self._cloud.workspace(request)
        caller_of(request).demand(workspace.id, write=True)
        document = known_endpoint(self._store, workspace, request.match_info["endpoint"])
        if document["body"]["properties"]["authMode"] != mode:
            raise inferencing_error(400, f"This call is for endpoints whose authMode is {mode}.")
        return workspace, document
