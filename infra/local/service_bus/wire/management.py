"""`<queue>/$management`: renew, schedule, cancel, peek, deferred messages, settling by lock token."""

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from infra.local.service_bus.amqp import encoding
from infra.local.service_bus.faults import Operation
from infra.local.service_bus.queues.errors import ArgumentError, NotSupportedError, ServiceBusError
from infra.local.service_bus.queues.message import Message
from infra.local.service_bus.queues.queue import Queue
from infra.local.service_bus.wire.gate import Gate
from infra.local.service_bus.wire.messages import encode_message, read_submission
from infra.local.service_bus.wire.requests import Answer
from infra.local.service_bus.wire.settlement import renew, settle

_logger = logging.getLogger(__name__)

_VENDOR = "com.microsoft:"
_NO_CONTENT = Answer({"statusCode": encoding.integer(204), "statusDescription": encoding.string("No content")})
_OPERATION_BY_STATUS = {
    "completed": Operation.COMPLETE,
    "abandoned": Operation.ABANDON,
    "suspended": Operation.DEAD_LETTER,
    "defered": Operation.DEFER,  # the service's own spelling
}
_RECEIVE_AND_DELETE = 0  # receiver-settle-mode "first"


class ManagementNode:
    """The management node of one queue or dead-letter queue."""

    def __init__(self, queue: Queue, gate: Gate) -> None:
        self._queue = queue
        self._gate = gate
        self._operations: dict[str, Callable[[Mapping[str, Any]], Answer]] = {
            "renew-lock": self._renew,
            "schedule-message": self._schedule,
            "cancel-scheduled-message": self._cancel,
            "peek-message": self._peek,
            "receive-by-sequence-number": self._receive_deferred,
            "update-disposition": self._settle,
        }

    def answer(self, properties: Mapping[str, Any], body: Any) -> Answer:
        name = str(properties.get("operation", ""))
        try:
            operation = self._operations.get(name.removeprefix(_VENDOR))
            if operation is None:
                raise NotSupportedError(f"The operation '{name}' is not supported.")
            return operation(body)
        except ServiceBusError as error:
            return _failed(error)
        except (KeyError, TypeError, ValueError, AttributeError) as wrong:
            _logger.info("malformed %s: %r", name, wrong)
            return _failed(ArgumentError(f"The request for '{name}' is malformed: {wrong!r}"))

    def _renew(self, body: Mapping[str, Any]) -> Answer:
        ends = [encoding.timestamp(renew(self._gate, self._queue, token)) for token in _tokens(body)]
        return _succeeded({"expirations": encoding.array(ends)})

    def _schedule(self, body: Mapping[str, Any]) -> Answer:
        submissions = [read_submission(message["message"]) for message in body["messages"]]
        name = self._queue.settings.name
        for submission in submissions:
            self._gate.log(name, Operation.SEND, submission.message_id)
        fault = self._gate.strike(name, Operation.SEND)
        for submission in submissions:
            self._queue.check(submission)
        numbers = [encoding.long(self._queue.accept(submission)) for submission in submissions]
        self._gate.leave(fault)
        return _succeeded({"sequence-numbers": encoding.array(numbers)})

    def _cancel(self, body: Mapping[str, Any]) -> Answer:
        self._gate.log(self._queue.settings.name, Operation.CANCEL, None)
        self._queue.cancel_scheduled(list(body["sequence-numbers"]))
        return _succeeded({})

    def _peek(self, body: Mapping[str, Any]) -> Answer:
        self._gate.log(self._queue.settings.name, Operation.PEEK, None)
        messages = self._queue.peek(body.get("from-sequence-number") or 0, body.get("message-count") or 1)
        return _succeeded({"messages": _encoded(messages)}) if messages else _NO_CONTENT

    def _receive_deferred(self, body: Mapping[str, Any]) -> Answer:
        deletes = body.get("receiver-settle-mode") == _RECEIVE_AND_DELETE
        messages = self._queue.receive_deferred(list(body["sequence-numbers"]), deletes)
        for message in messages:
            self._gate.log(self._queue.settings.name, Operation.RECEIVE, message.message_id)
        return _succeeded({"messages": _encoded(messages)})

    def _settle(self, body: Mapping[str, Any]) -> Answer:
        status = body["disposition-status"]
        if status not in _OPERATION_BY_STATUS:
            raise ArgumentError(f"The disposition status '{status}' is not supported.")
        reason, description = body.get("deadletter-reason"), body.get("deadletter-description")
        for token in _tokens(body):
            settle(self._gate, self._queue, token, _OPERATION_BY_STATUS[status], reason, description)
        return _succeeded({})


def _tokens(body: Mapping[str, Any]) -> list[uuid.UUID]:
    return [token if isinstance(token, uuid.UUID) else uuid.UUID(str(token)) for token in body["lock-tokens"]]


def _encoded(messages: list[Message]) -> bytes:
    return encoding.listing([_entry(message) for message in messages])


def _entry(message: Message) -> bytes:
    entry = {"message": encoding.binary(encode_message(message))}
    if message.lock is not None:
        entry["lock-token"] = encoding.guid(message.lock.token)
    return encoding.string_map(entry)


def _succeeded(body: Mapping[str, bytes]) -> Answer:
    properties = {"statusCode": encoding.integer(200), "statusDescription": encoding.string("OK")}
    return Answer(properties, encoding.string_map(body))


def _failed(error: ServiceBusError) -> Answer:
    return Answer(
        {
            "statusCode": encoding.integer(error.status),
            "statusDescription": encoding.string(error.description),
            "errorCondition": encoding.symbol(error.condition),
        }
    )
