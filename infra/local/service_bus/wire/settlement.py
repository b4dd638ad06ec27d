"""Settling by lock token: the one path for a link's dispositions and for the management node."""

import uuid
from collections.abc import Callable

from infra.local.service_bus.faults import Failure, Operation
from infra.local.service_bus.queues.queue import Queue
from infra.local.service_bus.wire.gate import Gate


def settle(
    gate: Gate,
    queue: Queue,
    token: uuid.UUID,
    operation: Operation,
    reason: str | None = None,
    description: str | None = None,
) -> None:
    """Complete, abandon, release, defer or dead-letter (with its reason). Raises ServiceBusError, ConnectionDropped."""
    message_id = queue.locked(token).message_id
    fault = gate.enter(queue.settings.name, operation, message_id)
    if fault is not None and fault.error is Failure.LOCK_LOST:
        queue.lose_lock(token)
    if operation is Operation.DEAD_LETTER:
        queue.reject(token, reason, description)
    else:
        plain: dict[Operation, Callable[[uuid.UUID], None]] = {
            Operation.COMPLETE: queue.complete,
            Operation.ABANDON: queue.abandon,
            Operation.RELEASE: queue.release,
            Operation.DEFER: queue.defer,
        }
        plain[operation](token)
    gate.leave(fault)


def renew(gate: Gate, queue: Queue, token: uuid.UUID) -> int:
    """When the lock ends now, in milliseconds."""
    fault = gate.enter(queue.settings.name, Operation.RENEW, queue.locked(token).message_id)
    if fault is not None and fault.error is Failure.LOCK_LOST:
        queue.lose_lock(token)
    until = queue.renew(token)
    gate.leave(fault)
    return until
