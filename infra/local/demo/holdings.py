"""What the workspaces and the registry hold, as facts that can be compared: expected, watched, and read with fresh clients."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from infra.local.cloud import LocalCloud
from infra.local.environment import FANOUT_CLIENT_ID

OWN, PUSHED, PULLED = "its own", "pushed by Fanout, registered", "pulled by hand, registered"

_REGISTRY_MODEL = re.compile(r"^azureml://registries/([^/]+)/models/([^/]+)/versions/([^/]+)$")
_ORIGIN = re.compile(r"^azureml://locations/[^/]+/workspaces/(?P<guid>[^/]+)/")


@dataclass(frozen=True, order=True, slots=True)
class Held:
    """One fact: `place` is a workspace or a registry, `thing` a model `name:version` or an endpoint."""

    place: str
    thing: str
    how: str

    def __str__(self) -> str:
        return f"{self.place}: {self.thing}, {self.how}"


def shared(registry: str, model: str, origin: str) -> Held:
    return Held(registry, model, f"shared by {origin}")


def serving(workspace: str, endpoint: str, model_id: str, percent: int) -> Held:
    """`azureml://registries/R/models/N/versions/V` is told as `R/N:V`; any other id as it is."""
    return Held(workspace, f"endpoint {endpoint}", f"serves {_REGISTRY_MODEL.sub(r'\1/\2:\3', model_id)} at {percent} %")


def registry_model_id(registry: str, model: str) -> str:
    name, _, version = model.rpartition(":")
    return f"azureml://registries/{registry}/models/{name}/versions/{version}"


def origins(cloud: LocalCloud) -> dict[str, str]:
    """The workspaces by the GUID under which a registry's assets name where they came from."""
    return {str(cloud.ml_client(name).workspaces.get(name)._workspace_id): name for name in cloud.workspaces}


def in_state(state: Mapping[str, Any], known_origins: Mapping[str, str]) -> Iterator[Held]:
    """The facts in the local Azure ML's own summary: cheap enough to look several times a second."""
    for workspace_id, there in state["workspaces"].items():
        workspace = workspace_id.rpartition("/")[2]
        for model in there["models"]:
            yield _registered(workspace, f"{model['name']}:{model['version']}", model["modelUri"], model["createdBy"])
        for endpoint in there["endpoints"]:
            deployments = {each["name"]: str(each["model"]) for each in endpoint["deployments"]}
            yield from _served(workspace, endpoint["name"], endpoint["traffic"], deployments)
    for registry, there in state["registries"].items():
        for model in there["models"]:
            yield _shared(registry, f"{model['name']}:{model['version']}", model["originAssetId"], known_origins)


def by_fresh_clients(cloud: LocalCloud, known_origins: Mapping[str, str]) -> set[Held]:
    """The facts as anybody sees them who asks Azure ML with the SDK. Only a model's origin comes from `state`: the SDK drops it."""
    facts: set[Held] = set()
    for workspace in cloud.workspaces:
        facts |= set(_of_workspace(cloud, workspace))
    state = cloud.azure_ml.state()["registries"]
    for registry in cloud.registries:
        origin_of = {f"{model['name']}:{model['version']}": model["originAssetId"] for model in state[registry]["models"]}
        names = _names_and_versions(cloud.registry_client(registry))
        facts |= {_shared(registry, model, origin_of[model], known_origins) for model in names}
    return facts


def _of_workspace(cloud: LocalCloud, workspace: str) -> Iterator[Held]:
    client = cloud.ml_client(workspace)
    for model in _names_and_versions(client):
        name, _, version = model.rpartition(":")
        found = client.models.get(name, version)
        yield _registered(workspace, model, str(found.path), str(found.creation_context.created_by))
    for endpoint in client.online_endpoints.list():
        deployments = {each.name: str(each.model) for each in client.online_deployments.list(endpoint.name)}
        yield from _served(workspace, endpoint.name, client.online_endpoints.get(endpoint.name).traffic, deployments)


def _names_and_versions(client: Any) -> list[str]:
    return [f"{model.name}:{model.version}" for each in client.models.list() for model in client.models.list(name=each.name)]


def _registered(workspace: str, model: str, uri: str, created_by: str) -> Held:
    in_registry = urlsplit(uri).scheme == "https"  # a workspace's own bytes lie in its datastore, azureml://subscriptions/…
    if created_by == FANOUT_CLIENT_ID:
        return Held(workspace, model, PUSHED)
    return Held(workspace, model, PULLED if in_registry else OWN)


def _served(workspace: str, endpoint: str, traffic: Mapping[str, int], deployments: Mapping[str, str]) -> Iterable[Held]:
    if not deployments:
        yield Held(workspace, f"endpoint {endpoint}", "without a deployment")
    for name, model_id in deployments.items():
        yield serving(workspace, endpoint, model_id, traffic.get(name, 0))


def _shared(registry: str, model: str, origin_asset_id: str | None, known_origins: Mapping[str, str]) -> Held:
    match = _ORIGIN.match(origin_asset_id or "")
    return shared(registry, model, known_origins.get(match["guid"], match["guid"]) if match else "nobody known")
