"""Where a model's bytes lie, by its `modelUri`."""

import re
from urllib.parse import unquote, urlsplit

from infra.local.azure_ml.assets import MODELS, Assets
from infra.local.azure_ml.blob_proxy import REGISTRY_CONTAINER
from infra.local.azure_ml.blobs import Folder
from infra.local.azure_ml.config import CloudConfig, Workspace

DEFAULT_DATASTORE = "workspaceblobstore"
DATASTORE_PATH = re.compile(
    r"^azureml://subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)(/providers/[^/]+)?"
    r"/workspaces/(?P<workspace>[^/]+)/datastores/(?P<datastore>[^/]+)/paths/(?P<path>.+?)/?$",
    re.IGNORECASE,
)
REGISTRY_MODEL = re.compile(
    r"^azureml://registries/(?P<registry>[^/]+)/models/(?P<name>[^/]+)/versions/(?P<version>[^/]+)$", re.IGNORECASE
)
REPLICATED = re.compile(r"^ServiceReplicated/[^/]+/")


class ModelUris:
    def __init__(self, config: CloudConfig, assets: Assets) -> None:
        self._config = config
        self._assets = assets

    def locate(self, uri: str) -> Folder | None:
        """The folder (or blob) that `uri` names; None for a place that is not in this cloud."""
        if match := DATASTORE_PATH.match(uri):
            return self._in_datastore(match)
        if match := REGISTRY_MODEL.match(uri):
            return self._in_registry(match)
        parts = urlsplit(uri)
        container, _, path = parts.path.lstrip("/").partition("/")
        if parts.scheme == "https" and re.fullmatch(REGISTRY_CONTAINER, container):
            return Folder(container, unquote(path).rstrip("/"))
        return None

    def own_upload(self, uri: str, workspace: Workspace) -> Folder | None:
        """The folder, where it is what the SDK uploaded to this workspace's own default datastore."""
        match = DATASTORE_PATH.match(uri)
        folder = self._in_datastore(match) if match else None
        mine = folder is not None and folder.container == workspace.container and folder.path.startswith("LocalUpload/")
        return folder if mine else None

    def _in_datastore(self, match: re.Match[str]) -> Folder | None:
        workspace = self._config.workspace(
            f"/subscriptions/{match['subscription']}/resourceGroups/{match['group']}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{match['workspace']}"
        )
        if workspace is None or match["datastore"].lower() != DEFAULT_DATASTORE:
            return None
        return Folder(workspace.container, match["path"])

    def _in_registry(self, match: re.Match[str]) -> Folder | None:
        registry = self._config.registry(match["registry"])
        model = registry and self._assets.version(registry.owner, MODELS, match["name"], match["version"])
        return self.locate(model["properties"]["modelUri"]) if model else None


def canonical(uri: str) -> str:
    """Equal for uris of the same place: what ARM compares without regard to case, clients write in several ways."""
    place, separator, path = uri.partition("/paths/")
    return f"{place.lower()}{separator}{path}" if separator else uri


def datastore_uri(workspace: Workspace, path: str) -> str:
    return (
        f"azureml://subscriptions/{workspace.subscription}/resourceGroups/{workspace.resource_group}"
        f"/workspaces/{workspace.name}/datastores/{DEFAULT_DATASTORE}/paths/{path}"
    )


def without_replication(path: str) -> str:
    """The path that was uploaded, before the service moved it to a place of its own."""
    return REPLICATED.sub("", path)
