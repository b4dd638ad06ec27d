"""What a deployment must say to be accepted: a model that exists, something to run it, instances within the limits."""

import re
from dataclasses import dataclass
from typing import Any

from infra.local.azure_ml.access import Caller
from infra.local.azure_ml.assets import MODELS
from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.errors import inferencing_error
from infra.local.azure_ml.model_uris import REGISTRY_MODEL
from infra.local.azure_ml.state import Document

WORKSPACE_MODEL = re.compile(
    r"^(azureml:)?(?P<workspace>/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/workspaces/[^/]+)"
    r"/models/(?P<name>[^/]+)/versions/(?P<version>[^/]+)$",
    re.IGNORECASE,
)
LOCATED_MODEL = re.compile(
    r"^azureml://locations/[^/]+/workspaces/(?P<guid>[^/]+)/models/(?P<name>[^/]+)/versions/(?P<version>[^/]+)$"
)
NEED_NO_CODE = ("mlflow_model", "triton_model")


@dataclass(frozen=True, slots=True)
class DeploymentRules:
    cloud: Cloud
    workspace: Workspace
    caller: Caller

    def check(self, asked: dict[str, Any]) -> dict[str, str] | None:
        """The model that will serve ({"uri", "type"}), None for a deployment without one. Raises AzureError 400 or 403."""
        properties = asked.get("properties") or {}
        if properties.get("endpointComputeType", "Managed") != "Managed":
            raise inferencing_error(400, "Only endpointComputeType Managed is served here.")
        if not properties.get("instanceType"):
            raise inferencing_error(400, "The instanceType field is required.")
        self._check_instances(asked)
        model = self._model(properties.get("model"))
        needs_environment = model is None or model["properties"]["modelType"] not in NEED_NO_CODE
        if needs_environment and not properties.get("environmentId"):
            message = "ServingContainer.Image must not be empty: a custom model needs an environment and a scoring script."
            raise inferencing_error(400, message)
        return {"uri": model["properties"]["modelUri"], "type": model["properties"]["modelType"]} if model else None

    def _check_instances(self, asked: dict[str, Any]) -> None:
        most = self.cloud.config.limits.instances_per_deployment
        capacity = (asked.get("sku") or {}).get("capacity", 1)
        if not isinstance(capacity, int) or not 1 <= capacity <= most:
            raise inferencing_error(400, f"The instance count must be from 1 to {most}, not {capacity}.")

    def _model(self, reference: str | dict[str, Any] | None) -> Document | None:
        identity = reference.get("assetId") if isinstance(reference, dict) else reference
        if not identity:
            return None
        found: Document | None = None
        if match := REGISTRY_MODEL.match(identity):
            found = self._of_registry(match)
        elif match := WORKSPACE_MODEL.match(identity):
            if match["workspace"].lower() == self.workspace.owner:
                found = self._of_workspace(match)
        elif (match := LOCATED_MODEL.match(identity)) and match["guid"].lower() == self.workspace.guid:
            found = self._of_workspace(match)
        if found is None:
            raise inferencing_error(400, f"The model {identity} was not found, or this workspace cannot use it.")
        return found

    def _of_registry(self, match: re.Match[str]) -> Document | None:
        registry = self.cloud.config.registry(match["registry"])
        if registry is None:
            return None
        self.caller.demand(registry.owner, write=False)
        if self.workspace.location.lower() not in (region.lower() for region in registry.regions):
            message = f"Registry {registry.name} is not available in the workspace's region {self.workspace.location}."
            raise inferencing_error(400, message)
        return self.cloud.assets.version(registry.owner, MODELS, match["name"], match["version"])

    def _of_workspace(self, match: re.Match[str]) -> Document | None:
        return self.cloud.assets.version(self.workspace.owner, MODELS, match["name"], match["version"])
