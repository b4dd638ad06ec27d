"""One step of a delivery: planned → running → delivered, or one of the other ends. Level-triggered: look, then one next thing."""

from handlers import batch_endpoint, endpoint_recall, online_endpoint, register, register_recall
from handlers.permission import look_for_approval
from handlers.turns import Turn
from shared.actions import BatchEndpoint, OnlineEndpoint, Register
from shared.rows import DeliveryRow
from shared.states import DeliveryState


def step(turn: Turn[DeliveryRow]) -> DeliveryRow:
    row = turn.row
    if row.state is DeliveryState.PLANNED and not row.looks:  # one that waits for an endpoint was indexed before
        turn.fanout.rows.index(row)
    if row.state is DeliveryState.AWAITING_APPROVAL:
        return look_for_approval(turn)
    with turn.fanout.fairness.admitted(row.workspace):
        return _take_back(turn) if row.state is DeliveryState.RECALLING else _deliver(turn)


def _deliver(turn: Turn[DeliveryRow]) -> DeliveryRow:
    match turn.row.action:
        case Register() as action:
            return register.step(turn, action)
        case OnlineEndpoint() as action:
            return online_endpoint.step(turn, action)
        case BatchEndpoint() as action:
            return batch_endpoint.step(turn, action)


def _take_back(turn: Turn[DeliveryRow]) -> DeliveryRow:
    match turn.row.action:
        case Register():
            return register_recall.step(turn)
        case OnlineEndpoint() | BatchEndpoint() as action:
            return endpoint_recall.step(turn, action)
