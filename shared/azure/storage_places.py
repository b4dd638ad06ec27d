"""Where assets' bytes lie, and where copies of them go, as Azure ML tells it: folders with the right to read or write there.

The requests are those of azure-ai-ml's own uploads and downloads (`_utils/_registry_utils.py`, `_artifacts/_artifact_utilities.py`,
`operations/_code_operations.py`), which move every byte through the process that asks.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from shared.assets import RegistryAsset, WorkspaceId
from shared.azure.arm import Caller
from shared.azure.errors import translated
from shared.azure.registries import DATAPLANE_API
from shared.clock import local_now
from shared.copies import Folder
from shared.errors import Owner, Permanent

DATASTORE = "workspaceblobstore"  # every workspace's own
DATASTORES_API = "2024-10-01-preview"
CODES_API = "2023-04-01"
OURS = "Fanout"  # the folder of a workspace's storage under which all copies lie
CODE_FOLDER = "code"
READ, WRITE = "rl", "rcwl"
SAS_LIFETIME = timedelta(hours=8)  # as the registries' own (recorded: test_component_create_get_list_from_registry)
_CODE_ID = re.compile(r"(?:azureml:)?(?P<workspace>/.+)/codes/(?P<name>[^/]+)/versions/(?P<version>[^/]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Datastore:
    account: str
    account_url: str
    container: str
    has_secret: bool


class StoragePlaces:
    """`arm` is a caller for Azure Resource Manager and registries; `registry_address` knows where each registry is managed."""

    def __init__(self, arm: Caller, resource_manager: str, registry_address: Callable[[str], str]) -> None:
        self._arm = arm
        self._resource_manager = resource_manager
        self._registry_address = registry_address

    def of_registry_asset(self, asset: RegistryAsset) -> Folder:
        """Where a model's or a data asset's bytes lie, with the right to read them."""
        name, version = asset.asset.name, asset.asset.version
        url = f"{self._registry_address(asset.registry)}/datarefs/{name}/versions/{version}"
        body = {"assetId": asset.path, "blobUri": asset.uri}
        reference = self._reference("POST", url, body, f"find the bytes of {asset.asset} in registry {asset.registry}")
        return _folder(reference, _in_container(asset.uri)[1])

    def for_code(self, registry: str, name: str) -> Folder:
        """Where the files of version 1 of a registry's new code asset go. The same place each time, until the asset is made.

        Conflict where it is made already.
        """
        url = f"{self._registry_address(registry)}/tempdatarefs/{quote(name, safe='')}/versions/1"
        body = {
            "assetId": f"azureml://registries/{registry}/codes/{name}/versions/1",
            "temporaryDataReferenceType": "TemporaryBlobReference",
        }
        return _folder(self._reference("PUT", url, body, f"find a place for code {name} in registry {registry}"), CODE_FOLDER)

    def in_workspace(self, workspace: WorkspaceId, name: str) -> tuple[Folder, str]:
        """A folder of that name in the workspace's own storage, with the right to write there, and its uri for an asset.

        A single file lands under the folder's name: let that end in the source's (`Folder.name`).
        """
        store = self._datastore(workspace)
        folder = Folder(
            f"{store.account_url}/{store.container}", f"{OURS}/{name}", self._sas(workspace, store, store.container, WRITE)
        )
        place = f"azureml://subscriptions/{workspace.azure_subscription_id}/resourcegroups/{workspace.resource_group}"
        return folder, f"{place}/workspaces/{workspace.name}/datastores/{DATASTORE}/paths/{folder.prefix}"

    def of_code(self, workspace: WorkspaceId, code: str) -> Folder:
        """Where the files of a workspace's code asset, by its ARM id, lie. Permanent `code_elsewhere` for another workspace's.

        As in the SDK, only container and path of its `codeUri` count: the account is that of the workspace's own storage.
        """
        doing = f"find the files of code {code}"
        url = f"{self._resource_manager}{_code_id(workspace, code)}"
        answer = self._arm.call("GET", url, params={"api-version": CODES_API}, doing=doing)
        with translated(doing):
            container, prefix = _in_container(answer.json()["properties"]["codeUri"])
        store = self._datastore(workspace)
        return Folder(f"{store.account_url}/{container}", prefix, self._sas(workspace, store, container, READ))

    def _reference(self, method: str, url: str, body: object, doing: str) -> dict[str, Any]:
        answer = self._arm.call(method, url, params={"api-version": DATAPLANE_API}, body=body, doing=doing)
        with translated(doing):
            reference: dict[str, Any] = answer.json()["blobReferenceForConsumption"]
            return reference

    def _datastore(self, workspace: WorkspaceId) -> _Datastore:
        doing = f"find the storage of workspace {workspace.name}"
        url = f"{self._resource_manager}{workspace}/datastores/{DATASTORE}"
        answer = self._arm.call("GET", url, params={"api-version": DATASTORES_API}, doing=doing)
        with translated(doing):
            found = answer.json()["properties"]
            protocol, endpoint = found.get("protocol") or "https", found.get("endpoint") or "core.windows.net"
            return _Datastore(
                account=found["accountName"],
                account_url=f"{protocol}://{found['accountName']}.blob.{endpoint}",
                container=found["containerName"],
                has_secret=found["credentials"]["credentialsType"].lower() in ("accountkey", "sas"),
            )

    def _sas(self, workspace: WorkspaceId, store: _Datastore, container: str, permission: str) -> str | None:
        """None where the storage is reached by identity: so it is set up, or, as in the SDK, its secret is not given to us."""
        if not store.has_secret:
            return None
        doing = f"get access to the storage of workspace {workspace.name}"
        url = f"{self._resource_manager}{workspace}/datastores/{DATASTORE}/listSecrets"
        body = {"expirableSecret": True, "expireAfterHours": 1}
        try:
            answer = self._arm.call("POST", url, params={"api-version": DATASTORES_API}, body=body, doing=doing)
        except Permanent:
            return None
        with translated(doing):
            secrets = answer.json()
            if secrets["secretsType"].lower() == "sas":
                return str(secrets["sasToken"]).lstrip("?")
            return _signed(store.account, container, secrets["key"], permission)


def _signed(account: str, container: str, key: str, permission: str) -> str:
    from azure.storage.blob import generate_container_sas

    name = account.rpartition("/")[2]
    return generate_container_sas(name, container, key, permission=permission, expiry=local_now() + SAS_LIFETIME)


def _folder(reference: dict[str, Any], prefix: str) -> Folder:
    """The folder in the container to which a registry gives access; a public one needs no SAS."""
    with translated("read what a registry says of its storage"):
        credential = reference["credential"]
        address = reference["blobUri"] if credential["credentialType"].lower() == "no_credentials" else credential["sasUri"]
        parts = urlsplit(address)
        container, _ = _in_container(address)
    return Folder(f"{parts.scheme}://{parts.netloc}/{container}", prefix, parts.query)


def _in_container(uri: str) -> tuple[str, str]:
    """Container and path of a blob's address."""
    container, _, path = urlsplit(uri).path.lstrip("/").partition("/")
    return container, unquote(path).strip("/")


def _code_id(workspace: WorkspaceId, code: str) -> str:
    match = _CODE_ID.fullmatch(code)
    try:
        there = WorkspaceId.parse(match["workspace"]) if match else None
    except ValueError:
        there = None
    if match is None or there != workspace:
        remedy = "register the component with code of its own workspace"
        raise Permanent("code_elsewhere", f"{code} is no code asset of workspace {workspace.name}", Owner.PUBLISHER, remedy)
    return f"{workspace}/codes/{quote(match['name'], safe='')}/versions/{quote(match['version'], safe='')}"
