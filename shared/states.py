"""The states of shares and deliveries, and every legal step between them."""

from enum import StrEnum


class ShareState(StrEnum):
    REQUESTED = "requested"
    IMPORTING = "importing"
    FANNING_OUT = "fanning_out"
    SHARED = "shared"
    FAILED = "failed"


class DeliveryState(StrEnum):
    PLANNED = "planned"
    HELD = "held"
    RUNNING = "running"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


_SHARE = {
    ShareState.REQUESTED: {ShareState.IMPORTING, ShareState.FANNING_OUT, ShareState.FAILED},
    ShareState.IMPORTING: {ShareState.REQUESTED, ShareState.FANNING_OUT, ShareState.FAILED},  # requested: to begin anew
    ShareState.FANNING_OUT: {ShareState.SHARED, ShareState.FAILED},
    ShareState.SHARED: set(),
    ShareState.FAILED: set(),
}
_ENDS = {DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.SUPERSEDED, DeliveryState.CANCELLED}
_DELIVERY = {
    DeliveryState.PLANNED: {DeliveryState.HELD, DeliveryState.RUNNING} | _ENDS,
    DeliveryState.HELD: {DeliveryState.RUNNING} | _ENDS,
    DeliveryState.RUNNING: {DeliveryState.HELD} | _ENDS,
    DeliveryState.DELIVERED: set(),
    DeliveryState.FAILED: set(),
    DeliveryState.SUPERSEDED: set(),
    DeliveryState.CANCELLED: set(),
}

type State = ShareState | DeliveryState


def successors(state: State) -> set[ShareState] | set[DeliveryState]:
    return _SHARE[state] if isinstance(state, ShareState) else _DELIVERY[state]


def is_final(state: State) -> bool:
    return not successors(state)


def may_follow(old: State, new: State) -> bool:
    return new == old or new in successors(old)
