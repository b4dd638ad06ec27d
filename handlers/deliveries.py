"""One step of a delivery: planned → running → delivered, or one of the other ends. Level-triggered: look, then one next thing."""

from handlers import online_endpoint, register
from handlers.turns import Turn
from shared.rows import DeliveryRow
from shared.rules import OnlineEndpoint, Register
from shared.states import DeliveryState


def step(turn: Turn[DeliveryRow]) -> DeliveryRow:
    if turn.row.state is DeliveryState.PLANNED and not turn.row.looks:  # one that waits for an endpoint was indexed before
        turn.fanout.rows.index(turn.row)
    match turn.row.action:
        case Register():
            return register.step(turn)
        case OnlineEndpoint() as action:
            return online_endpoint.step(turn, action)
