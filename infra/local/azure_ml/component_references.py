"""What a component names must exist: in its own workspace or in a registry; for a registry's component, in registries alone."""

import copy
import re
from collections.abc import Callable
from typing import Any, NoReturn

from infra.local.azure_ml.access import Caller
from infra.local.azure_ml.asset_definitions import named_assets
from infra.local.azure_ml.asset_references import OF_REGISTRY, OF_WORKSPACE, AssetReferences
from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import Registry, Workspace
from infra.local.azure_ml.errors import AzureError, front_end_error

CURATED = "azureml"
SHORT = re.compile(r"^azureml:(?P<name>[^/:]+):(?P<version>[^/:]+)$")
LATEST = re.compile(r"^azureml://registries/(?P<registry>[^/]+)/(?P<kind>[^/]+)/(?P<name>[^/]+)/labels/latest$", re.IGNORECASE)


def in_workspace(cloud: Cloud, workspace: Workspace, caller: Caller, spec: dict[str, Any]) -> dict[str, Any]:
    """The specification with ids in full. Raises AzureError 400 for what cannot be meant, 404 for what does not exist."""

    def refuse(status: int, message: str) -> AzureError:
        return front_end_error(status, message, workspace.location)

    references = AssetReferences(cloud, workspace, caller, refuse)

    def resolve(kind: str, identity: str) -> str:
        if short := SHORT.match(identity):
            mine = f"{workspace.id}/{kind}/{short['name']}/versions/{short['version']}"
            curated = f"azureml://registries/{CURATED}/{kind}/{short['name']}/versions/{short['version']}"
            identity = f"azureml:{mine}" if references.find(kind, mine) else curated
        of_workspace = OF_WORKSPACE.match(identity)
        if of_workspace and of_workspace["workspace"].lower() != workspace.owner:
            raise refuse(400, f"The component cannot refer to an asset of another workspace: {identity}")
        if not of_workspace and not OF_REGISTRY.match(identity):
            raise refuse(400, f"The component refers to {identity!r}, which is not the id of an asset of kind {kind}.")
        if references.find(kind, identity) is None:
            _missing(identity, workspace.location)
        return identity

    return _resolved(cloud, spec, resolve)


def in_registry(cloud: Cloud, registry: Registry, caller: Caller, spec: dict[str, Any]) -> dict[str, Any]:
    """Likewise; what belongs to a workspace is refused with 400, since a registry's component must stand alone."""

    def resolve(kind: str, identity: str) -> str:
        found = OF_REGISTRY.match(identity)
        if found is None or found["kind"].lower() != kind:
            message = f"A component in a registry can refer to {kind} of registries only, not to {identity}"
            raise front_end_error(400, message, registry.primary_region)
        other = cloud.config.registry(found["registry"])
        if other:
            caller.demand(other.owner, write=False)
        if other is None or cloud.assets.version(other.owner, kind, found["name"], found["version"]) is None:
            _missing(identity, registry.primary_region)
        return identity

    return _resolved(cloud, spec, resolve)


def _resolved(cloud: Cloud, spec: dict[str, Any], resolve: Callable[[str, str], str]) -> dict[str, Any]:
    spec = copy.deepcopy(spec)
    for place, field, kind in named_assets(spec):
        place[field] = resolve(kind, _without_label(cloud, place[field]))
    return spec


def _without_label(cloud: Cloud, identity: str) -> str:
    """`…/labels/latest` of a registry becomes the version that it means now."""
    match = LATEST.match(identity)
    registry = cloud.config.registry(match["registry"]) if match else None
    latest = cloud.assets.latest(registry.owner, match["kind"].lower(), match["name"]) if match and registry else None
    return identity if latest is None else identity.replace("/labels/latest", f"/versions/{latest['version']}")


def _missing(identity: str, region: str) -> NoReturn:
    raise front_end_error(404, f"Could not find asset with ID: {identity}", region)
