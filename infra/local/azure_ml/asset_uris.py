"""Where an asset's bytes lie, by its uri."""

import re
from urllib.parse import unquote, urlsplit

from infra.local.azure_ml.assets import DATA, MODELS, Assets
from infra.local.azure_ml.blob_proxy import CONTAINER_WITH_GUID
from infra.local.azure_ml.blobs import Folder
from infra.local.azure_ml.config import CloudConfig, Workspace

DEFAULT_DATASTORE = "workspaceblobstore"
DATASTORE_PATH = re.compile(
    r"^azureml://subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)(/providers/[^/]+)?"
    r"/workspaces/(?P<workspace>[^/]+)/datastores/(?P<datastore>[^/]+)/paths/(?P<path>.+?)/?$",
    re.IGNORECASE,
)
SHORT_DATASTORE_PATH = re.compile(r"^azureml://datastores/(?P<datastore>[^/]+)/paths/(?P<path>.+)$", re.IGNORECASE)
REGISTRY_ASSET = re.compile(
    r"^azureml://registries/(?P<registry>[^/]+)/(?P<kind>models|data)/(?P<name>[^/]+)/versions/(?P<version>[^/]+)$", re.IGNORECASE
)
URI_FIELDS = {MODELS: "modelUri", DATA: "dataUri"}
REPLICATED = re.compile(r"^ServiceReplicated/[^/]+/")


class AssetUris:
    def __init__(self, config: CloudConfig, assets: Assets) -> None:
        self._config = config
        self._assets = assets

    def locate(self, uri: str) -> Folder | None:
        """The folder (or blob) that `uri` names; None for a place that is not in this cloud."""
        if match := DATASTORE_PATH.match(uri):
            return self._in_datastore(match)
        if match := REGISTRY_ASSET.match(uri):
            return self._in_registry(match)
        parts = urlsplit(uri)
        if parts.scheme != "https" or parts.hostname != "localhost":
            return None
        return _in_storage(parts.path)

    def upload(self, uri: str, workspace: Workspace) -> Folder | None:
        """The folder, where it is what the SDK uploaded for the service to take over.

        Models come to the workspace's own default datastore, code to a container made for it (`startPendingUpload`).
        """
        folder = self.locate(uri)
        if folder is None:
            return None
        if DATASTORE_PATH.match(uri):
            return folder if folder.container == workspace.container and folder.path.startswith("LocalUpload/") else None
        return folder if folder.container.startswith(pending_prefix(workspace)) else None

    def _in_datastore(self, match: re.Match[str]) -> Folder | None:
        workspace = self._config.workspace(
            f"/subscriptions/{match['subscription']}/resourceGroups/{match['group']}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{match['workspace']}"
        )
        if workspace is None or match["datastore"].lower() != DEFAULT_DATASTORE:
            return None
        return Folder(workspace.container, match["path"])

    def _in_registry(self, match: re.Match[str]) -> Folder | None:
        registry, kind = self._config.registry(match["registry"]), match["kind"].lower()
        asset = registry and self._assets.version(registry.owner, kind, match["name"], match["version"])
        return self.locate(asset["properties"][URI_FIELDS[kind]]) if asset else None


def _in_storage(path: str) -> Folder | None:
    """By the path of an address of this server: /<container>/…, /blob/<account>/<container>/…, or /blob/<container>/….

    The last is what the SDK makes of a build context: `urljoin` takes the account, which here is a path, for a file's name.
    """
    path = unquote(path).lstrip("/")
    if path.startswith("blob/"):
        path = path.removeprefix("blob/")
        if not re.match(f"{CONTAINER_WITH_GUID}(/|$)", path):
            path = path.partition("/")[2]
    container, _, inside = path.partition("/")
    return Folder(container, inside.rstrip("/")) if re.fullmatch(CONTAINER_WITH_GUID, container) else None


def in_full(uri: str, workspace: Workspace) -> str:
    """A datastore's short uri in the long form that the service stores."""
    match = SHORT_DATASTORE_PATH.match(uri)
    return datastore_uri(workspace, match["path"], match["datastore"]) if match else uri


def canonical(uri: str) -> str:
    """Equal for uris of the same place: what ARM compares without regard to case, clients write in several ways."""
    place, separator, path = uri.partition("/paths/")
    return f"{place.lower()}{separator}{path}" if separator else uri


def datastore_uri(workspace: Workspace, path: str, datastore: str = DEFAULT_DATASTORE) -> str:
    return (
        f"azureml://subscriptions/{workspace.subscription}/resourceGroups/{workspace.resource_group}"
        f"/workspaces/{workspace.name}/datastores/{datastore}/paths/{path}"
    )


def without_replication(path: str) -> str:
    """The path that was uploaded, before the service moved it to a place of its own."""
    return REPLICATED.sub("", path)


def pending_prefix(workspace: Workspace) -> str:
    """How the containers begin into which code of this workspace is uploaded. As recorded: eight digits of a guid, a number."""
    return f"{workspace.guid[:8]}-0-"
