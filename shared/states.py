"""The states of shares and deliveries, and every legal step between them."""

from enum import StrEnum


class ShareState(StrEnum):
    REQUESTED = "requested"
    IMPORTING = "importing"
    FANNING_OUT = "fanning_out"
    SHARED = "shared"
    FAILED = "failed"
    RECALLING = "recalling"
    RECALLED = "recalled"


class DeliveryState(StrEnum):
    PLANNED = "planned"
    AWAITING_APPROVAL = "awaiting_approval"
    HELD = "held"
    RUNNING = "running"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    RECALLING = "recalling"
    RECALLED = "recalled"


type State = ShareState | DeliveryState

_SHARE = {
    ShareState.REQUESTED: {ShareState.IMPORTING, ShareState.FANNING_OUT, ShareState.FAILED},
    ShareState.IMPORTING: {ShareState.REQUESTED, ShareState.FANNING_OUT, ShareState.FAILED},  # requested: to begin anew
    ShareState.FANNING_OUT: {ShareState.SHARED, ShareState.FAILED},
    ShareState.SHARED: set(),
    ShareState.FAILED: set(),
    ShareState.RECALLING: {ShareState.RECALLED, ShareState.FAILED},
    ShareState.RECALLED: set(),
}
_ENDS = {DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.SUPERSEDED, DeliveryState.CANCELLED}
_DELIVERY = {
    DeliveryState.PLANNED: {DeliveryState.AWAITING_APPROVAL, DeliveryState.HELD, DeliveryState.RUNNING} | _ENDS,
    DeliveryState.AWAITING_APPROVAL: {DeliveryState.HELD, DeliveryState.FAILED, DeliveryState.CANCELLED},
    DeliveryState.HELD: {DeliveryState.AWAITING_APPROVAL, DeliveryState.RUNNING} | _ENDS,
    DeliveryState.RUNNING: {DeliveryState.HELD} | _ENDS,
    DeliveryState.DELIVERED: set(),
    DeliveryState.FAILED: set(),
    DeliveryState.SUPERSEDED: set(),
    DeliveryState.CANCELLED: set(),
    DeliveryState.RECALLING: {DeliveryState.RECALLED, DeliveryState.FAILED},
    DeliveryState.RECALLED: set(),
}

# What only a command brings about: it opens what ended, lets go what waits, or takes back what is on its way.
_SHARE_BY_COMMAND = {
    ShareState.SHARED: {ShareState.FANNING_OUT},
    ShareState.FAILED: {ShareState.REQUESTED},
}
_DELIVERY_BY_COMMAND = {
    DeliveryState.AWAITING_APPROVAL: {DeliveryState.PLANNED},
    DeliveryState.FAILED: {DeliveryState.PLANNED},
    DeliveryState.CANCELLED: {DeliveryState.PLANNED},
    DeliveryState.DELIVERED: {DeliveryState.PLANNED},  # what it brought is gone
}


def successors(state: State) -> set[ShareState] | set[DeliveryState]:
    """Where a step may lead."""
    return _SHARE[state] if isinstance(state, ShareState) else _DELIVERY[state]


def is_final(state: State) -> bool:
    return not successors(state)


def may_follow(old: State, new: State) -> bool:
    return new == old or new in successors(old)


def may_be_commanded(old: State, new: State) -> bool:
    """Whether a command may put a row into a state to which no step leads. Anything may be recalled, once."""
    if isinstance(old, ShareState):
        return new in _SHARE_BY_COMMAND.get(old, set()) or (new is ShareState.RECALLING and old is not ShareState.RECALLED)
    return new in _DELIVERY_BY_COMMAND.get(old, set()) or (new is DeliveryState.RECALLING and old is not DeliveryState.RECALLED)
