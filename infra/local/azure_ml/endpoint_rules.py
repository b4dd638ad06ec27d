"""The rules of online and of batch endpoints."""

import secrets
from typing import Any

from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.endpoint_store import BATCH, ONLINE, EndpointKind, provisioning_state
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.traffic import check_traffic

ONLINE_MODES = ("Key", "AMLToken", "AADToken")
BATCH_MODES = ("AADToken",)


class OnlineEndpointRules:
    def properties(
        self, workspace: Workspace, asked: dict[str, Any], before: Document | None, deployments: list[Document]
    ) -> dict[str, Any]:
        properties = asked.get("properties") or {}
        mode = _auth_mode(ONLINE, workspace, properties, before, ONLINE_MODES)
        traffic, mirrored = properties.get("traffic") or {}, properties.get("mirrorTraffic") or {}
        check_traffic(traffic, mirrored, deployments if before else None)
        return {
            "authMode": mode,
            "description": properties.get("description"),
            "properties": properties.get("properties") or {},
            "traffic": traffic,
            "mirrorTraffic": mirrored,
            "compute": properties.get("compute"),
            "publicNetworkAccess": properties.get("publicNetworkAccess") or "Enabled",
        }

    def kept(self) -> dict[str, Any]:
        return {"keys": {"primaryKey": secrets.token_urlsafe(32), "secondaryKey": secrets.token_urlsafe(32)}}


class BatchEndpointRules:
    def properties(
        self, workspace: Workspace, asked: dict[str, Any], before: Document | None, deployments: list[Document]
    ) -> dict[str, Any]:
        properties = asked.get("properties") or {}
        _check_tags(workspace, asked.get("tags") or {})
        return {
            "authMode": _auth_mode(BATCH, workspace, properties, before, BATCH_MODES),
            "description": properties.get("description"),
            "properties": properties.get("properties") or {},
            "defaults": _checked_defaults(workspace, properties.get("defaults") or {}, deployments),
        }

    def kept(self) -> dict[str, Any]:
        return {}


def is_default(endpoint: Document, deployment: str) -> bool:
    """By what was asked for last or by what is in force."""
    asked = endpoint["body"]["properties"]["defaults"] or {}
    names = {str(defaults.get("deploymentName")).lower() for defaults in (asked, endpoint["serving"] or {})}
    return deployment.lower() in names


def _auth_mode(
    kind: EndpointKind, workspace: Workspace, properties: dict[str, Any], before: Document | None, modes: tuple[str, ...]
) -> str:
    """As Azure spells it. It stays what it was when the endpoint was created."""
    mode = {mode.lower(): mode for mode in modes}.get(str(properties.get("authMode", "")).lower())
    if mode is None:
        raise kind.refusal(400, f"authMode must be one of {', '.join(modes)}.", workspace)
    if before and mode != before["body"]["properties"]["authMode"]:
        raise kind.refusal(400, "authMode cannot be changed after the endpoint was created.", workspace)
    return mode


def _checked_defaults(workspace: Workspace, defaults: dict[str, Any], deployments: list[Document]) -> dict[str, Any]:
    name = defaults.get("deploymentName")
    if not name:
        return {}
    found = next((deployment for deployment in deployments if deployment["name"].lower() == str(name).lower()), None)
    if found is None:
        raise BATCH.refusal(400, f"The default deployment {name} does not exist.", workspace)
    if provisioning_state(found) in ("Creating", "Deleting", "Failed"):
        raise BATCH.refusal(400, f"Deployment {name} cannot be the default: it is {provisioning_state(found)}.", workspace)
    return {"deploymentName": found["name"]}


def _check_tags(workspace: Workspace, tags: dict[str, Any]) -> None:
    """The batch service alone refuses them (reported: azure-sdk-for-python, issues 41586 and 44114)."""
    if empty := [name for name, value in tags.items() if not value]:
        message = (
            "The Endpoint request provided has the following validation errors. Please resolve them and try again. "
            f"Errors: Tag values must not be null or empty: {', '.join(empty)}."
        )
        raise BATCH.refusal(400, message, workspace)
