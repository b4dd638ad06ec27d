"""The parts of the local Service Bus that need no socket: the queue's rules, and AMQP's types byte for byte."""

import contextlib
import struct
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.service_bus.amqp import encoding
from infra.local.service_bus.amqp.decoding import MalformedError, decode, skip
from infra.local.service_bus.queues.deadlines import Deadlines
from infra.local.service_bus.queues.errors import MessageLockLostError
from infra.local.service_bus.queues.journal import NoJournal
from infra.local.service_bus.queues.message import Message, Submission
from infra.local.service_bus.queues.namespace import Namespace
from infra.local.service_bus.queues.queue import Queue
from infra.local.service_bus.queues.settings import QueueSettings
from infra.local.service_bus.wire.messages import APPLICATION_PROPERTIES, encode_message, read_submission, sections


class Basket:
    """A receiver that takes as much as it has room for."""

    def __init__(self, room: int = 1_000_000, deletes_on_receipt: bool = False) -> None:
        self.deletes_on_receipt = deletes_on_receipt
        self.room = room
        self.messages: list[Message] = []

    def accepts(self, message: Message) -> bool:
        assert message.deliverable
        return len(self.messages) < self.room

    def deliver(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def ids(self) -> list[str]:
        return [message.message_id for message in self.messages]


def a_namespace(**settings: Any) -> tuple[Namespace, Queue]:
    namespace = Namespace([QueueSettings("orders", **settings)], NoJournal())
    return namespace, namespace.find("orders")


def token(message: Message) -> uuid.UUID:
    assert message.lock is not None
    return message.lock.token


class TestRules:
    def test_an_abandoned_message_goes_before_younger_ones(self) -> None:
        _, queue = a_namespace()
        for name in ("old", "young"):
            queue.accept(Submission(name, b""))
        first = Basket(room=1)
        queue.add_receiver(first)
        queue.deliver_waiting()
        queue.remove_receiver(first)

        queue.abandon(token(first.messages[0]))
        then = Basket()
        queue.add_receiver(then)
        queue.deliver_waiting()

        assert then.ids == ["old", "young"]

    def test_a_released_message_keeps_its_count(self) -> None:
        _, queue = a_namespace(max_delivery_count=1)
        queue.accept(Submission("m", b""))
        basket = Basket()
        queue.add_receiver(basket)
        queue.deliver_waiting()

        queue.release(token(basket.messages[0]))

        assert [message.delivery_count for message in basket.messages] == [0, 0]

    def test_receivers_are_served_in_turn(self) -> None:
        _, queue = a_namespace()
        baskets = [Basket(), Basket(room=1), Basket()]
        for basket in baskets:
            queue.add_receiver(basket)

        for number in range(7):
            queue.accept(Submission(str(number), b""))

        assert [len(basket.messages) for basket in baskets] == [3, 1, 3]

    def test_the_next_due_is_the_earliest_of_all(self) -> None:
        namespace, queue = a_namespace(lock_duration=30_000)
        now = namespace.clock.now()
        assert namespace.next_due() is None

        queue.accept(Submission("scheduled", b"", scheduled_for=now + 90_000))
        assert namespace.next_due() == now + 90_000
        queue.accept(Submission("mortal", b"", time_to_live=60_000))
        assert 0 <= (namespace.next_due() or 0) - (now + 60_000) < 1000
        basket = Basket()
        queue.add_receiver(basket)
        queue.deliver_waiting()
        assert 0 <= (namespace.next_due() or 0) - (now + 30_000) < 1000
        queue.complete(token(basket.messages[0]))
        assert namespace.next_due() == now + 90_000

    def test_a_lock_is_lost_after_its_time(self) -> None:
        namespace, queue = a_namespace(lock_duration=1000)
        queue.accept(Submission("m", b""))
        basket = Basket(room=1)
        queue.add_receiver(basket)
        queue.deliver_waiting()
        lost = token(basket.messages[0])

        namespace.clock.advance(1001)
        namespace.run_due()

        with pytest.raises(MessageLockLostError):
            queue.complete(lost)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 50), st.booleans())), st.integers(0, 50))
