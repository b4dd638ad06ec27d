"""The bytes: containers in Azurite, SAS for clients, copies made inside the storage, folders brought to disk for scoring."""

import asyncio
import contextlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

# Azurite's published development account; real accounts have keys of their own.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
SAS_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Folder:
    """A place in the storage: every blob below `path`, or the one blob that is named so."""

    container: str
    path: str

    def contains(self, blob: str) -> bool:
        return not self.path or blob == self.path or blob.startswith(f"{self.path}/")


class Blobs:
    def __init__(self, endpoint: str) -> None:
        self.account_url = f"{endpoint.rstrip('/')}/{ACCOUNT}"
        credential = {"account_name": ACCOUNT, "account_key": ACCOUNT_KEY}
        self._service = BlobServiceClient(self.account_url, credential, retry_total=0, connection_timeout=5)
        self._known: set[str] = set()

    async def close(self) -> None:
        await self._service.close()

    async def ensure(self, container: str) -> ContainerClient:
        """The container, created on first use. It is asked for again after a restart: Azurite may have lost it."""
        client = self._service.get_container_client(container)
        if container not in self._known:
            with contextlib.suppress(ResourceExistsError):
                await client.create_container()
            self._known.add(container)
        return client

    def sas(self, container: str, permission: str) -> str:
        """A service SAS of the whole container, signed with the account's key: the storage itself checks it."""
        permissions = ContainerSasPermissions.from_string(permission)
        expiry = datetime.now(UTC) + SAS_LIFETIME
        return generate_container_sas(ACCOUNT, container, ACCOUNT_KEY, permission=permissions, expiry=expiry)

    async def names(self, folder: Folder) -> list[str]:
        client = self._service.get_container_client(folder.container)
        try:
            found = [name async for name in client.list_blob_names(name_starts_with=folder.path)]
        except ResourceNotFoundError:
            return []
        return [name for name in found if folder.contains(name)]

    async def copy(self, source: Folder, target: Folder) -> int:
        """Copy every blob inside the storage; how many. Repeating it does no harm."""
        names = await self.names(source)
        client = await self.ensure(target.container)
        query = self.sas(source.container, "r")
        origin = self._service.get_container_client(source.container)
        for name in names:
            copy = client.get_blob_client(f"{target.path}/{name.removeprefix(source.path).lstrip('/')}".strip("/"))
            await copy.start_copy_from_url(f"{origin.get_blob_client(name).url}?{query}")
        return len(names)

    async def download(self, source: Folder, directory: Path) -> None:
        """Bring the blobs below `source` to `directory`."""
        client = self._service.get_container_client(source.container)
        for name in await self.names(source):
            file = directory / _inside(name.removeprefix(source.path).lstrip("/"))
            content = await (await client.download_blob(name)).readall()
            await asyncio.to_thread(_write, file, content)


def _inside(relative: str) -> str:
    """A blob's name is a tenant's to choose: it must not lead out of the directory."""
    if re.search(r"(^|/)\.\.(/|$)", relative):
        raise ValueError(f"the blob name {relative!r} leads out of its folder")
    return relative


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
