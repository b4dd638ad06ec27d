"""The bytes behind an asset's address, read with azure-storage-blob from the storage itself."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from azure.storage.blob import BlobServiceClient, ContainerClient

from infra.local.cloud import LocalCloud

_IN_DATASTORE = re.compile(r"azureml://.+/workspaces/(?P<workspace>[^/]+)/datastores/workspaceblobstore/paths/(?P<path>.+)", re.I)


def checksums(cloud: LocalCloud, uri: str) -> dict[str, str]:
    """SHA-256 of each file, by its name below `uri`; of a single file by the file's own name."""
    container, path = place(cloud, uri)
    with opened(cloud, container) as client:
        return {
            _relative(name, path): hashlib.sha256(client.download_blob(name).readall()).hexdigest()
            for name in client.list_blob_names(name_starts_with=path)
            if name == path or name.startswith(f"{path}/")
        }


def place(cloud: LocalCloud, uri: str) -> tuple[str, str]:
    """Container and path, as the workspace's own datastore or the address itself say."""
    if match := _IN_DATASTORE.fullmatch(uri):
        datastore = cloud.ml_client(match["workspace"]).datastores.get("workspaceblobstore")
        return str(datastore.container_name), match["path"].rstrip("/")
    container, _, path = unquote(urlsplit(uri).path).lstrip("/").partition("/")
    if container == "blob":  # the local cloud's way to address a workspace's storage account
        _, container, path = path.split("/", 2)
    return container, path.rstrip("/")


@contextmanager
def opened(cloud: LocalCloud, container: str) -> Iterator[ContainerClient]:
    with (
        BlobServiceClient.from_connection_string(cloud.environment["Tables"]) as service,
        service.get_container_client(container) as client,
    ):
        yield client


def _relative(name: str, path: str) -> str:
    return name.removeprefix(f"{path}/") if name != path else name.rpartition("/")[2]
