"""What every group of routes works with, wired once by `server.py`."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from infra.local.azure_ml.access import Caller
from infra.local.azure_ml.asset_uris import AssetUris
from infra.local.azure_ml.assets import Assets
from infra.local.azure_ml.blobs import Blobs
from infra.local.azure_ml.config import CloudConfig, Registry, Workspace
from infra.local.azure_ml.errors import AzureError, resource_not_found
from infra.local.azure_ml.events import Outbox
from infra.local.azure_ml.operations import Operations
from infra.local.azure_ml.state import State
from infra.local.resource_manager.surroundings import Around


@dataclass(frozen=True, slots=True)
class Cloud:
    config: CloudConfig
    state: State
    assets: Assets
    uris: AssetUris
    operations: Operations
    blobs: Blobs
    outbox: Outbox
    around: Around
    base_url: str

    def workspace(self, request: web.Request) -> Workspace:
        """The workspace of the request's path. Raises AzureError 404 as ARM does, for the first part that does not exist."""
        parts = request.match_info
        subscription, group, name = parts["subscription"].lower(), parts["group"].lower(), parts["workspace"].lower()
        near = [workspace for workspace in self.config.workspaces if workspace.subscription.lower() == subscription]
        if not near:
            message = f"The subscription '{parts['subscription']}' could not be found."
            raise AzureError(404, "SubscriptionNotFound", message)
        near = [workspace for workspace in near if workspace.resource_group.lower() == group]
        if not near:
            message = f"Resource group '{parts['group']}' could not be found."
            raise AzureError(404, "ResourceGroupNotFound", message)
        for workspace in near:
            if workspace.name.lower() == name:
                return workspace
        resource = f"Microsoft.MachineLearningServices/workspaces/{parts['workspace']}"
        raise resource_not_found(resource, parts["group"])

    def registry(self, request: web.Request) -> Registry:
        name = request.match_info["registry"]
        registry = self.config.registry(name)
        if registry is None:
            message = f"Registry with name {name} not found or the caller has no access to it."
            raise AzureError(404, "RegistryNotFound", message)
        return registry

    def retry_after(self) -> dict[str, str]:
        """The real service sends none with its operations, so the SDK polls every 30 s; set, it makes the SDK's polls fast."""
        milliseconds = self.config.retry_after_ms
        return {"retry-after-ms": str(milliseconds)} if milliseconds else {}


async def asked_of(request: web.Request) -> dict[str, Any]:
    """The request's JSON object. Raises AzureError 400 for anything else.

    Handlers ask for it first: between looking at the state and writing it, nothing may be awaited.
    """
    asked = await request.json()
    if not isinstance(asked, dict) or not isinstance(asked.get("properties", {}), dict):
        raise AzureError(400, "InvalidRequestContent", "The request content must be an object with an object 'properties'.")
    return asked


def caller_of(request: web.Request) -> Caller:
    found = request["caller"]
    assert isinstance(found, Caller)
    return found
