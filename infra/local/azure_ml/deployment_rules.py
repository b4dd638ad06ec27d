"""What a deployment must say to be accepted: a model that exists, something to run it, and something to run it on."""

import re
from typing import Any

from infra.local.azure_ml.access import Caller
from infra.local.azure_ml.asset_references import AssetReferences
from infra.local.azure_ml.assets import CODES, ENVIRONMENTS, MODELS
from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import PROVIDER, Workspace
from infra.local.azure_ml.deployments import Accepted
from infra.local.azure_ml.endpoint_rules import is_default
from infra.local.azure_ml.endpoint_store import BATCH, ONLINE, EndpointKind
from infra.local.azure_ml.errors import asset_not_found
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.traffic import takes_traffic
from infra.local.azure_ml.vm_sizes import cores_needed

NEED_NO_CODE = ("mlflow_model", "triton_model")
COMPUTE = re.compile(rf"^(?P<workspace>/.+/providers/{re.escape(PROVIDER)}/workspaces/[^/]+)/computes/(?P<name>[^/]+)$", re.I)


ONLINE_DEFAULTS: dict[str, Any] = {
    "scaleSettings": {"scaleType": "Default"},  # the SDK cannot read a deployment without
    "egressPublicNetworkAccess": "Enabled",
    "endpointComputeType": "Managed",
    "environmentVariables": {},
    "properties": {},
}
ONLINE_SKU: dict[str, Any] = {"name": "Default", "tier": None, "size": None, "family": None, "capacity": 1}
BATCH_DEFAULTS: dict[str, Any] = {
    "outputAction": "AppendRow",
    "outputFileName": "predictions.csv",
    "errorThreshold": -1,
    "retrySettings": {"maxRetries": 3, "timeout": "PT30S"},
    "loggingLevel": "Info",
    "miniBatchSize": 10,
    "maxConcurrencyPerInstance": 1,
    "environmentVariables": {},
    "properties": {},
}


class OnlineDeploymentRules:
    defaults = ONLINE_DEFAULTS
    sku = ONLINE_SKU

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def accept(self, workspace: Workspace, caller: Caller, body: dict[str, Any]) -> Accepted:
        properties = body["properties"]
        if properties["endpointComputeType"] != "Managed":
            raise ONLINE.refusal(400, "Only endpointComputeType Managed is served here.", workspace)
        cores = self._cores(workspace, properties.get("instanceType"), body["sku"]["capacity"])
        references = _references(self._cloud, workspace, caller, ONLINE)
        return Accepted(_Contents(references, ONLINE).serving(properties, properties.get("model")), cores)

    def check_unused(self, workspace: Workspace, endpoint: Document, deployment: str) -> None:
        if takes_traffic(endpoint, deployment):
            message = f"Deployment {deployment} takes traffic: set its traffic to 0 before deleting it."
            raise ONLINE.refusal(400, message, workspace)

    def _cores(self, workspace: Workspace, instance_type: str | None, instances: Any) -> int:
        if not instance_type:
            raise ONLINE.refusal(400, "The instanceType field is required.", workspace)
        most = self._cloud.config.limits.instances_per_deployment
        _check_instances(ONLINE, workspace, instances, most)
        cores = cores_needed(instance_type, instances)
        if cores is None:
            raise ONLINE.refusal(
                400, f"The instance type {instance_type} is not supported for managed online endpoints.", workspace
            )
        return cores


class BatchDeploymentRules:
    defaults = BATCH_DEFAULTS
    sku = None

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def accept(self, workspace: Workspace, caller: Caller, body: dict[str, Any]) -> Accepted:
        properties = body["properties"]
        if "deploymentConfiguration" in properties:
            raise BATCH.refusal(400, "Only model deployments are served here, no pipeline components.", workspace)
        instances = (properties.get("resources") or {}).get("instanceCount") or 1
        _check_instances(BATCH, workspace, instances, self._cloud.config.limits.instances_per_deployment)
        _check_compute(workspace, properties.get("compute"))
        model = properties.get("model")
        if not isinstance(model, dict) or model.get("referenceType") != "Id" or not model.get("assetId"):
            raise BATCH.refusal(400, 'The model must be {"referenceType": "Id", "assetId": …}.', workspace)
        references = _references(self._cloud, workspace, caller, BATCH)
        return Accepted(_Contents(references, BATCH).serving(properties, model["assetId"]))

    def check_unused(self, workspace: Workspace, endpoint: Document, deployment: str) -> None:
        if is_default(endpoint, deployment):
            message = f"Deployment {deployment} is the endpoint's default: make another one the default before deleting it."
            raise BATCH.refusal(400, message, workspace)


