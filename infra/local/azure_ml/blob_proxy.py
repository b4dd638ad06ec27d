"""The SDK's way to the blobs: a streaming reverse proxy from this server's TLS port to Azurite.

The SDK forms `https://{account}.blob.{endpoint}/…`, which resolves nowhere locally. A datastore whose account name is
`localhost:PORT/blob/<account>` yields `https://localhost:PORT/blob/<account>.blob.core.local/<container>/…`, and a registry's
blob URL must look like `https://host/<container>/<path>`. Both are led to `<account>/<container>/…` in Azurite, which checks
the SAS in the query; the query is handed on as it came, since it is signed.

In Azure every workspace and registry has a storage account of its own, here all share one. So a copy from one address of this
server to another is held to what it needs there: a SAS in the source's query, which Azurite would not ask for.
"""

from aiohttp import ClientConnectionError, ClientResponse, ClientSession, ClientTimeout, web
from yarl import URL

from infra.local.azure_ml.blob_tokens import BlobTokens
from infra.local.azure_ml.blobs import Blobs

# All containers here end in a GUID, so that no other route can be taken for one.
CONTAINER_WITH_GUID = r"[a-z0-9-]+-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "expect"}
NOT_FORWARDED = HOP_BY_HOP | {"authorization"}  # a SAS stands in its place
COPY_SOURCE = "x-ms-copy-source"
BLOB_TYPE, SYNCHRONOUS = "x-ms-blob-type", "x-ms-requires-sync"
CANNOT_VERIFY = "CannotVerifyCopySource"
CHUNK = 256 * 1024


class BlobProxy:
    def __init__(self, blobs: Blobs, base_url: str, tokens: BlobTokens) -> None:
        self._blobs = blobs
        self._base_url = base_url
        self._tokens = tokens
        self._session: ClientSession | None = None

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", r"/blob/{account}/{container}{path:(/.*)?}", self._forward),
            web.route("*", f"/{{container:{CONTAINER_WITH_GUID}}}{{path:(/.*)?}}", self._forward),
        ]

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        url = URL(self._in_storage(self._tokens.exchanged(request)), encoded=True)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in NOT_FORWARDED}
        body = request.content if request.body_exists else None
        put_from_url = False
        try:
            source = request.headers.get(COPY_SOURCE, "")
            if source.startswith(self._base_url):  # a copy inside the storage: Azurite knows its blobs by its own addresses only
                headers = {name: value for name, value in headers.items() if name.lower() != COPY_SOURCE}
                headers[COPY_SOURCE] = self._in_storage(f"/{source.removeprefix(self._base_url)}")
                if refusal := await self._refused_source(headers[COPY_SOURCE]):
                    return refusal
                put_from_url = _as_synchronous_copy(headers)
            async with self._client().request(request.method, url, headers=headers, data=body, allow_redirects=False) as answer:
                return await _relay(request, answer, 201 if put_from_url and answer.ok else answer.status)
        except ClientConnectionError as unreachable:
            raise web.HTTPServiceUnavailable(text=f"the blob storage does not answer: {unreachable}") from unreachable

    async def _refused_source(self, source: str) -> web.Response | None:
        """What Azure answers where a copy's source cannot be read by the address that was given."""
        async with self._client().head(URL(source, encoded=True)) as answer:
            if answer.ok:
                return None
            error = f"<Error><Code>{CANNOT_VERIFY}</Code><Message>{answer.reason}</Message></Error>"
            headers = {"x-ms-error-code": CANNOT_VERIFY}
            return web.Response(
                status=answer.status,
                text=f"<?xml version='1.0' encoding='utf-8'?>{error}",
                content_type="application/xml",
                headers=headers,
            )

    def _in_storage(self, path_and_query: str) -> str:
        """The address in Azurite of what is served here at this path."""
        if path_and_query.startswith("/blob/"):
            path_and_query = "/" + path_and_query.split("/", 3)[3]
        return f"{self._blobs.account_url}{path_and_query}"

    def _client(self) -> ClientSession:
        if self._session is None:
            timeout = ClientTimeout(total=None, sock_connect=5)
            self._session = ClientSession(auto_decompress=False, timeout=timeout, skip_auto_headers={"Content-Type"})
        return self._session


def _as_synchronous_copy(headers: dict[str, str]) -> bool:
    """Put Blob From URL, which Azurite does not know, is made of Copy Blob From URL, which it knows. Whether it was one."""
    named = next((name for name in headers if name.lower() == BLOB_TYPE), None)
    if named is None:
        return False
    del headers[named]
    headers[SYNCHRONOUS] = "true"
    return True


async def _relay(request: web.Request, answer: ClientResponse, status: int) -> web.StreamResponse:
    response = web.StreamResponse(status=status)
    for name, value in answer.headers.items():
        if name.lower() not in HOP_BY_HOP:
            response.headers.add(name, value)
    await response.prepare(request)
    async for chunk in answer.content.iter_chunked(CHUNK):
        await response.write(chunk)
    await response.write_eof()
    return response
