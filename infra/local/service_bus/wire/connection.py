"""One client's connection: protocol headers, SASL, open and close, and the sessions in between."""

import asyncio
import logging

from infra.local.service_bus.amqp import performatives as amqp
from infra.local.service_bus.amqp.decoding import MalformedError
from infra.local.service_bus.amqp.frames import (
    MAX_FRAME_BYTES,
    SASL_FRAME,
    SASL_PROTOCOL,
    Frame,
    FrameReader,
    ProtocolHeader,
    encode_frame,
)
from infra.local.service_bus.amqp.performatives import Attach, Begin, Close, Open, SaslInit
from infra.local.service_bus.wire.cbs import TokenNode
from infra.local.service_bus.wire.container import Container
from infra.local.service_bus.wire.links import Link
from infra.local.service_bus.wire.nodes import Nodes
from infra.local.service_bus.wire.outlet import Outlet
from infra.local.service_bus.wire.session import Session

_logger = logging.getLogger(__name__)

_CONTAINER_ID = "local-service-bus"
_SASL_MECHANISMS = ("MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL")  # the token on $cbs is what counts
_SMALLEST_MAX_FRAME = 512


class Connection(asyncio.Protocol):
    """Says nothing by itself: what it has to say goes out when the container flushes, after the commit."""

    def __init__(self, container: Container) -> None:
        self.max_frame_bytes = _SMALLEST_MAX_FRAME
        self._container = container
        self._nodes = Nodes(container.namespace, container.gate, TokenNode(container.namespace, container.key))
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader()
        self._sessions: dict[int, Session] = {}
        self._heartbeat: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport
        self._outlet: Outlet

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._outlet = Outlet(transport, self._loop)
        self._container.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        self._container.connections.discard(self)
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        self._outlet.discard()
        self._leave_sessions()

    def data_received(self, data: bytes) -> None:
        try:
            for received in self._reader.feed(data):
                if isinstance(received, ProtocolHeader):
                    self._on_header(received)
                elif received.body:
                    self._on_frame(received)
        except MalformedError as wrong:
            self._fail("amqp:framing-error", str(wrong))
        except Exception:  # one client's bad frame must not end the others' broker
            _logger.exception("closing a connection")
            self._fail("amqp:internal-error", "The broker failed on a frame; see its log.")
        self._container.flush_soon(self)

    # What sessions need: see `Peer`

    def send(self, channel: int, performative: bytes, acknowledges: bool = False) -> None:
        self._outlet.say(encode_frame(channel, performative), acknowledges)
        self._container.flush_soon(self)

    def open_link(self, session: Session, request: Attach, handle: int) -> Link:
        return self._nodes.open_link(session, request, handle)

    def hang_up(self) -> None:
        self._outlet.discard()
        self._leave_sessions()
        self._transport.abort()

    # What the container needs

    def flush(self) -> None:
        if not self._transport.is_closing():
            self._outlet.flush(self._container.latency())

    def _leave_sessions(self) -> None:
        for session in self._sessions.values():
            session.end()
        self._sessions.clear()

    def _fail(self, condition: str, description: str) -> None:
        _logger.warning("closing a connection: %s", description)
        self.send(0, amqp.closed(amqp.error(condition, description)))
        self._outlet.close_after()

    def _on_header(self, header: ProtocolHeader) -> None:
        self._outlet.say(header.raw, acknowledges=False)
        if header.protocol == SASL_PROTOCOL:
            self._outlet.say(encode_frame(0, amqp.sasl_mechanisms(_SASL_MECHANISMS), SASL_FRAME), acknowledges=False)

    def _on_frame(self, frame: Frame) -> None:
        performative, payload = amqp.read(frame.body)
        match performative:
            case SaslInit():
                self._outlet.say(encode_frame(0, amqp.sasl_accepted(), SASL_FRAME), acknowledges=False)
                self._reader.expects_header = True
            case Open():
                self._on_open(performative)
            case Begin():
                self._sessions[frame.channel] = Session(self, frame.channel, performative)
            case Close():
                self._leave_sessions()
                self.send(0, amqp.closed())
                self._outlet.close_after()
            case _:
                session = self._sessions.get(frame.channel)  # the SDK still detaches links after it ended a session
                if session is not None and not session.on(performative, payload):
                    self._sessions.pop(frame.channel, None)

    def _on_open(self, request: Open) -> None:
        self.max_frame_bytes = max(_SMALLEST_MAX_FRAME, min(request.max_frame_size or MAX_FRAME_BYTES, MAX_FRAME_BYTES))
        self.send(0, amqp.opened(_CONTAINER_ID, MAX_FRAME_BYTES))
        if request.idle_time_out:
            self._beat_every(request.idle_time_out / 2000)

    def _beat_every(self, seconds: float) -> None:
        self._outlet.say(encode_frame(0, b""), acknowledges=False)
        self._container.flush_soon(self)
        self._heartbeat = self._loop.call_later(seconds, self._beat_every, seconds)
