"""What the SDK is given to create. Imports azure.ai.ml, so it is itself imported on first use alone."""

from collections.abc import Mapping
from typing import Any

from azure.ai.ml.entities import (
    BatchEndpoint as AzureBatchEndpoint,
)
from azure.ai.ml.entities import (
    CodeConfiguration,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
    ModelBatchDeployment,
    ModelBatchDeploymentSettings,
)

from shared.actions import BatchEndpoint, OnlineEndpoint, Scoring
from shared.actions import Endpoint as Action
from shared.endpoints import NewDeployment


def endpoint(action: Action, tags: Mapping[str, str]) -> Any:
    match action:
        case OnlineEndpoint():
            return ManagedOnlineEndpoint(name=action.name, auth_mode=str(action.auth_mode), tags=dict(tags))
        case BatchEndpoint():
            return AzureBatchEndpoint(name=action.name, tags=dict(tags))


def deployment(action: Action, new: NewDeployment) -> Any:
    """The model is an entity that knows its id: of a mere id the SDK looks up registry and model, just to log a hint, on clients of
    its own that retry for minutes (1.35, `check_default_deployment_template`).
    """
    both: dict[str, Any] = {
        "name": new.name,
        "endpoint_name": action.name,
        "model": Model(id=new.model.path),
        "environment": new.environment,
        "code_configuration": _code(action.scoring),
        "tags": dict(new.tags),
    }
    match action:
        case OnlineEndpoint():
            return ManagedOnlineDeployment(**both, instance_type=action.instance_type, instance_count=action.instance_count)
        case BatchEndpoint():
            settings = ModelBatchDeploymentSettings(instance_count=action.instance_count, mini_batch_size=None)  # Azure's default
            return ModelBatchDeployment(**both, compute=action.compute, settings=settings)


def _code(scoring: Scoring | None) -> CodeConfiguration | None:
    return CodeConfiguration(code=scoring.code, scoring_script=scoring.script) if scoring else None
