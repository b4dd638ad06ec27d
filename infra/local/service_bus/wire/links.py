"""AMQP links: credit, transfers in pieces, attach and detach. What is sent over them is the subclasses' matter."""

from typing import Any, Protocol

from infra.local.service_bus.amqp import performatives as amqp
from infra.local.service_bus.amqp.decoding import Described
from infra.local.service_bus.amqp.performatives import Attach, Flow, Transfer
from infra.local.service_bus.queues.errors import MessageTooLargeError, ServiceBusError
from infra.local.service_bus.queues.settings import MAX_MESSAGE_BYTES
from infra.local.service_bus.wire.gate import ConnectionDropped

_CREDIT = 1000
_SOURCE_FILTER, _MOD = 7, 1 << 32


class Channel(Protocol):
    """What a link needs of its session."""

    def send(self, performative: bytes, acknowledges: bool = False) -> None: ...

    def send_flow(self, link: tuple[int, int, int] | None = None, drain: bool = False) -> None: ...

    def transfer(self, handle: int, payload: bytes, tag: bytes, settled: bool) -> int:
        """The delivery's id in the session."""

    @property
    def has_window(self) -> bool: ...

    def hang_up(self) -> None:
        """Ends the connection without a word."""


class Link:
    """One end of a link that a client attached. `handle` is ours, `peer_handle` the client's."""

    def __init__(self, channel: Channel, request: Attach, handle: int) -> None:
        self.channel = channel
        self.request = request
        self.handle = handle
        self.peer_handle: int = request.handle
        self.is_open = False
        self.source_address: str | None = _field(request.source, 0)
        self.target_address: str | None = _field(request.target, 0)

    @property
    def client_receives(self) -> bool:
        return bool(self.request.role == amqp.ROLE_RECEIVER)

    @property
    def filters(self) -> dict[str, Any]:
        return _field(self.request.source, _SOURCE_FILTER) or {}

    def attach(self) -> None:
        self._answer_attach(amqp.terminus(amqp.SOURCE, self.source_address), self._target())

    def refuse(self, error: ServiceBusError) -> None:
        """As the standard wants it: attached without the terminus that is missing, then detached with the reason."""
        source = amqp.terminus(amqp.SOURCE, self.source_address)
        self._answer_attach(*((None, self._target()) if self.client_receives else (source, None)))
        self.close(error)

    def close(self, error: ServiceBusError | None = None) -> None:
        """Detaches; with a reason where it is not the client that wants it."""
        if self.is_open:
            self.is_open = False
            cause = amqp.error(error.condition, error.description) if error else None
            self.channel.send(amqp.detached(self.handle, cause))
            self.left()

    def left(self) -> None:
        """The link is no more, or its connection isn't."""
        self.is_open = False

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        raise NotImplementedError

    def on_flow(self, flow: Flow) -> None:
        raise NotImplementedError

    def _target(self) -> bytes:
        return amqp.terminus(amqp.TARGET, self.target_address or self.source_address)

    def _answer_attach(self, source: bytes | None, target: bytes | None) -> None:
        self.is_open = True
        self.channel.send(amqp.attached(self.request, self.handle, source, target, MAX_MESSAGE_BYTES))


class IncomingLink(Link):
    """The client sends, the broker receives."""

    def __init__(self, channel: Channel, request: Attach, handle: int) -> None:
        super().__init__(channel, request, handle)
        self._credit = 0
        self._received = 0
        self._first: Transfer | None = None
        self._parts: list[bytes] = []
        self._size = 0

    def attach(self) -> None:
        super().attach()
        self._grant_credit()

    def receive(self, first: Transfer, payload: bytes) -> bytes:
        """Takes a whole delivery; answers its outcome, or raises ServiceBusError or ConnectionDropped."""
        raise NotImplementedError

    def on_flow(self, flow: Flow) -> None:
        if flow.echo:
            self._grant_credit()

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        first = self._first = self._first or transfer
        self._size += len(payload)
        if self._size <= MAX_MESSAGE_BYTES:  # what is too large is not kept: only its size is told
            self._parts.append(payload)
        if transfer.more:
            return
        whole, size = b"".join(self._parts), self._size
        self._first, self._parts, self._size = None, [], 0
        self._received += 1
        self._credit -= 1
        if self._credit < _CREDIT // 2:
            self._grant_credit()
        if not transfer.aborted:
            self._settle(first, bool(first.settled or transfer.settled), whole, size)

    def _settle(self, first: Transfer, settled: bool, payload: bytes, size: int) -> None:
        try:
            if size > MAX_MESSAGE_BYTES:
                text = f"The received message (size:{size}) exceeds the limit ({MAX_MESSAGE_BYTES}) allowed on the link."
                raise MessageTooLargeError(text)
            outcome = self.receive(first, payload)
        except ServiceBusError as error:
            outcome = amqp.rejected(amqp.error(error.condition, error.description))
        except ConnectionDropped:
            self.channel.hang_up()
            return
        if not settled:
            self.channel.send(amqp.disposition(amqp.ROLE_RECEIVER, first.delivery_id, outcome), acknowledges=True)

    def _grant_credit(self) -> None:
        self._credit = _CREDIT
        self.channel.send_flow((self.handle, self._received % _MOD, self._credit))


class OutgoingLink(Link):
    """The broker sends, the client receives, as far as its credit goes."""

    def __init__(self, channel: Channel, request: Attach, handle: int) -> None:
        super().__init__(channel, request, handle)
        self._credit = 0
        self._sent = 0

    def send_waiting(self) -> None:
        """Sends what there is: the client has given credit, or the session's window has opened."""
        raise NotImplementedError

    @property
    def can_send(self) -> bool:
        return self.is_open and self._credit > 0 and self.channel.has_window

    def send(self, payload: bytes, tag: bytes, settled: bool) -> int:
        self._credit -= 1
        self._sent += 1
        return self.channel.transfer(self.handle, payload, tag, settled)

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """A client that sends on its receiving link is ignored."""

    def on_flow(self, flow: Flow) -> None:
        if flow.link_credit is None:
            return
        credit = ((flow.delivery_count or 0) + flow.link_credit - self._sent) % _MOD
        self._credit = credit if credit < _MOD // 2 else 0  # the client withdrew more than was left
        self.send_waiting()
        if flow.drain:
            self._sent, self._credit = self._sent + self._credit, 0
        if flow.drain or flow.echo:
            self.channel.send_flow((self.handle, self._sent % _MOD, self._credit), drain=bool(flow.drain))


def _field(terminus: Described | None, index: int) -> Any:
    fields = terminus.value if isinstance(terminus, Described) else []
    return fields[index] if len(fields) > index else None
