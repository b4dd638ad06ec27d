"""Registries as the SDK sees them, whatever the kind of asset: discovery, the ways to the bytes, and operations."""

import re
import uuid

from aiohttp import web

from infra.local.azure_ml.asset_kinds import KINDS, AssetKind
from infra.local.azure_ml.assets import check_name
from infra.local.azure_ml.blobs import ACCOUNT, Folder
from infra.local.azure_ml.cloud import Cloud, asked_of
from infra.local.azure_ml.config import Registry
from infra.local.azure_ml.errors import front_end_error
from infra.local.azure_ml.registry_assets import REGISTRY_PATH, allowed, known_version
from infra.local.azure_ml.registry_changes import RegistryChanges, own_place
from infra.local.resource_manager.surroundings import ENTRA_TENANT

ASSET_ID = re.compile(
    r"^azureml://registries/(?P<registry>[^/]+)/(?P<kind>[^/]+)/(?P<name>[^/]+)/versions/(?P<version>[^/]+)$", re.IGNORECASE
)
READ, UPLOAD = "rl", "rcwl"


class Registries:
    def __init__(self, cloud: Cloud, changes: RegistryChanges) -> None:
        self._cloud = cloud
        self._changes = changes

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/registrymanagement/v1.0/registries/{registry}/discovery", self._discover),
            web.post(f"{REGISTRY_PATH}/datarefs/{{name}}/versions/{{version}}", self._data_reference),
            web.put(f"{REGISTRY_PATH}/tempdatarefs/{{name}}/versions/{{version}}", self._temporary_data_reference),
            web.get("/assetstore/v1.0/operations/{operation}", self._operation),
        ]

    async def _discover(self, request: web.Request) -> web.Response:
        registry = allowed(self._cloud, request, write=False)
        names = {region: {"uri": f"https://{registry.guid}.registry.localhost"} for region in registry.regions}
        body = {
            "registryId": registry.guid,
            "registryName": registry.name,
            "tenantId": ENTRA_TENANT,
            "primaryRegion": registry.primary_region,
            "regions": registry.regions,
            "subscriptionId": registry.subscription,
            "resourceGroup": registry.resource_group,
            "workspaceName": None,
            "primaryRegionResourceProviderUri": self._cloud.base_url,
            "registryFqdns": names,
        }
        return web.json_response(body)

    async def _data_reference(self, request: web.Request) -> web.Response:
        """The way to a version's bytes. The SDK needs a SAS of the whole container."""
        asked = await asked_of(request)
        registry = allowed(self._cloud, request, write=False)
        kind, name, version = _asset_meant(request, registry, asked)
        uri = kind.uri(known_version(self._cloud, registry, kind, name, version)["properties"])
        folder = self._cloud.uris.locate(uri) if uri else None
        if folder is None:
            raise front_end_error(404, f"No blobs behind {uri}", registry.primary_region)
        reference = {"blobUri": uri, "credential": self._credential(folder, READ)}
        return web.json_response({"blobReferenceForConsumption": reference})

    async def _temporary_data_reference(self, request: web.Request) -> web.Response:
        """Where to upload the bytes of a version that is to be created: a container of its own. 409 where it exists."""
        asked = await asked_of(request)
        registry = allowed(self._cloud, request, write=True)
        kind, name, version = _asset_meant(request, registry, asked)
        check_name(name, version, registry.primary_region)
        self._changes.check_free(registry, kind, name, version)
        place = own_place(registry, kind, name, version, "")
        await self._cloud.blobs.ensure(place.container)
        group = f"/subscriptions/{registry.subscription}/resourceGroups/{registry.resource_group}"
        body = {
            "blobReferenceForConsumption": {
                "blobUri": f"{self._cloud.base_url}{place.container}",
                "storageAccountArmId": f"{group}/providers/Microsoft.Storage/storageAccounts/{ACCOUNT}",
                "credential": {**self._credential(place, UPLOAD), "wasbsUri": None},
            },
            "imageReferenceForConsumption": None,
            "temporaryDataReferenceId": str(uuid.uuid4()),
            "temporaryDataReferenceType": None,
        }
        return web.json_response(body)

    def _credential(self, place: Folder, permission: str) -> dict[str, str | None]:
        token = self._cloud.blobs.sas(place.container, permission)
        return {"credentialType": "SAS", "sasUri": f"{self._cloud.base_url}{place.container}?{token}"}

    async def _operation(self, request: web.Request) -> web.Response:
        return self._changes.status(self._cloud.operations.get(request.match_info["operation"]))


def _asset_meant(request: web.Request, registry: Registry, asked: dict[str, object]) -> tuple[AssetKind, str, str]:
    """The path tells no kind: the body's assetId does. Raises AzureError 400 where the two differ."""
    name, version = request.match_info["name"], request.match_info["version"]
    match = ASSET_ID.match(str(asked.get("assetId", "")))
    kind = KINDS.get(match["kind"].lower()) if match else None
    if (
        match is None
        or kind is None
        or (match["registry"].lower(), match["name"], match["version"])
        != (
            registry.name.lower(),
            name,
            version,
        )
    ):
        raise front_end_error(400, f"The assetId {asked.get('assetId')!r} does not name this asset.", registry.primary_region)
    return kind, name, version
