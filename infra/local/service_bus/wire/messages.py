"""Messages between the wire and the queues.

The sections that a sender wrote are kept as bytes, so that every AMQP type in them survives; only what the broker owns is
written anew: the header, its own annotations, and the reason of a dead letter.
"""

import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from infra.local.service_bus.amqp import encoding
from infra.local.service_bus.amqp.decoding import Described, MalformedError, decode, raw_items, raw_map, skip
from infra.local.service_bus.queues.errors import ArgumentError
from infra.local.service_bus.queues.message import Message, State, Submission

HEADER, DELIVERY_ANNOTATIONS, MESSAGE_ANNOTATIONS, PROPERTIES, APPLICATION_PROPERTIES = range(0x70, 0x75)
DATA, SEQUENCE, VALUE = 0x75, 0x76, 0x77

_OWNED_ANNOTATIONS = {
    "x-opt-sequence-number",
    "x-opt-enqueue-sequence-number",
    "x-opt-enqueued-time",
    "x-opt-locked-until",
    "x-opt-lock-token",
    "x-opt-message-state",
    "x-opt-deadletter-source",
}
_STATE_ON_THE_WIRE = {State.ACTIVE: 0, State.DEFERRED: 1, State.SCHEDULED: 2}
_MAX_UINT = 0xFFFFFFFF


class Section(NamedTuple):
    """Where a section of an encoded message lies; `value` is where its value begins, behind the descriptor."""

    code: int
    start: int
    value: int
    end: int


def sections(payload: bytes) -> Iterator[Section]:
    at = 0
    while at < len(payload):
        if payload[at] != 0:
            raise MalformedError(f"no message section at byte {at}")
        code, value = decode(payload, at + 1)
        end = skip(payload, value)
        if end > len(payload):
            raise MalformedError(f"the message section at byte {at} runs past the end")
        yield Section(code, at, value, end)
        at = end


def read_submission(payload: bytes) -> Submission:
    """What a sender sent. The broker names messages that come without an id, as the service does. Raises ArgumentError."""
    try:
        return _read_submission(payload)
    except (MalformedError, IndexError, ValueError, TypeError) as wrong:
        raise ArgumentError(f"The message is not encoded as AMQP 1.0 prescribes: {wrong}") from wrong


def _read_submission(payload: bytes) -> Submission:
    time_to_live = scheduled_for = message_id = None
    body_at = len(payload)
    properties: Section | None = None
    for section in sections(payload):
        if section.code == HEADER:
            time_to_live = _field(decode(payload, section.value)[0], 2)
        elif section.code == MESSAGE_ANNOTATIONS:
            annotations = decode(payload, section.value)[0] or {}
            scheduled_for = annotations.get("x-opt-scheduled-enqueue-time")
        elif section.code == PROPERTIES:
            properties = section
            message_id = _field(decode(payload, section.value)[0], 0)
        elif section.code == APPLICATION_PROPERTIES:
            raw_map(payload, section.value)  # what cannot be split could not be dead-lettered later
        if section.code > PROPERTIES:
            body_at = min(body_at, section.start)
    if message_id is None:
        message_id = uuid.uuid4().hex
        payload = _with_message_id(payload, message_id, properties, body_at)
    return Submission(str(message_id), payload, time_to_live, scheduled_for)


def _with_message_id(payload: bytes, message_id: str, properties: Section | None, body_at: int) -> bytes:
    items = raw_items(payload, properties.value) if properties else []
    named = encoding.composite(PROPERTIES, encoding.string(message_id), *items[1:])
    start, end = (properties.start, properties.end) if properties else (body_at, body_at)
    return payload[:start] + named + payload[end:]


def encode_message(message: Message) -> bytes:
    """The message as a receiver gets it, locked or not."""
    header: bytes | None = None
    annotations: dict[str, bytes] = {}
    kept, application, body = b"", b"", b""
    payload = message.payload
    for section in sections(payload):
        if section.code == HEADER:
            header = payload[section.value : section.end]
        elif section.code == MESSAGE_ANNOTATIONS:
            annotations = raw_map(payload, section.value)
        elif section.code == PROPERTIES:
            kept = payload[section.start : section.end]
        elif section.code == APPLICATION_PROPERTIES:
            application = payload[section.start : section.end]
        elif section.code > APPLICATION_PROPERTIES:
            body = payload[section.start :]
            break
    if message.dead_letter is not None:
        application = _with_reason(application, message)
    parts = (_header(header, message), _lock_token(message), _annotations(annotations, message), kept, application, body)
    return b"".join(parts)


def _header(original: bytes | None, message: Message) -> bytes:
    durable, priority, *_ = (raw_items(original, 0) if original else []) + [encoding.null] * 2
    ttl = None if message.time_to_live is None else encoding.uint(min(message.time_to_live, _MAX_UINT))
    return encoding.composite(HEADER, durable, priority, ttl, None, encoding.uint(message.delivery_count))


def _lock_token(message: Message) -> bytes:
    """The Python SDK waits for ever for a message that does not have it."""
    if message.lock is None:
        return b""
    return encoding.described(DELIVERY_ANNOTATIONS, encoding.symbol_map({"x-opt-lock-token": encoding.guid(message.lock.token)}))


def _annotations(original: dict[str, bytes], message: Message) -> bytes:
    annotations = {key: value for key, value in original.items() if key not in _OWNED_ANNOTATIONS}
    annotations["x-opt-sequence-number"] = encoding.long(message.sequence_number)
    annotations["x-opt-enqueue-sequence-number"] = encoding.long(message.enqueued_sequence_number)
    annotations["x-opt-enqueued-time"] = encoding.timestamp(message.enqueued_at)
    annotations["x-opt-message-state"] = encoding.integer(_STATE_ON_THE_WIRE[message.state])
    if message.lock is not None:
        annotations["x-opt-locked-until"] = encoding.timestamp(message.lock.until)
    if message.dead_letter is not None:
        annotations["x-opt-deadletter-source"] = encoding.string(message.dead_letter.source)
    return encoding.described(MESSAGE_ANNOTATIONS, encoding.symbol_map(annotations))


def _with_reason(application: bytes, message: Message) -> bytes:
    assert message.dead_letter is not None
    values = raw_map(application, skip(application, 1)) if application else {}
    reason, description = message.dead_letter.reason, message.dead_letter.description
    for key, text in (("DeadLetterReason", reason), ("DeadLetterErrorDescription", description)):
        if text is not None:
            values[key] = encoding.string(text)
    return encoding.described(APPLICATION_PROPERTIES, encoding.string_map(values))


class Readable(NamedTuple):
    """A message's content for people."""

    body: str
    application_properties: dict[str, Any]


def readable(message: Message) -> Readable:
    encoded = encode_message(message)
    bodies, properties = [], {}
    for section in sections(encoded):
        if section.code == APPLICATION_PROPERTIES:
            properties = decode(encoded, section.value)[0]
        elif section.code in (DATA, SEQUENCE, VALUE):
            bodies.append(_text(decode(encoded, section.value)[0]))
    return Readable("".join(bodies), properties)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _field(fields: list[Any] | Described, index: int) -> Any:
    return fields[index] if isinstance(fields, list) and len(fields) > index else None
