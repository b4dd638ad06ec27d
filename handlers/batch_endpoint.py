"""The route `batch_endpoint`: a new version becomes the endpoint's default deployment, if the tenant has none of its own there."""

from handlers import rollout
from handlers.rollout_looks import Rollout
from handlers.turns import Turn
from shared.actions import BatchEndpoint
from shared.rows import DeliveryRow


def step(turn: Turn[DeliveryRow], action: BatchEndpoint) -> DeliveryRow:
    return rollout.step(turn, Rollout(action))
