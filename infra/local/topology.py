"""What the local cloud consists of: workspaces, registries, queues, tables. Defaults to the article's four workspaces."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
OTHER_SUBSCRIPTION = "44444444-4444-4444-4444-444444444444"


@dataclass(frozen=True, slots=True)
class Workspace:
    name: str
    azure_subscription_id: str = SUBSCRIPTION
    resource_group: str = "rg-tenants"
    location: str = "westeurope"

    @property
    def id(self) -> str:
        """The ARM id."""
        group = f"/subscriptions/{self.azure_subscription_id}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"


@dataclass(frozen=True, slots=True)
class Registry:
    name: str
    azure_subscription_id: str = SUBSCRIPTION
    resource_group: str = "rg-hub"
    primary_region: str = "westeurope"
    regions: tuple[str, ...] = ("westeurope", "northeurope")

    @property
    def id(self) -> str:
        """The ARM id."""
        group = f"/subscriptions/{self.azure_subscription_id}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/Microsoft.MachineLearningServices/registries/{self.name}"


ARTICLE_WORKSPACES = (
    Workspace("workspace1"),
    Workspace("workspace2", location="northeurope"),
    Workspace("workspace3"),
    Workspace("workspace4", OTHER_SUBSCRIPTION, "rg-adventure", "northeurope"),
)
ARTICLE_REGISTRIES = (Registry("contoso-hub"),)

# What infrastructure as code creates in Azure, and the app expects to be there.
NAMESPACE = "fanout"
QUEUES_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-hub/providers/Microsoft.ServiceBus/namespaces/{NAMESPACE}/queues"
TABLES = ("tenants", "shares", "deliveries", "bytenant", "targets", "open", "reconcile")


def azure_ml_config(workspaces: Iterable[Workspace], registries: Iterable[Registry], more: Mapping[str, Any]) -> dict[str, Any]:
    """The local Azure ML's cloud.json. `more` are its other settings, such as seconds and limits."""
    return {
        "workspaces": [{"id": workspace.id, "location": workspace.location} for workspace in workspaces],
        "registries": [
            {
                "name": registry.name,
                "subscription": registry.azure_subscription_id,
                "resource_group": registry.resource_group,
                "primary_region": registry.primary_region,
                "regions": list(registry.regions),
            }
            for registry in registries
        ],
        **more,
    }


def least_roles(workspaces: Iterable[Workspace], registries: Iterable[Registry], principal: str) -> list[dict[str, str]]:
    """The role assignments without which the app cannot do its work there."""
    roles = [("AzureML Data Scientist", workspace.id) for workspace in workspaces]
    roles += [("AzureML Registry User", registry.id) for registry in registries]
    return [{"principal": principal, "role": role, "scope": scope} for role, scope in roles]


def service_bus_config(lock_duration: str, more: Iterable[str] = ()) -> dict[str, Any]:
    """The queues, as a config.json of Microsoft's Service Bus emulator. `lock_duration` is ISO 8601; Azure's default is PT1M.

    `more` names queues that are not the app's own.
    """
    deduplicated: dict[str, Any] = {"RequiresDuplicateDetection": True, "DuplicateDetectionHistoryTimeWindow": "PT10M"}
    queues: dict[str, dict[str, Any]] = {
        "commands": deduplicated
        | {"MaxDeliveryCount": 10, "DefaultMessageTimeToLive": "P14D", "DeadLetteringOnMessageExpiration": True},
        "wakeups": deduplicated
        | {"MaxDeliveryCount": 20, "DefaultMessageTimeToLive": "P7D", "DeadLetteringOnMessageExpiration": False},
        "events": {"MaxDeliveryCount": 10, "DefaultMessageTimeToLive": "P14D", "DeadLetteringOnMessageExpiration": True},
        "rejected": deduplicated | {"DefaultMessageTimeToLive": "P14D"},
        **{name: {"DefaultMessageTimeToLive": "P14D"} for name in more},
    }
    described = [{"Name": name, "Properties": {"LockDuration": lock_duration, **queue}} for name, queue in queues.items()]
    return {"UserConfig": {"Namespaces": [{"Name": NAMESPACE, "Queues": described}], "Logging": {"Type": "Console"}}}
