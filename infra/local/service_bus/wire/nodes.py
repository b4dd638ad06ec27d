"""Which node a client attaches to: a queue, its management, or `$cbs`; and whether it may."""

from infra.local.service_bus.amqp.performatives import Attach
from infra.local.service_bus.queues.errors import NotAllowedError, ServiceBusError
from infra.local.service_bus.queues.namespace import Namespace
from infra.local.service_bus.wire.cbs import MANAGEMENT_SUFFIX, TokenNode, entity_of, entity_path
from infra.local.service_bus.wire.entity_links import DeliveryLink, SubmissionLink
from infra.local.service_bus.wire.gate import Gate
from infra.local.service_bus.wire.links import Link
from infra.local.service_bus.wire.management import ManagementNode
from infra.local.service_bus.wire.requests import Node, RequestLink, ResponseLink
from infra.local.service_bus.wire.session import Session

_CBS = "$cbs"
_SESSION_FILTER = "com.microsoft:session-filter"


class Nodes:
    """The nodes as one connection sees them."""

    def __init__(self, namespace: Namespace, gate: Gate, tokens: TokenNode) -> None:
        self._namespace = namespace
        self._gate = gate
        self._tokens = tokens

    def open_link(self, session: Session, request: Attach, handle: int) -> Link:
        """The link attached, or refused: then it is not open."""
        plain = Link(session, request, handle)
        path = entity_path(plain.source_address if plain.client_receives else plain.target_address)
        try:
            link = self._link(session, request, handle, path)
        except ServiceBusError as refusal:
            plain.refuse(refusal)
            return plain
        link.attach()
        return link

    def _link(self, session: Session, request: Attach, handle: int, path: str) -> Link:
        lowered = path.lower()
        if lowered == _CBS:
            return _request_link(session, request, handle, self._tokens)
        queue = self._namespace.find(entity_of(path))
        self._tokens.require(entity_of(path))
        if lowered.endswith(MANAGEMENT_SUFFIX):
            return _request_link(session, request, handle, ManagementNode(queue, self._gate))
        if not request.role:
            if queue.dead_letters is None:
                raise NotAllowedError("Messages cannot be sent to a dead-letter queue.")
            return SubmissionLink(session, request, handle, queue, self._gate)
        link = DeliveryLink(session, request, handle, queue, self._gate, session.await_settlement)
        if _SESSION_FILTER in link.filters:
            raise NotAllowedError("A session receiver cannot be created on an entity that does not require sessions.")
        return link


def _request_link(session: Session, request: Attach, handle: int, node: Node) -> Link:
    if request.role:
        return ResponseLink(session, request, handle)

    def response_link(reply_to: str | None) -> ResponseLink | None:
        """By the reply-to address, or else by the node that both links are attached to."""
        node_address = link.target_address
        candidates = [one for one in session.links.values() if isinstance(one, ResponseLink)]
        exact = [one for one in candidates if one.target_address == reply_to]
        return next(iter(exact or [one for one in candidates if one.source_address == node_address]), None)

    link = RequestLink(session, request, handle, node, response_link)
    return link
