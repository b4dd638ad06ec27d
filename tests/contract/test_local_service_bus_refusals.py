"""What the local Service Bus refuses, and how the unmodified azure-servicebus tells its caller."""

import time
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.amqp import AmqpAnnotatedMessage, AmqpMessageProperties
from azure.servicebus.exceptions import (
    MessageSizeExceededError,
    ServiceBusAuthenticationError,
    ServiceBusError,
)

from infra.local.service_bus.testing import Desk, RunningBroker

QUEUES: dict[str, dict[str, Any]] = {"orders": {}}


class TestRefusals:
    @pytest.mark.parametrize("role", ["sender", "receiver"])
    def test_an_unknown_queue_is_refused_at_once(self, desk: Desk, role: str) -> None:
        """As in Azure: the token for it is refused with 404, which this SDK takes for an authentication error."""
        open_sender, open_receiver = desk.client.get_queue_sender, desk.client.get_queue_receiver
        handle = open_sender("nowhere") if role == "sender" else open_receiver("nowhere")

        started = time.monotonic()
        with pytest.raises(ServiceBusAuthenticationError) as refused:
            handle.__enter__()

        assert "Status code: 404" in str(refused.value.inner_exception)
        assert time.monotonic() - started < 3

    def test_the_sender_learns_the_size_limit(self, desk: Desk) -> None:
        with pytest.raises(MessageSizeExceededError):
            desk.send("orders", "x" * 256 * 1024)

    def test_a_message_just_below_the_limit_passes(self, desk: Desk) -> None:
        body = "x" * (256 * 1024 - 200)
        desk.send("orders", body)

        assert desk.take_all("orders") == [body]

    def test_the_broker_itself_refuses_what_is_too_large(self, desk: Desk, broker: RunningBroker) -> None:
        with pytest.raises(MessageSizeExceededError):
            desk.schedule("orders", "x" * 300 * 1024, 600)

        assert broker.queue("orders")["scheduled"] == 0

    def test_a_message_id_has_at_most_128_characters(self, desk: Desk) -> None:
        accepted, refused = (
            AmqpAnnotatedMessage(data_body=b"x", properties=AmqpMessageProperties(message_id="i" * length)) for length in (128, 129)
        )

        desk.sender("orders").send_messages(accepted)
        with pytest.raises(ServiceBusError, match="argument-out-of-range"):
            desk.sender("orders").send_messages(refused)

        assert desk.take_all("orders") == ["x"]

    def test_nothing_can_be_sent_to_a_dead_letter_queue(self, desk: Desk) -> None:
        with pytest.raises(ServiceBusError):
            desk.client.get_queue_sender("orders/$deadletterqueue").send_messages(ServiceBusMessage("x"))

    def test_sessions_are_refused(self, desk: Desk) -> None:
        with pytest.raises(ServiceBusError, match="not-allowed"):
            desk.client.get_queue_receiver("orders", session_id="s").receive_messages(1, max_wait_time=5)

    def test_the_key_decides_who_comes_in(self, tmp_path: Any) -> None:
        with RunningBroker(tmp_path, {"orders": {}}, key="the-right-key") as broker:
            right = broker.connection_string
            wrong = right.replace("the-right-key", "another-key")
            with (
                ServiceBusClient.from_connection_string(wrong, retry_total=0) as client,
                pytest.raises(ServiceBusAuthenticationError) as refused,
            ):
                client.get_queue_sender("orders").send_messages(ServiceBusMessage("x"))
            with ServiceBusClient.from_connection_string(right) as client, client.get_queue_sender("orders") as sender:
                sender.send_messages(ServiceBusMessage("x"))

            assert "Status code: 401" in str(refused.value.inner_exception)
            assert broker.queue("orders")["active"] == 1
