"""AMQP 1.0's performatives: what a frame's body says.

Those that clients send are read into named tuples; those that the broker sends are written by functions, which spell out
the order of the fields that the standard prescribes.
"""

from typing import Any, NamedTuple

from infra.local.service_bus.amqp import encoding
from infra.local.service_bus.amqp.decoding import Described, MalformedError, decode

OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE = range(0x10, 0x19)
ERROR, RECEIVED, ACCEPTED, REJECTED, RELEASED, MODIFIED = 0x1D, 0x23, 0x24, 0x25, 0x26, 0x27
SOURCE, TARGET = 0x28, 0x29
SASL_MECHANISMS, SASL_INIT, SASL_OUTCOME = 0x40, 0x41, 0x44

ROLE_SENDER, ROLE_RECEIVER = False, True
SETTLED_BY_SENDER = 1  # snd-settle-mode "settled": each transfer is settled when sent


class Open(NamedTuple):
    container_id: Any = None
    hostname: Any = None
    max_frame_size: Any = None
    channel_max: Any = None
    idle_time_out: Any = None


class Begin(NamedTuple):
    remote_channel: Any = None
    next_outgoing_id: Any = None
    incoming_window: Any = None


class Attach(NamedTuple):
    name: Any = None
    handle: Any = None
    role: Any = None
    snd_settle_mode: Any = None
    rcv_settle_mode: Any = None
    source: Any = None
    target: Any = None


class Flow(NamedTuple):
    next_incoming_id: Any = None
    incoming_window: Any = None
    next_outgoing_id: Any = None
    outgoing_window: Any = None
    handle: Any = None
    delivery_count: Any = None
    link_credit: Any = None
    available: Any = None
    drain: Any = None
    echo: Any = None


class Transfer(NamedTuple):
    handle: Any = None
    delivery_id: Any = None
    delivery_tag: Any = None
    message_format: Any = None
    settled: Any = None
    more: Any = None
    rcv_settle_mode: Any = None
    state: Any = None
    resume: Any = None
    aborted: Any = None


class Disposition(NamedTuple):
    role: Any = None
    first: Any = None
    last: Any = None
    settled: Any = None
    state: Any = None


class Detach(NamedTuple):
    handle: Any = None
    closed: Any = None


class End(NamedTuple):
    error: Any = None


class Close(NamedTuple):
    error: Any = None


class SaslInit(NamedTuple):
    mechanism: Any = None


type Performative = Open | Begin | Attach | Flow | Transfer | Disposition | Detach | End | Close | SaslInit

_READ: dict[int, type[Performative]] = {
    OPEN: Open,
    BEGIN: Begin,
    ATTACH: Attach,
    FLOW: Flow,
    TRANSFER: Transfer,
    DISPOSITION: Disposition,
    DETACH: Detach,
    END: End,
    CLOSE: Close,
    SASL_INIT: SaslInit,
}


def read(body: bytes) -> tuple[Performative, bytes]:
    """A frame's performative and the payload behind it. Fields that nothing here needs are left out."""
    described, end = decode(body)
    kind = _READ.get(described.descriptor) if isinstance(described, Described) else None
    if kind is None or not isinstance(described.value, list):
        raise MalformedError("a frame that begins with no performative")
    return kind(*described.value[: len(kind._fields)]), body[end:]


def error(condition: str, description: str) -> bytes:
    """The map of details is never left out: the Python SDK reads it without looking, and hangs where it is missing."""
    return encoding.composite(ERROR, encoding.symbol(condition), encoding.string(description), encoding.mapping([]))


def opened(container_id: str, max_frame_bytes: int) -> bytes:
    return encoding.composite(OPEN, encoding.string(container_id), None, encoding.uint(max_frame_bytes), encoding.ushort(4999))


def begun(channel: int, window: int, handle_max: int) -> bytes:
    return encoding.composite(
        BEGIN,
        encoding.ushort(channel),
        encoding.uint(0),
        encoding.uint(window),
        encoding.uint(window),
        encoding.uint(handle_max),
    )


def attached(request: Attach, handle: int, source: bytes | None, target: bytes | None, max_bytes: int) -> bytes:
    """The answer to a client's attach, with the roles turned round."""
    client_receives = request.role == ROLE_RECEIVER
    return encoding.composite(
        ATTACH,
        encoding.string(request.name),
        encoding.uint(handle),
        encoding.boolean(not client_receives),
        None if request.snd_settle_mode is None else encoding.ubyte(request.snd_settle_mode),
        None if request.rcv_settle_mode is None else encoding.ubyte(request.rcv_settle_mode),
        source,
        target,
        None,
        None,
        encoding.uint(0) if client_receives else None,
        encoding.ulong(max_bytes),
    )


def terminus(kind: int, address: str | None) -> bytes:
    """A source or a target of that address."""
    return encoding.composite(kind, encoding.optional_string(address))


def flow(session_fields: tuple[int, int, int, int], link_fields: tuple[int, int, int] | None, drain: bool) -> bytes:
    """Session: next incoming id, window, next outgoing id, window. Link: handle, delivery count, credit."""
    fields: list[bytes | None] = [encoding.uint(value) for value in session_fields]
    if link_fields is not None:
        fields += [encoding.uint(value) for value in link_fields]
        fields += [None, encoding.boolean(drain)]
    return encoding.composite(FLOW, *fields)


def transfer(handle: int, delivery_id: int, tag: bytes, settled: bool, more: bool) -> bytes:
    return encoding.composite(
        TRANSFER,
        encoding.uint(handle),
        encoding.uint(delivery_id),
        encoding.binary(tag),
        encoding.uint(0),
        encoding.boolean(settled),
        encoding.boolean(more),
    )


def disposition(role: bool, delivery_id: int, state: bytes) -> bytes:
    number = encoding.uint(delivery_id)
    return encoding.composite(DISPOSITION, encoding.boolean(role), number, number, encoding.true, state)


def detached(handle: int, cause: bytes | None) -> bytes:
    return encoding.composite(DETACH, encoding.uint(handle), encoding.true, cause)


def ended() -> bytes:
    return encoding.composite(END)


def closed(cause: bytes | None = None) -> bytes:
    return encoding.composite(CLOSE, cause)


def accepted() -> bytes:
    return encoding.composite(ACCEPTED)


def rejected(cause: bytes | None = None) -> bytes:
    return encoding.composite(REJECTED, cause)


def released() -> bytes:
    return encoding.composite(RELEASED)


def modified(failed: bool, undeliverable_here: bool) -> bytes:
    return encoding.composite(MODIFIED, encoding.boolean(failed), encoding.boolean(undeliverable_here))


def sasl_mechanisms(names: tuple[str, ...]) -> bytes:
    return encoding.composite(SASL_MECHANISMS, encoding.symbol_array(names))


def sasl_accepted() -> bytes:
    return encoding.composite(SASL_OUTCOME, encoding.ubyte(0))
