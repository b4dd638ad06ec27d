"""Request and response over a pair of links: how clients talk to `$cbs` and to a queue's `$management`."""

import logging
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from infra.local.service_bus.amqp import encoding
from infra.local.service_bus.amqp import performatives as amqp
from infra.local.service_bus.amqp.decoding import MalformedError, decode, raw_items
from infra.local.service_bus.amqp.performatives import Attach, Transfer
from infra.local.service_bus.queues.errors import ArgumentError
from infra.local.service_bus.wire.links import Channel, IncomingLink, OutgoingLink
from infra.local.service_bus.wire.messages import APPLICATION_PROPERTIES, PROPERTIES, VALUE, sections

_logger = logging.getLogger(__name__)


class Answer(NamedTuple):
    """A response's application properties, encoded, and its value."""

    properties: Mapping[str, bytes]
    body: bytes = encoding.null


class Node(Protocol):
    """What is behind a pair of request links. It answers errors, too; it raises only ConnectionDropped."""

    def answer(self, properties: Mapping[str, Any], body: Any) -> Answer: ...


class Request(NamedTuple):
    """`message_id` stays encoded: the response must give it back in the very type in which it came."""

    message_id: bytes
    reply_to: str | None
    properties: Mapping[str, Any]
    body: Any


class ResponseLink(OutgoingLink):
    """Responses wait here until the client has given credit."""

    def __init__(self, channel: Channel, request: Attach, handle: int) -> None:
        super().__init__(channel, request, handle)
        self._waiting: deque[bytes] = deque()

    def respond(self, payload: bytes) -> None:
        self._waiting.append(payload)
        self.send_waiting()

    def send_waiting(self) -> None:
        while self._waiting and self.can_send:
            self.send(self._waiting.popleft(), uuid.uuid4().bytes, settled=True)


type FindResponseLink = Callable[[str | None], ResponseLink | None]


class RequestLink(IncomingLink):
    """Requests come in here; `response_link` finds the link for the answer by the request's reply-to."""

    def __init__(self, channel: Channel, request: Attach, handle: int, node: Node, response_link: FindResponseLink) -> None:
        super().__init__(channel, request, handle)
        self._node = node
        self._response_link = response_link

    def receive(self, first: Transfer, payload: bytes) -> bytes:  # noqa: ARG002 -- requests have one format
        request = _read_request(payload)
        answer = self._node.answer(request.properties, request.body)
        link = self._response_link(request.reply_to)
        if link is None:
            _logger.warning("no link to answer a request on: reply-to %r", request.reply_to)
        else:
            link.respond(_encode_response(request.message_id, answer))
        return amqp.accepted()


def _read_request(payload: bytes) -> Request:
    request = Request(encoding.null, None, {}, None)
    try:
        for section in sections(payload):
            if section.code == PROPERTIES:
                fields = decode(payload, section.value)[0]
                raw = raw_items(payload, section.value)
                reply_to = fields[4] if len(fields) > 4 else None
                request = request._replace(message_id=raw[0] if raw else encoding.null, reply_to=reply_to)
            elif section.code == APPLICATION_PROPERTIES:
                request = request._replace(properties=decode(payload, section.value)[0])
            elif section.code == VALUE:
                request = request._replace(body=decode(payload, section.value)[0])
    except (MalformedError, IndexError) as wrong:
        raise ArgumentError(f"The request is not encoded as AMQP 1.0 prescribes: {wrong}") from wrong
    return request


def _encode_response(correlation_id: bytes, answer: Answer) -> bytes:
    return (
        encoding.composite(PROPERTIES, None, None, None, None, None, correlation_id)
        + encoding.described(APPLICATION_PROPERTIES, encoding.string_map(answer.properties))
        + encoding.described(VALUE, answer.body)
    )
