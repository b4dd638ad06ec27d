"""Where a queue keeps its messages: by number, in the order of delivery, and by what is due when."""

import heapq

from infra.local.service_bus.queues.deadlines import Deadlines
from infra.local.service_bus.queues.errors import MessageNotFoundError
from infra.local.service_bus.queues.message import Message, State


class Shelf:
    """Finds; it decides nothing. A message that changes its number has to be taken out and put back."""

    def __init__(self) -> None:
        self._messages: dict[int, Message] = {}
        self._line: list[int] = []
        self._schedule, self._expiry = Deadlines(), Deadlines()

    def put(self, message: Message) -> None:
        self._messages[message.sequence_number] = message
        if message.expires_at is not None:
            self._expiry.set(message.sequence_number, message.expires_at)
        if message.state is State.SCHEDULED:
            self._schedule.set(message.sequence_number, message.scheduled_for or 0)
        elif message.deliverable:
            self.line_up(message)

    def take_out(self, message: Message) -> None:
        del self._messages[message.sequence_number]
        self._schedule.withdraw(message.sequence_number)
        self._expiry.withdraw(message.sequence_number)

    def line_up(self, message: Message) -> None:
        """At its old place: a message that comes back goes before younger ones."""
        heapq.heappush(self._line, message.sequence_number)

    def first_in_line(self) -> Message | None:
        """The oldest message that can be delivered; it stays in line until it can no longer be."""
        while self._line:
            message = self._messages.get(self._line[0])
            if message is not None and message.deliverable:
                return message
            heapq.heappop(self._line)
        return None

    def get(self, number: int) -> Message:
        return self._messages[number]

    def in_state(self, numbers: list[int], state: State) -> list[Message]:
        """All of them, unlocked and in this state; otherwise MessageNotFoundError."""
        messages = [self._messages.get(number) for number in numbers]
        found = [message for message in messages if message and message.state is state and message.lock is None]
        if len(found) < len(numbers):
            raise MessageNotFoundError
        return found

    def peek(self, from_number: int, count: int | None) -> list[Message]:
        """In the order of their numbers, in whatever state."""
        numbers = sorted(number for number in self._messages if number >= from_number)
        return [self._messages[number] for number in numbers[:count]]

    def take_scheduled(self, now: int) -> list[Message]:
        return [self._messages[number] for number in self._schedule.take_due(now)]

    def take_expired(self, now: int) -> list[Message]:
        return [self._messages[number] for number in self._expiry.take_due(now)]

    def next_due(self) -> int | None:
        return earliest(self._schedule.next_due(), self._expiry.next_due())


def earliest(*dues: int | None) -> int | None:
    return min((due for due in dues if due is not None), default=None)
