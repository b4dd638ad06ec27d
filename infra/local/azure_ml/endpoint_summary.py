"""What `GET /_control/state` shows of a workspace's endpoints: as their callers meet them."""

from typing import Any

from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.endpoint_store import EndpointStore, provisioning_state
from infra.local.azure_ml.scoring import Scoring
from infra.local.azure_ml.state import Document


class EndpointSummary:
    def __init__(self, online: EndpointStore, batch: EndpointStore, scoring: Scoring) -> None:
        self._online = online
        self._batch = batch
        self._scoring = scoring

    def online(self, workspace: Workspace) -> list[dict[str, Any]]:
        return [
            {
                **_endpoint(endpoint),
                "traffic": endpoint["serving"],
                "deployments": [self._deployment(found) for found in self._online.deployments(workspace, endpoint["name"])],
            }
            for endpoint in self._online.endpoints(workspace)
        ]

    def batch(self, workspace: Workspace) -> list[dict[str, Any]]:
        return [
            {
                **_endpoint(endpoint),
                "default": endpoint["serving"].get("deploymentName"),
                "deployments": [_batch_deployment(found) for found in self._batch.deployments(workspace, endpoint["name"])],
            }
            for endpoint in self._batch.endpoints(workspace)
        ]

    def _deployment(self, document: Document) -> dict[str, Any]:
        body = document["body"]
        return {
            **_deployment(document),
            "instanceType": body["properties"].get("instanceType"),
            "instanceCount": body["sku"]["capacity"],
            "answered": self._scoring.answered(document),
        }


def _batch_deployment(document: Document) -> dict[str, Any]:
    properties = document["body"]["properties"]
    return {
        **_deployment(document),
        "model": properties["model"]["assetId"],
        "compute": properties["compute"],
        "instanceCount": (properties.get("resources") or {}).get("instanceCount") or 1,
    }


def _endpoint(document: Document) -> dict[str, Any]:
    body = document["body"]
    return {
        "name": document["name"],
        "state": provisioning_state(document),
        "tags": body["tags"],
        "scoringUri": body["properties"]["scoringUri"],
    }


def _deployment(document: Document) -> dict[str, Any]:
    body = document["body"]
    return {
        "name": document["name"],
        "state": provisioning_state(document),
        "model": body["properties"].get("model"),
        "environment": body["properties"].get("environmentId"),
        "code": body["properties"].get("codeConfiguration"),
        "tags": body["tags"],
    }
