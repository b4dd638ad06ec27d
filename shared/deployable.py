"""Which models can be deployed, and with what: an MLflow model tells by itself how it is loaded and scored, no other does."""

from shared.actions import Scoring
from shared.assets import RegistryAsset
from shared.errors import Owner, Permanent

MLFLOW_MODEL = "mlflow_model"


def environment_for(model: RegistryAsset, scoring: Scoring | None, shared_along: str | None) -> str | None:
    """The id of the environment to deploy it in; None where Azure makes one. `shared_along` came into the registry with the model.

    Permanent `not_deployable` where something is missing.
    """
    if scoring is None:
        if model.type == MLFLOW_MODEL:
            return None
        raise Permanent(
            "not_deployable",
            f"{model.asset} is a {model.type}: without environment and scoring code only an {MLFLOW_MODEL} can be deployed",
            Owner.PUBLISHER,
            "register the model in MLflow's folder layout, with type mlflow_model, or name `scoring` in the subscription",
        )
    environment = scoring.environment or shared_along
    if environment is None and model.type != MLFLOW_MODEL:
        raise Permanent(
            "not_deployable",
            f"{model.asset} is a {model.type}: its scoring code needs an environment, and none came with the model",
            Owner.SUBSCRIBER,
            "name `environment` under `scoring` in the subscription, or have the publication name one",
        )
    return environment
