"""How a registry changes: by operations, each of one version, no two of the same at a time.

Versions come by import (imports.py) or are created; of one that exists only tags, description and isArchived change.
"""

import uuid

from aiohttp import web

from infra.local.azure_ml.asset_kinds import ENVIRONMENT, KINDS, AssetKind
from infra.local.azure_ml.blobs import Folder
from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import Registry
from infra.local.azure_ml.errors import AzureError, front_end_error
from infra.local.azure_ml.faults import operation_failure
from infra.local.azure_ml.operations import FAILED, RUNNING, Operation, OperationFailed
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.times import system_data

IMPORT, CREATE, UPDATE = "import", "registry asset creation", "registry asset update"


class RegistryChanges:
    """Begins the operations and is their work. Arguments: registry, kind, document, principal, and where the bytes come from."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        for work in (IMPORT, CREATE, UPDATE):
            cloud.operations.register(work, self)

    def begin(
        self, request: web.Request, work: str, registry: Registry, kind: AssetKind, document: Document, principal: str, **more: str
    ) -> web.Response:
        """A registry's 202: the body is the four characters `null`."""
        arguments = {"registry": registry.name, "kind": kind.plural, "document": document, "principal": principal, **more}
        seconds = {IMPORT: self._cloud.config.seconds.import_, CREATE: self._cloud.config.seconds.asset, UPDATE: 0.0}[work]
        with self._cloud.state.transaction():
            failure = operation_failure(request, self._cloud.config)
            operation = self._cloud.operations.begin(work, arguments, seconds, failure)
        headers = {
            "Location": f"{self._cloud.base_url}assetstore/v1.0/operations/{operation.id}",
            "x-ms-async-operation-timeout": "PT1H",
            **self._cloud.retry_after(),
        }
        return web.Response(status=202, text="null", content_type="application/json", headers=headers)

    def check_free(self, registry: Registry, kind: AssetKind, name: str, version: str) -> None:
        """A registry's versions are immutable, and one operation at a time may make one: 409."""
        identity = asset_id(registry, kind, name, version)
        if any(_makes(operation, registry, kind, name, version) for operation in self._cloud.operations.running()):
            message = f"Asset with ID: {identity} is being created by another operation."
            raise front_end_error(409, message, registry.primary_region)
        if self._cloud.assets.version(registry.owner, kind.plural, name, version):
            raise front_end_error(409, f"Asset with ID: {identity} already exists.", registry.primary_region)

    async def prepare(self, operation: Operation) -> None:
        """Bytes: copied inside the storage into a container of the registry's own, or looked for where they were uploaded."""
        target = KINDS[operation.arguments["kind"]].uri(operation.arguments["document"]["properties"])
        place = self._cloud.uris.locate(target) if target else None
        if operation.work == UPDATE or target is None:
            return
        if operation.work == CREATE:
            if place and not await self._cloud.blobs.names(place):
                raise OperationFailed("UserError", f"No files found at {target}")
            return
        assert place is not None
        source = operation.arguments["source"]
        origin = self._cloud.uris.locate(source)
        if origin is None or not await self._cloud.blobs.copy(origin, place):
            raise OperationFailed("UserError", f"No files found at {source}")

    def settle(self, operation: Operation) -> None:
        if operation.failure is not None:
            return
        arguments = operation.arguments
        registry, principal, document = self._registry(arguments), arguments["principal"], arguments["document"]
        if operation.work != UPDATE:
            document = {**document, "systemData": system_data(principal)}
        self._cloud.assets.write_version(registry.owner, arguments["kind"], document, principal)

    def status(self, operation: Operation) -> web.Response:
        """As recorded: 202 while it runs, without Location or Retry-After; 204 after an import, 200 after a creation.

        What an update of tags ends with was never recorded.
        """
        if operation.status == RUNNING:
            return web.Response(status=202, headers=self._cloud.retry_after())
        if operation.status == FAILED:
            failure = operation.failure or {}
            raise AzureError(int(failure.get("status", 400)), failure["code"], failure["message"])
        if operation.work != CREATE:
            return web.Response(status=204)
        kind, document = KINDS[operation.arguments["kind"]], operation.arguments["document"]
        if kind is ENVIRONMENT:
            return web.Response(status=200)
        registry = self._registry(operation.arguments)
        return web.json_response({"assetId": asset_id(registry, kind, document["name"], document["version"])})

    def _registry(self, arguments: Document) -> Registry:
        registry = self._cloud.config.registry(arguments["registry"])
        assert registry is not None
        return registry


def _makes(operation: Operation, registry: Registry, kind: AssetKind, name: str, version: str) -> bool:
    if operation.work not in (IMPORT, CREATE):
        return False
    arguments, document = operation.arguments, operation.arguments["document"]
    made = (arguments["registry"], arguments["kind"], document["name"], document["version"])
    return made == (registry.name, kind.plural, name, version)


def asset_id(registry: Registry, kind: AssetKind, name: str, version: str) -> str:
    return f"azureml://registries/{registry.name}/{kind.plural}/{name}/versions/{version}"


def registry_container(registry: Registry, identity: str) -> str:
    """`<registry>-<guid>` as recorded, within what a container's name may be (63 characters, lower case)."""
    stem = registry.name.lower().replace("_", "-").strip("-")[:26].rstrip("-")
    while "--" in stem:
        stem = stem.replace("--", "-")
    return f"{stem}-{uuid.uuid5(uuid.NAMESPACE_URL, identity)}"


def own_place(registry: Registry, kind: AssetKind, name: str, version: str, path: str) -> Folder:
    """Where in the registry's storage the bytes of this version lie."""
    return Folder(registry_container(registry, asset_id(registry, kind, name, version)), path)
