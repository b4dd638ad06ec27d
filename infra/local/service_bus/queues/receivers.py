"""Those who wait for a queue's messages, served in turn."""

from collections import deque
from typing import Protocol

from infra.local.service_bus.queues.message import Message


class Receiver(Protocol):
    """Somebody who waits for messages."""

    deletes_on_receipt: bool

    def accepts(self, message: Message) -> bool:
        """Whether it takes this message now. It may leave the queue when asked."""

    def deliver(self, message: Message) -> None: ...


class Receivers:
    """Round robin, so that competing consumers share the load."""

    def __init__(self) -> None:
        self._waiting: deque[Receiver] = deque()

    def add(self, receiver: Receiver) -> None:
        self._waiting.append(receiver)

    def remove(self, receiver: Receiver) -> None:
        if receiver in self._waiting:
            self._waiting.remove(receiver)

    def taker_of(self, message: Message) -> Receiver | None:
        """The next one that takes the message, if any does."""
        for _ in range(len(self._waiting)):
            if not self._waiting:  # the last one left when it was asked
                return None
            receiver = self._waiting[0]
            self._waiting.rotate(-1)
            if receiver.accepts(message):
                return receiver
        return None

    def __bool__(self) -> bool:
        return bool(self._waiting)
