"""Azure subscriptions (resources 2022-12-01), and what there is of Azure ML in them (machinelearningservices 2024-04-01)."""

from typing import Any

from aiohttp import web

from infra.local.azure_ml.assets import paged
from infra.local.azure_ml.cloud import Cloud, caller_of
from infra.local.azure_ml.config import PROVIDER, Registry
from infra.local.azure_ml.errors import resource_not_found
from infra.local.azure_ml.workspaces import GROUP_PATH, Workspaces
from infra.local.resource_manager.requests import demand_version, known_subscription

SUBSCRIPTIONS_API = "2022-12-01"
ML_API = "2024-04-01"


class Subscriptions:
    def __init__(self, cloud: Cloud, workspaces: Workspaces) -> None:
        self._cloud = cloud
        self._workspaces = workspaces

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/subscriptions/{subscription}", self._get),
            web.get(f"/subscriptions/{{subscription}}/providers/{PROVIDER}/workspaces", self._list_workspaces),
            web.get(f"{GROUP_PATH}/registries/{{registry}}", self._get_registry),
        ]

    async def _get(self, request: web.Request) -> web.Response:
        demand_version(request, SUBSCRIPTIONS_API)
        subscription, around = known_subscription(request, self._cloud), self._cloud.around.now
        return web.json_response(
            {
                "id": f"/subscriptions/{subscription}",
                "authorizationSource": "RoleBased",
                "managedByTenants": [],
                "subscriptionId": subscription,
                "tenantId": around.entra_tenant(subscription),
                "displayName": "local cloud",
                "state": "Disabled" if subscription in around.disabled_subscriptions else "Enabled",
                "subscriptionPolicies": {
                    "locationPlacementId": "Internal_2014-09-01",
                    "quotaId": "Internal_2014-09-01",
                    "spendingLimit": "Off",
                },
            }
        )

    async def _list_workspaces(self, request: web.Request) -> web.Response:
        demand_version(request, ML_API)
        subscription = known_subscription(request, self._cloud)
        found = [each for each in self._cloud.config.workspaces if each.subscription == subscription]
        return paged(request, self._cloud.base_url, [self._workspaces.body(each) for each in found])

    async def _get_registry(self, request: web.Request) -> web.Response:
        demand_version(request, ML_API)
        parts = request.match_info
        registry = self._cloud.config.registry(parts["registry"])
        if registry is None or not _lies_there(registry, parts["subscription"], parts["group"]):
            raise resource_not_found(f"{PROVIDER}/registries/{parts['registry']}", parts["group"])
        caller_of(request).demand(registry.owner, write=False)
        return web.json_response(self._registry_body(registry))

    def _registry_body(self, registry: Registry) -> dict[str, Any]:
        group = f"/subscriptions/{registry.subscription}/resourceGroups"
        return {
            "tags": {},
            "location": registry.primary_region,
            "identity": {"type": "SystemAssigned", "principalId": registry.guid, "tenantId": self._tenant(registry)},
            "id": f"{group}/{registry.resource_group}/providers/{PROVIDER}/registries/{registry.name}",
            "name": registry.name,
            "type": f"{PROVIDER}/registries",
            "properties": {
                "regionDetails": [
                    {"location": region, "storageAccountDetails": [], "acrDetails": []} for region in registry.regions
                ],
                "intellectualPropertyPublisher": None,
                "publicNetworkAccess": "Enabled",
                "discoveryUrl": f"{self._cloud.base_url}registrymanagement/v1.0/registries/{registry.name}/discovery",
                "managedResourceGroup": {"resourceId": f"{group}/azureml-rg-{registry.name}_{registry.guid}"},
                "mlFlowRegistryUri": None,
                "registryPrivateEndpointConnections": [],
            },
        }

    def _tenant(self, registry: Registry) -> str:
        return self._cloud.around.now.entra_tenant(registry.subscription)


def _lies_there(registry: Registry, subscription: str, group: str) -> bool:
    return (registry.subscription.lower(), registry.resource_group.lower()) == (subscription.lower(), group.lower())