def test_deadlines_tell_exactly_what_is_due(changes: list[tuple[int, int, bool]], now: int) -> None:
    deadlines, model = Deadlines(), dict[int, int]()
    for key, due, withdrawn in changes:
        if withdrawn:
            deadlines.withdraw(key)
            model.pop(key, None)
        else:
            deadlines.set(key, due)
            model[key] = due

    assert deadlines.next_due() == min(model.values(), default=None)
    taken = deadlines.take_due(now)
    assert sorted(taken) == sorted(key for key, due in model.items() if due <= now)
    assert [model[key] for key in taken] == sorted(model[key] for key in taken)


VALUES_OF_EVERY_TYPE = {
    "null": b"\x40",
    "true": b"\x41",
    "boolean": b"\x56\x01",
    "ubyte": b"\x50\xff",
    "ushort": b"\x60\xff\xff",
    "uint0": b"\x43",
    "smalluint": b"\x52\x05",
    "uint": b"\x70\x00\x00\x00\x05",
    "ulong0": b"\x44",
    "smallulong": b"\x53\x05",
    "ulong": b"\x80" + struct.pack(">Q", 5),
    "byte": b"\x51\x80",
    "short": b"\x61\x80\x00",
    "smallint": b"\x54\x80",
    "int": b"\x71" + struct.pack(">i", 5),
    "smalllong": b"\x55\x05",
    "long": b"\x81" + struct.pack(">q", 2**60),
    "float": b"\x72" + struct.pack(">f", 0.5),
    "double": b"\x82" + struct.pack(">d", 0.1),
    "decimal32": b"\x74" + b"\x01" * 4,
    "decimal64": b"\x84" + b"\x02" * 8,
    "decimal128": b"\x94" + b"\x03" * 16,
    "char": b"\x73" + struct.pack(">I", 0x1F600),
    "timestamp": b"\x83" + struct.pack(">q", 1_700_000_000_000),
    "uuid": b"\x98" + uuid.UUID(int=7).bytes,
    "binary": b"\xa0\x02\x00\xff",
    "long binary": b"\xb0\x00\x00\x00\x02\x00\xff",
    "string": b"\xa1\x02hi",
    "long string": b"\xb1\x00\x00\x00\x02hi",
    "symbol": b"\xa3\x02hi",
    "list": b"\xc0\x03\x01\x52\x05",
    "empty list": b"\x45",
    "map": b"\xc1\x06\x02\xa1\x01k\x52\x05",
    "array": b"\xe0\x04\x02\x50\x01\x02",
    "described": b"\x00\xa3\x01d\xa1\x01v",
}


class TestTypes:
    @pytest.mark.parametrize("name", VALUES_OF_EVERY_TYPE)
    def test_each_type_is_measured_as_it_is_decoded(self, name: str) -> None:
        value = VALUES_OF_EVERY_TYPE[name]

        assert decode(value + b"rest")[1] == skip(value + b"rest", 0) == len(value)

    @pytest.mark.parametrize("dead_lettered", [False, True])
    def test_application_properties_survive_byte_for_byte(self, dead_lettered: bool) -> None:
        written = encoding.described(APPLICATION_PROPERTIES, encoding.string_map(VALUES_OF_EVERY_TYPE))
        body = encoding.described(0x75, encoding.binary(b"body"))
        _, queue = a_namespace()
        basket = Basket()
        queue.add_receiver(basket)

        queue.accept(read_submission(written + body))
        [message] = basket.messages
        if dead_lettered:
            queue.reject(token(message), None, None)
        delivered = encode_message(message)

        kept = [delivered[one.start : one.end] for one in sections(delivered) if one.code == APPLICATION_PROPERTIES]
        assert kept == [written]
        assert delivered.endswith(body)

    @given(st.binary(max_size=60))
    def test_any_bytes_are_decoded_or_refused(self, data: bytes) -> None:
        with contextlib.suppress(MalformedError):
            decode(data)
