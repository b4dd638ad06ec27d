"""The route `online_endpoint`: a new version answers the subscription's sample request before it gets any traffic."""

import logging

from handlers import rollout
from handlers.rollout_looks import Rollout
from handlers.turns import Turn
from shared import logs
from shared.actions import OnlineEndpoint
from shared.endpoints import SMOKE_TEST_FAILED, Endpoint
from shared.errors import Owner, Permanent, Transient
from shared.rows import DeliveryRow

log = logging.getLogger("fanout.online_endpoint")

MOST_TRIES = 10  # in a row that came to no answer: about half an hour


def step(turn: Turn[DeliveryRow], action: OnlineEndpoint) -> DeliveryRow:
    sample = action.sample_request
    if sample is None:
        return rollout.step(turn, Rollout(action, action.traffic))
    return rollout.step(turn, Rollout(action, action.traffic, lambda there, deployment: _try_out(turn, there, deployment, sample)))


def _try_out(turn: Turn[DeliveryRow], there: Endpoint, deployment: str, sample: str) -> None:
    """Permanent also where it never answers: other versions wait for the endpoint."""
    row = turn.row
    try:
        turn.fanout.endpoints.smoke_test(row.workspace, there, deployment, sample)
    except Transient as failure:
        if row.failures < MOST_TRIES:
            raise
        remedy = "see in the deployment's logs in Azure ML why it does not answer, then retry the delivery"
        raise Permanent(SMOKE_TEST_FAILED, f"tried {row.failures} times: {failure}", Owner.PUBLISHER, remedy) from failure
    logs.event(log, "smoke test passed", delivery_id=row.address, workspace=row.workspace.name, tenant=row.tenant)
