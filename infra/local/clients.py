"""The real SDKs' clients, pointed at the local cloud by `settings`: FANOUT_AZURE_CLOUD and the like, as in `.local/env`.

azure-identity and requests read theirs from this process's environment.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from infra.local.topology import Workspace

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential
    from azure.servicebus import ServiceBusClient


def ml_client(settings: Mapping[str, str], workspace: Workspace, principal: str | None = None) -> "MLClient":
    """A fresh client of a workspace. `principal` is the client id of who acts; Azure ML records it as createdBy."""
    from azure.ai.ml import MLClient  # 1 to 3 s, which a shell script or `make cloud` need not pay

    return MLClient(
        credential(principal), workspace.azure_subscription_id, workspace.resource_group, workspace.name, **_ml_options(settings)
    )


def registry_client(settings: Mapping[str, str], name: str, principal: str | None = None) -> "MLClient":
    """A fresh client of a registry."""
    from azure.ai.ml import MLClient

    return MLClient(credential(principal), registry_name=name, **_ml_options(settings))


def service_bus_client(settings: Mapping[str, str]) -> "ServiceBusClient":
    from azure.servicebus import ServiceBusClient

    return ServiceBusClient.from_connection_string(settings["ServiceBus"])


def credential(principal: str | None = None) -> "DefaultAzureCredential":
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(managed_identity_client_id=principal)


def _ml_options(settings: Mapping[str, str]) -> dict[str, Any]:
    cloud = json.loads(settings["FANOUT_AZURE_CLOUD"])
    return {"cloud": cloud["name"], "cloud_metadata": cloud["metadata"], "show_progress": False, "enable_telemetry": False}
