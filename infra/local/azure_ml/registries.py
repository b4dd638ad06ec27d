"""Registries as the SDK sees them: discovery, and the models that they hold. `imports.py` is how models get there."""

from typing import Any

from aiohttp import web

from infra.local.azure_ml.assets import MODELS, check_name, container_body, listed, paged
from infra.local.azure_ml.cloud import Cloud, asked_of, caller_of
from infra.local.azure_ml.config import Registry
from infra.local.azure_ml.errors import AzureError, front_end_error
from infra.local.azure_ml.faults import operation_failure
from infra.local.azure_ml.operations import FAILED, RUNNING, Operation
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.times import system_data
from infra.local.azure_ml.workspaces import GROUP_PATH, TENANT

REGISTRY_PATH = f"/mferp/managementfrontend{GROUP_PATH}/registries/{{registry}}"
UPDATE = "registry model update"


class Registries:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        cloud.operations.register(UPDATE, self)

    def routes(self) -> list[web.RouteDef]:
        models = f"{REGISTRY_PATH}/models"
        return [
            web.get("/registrymanagement/v1.0/registries/{registry}/discovery", self._discover),
            web.get(models, self._list),
            web.get(f"{models}/{{name}}", self._get_container),
            web.get(f"{models}/{{name}}/versions", self._list_versions),
            web.get(f"{models}/{{name}}/versions/{{version}}", self._get),
            web.put(f"{models}/{{name}}/versions/{{version}}", self._put),
            web.post(f"{REGISTRY_PATH}/datarefs/{{name}}/versions/{{version}}", self._data_reference),
            web.get("/assetstore/v1.0/operations/{operation}", self._operation),
        ]

    async def _discover(self, request: web.Request) -> web.Response:
        registry = self._cloud.registry(request)
        caller_of(request).demand(registry.owner, write=False)
        base = self._cloud.base_url
        names = {region: {"uri": f"https://{registry.guid}.registry.localhost"} for region in registry.regions}
        body = {
            "registryId": registry.guid,
            "registryName": registry.name,
            "tenantId": TENANT,
            "primaryRegion": registry.primary_region,
            "regions": registry.regions,
            "subscriptionId": registry.subscription,
            "resourceGroup": registry.resource_group,
            "workspaceName": None,
            "primaryRegionResourceProviderUri": base,
            "registryFqdns": names,
        }
        return web.json_response(body)

    async def _list(self, request: web.Request) -> web.Response:
        registry = self._allowed(request, write=False)
        containers = self._cloud.assets.containers(registry.owner, MODELS)
        found = listed(request, lambda document: bool(document["isArchived"]), containers)
        return paged(request, self._cloud.base_url, [self._container_body(registry, document) for document in found])

    async def _get_container(self, request: web.Request) -> web.Response:
        registry, name = self._allowed(request, write=False), request.match_info["name"]
        document = self._cloud.assets.container(registry.owner, MODELS, name)
        if document is None:
            message = f"Could not find asset with ID: azureml://registries/{registry.name}/models/{name}"
            raise front_end_error(404, message, registry.primary_region)
        return web.json_response(self._container_body(registry, document))

    async def _list_versions(self, request: web.Request) -> web.Response:
        """Empty, not 404, where there is none: so recorded."""
        registry = self._allowed(request, write=False)
        versions = self._cloud.assets.versions(registry.owner, MODELS, request.match_info["name"])
        found = listed(request, lambda document: bool(document["properties"]["isArchived"]), versions)
        return paged(request, self._cloud.base_url, [version_body(registry, document) for document in found])

    async def _get(self, request: web.Request) -> web.Response:
        registry = self._allowed(request, write=False)
        return web.json_response(version_body(registry, self._known(request, registry)))

    async def _put(self, request: web.Request) -> web.Response:
        """Change what may change of a version. Creating one from a local folder is not served: models come by import."""
        asked = (await asked_of(request)).get("properties") or {}
        registry, principal = self._allowed(request, write=True), caller_of(request).principal
        check_name(request.match_info["name"], request.match_info["version"], registry.primary_region)
        before = self._known(request, registry)
        if asked.get("modelUri") != before["properties"]["modelUri"]:
            identity = asset_id(registry, before["name"], before["version"])
            message = f"Asset with ID: {identity} already exists and is immutable; its modelUri cannot be changed."
            raise front_end_error(409, message, registry.primary_region)
        changed = {
            "tags": asked.get("tags") or {},
            "description": asked.get("description"),
            "isArchived": bool(asked.get("isArchived", False)),
        }
        document = {
            **before,
            "properties": {**before["properties"], **changed},
            "systemData": system_data(principal, before["systemData"]),
        }
        with self._cloud.state.transaction():
            arguments = {"owner": registry.owner, "document": document, "principal": principal}
            operation = self._cloud.operations.begin(UPDATE, arguments, 0, operation_failure(request, self._cloud.config))
        return accepted(self._cloud, operation)

    async def prepare(self, operation: Operation) -> None:
        """Nothing to copy."""

    def settle(self, operation: Operation) -> None:
        if operation.failure is None:
            arguments = operation.arguments
            self._cloud.assets.write_version(arguments["owner"], MODELS, arguments["document"], arguments["principal"])

    async def _data_reference(self, request: web.Request) -> web.Response:
        """The way to a version's bytes. The SDK needs the SAS at the container (see facts on the wire)."""
        registry = self._allowed(request, write=False)
        uri = self._known(request, registry)["properties"]["modelUri"]
        folder = self._cloud.uris.locate(uri)
        if folder is None:
            raise front_end_error(404, f"No blobs behind {uri}", registry.primary_region)
        sas_uri = f"{self._cloud.base_url}{folder.container}?{self._cloud.blobs.sas(folder.container, 'rl')}"
        reference = {"blobUri": uri, "credential": {"credentialType": "SAS", "sasUri": sas_uri}}
        return web.json_response({"blobReferenceForConsumption": reference})

    async def _operation(self, request: web.Request) -> web.Response:
        """202 with an empty body while it runs, 204 at the end: as recorded, without Location or Retry-After."""
        operation = self._cloud.operations.get(request.match_info["operation"])
        if operation.status == RUNNING:
            return web.Response(status=202, headers=self._cloud.retry_after())
        if operation.status == FAILED:
            failure = operation.failure or {}
            raise AzureError(int(failure.get("status", 400)), failure["code"], failure["message"])
        return web.Response(status=204)

    def _allowed(self, request: web.Request, *, write: bool) -> Registry:
        registry = self._cloud.registry(request)
        caller_of(request).demand(registry.owner, write=write)
        return registry

    def _known(self, request: web.Request, registry: Registry) -> Document:
        name, version = request.match_info["name"], request.match_info["version"]
        document = self._cloud.assets.version(registry.owner, MODELS, name, version)
        if document is None:
            message = f"Could not find asset with ID: {asset_id(registry, name, version)}"
            raise front_end_error(404, message, registry.primary_region)
        return document

    def _container_body(self, registry: Registry, document: Document) -> dict[str, Any]:
        versions = self._cloud.assets.versions(registry.owner, MODELS, document["name"])
        return container_body(f"azureml://registries/{registry.name}/models/{document['name']}", MODELS, document, versions)


def asset_id(registry: Registry, name: str, version: str) -> str:
    return f"azureml://registries/{registry.name}/models/{name}/versions/{version}"


def version_body(registry: Registry, document: Document) -> dict[str, Any]:
    return {
        "id": asset_id(registry, document["name"], document["version"]),
        "name": document["name"],
        "type": MODELS,
        "properties": document["properties"],
        "systemData": document["systemData"],
    }


def accepted(cloud: Cloud, operation: Operation) -> web.Response:
    """A registry's 202: the body is the four characters `null`."""
    headers = {
        "Location": f"{cloud.base_url}assetstore/v1.0/operations/{operation.id}",
        "x-ms-async-operation-timeout": "PT1H",
        **cloud.retry_after(),
    }
    return web.Response(status=202, text="null", content_type="application/json", headers=headers)
