"""The local Service Bus, seen through the unmodified azure-servicebus: sending, receiving, settling."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.servicebus import (
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiveMode,
)
from azure.servicebus.amqp import AmqpAnnotatedMessage, AmqpMessageBodyType
from azure.servicebus.exceptions import (
    MessageNotFoundError,
)

from infra.local.service_bus.testing import Desk, RunningBroker

QUEUES: dict[str, dict[str, Any]] = {"orders": {"MaxDeliveryCount": 3}, "parcels": {}}


def _by_text_key(message: ServiceBusReceivedMessage) -> dict[str, Any]:
    """The application properties; the SDK gives their keys as bytes."""
    return {str(key, "utf-8"): value for key, value in (message.application_properties or {}).items()}  # type: ignore[arg-type]


class TestSendingAndReceiving:
    def test_a_completed_message_is_gone(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("orders", "one")

        message = desk.take("orders")
        desk.receiver("orders").complete_message(message)

        assert str(message) == "one"
        assert message.delivery_count == 0
        assert (broker.queue("orders")["active"], broker.queue("orders")["locked"]) == (0, 0)

    def test_a_batch_arrives_in_its_order(self, desk: Desk) -> None:
        sender = desk.sender("orders")
        batch = sender.create_message_batch()
        for number in range(250):
            batch.add_message(ServiceBusMessage(str(number)))

        sender.send_messages(batch)
        received = desk.receiver("orders").receive_messages(250, max_wait_time=5)
        while len(received) < 250:
            received += desk.receiver("orders").receive_messages(250 - len(received), max_wait_time=5)
        for message in received:
            desk.receiver("orders").complete_message(message)

        assert [str(message) for message in received] == [str(number) for number in range(250)]
        numbers = [message.sequence_number or 0 for message in received]
        assert numbers == sorted(set(numbers))

    def test_a_list_of_messages_is_sent_as_a_batch(self, desk: Desk) -> None:
        desk.sender("orders").send_messages([ServiceBusMessage("first"), ServiceBusMessage("second")])

        assert desk.take_all("orders") == ["first", "second"]

    def test_a_message_keeps_what_its_sender_wrote(self, desk: Desk) -> None:
        properties: dict[str | bytes, Any] = {
            "text": "tëxt",
            "integer": 7,
            "negative": -7,
            "long": -(2**31),
            "float": 0.25,
            "yes": True,
            "no": False,
            "guid": uuid.UUID(int=5),
            "time": datetime(2024, 5, 17, 12, 30, tzinfo=UTC),
        }
        sent = ServiceBusMessage(
            b"\x00\xff body",
            application_properties=dict(properties),
            message_id="id-1",
            correlation_id="correlated",
            subject="subject",
            content_type="application/json",
            reply_to="somewhere",
            to="there",
        )

        desk.sender("orders").send_messages(sent)
        message = desk.take("orders")
        desk.receiver("orders").complete_message(message)

        received = _by_text_key(message)
        received["text"] = received["text"].decode()
        received["time"] = datetime.fromtimestamp(received["time"] / 1000, UTC)
        assert received == properties
        assert b"".join(message.body) == b"\x00\xff body"
        assert message.message_id == "id-1"
        assert (message.correlation_id, message.subject, message.reply_to) == ("correlated", "subject", "somewhere")
        assert (message.content_type, message.to) == ("application/json", "there")

    @pytest.mark.parametrize("body", [{"value_body": {"a": [1, 2]}}, {"sequence_body": [[1, "x"], [2.5]]}])
    def test_value_and_sequence_bodies_pass(self, desk: Desk, body: dict[str, Any]) -> None:
        desk.sender("orders").send_messages(AmqpAnnotatedMessage(**body))

        message = desk.take("orders")
        desk.receiver("orders").complete_message(message)

        expected = AmqpMessageBodyType.VALUE if "value_body" in body else AmqpMessageBodyType.SEQUENCE
        assert message.body_type == expected

    def test_a_message_sent_without_an_id_gets_one(self, desk: Desk) -> None:
        desk.send("orders", "nameless")

        message = desk.take("orders")
        desk.receiver("orders").complete_message(message)

        assert message.message_id

    def test_receive_and_delete_needs_no_settlement(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("parcels", "taken")

        mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE
        with desk.client.get_queue_receiver("parcels", receive_mode=mode) as receiver:
            [message] = receiver.receive_messages(1, max_wait_time=5)

        assert str(message) == "taken"
        assert broker.queue("parcels")["active"] == 0
        assert broker.queue("parcels")["totals"]["delivered"] == 1

    def test_queue_names_are_case_insensitive(self, desk: Desk) -> None:
        desk.send("ORDERS", "loud")

        assert desk.take_all("orders") == ["loud"]


class TestSettling:
    def test_an_abandoned_message_comes_back_with_its_count_raised(self, desk: Desk) -> None:
        desk.send("orders", "again")

        desk.receiver("orders").abandon_message(desk.take("orders"))
        message = desk.take("orders")
        desk.receiver("orders").complete_message(message)

        assert (str(message), message.delivery_count) == ("again", 1)

    def test_the_last_failed_delivery_dead_letters(self, desk: Desk) -> None:
        desk.send("orders", "poison", application_properties={"kept": 1})

        for _ in range(3):
            desk.receiver("orders").abandon_message(desk.take("orders"))
        message = desk.take("orders", dead_letters=True)
        desk.receiver("orders", dead_letters=True).complete_message(message)

        assert message.dead_letter_reason == "MaxDeliveryCountExceeded"
        assert _by_text_key(message)["kept"] == 1

    def test_a_message_is_dead_lettered_with_a_reason(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("orders", "bad", message_id="bad-1")

        desk.receiver("orders").dead_letter_message(desk.take("orders"), reason="Broken", error_description="no JSON")
        shown = broker.control("GET", "queues/orders/$deadletterqueue/messages")
        message = desk.take("orders", dead_letters=True)
        desk.receiver("orders", dead_letters=True).complete_message(message)

        assert (message.dead_letter_reason, message.dead_letter_error_description) == ("Broken", "no JSON")
        assert message.dead_letter_source == "orders"
        assert (str(message), message.message_id) == ("bad", "bad-1")
        assert [entry["message_id"] for entry in shown] == ["bad-1"]
        assert broker.queue("orders")["dead_lettered"] == 0

    def test_a_dead_letter_stays_however_often_it_is_abandoned(self, desk: Desk) -> None:
        desk.send("orders", "stubborn")
        desk.receiver("orders").dead_letter_message(desk.take("orders"))

        for _ in range(5):
            receiver = desk.receiver("orders", dead_letters=True)
            receiver.abandon_message(desk.take("orders", dead_letters=True))

        assert desk.take_all("orders", dead_letters=True) == ["stubborn"]

    def test_a_deferred_message_comes_by_its_number_only(self, desk: Desk) -> None:
        desk.send("orders", "later")
        deferred = desk.take("orders")
        desk.receiver("orders").defer_message(deferred)
        desk.send("orders", "sooner")

        assert desk.take_all("orders") == ["sooner"]
        [message] = desk.receiver("orders").receive_deferred_messages(deferred.sequence_number or 0)
        desk.receiver("orders").complete_message(message)
        with pytest.raises(MessageNotFoundError):
            desk.receiver("orders").receive_deferred_messages(deferred.sequence_number or 0)

        assert str(message) == "later"

    def test_peeking_shows_messages_in_any_state_and_takes_none(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("orders", "locked")
        locked = desk.take("orders")
        desk.send("orders", "active")
        number = desk.schedule("orders", "scheduled", 600)

        peeked = desk.receiver("orders").peek_messages(10, sequence_number=locked.sequence_number or 0)
        later = desk.receiver("orders").peek_messages(10, sequence_number=number)

        assert [str(message) for message in peeked] == ["locked", "active", "scheduled"]
        assert [str(message) for message in later] == ["scheduled"]
        assert {key: broker.queue("orders")[key] for key in ("active", "locked", "scheduled")} == {
            "active": 1,
            "locked": 1,
            "scheduled": 1,
        }
        desk.receiver("orders").complete_message(locked)
        desk.sender("orders").cancel_scheduled_messages(number)
        assert desk.take_all("orders") == ["active"]
