"""The rules of an online endpoint's traffic."""

import random
from typing import Any

from infra.local.azure_ml.endpoint_store import provisioning_state
from infra.local.azure_ml.errors import inferencing_error
from infra.local.azure_ml.state import Document

MOST_MIRRORED = 50


def check_traffic(asked: dict[str, Any], mirrored: dict[str, Any], deployments: list[Document] | None) -> None:
    """Raise AzureError 400 unless the traffic can be set; `deployments` is None while the endpoint is being created."""
    if deployments is None and (asked or mirrored):
        raise inferencing_error(400, "Traffic cannot be set when the endpoint is created: it has no deployments yet.")
    ready = {document["name"]: provisioning_state(document) for document in deployments or []}
    for name, percentage in (asked | mirrored).items():
        if not isinstance(percentage, int) or not 0 <= percentage <= 100:
            raise inferencing_error(400, f"The traffic of deployment {name} must be a whole number from 0 to 100.")
        if name not in ready:
            raise inferencing_error(400, f"Traffic refers to deployment {name}, which does not exist.")
        if percentage and ready[name] in ("Creating", "Deleting", "Failed"):
            raise inferencing_error(400, f"Deployment {name} cannot take traffic: it is {ready[name]}.")
    if sum(asked.values()) not in (0, 100):
        raise inferencing_error(400, f"The traffic must sum to 0 or 100, not to {sum(asked.values())}.")
    if len(mirrored) > 1 or any(percentage > MOST_MIRRORED for percentage in mirrored.values()):
        raise inferencing_error(400, f"Traffic can be mirrored to one deployment, and at most {MOST_MIRRORED} percent.")


def takes_traffic(endpoint: Document, deployment: str) -> bool:
    """By what was asked for last or by what is in force."""
    asked = endpoint["body"]["properties"]["traffic"]
    return bool(asked.get(deployment) or endpoint["serving"].get(deployment))


def choose(traffic: dict[str, int]) -> str | None:
    """A deployment, by the weights; None where none takes traffic."""
    weights = {name: percentage for name, percentage in traffic.items() if percentage}
    return random.choices(list(weights), list(weights.values()))[0] if weights else None
