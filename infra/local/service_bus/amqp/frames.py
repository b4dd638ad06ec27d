"""AMQP 1.0 framing: a byte stream cut into protocol headers and frames."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from infra.local.service_bus.amqp.decoding import MalformedError

MAX_FRAME_BYTES = 65536
AMQP_FRAME, SASL_FRAME = 0, 1
SASL_PROTOCOL = 3

_HEADER = struct.Struct(">IBBH")


class ProtocolHeader(NamedTuple):
    """The eight bytes with which both sides open a protocol layer."""

    protocol: int
    raw: bytes


class Frame(NamedTuple):
    """One frame; an empty body is a heartbeat."""

    kind: int
    channel: int
    body: bytes


def encode_frame(channel: int, body: bytes, kind: int = AMQP_FRAME) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), 2, kind, channel) + body


class FrameReader:
    """Collects received bytes. Set `expects_header` when the protocol layer changes (after SASL)."""

    def __init__(self) -> None:
        self.expects_header = True
        self._buffer = bytearray()

    def feed(self, received: bytes) -> Iterator[ProtocolHeader | Frame]:
        """What is complete now. Raises MalformedError on what cannot be AMQP."""
        self._buffer += received
        at = 0
        try:
            while len(self._buffer) - at >= _HEADER.size:
                if self.expects_header:
                    self.expects_header = False
                    yield self._header(at)
                    at += _HEADER.size
                    continue
                size, offset, kind, channel = _HEADER.unpack_from(self._buffer, at)
                if not _HEADER.size <= offset * 4 <= size <= MAX_FRAME_BYTES:
                    raise MalformedError(f"a frame of {size} bytes whose body begins at {offset * 4}")
                if len(self._buffer) - at < size:
                    break
                body = bytes(self._buffer[at + offset * 4 : at + size])
                at += size
                yield Frame(kind, channel, body)
        finally:
            del self._buffer[:at]

    def _header(self, at: int) -> ProtocolHeader:
        raw = bytes(self._buffer[at : at + _HEADER.size])
        if not raw.startswith(b"AMQP"):
            raise MalformedError("the peer does not speak AMQP (a client that uses TLS begins so)")
        return ProtocolHeader(raw[4], raw)
