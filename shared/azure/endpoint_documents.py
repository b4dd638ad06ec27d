"""Endpoints and deployments as Azure Resource Manager shows them, and what of it is sent back to change the traffic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.actions import Endpoint as Action
from shared.actions import OnlineEndpoint
from shared.endpoints import Deployment, Endpoint

type Document = dict[str, Any]

READ_ONLY = {"provisioningState", "scoringUri", "swaggerUri"}
FULL = 100


@dataclass(frozen=True, slots=True)
class KindOfEndpoint:
    """Its part of the address, and the version of the API in which azure-ai-ml 1.35 speaks of it."""

    segment: str
    api: str

    def endpoint(self, document: Document, deployments: Sequence[Document]) -> Endpoint:
        return Endpoint(
            name=document["name"],
            state=_state(document),
            tags=document.get("tags") or {},
            traffic=self.traffic(document["properties"]),
            deployments=deployments_of(deployments),
            document=document,
        )

    def traffic(self, properties: Document) -> dict[str, int]:
        """In per cent by deployment, of those that have any."""
        raise NotImplementedError

    def routing(self, traffic: Mapping[str, int]) -> Document:
        """The property that makes it so."""
        raise NotImplementedError


class Online(KindOfEndpoint):
    def traffic(self, properties: Document) -> dict[str, int]:
        return {name: percent for name, percent in (properties.get("traffic") or {}).items() if percent}

    def routing(self, traffic: Mapping[str, int]) -> Document:
        return {"traffic": {name: percent for name, percent in traffic.items() if percent}}


class Batch(KindOfEndpoint):
    def traffic(self, properties: Document) -> dict[str, int]:
        default = (properties.get("defaults") or {}).get("deploymentName")
        return {default: FULL} if default else {}

    def routing(self, traffic: Mapping[str, int]) -> Document:
        return {"defaults": {"deploymentName": next(iter(traffic), None)}}


ONLINE = Online("onlineEndpoints", "2022-02-01-preview")
BATCH = Batch("batchEndpoints", "2023-10-01")


def deployments_of(documents: Sequence[Document]) -> tuple[Deployment, ...]:
    return tuple(Deployment(each["name"], _state(each), each.get("tags") or {}) for each in documents)


def kind_of(action: Action) -> KindOfEndpoint:
    return ONLINE if isinstance(action, OnlineEndpoint) else BATCH


def with_traffic(document: Mapping[str, Any], routing: Document) -> Document:
    """The whole resource, since a PUT replaces it, without what Azure alone may set; no `kind`, as with the SDK."""
    properties = {name: value for name, value in document["properties"].items() if name not in READ_ONLY and value is not None}
    body = {"location": document["location"], "tags": document.get("tags") or {}, "properties": properties | routing}
    identity = document.get("identity")
    return body | {"identity": _settable(identity)} if identity else body


def _settable(identity: Document) -> Document:
    """Ids of principals are Azure's."""
    users = identity.get("userAssignedIdentities")
    return {"type": identity["type"]} | ({"userAssignedIdentities": {user: {} for user in users}} if users else {})


def _state(document: Document) -> str:
    return str(document["properties"]["provisioningState"]).lower()
