"""Messages as the handlers see them, whatever brought them, and the queues' names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from shared.errors import Owner, Permanent, Reason
from shared.secrets import without_secrets
from shared.wakeups import WakeUp

LONGEST_ID = 128  # characters of a message's or a correlation id, Service Bus
BY_EVENT = "fanout_event"  # property of a command that nobody sent, but an event or the timer


class Queue(StrEnum):
    COMMANDS = "commands"
    WAKEUPS = "wakeups"
    EVENTS = "events"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came: `sequence_number` is the queue's, the same for each redelivery of it, `enqueued_at` where known."""

    body: bytes
    message_id: str = ""
    sequence_number: int = 0
    correlation_id: str | None = None
    content_type: str | None = None
    properties: Mapping[str, object] = field(default_factory=dict)
    enqueued_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send: now, or when `at` has come. A repeated `message_id` is dropped by the queue for ten minutes."""

    body: bytes
    message_id: str
    at: datetime | None = None
    correlation_id: str | None = None
    content_type: str | None = "application/json"
    properties: Mapping[str, object] = field(default_factory=dict)


_WAKE_UPS: TypeAdapter[WakeUp] = TypeAdapter(WakeUp)


def of_wake_up(wake_up: WakeUp, at: datetime | None = None) -> Outgoing:
    return Outgoing(_WAKE_UPS.dump_json(wake_up, exclude_none=True), wake_up.message_id, at)


def to_wake_up(message: Received) -> WakeUp:
    """Permanent `bad_wake_up` for a message that is none: only Fanout itself may send to `wakeups`."""
    try:
        return _WAKE_UPS.validate_json(message.body)
    except ValidationError as wrong:
        text = f"not a wake-up: {wrong.errors(include_url=False)[0]['msg']}"
        remedy = "let nobody but Fanout send to queue wakeups (role Azure Service Bus Data Sender)"
        raise Permanent("bad_wake_up", text, Owner.PROVIDER, remedy) from wrong


WHY = ("code", "reason", "owner", "remedy", "came_by")  # of a rejection: its properties, each after `fanout_`


def rejection(message: Received, reason: Reason, came_by: str) -> Outgoing:
    """The message as it came, with the reason as properties, for queue `rejected`."""
    why = {
        "code": reason.code,
        "reason": reason.text,
        "owner": str(reason.owner),
        "remedy": reason.remedy,
        "came_by": came_by,
    }
    properties = dict(message.properties) | {f"fanout_{name}": without_secrets(text) for name, text in why.items()}
    return Outgoing(
        message.body,
        message.message_id,
        correlation_id=message.correlation_id,
        content_type=message.content_type,
        properties=properties,
    )