class _Contents:
    """The model, the environment and the scoring code that a deployment names."""

    def __init__(self, references: AssetReferences, kind: EndpointKind) -> None:
        self._references = references
        self._kind = kind

    def serving(self, properties: dict[str, Any], model_id: str | dict[str, Any] | None) -> dict[str, Any]:
        """{"model": {"uri", "type"} | None, "code": {"uri", "script"} | None, "variables"}: what a worker needs."""
        identity = model_id.get("assetId") if isinstance(model_id, dict) else model_id
        model = self._found(MODELS, str(identity)) if identity else None
        environment = self._environment(properties.get("environmentId"))
        code = self._code(properties.get("codeConfiguration"))
        self._check_runnable(model, environment, code)
        return {
            "model": {"uri": model["properties"]["modelUri"], "type": model["properties"]["modelType"]} if model else None,
            "code": code,
            "variables": {name: str(value) for name, value in (properties.get("environmentVariables") or {}).items()},
        }

    def _check_runnable(self, model: Document | None, environment: Document | None, code: dict[str, str] | None) -> None:
        """An MLflow model brings what it needs; an environment with an inference configuration brings its own server."""
        needs_no_code = model is not None and model["properties"]["modelType"] in NEED_NO_CODE
        if environment is None and (code or not needs_no_code):
            message = "ServingContainer.Image must not be empty: a custom model needs an environment and a scoring script."
            raise self._refuse(400, message)
        own_server = environment is not None and environment["properties"].get("inferenceConfig")
        if code is None and not needs_no_code and not own_server:
            raise self._refuse(400, "CodeConfiguration must not be empty: a custom model needs a scoring script.")

    def _environment(self, identity: str | None) -> Document | None:
        return self._found(ENVIRONMENTS, identity) if identity else None

    def _code(self, asked: dict[str, Any] | None) -> dict[str, str] | None:
        if not asked:
            return None
        if not asked.get("codeId") or not asked.get("scoringScript"):
            raise self._refuse(400, "A codeConfiguration needs a codeId and a scoringScript.")
        code = self._found(CODES, str(asked["codeId"]))
        return {"uri": code["properties"]["codeUri"], "script": str(asked["scoringScript"])}

    def _found(self, kind: str, identity: str) -> Document:
        """The asset. Online, Azure answers 400 for one that is not there, and 404 for a batch deployment's."""
        found = self._references.find(kind, identity)
        if found is not None:
            return found
        what = kind.removesuffix("s")
        message = f"The {what} {identity} was not found, or this workspace cannot use it."
        if self._kind is ONLINE:
            raise self._refuse(400, message)
        raise asset_not_found(what, message, self._references.workspace.location)

    def _refuse(self, status: int, message: str) -> Exception:
        return self._references.refuse(status, message)


def _references(cloud: Cloud, workspace: Workspace, caller: Caller, kind: EndpointKind) -> AssetReferences:
    return AssetReferences(cloud, workspace, caller, lambda status, message: kind.refusal(status, message, workspace))


def _check_instances(kind: EndpointKind, workspace: Workspace, count: Any, most: int) -> None:
    if not isinstance(count, int) or not 1 <= count <= most:
        raise kind.refusal(400, f"The instance count must be from 1 to {most}, not {count}.", workspace)


def _check_compute(workspace: Workspace, compute: Any) -> None:
    """One of the workspace's own, by its ARM id or by its name."""
    if not isinstance(compute, str) or not compute:
        raise BATCH.refusal(400, "The compute field is required.", workspace)
    match = COMPUTE.match(compute)
    here = match is None or match["workspace"].lower() == workspace.owner
    name = match["name"] if match else compute.removeprefix("azureml:")
    if not here or workspace.compute(name) is None:
        raise BATCH.refusal(400, f"The compute {compute} was not found in workspace {workspace.name}.", workspace)
