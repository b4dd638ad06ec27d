"""What a deployment means when it names an asset: of its own workspace, or of a registry that the caller may read."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from infra.local.azure_ml.access import Caller
from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.errors import AzureError
from infra.local.azure_ml.state import Document

VERSION = r"/(?P<kind>[^/]+)/(?P<name>[^/]+)/versions/(?P<version>[^/]+)$"
OF_REGISTRY = re.compile(r"^azureml://registries/(?P<registry>[^/]+)" + VERSION, re.IGNORECASE)
OF_WORKSPACE = re.compile(
    r"^(azureml:)?(?P<workspace>/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/workspaces/[^/]+)" + VERSION,
    re.IGNORECASE,
)
LOCATED = re.compile(r"^azureml://locations/[^/]+/workspaces/(?P<guid>[^/]+)" + VERSION)


@dataclass(frozen=True, slots=True)
class AssetReferences:
    """As one caller's deployment in one workspace may use them; `refuse` words a refusal (status, message)."""

    cloud: Cloud
    workspace: Workspace
    caller: Caller
    refuse: Callable[[int, str], AzureError]

    def find(self, kind: str, identity: str) -> Document | None:
        """The version of this kind ("models", "environments", "codes").

        Raises AzureError 400 or 403 for a registry out of reach.
        """
        match = OF_REGISTRY.match(identity) or OF_WORKSPACE.match(identity) or LOCATED.match(identity)
        if match is None or match["kind"].lower() != kind:
            return None
        owner = self._owner(match.groupdict())
        return self.cloud.assets.version(owner, kind, match["name"], match["version"]) if owner else None

    def _owner(self, parts: dict[str, str]) -> str | None:
        if "registry" in parts:
            return self._registry(parts["registry"])
        named = parts.get("workspace", "").lower() == self.workspace.owner or parts.get("guid", "").lower() == self.workspace.guid
        return self.workspace.owner if named else None

    def _registry(self, name: str) -> str | None:
        registry = self.cloud.config.registry(name)
        if registry is None:
            return None
        self.caller.demand(registry.owner, write=False)
        if self.workspace.location.lower() not in (region.lower() for region in registry.regions):
            message = f"Registry {registry.name} is not available in the workspace's region {self.workspace.location}."
            raise self.refuse(400, message)
        return registry.owner
