"""AMQP sessions: they number deliveries, keep the windows, and tell links what concerns them."""

import uuid
from typing import NamedTuple, Protocol

from infra.local.service_bus.amqp import performatives as amqp
from infra.local.service_bus.amqp.performatives import (
    Attach,
    Begin,
    Detach,
    Disposition,
    End,
    Flow,
    Performative,
    Transfer,
)
from infra.local.service_bus.wire.entity_links import DeliveryLink
from infra.local.service_bus.wire.gate import ConnectionDropped
from infra.local.service_bus.wire.links import Link, OutgoingLink

_WINDOW = 0x7FFFFFF
_HANDLE_MAX = 4095
_TRANSFER_OVERHEAD = 64  # a transfer frame without its payload is smaller
_MOD = 1 << 32


class Peer(Protocol):
    """What a session needs of its connection."""

    max_frame_bytes: int

    def send(self, channel: int, performative: bytes, acknowledges: bool = False) -> None: ...

    def open_link(self, session: "Session", request: Attach, handle: int) -> Link: ...

    def hang_up(self) -> None: ...


class Unsettled(NamedTuple):
    link: DeliveryLink
    token: uuid.UUID


class Session:
    """One session of a connection; `links` are the attached ones, by the client's handle."""

    def __init__(self, peer: Peer, channel: int, begin: Begin) -> None:
        self.links: dict[int, Link] = {}
        self._peer = peer
        self._channel = channel
        self._handles = 0
        self._next_incoming = begin.next_outgoing_id
        self._next_outgoing = 0
        self._window = begin.incoming_window
        self._deliveries = 0
        self._unsettled: dict[int, Unsettled] = {}
        self.send(amqp.begun(channel, _WINDOW, _HANDLE_MAX))

    # What links need: see `Channel`

    def send(self, performative: bytes, acknowledges: bool = False) -> None:
        self._peer.send(self._channel, performative, acknowledges)

    def send_flow(self, link: tuple[int, int, int] | None = None, drain: bool = False) -> None:
        windows = (self._next_incoming, _WINDOW, self._next_outgoing % _MOD, _WINDOW)
        self.send(amqp.flow(windows, link, drain))

    @property
    def has_window(self) -> bool:
        return bool(self._window > 0)

    def hang_up(self) -> None:
        self._peer.hang_up()

    def transfer(self, handle: int, payload: bytes, tag: bytes, settled: bool) -> int:
        delivery_id = self._deliveries
        self._deliveries = (self._deliveries + 1) % _MOD
        room = self._peer.max_frame_bytes - _TRANSFER_OVERHEAD
        for start in range(0, max(len(payload), 1), room):
            more = start + room < len(payload)
            frame = amqp.transfer(handle, delivery_id, tag, settled, more) + payload[start : start + room]
            self.send(frame, acknowledges=True)
            self._next_outgoing += 1
            self._window -= 1
        return delivery_id

    def await_settlement(self, delivery_id: int, link: DeliveryLink, token: uuid.UUID) -> None:
        self._unsettled[delivery_id] = Unsettled(link, token)

    # What the client says

    def on(self, performative: Performative, payload: bytes) -> bool:
        """Whether the session goes on."""
        match performative:
            case Transfer():
                self._next_incoming = (self._next_incoming + 1) % _MOD
                if performative.handle in self.links:  # the link may just have been refused
                    self.links[performative.handle].on_transfer(performative, payload)
            case Disposition():
                self._on_disposition(performative)
            case Flow():
                self._on_flow(performative)
            case Attach():
                self._on_attach(performative)
            case Detach():
                self._on_detach(performative)
            case End():
                self.end()
                self.send(amqp.ended())
                return False
        return True

    def end(self) -> None:
        """The client ended it, or its connection is gone."""
        for link in self.links.values():
            link.left()
        self.links.clear()
        self._unsettled.clear()

    def _on_attach(self, request: Attach) -> None:
        handle = self._handles
        self._handles += 1
        link = self._peer.open_link(self, request, handle)
        if link.is_open:
            self.links[link.peer_handle] = link

    def _on_detach(self, detach: Detach) -> None:
        link = self.links.pop(detach.handle, None)
        if link is not None:
            link.close()
            self._unsettled = {key: one for key, one in self._unsettled.items() if one.link is not link}

    def _on_flow(self, flow: Flow) -> None:
        self._window = (flow.next_incoming_id or 0) + flow.incoming_window - self._next_outgoing
        link = self.links.get(flow.handle)
        if link is not None:
            link.on_flow(flow)
        elif flow.echo:
            self.send_flow()
        for other in list(self.links.values()):  # the window may have opened for all of them
            if other is not link and isinstance(other, OutgoingLink):
                other.send_waiting()

    def _on_disposition(self, disposition: Disposition) -> None:
        if disposition.role == amqp.ROLE_SENDER:  # the client settles what it sent: nothing is left to do
            return
        first = disposition.first
        last = first if disposition.last is None else disposition.last
        if first == last:
            affected = [first] if first in self._unsettled else []
        else:  # a client may claim any range: walk what is known, not the range
            affected = [number for number in self._unsettled if first <= number <= last]
        for delivery_id in affected:  # what is unknown belongs to a link that is gone: nobody waits for an answer
            self._settle(delivery_id, disposition)

    def _settle(self, delivery_id: int, disposition: Disposition) -> None:
        link, token = self._unsettled.pop(delivery_id)
        try:
            outcome = link.settle(token, disposition.state)
        except ConnectionDropped:
            self.hang_up()
            return
        if not disposition.settled:
            self.send(amqp.disposition(amqp.ROLE_SENDER, delivery_id, outcome), acknowledges=True)
