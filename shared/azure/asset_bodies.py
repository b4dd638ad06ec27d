"""Assets as Azure ML's REST API shows them, in workspaces and in registries alike: `{"properties": {…}, "systemData": {…}}`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from shared.assets import Asset, Kind, RegistryAsset, WorkspaceAsset

# What makes an asset, beside its bytes.
_DEFINED_BY = {
    Kind.DATA: ("referencedUris",),
    Kind.ENVIRONMENT: ("image", "condaFile", "build", "osType", "inferenceConfig"),
    Kind.COMPONENT: ("componentSpec",),
}
_URI = {Kind.MODEL: "modelUri", Kind.DATA: "dataUri"}
_TYPE = {Kind.MODEL: ("modelType", "custom_model"), Kind.DATA: ("dataType", "uri_folder")}

LATEST: Mapping[str, str] = {"$orderBy": "createdtime desc", "$top": "1"}  # as the SDK asks for the label "latest"


def path_of(asset: Asset) -> str:
    """Below the address of a workspace or a registry. Names are quoted: none leads to another resource."""
    return f"{asset.kind.plural}/{quote(asset.name, safe='')}/versions/{quote(asset.version, safe='')}"


def versions_of(kind: Kind, name: str) -> str:
    return f"{kind.plural}/{quote(name, safe='')}/versions"


def workspace_asset(asset: Asset, answer: Mapping[str, Any]) -> WorkspaceAsset:
    """KeyError or ValueError where the answer makes no sense."""
    found = answer["properties"]
    return WorkspaceAsset(
        asset=asset,
        uri=_uri(asset.kind, found),
        created_at=datetime.fromisoformat(answer["systemData"]["createdAt"]),
        tags=found.get("tags") or {},
        properties=found.get("properties") or {},
        description=found.get("description"),
        definition=_definition(asset.kind, found),
        archived=bool(found.get("isArchived")),
    )


def registry_asset(registry: str, asset: Asset, answer: Mapping[str, Any]) -> RegistryAsset:
    """KeyError where the answer makes no sense."""
    found = answer["properties"]
    type_name, usual = _TYPE.get(asset.kind, ("", ""))
    return RegistryAsset(
        asset=asset,
        registry=registry,
        uri=_uri(asset.kind, found),
        type=found.get(type_name) or usual,
        origin=found.get("originAssetId"),
        description=found.get("description"),
        tags=found.get("tags") or {},
        properties=found.get("properties") or {},
        flavors={name: flavor.get("data") or {} for name, flavor in (found.get("flavors") or {}).items()},
        definition=_definition(asset.kind, found),
        archived=bool(found.get("isArchived")),
        created_at=datetime.fromisoformat(answer["systemData"]["createdAt"]) if answer.get("systemData") else None,
        document=found,
    )


def defined_asset(asset: RegistryAsset, properties: Mapping[str, str]) -> dict[str, Any]:
    """The body that makes it, to the letter as it was elsewhere."""
    body = {
        **asset.definition,
        **_bytes_of(asset),
        "description": asset.description,
        "tags": dict(asset.tags),
        "properties": {**asset.properties, **properties},
        "isAnonymous": False,
        "isArchived": False,
    }
    return {"properties": {name: value for name, value in body.items() if value is not None}}


def _bytes_of(asset: RegistryAsset) -> dict[str, Any]:
    kind = asset.asset.kind
    if kind not in _URI:
        return {}
    found: dict[str, Any] = {_URI[kind]: asset.uri, _TYPE[kind][0]: asset.type}
    if kind is Kind.MODEL:
        found["flavors"] = {name: {"data": flavor} for name, flavor in asset.flavors.items()}
    return found


def latest_version(answer: Mapping[str, Any]) -> str | None:
    """The version that an answer to `LATEST` names. Its id ends with it; its name is the version in workspaces alone."""
    versions = answer["value"]
    return str(versions[0]["id"]).rpartition("/")[2] if versions else None


def _uri(kind: Kind, found: Mapping[str, Any]) -> str:
    return str(found[_URI[kind]]) if kind in _URI else ""


def _definition(kind: Kind, found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in _DEFINED_BY.get(kind, ()) if found.get(name)}
