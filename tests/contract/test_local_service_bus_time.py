"""The local Service Bus and time: locks, schedules, time to live, the duplicate window.

The broker's clock is moved forward, not waited for.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessageNotFoundError,
)

from infra.local.service_bus.testing import Desk, RunningBroker

QUEUES: dict[str, dict[str, Any]] = {
    "orders": {"LockDuration": "PT30S", "MaxDeliveryCount": 3},
    "deduplicated": {"RequiresDuplicateDetection": True, "DuplicateDetectionHistoryTimeWindow": "PT10M"},
    "short-lived": {"DefaultMessageTimeToLive": "PT20S", "DeadLetteringOnMessageExpiration": True},
    "forgetful": {"DefaultMessageTimeToLive": "PT20S", "LockDuration": "PT30S"},
    "long-lived": {"DefaultMessageTimeToLive": "P10675199DT2H48M5.4775807S"},
}


class TestLocks:
    def test_an_expired_lock_gives_the_message_back(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("orders", "slow")
        first = desk.take("orders")

        broker.advance(31)
        second = desk.take("orders")

        assert second.delivery_count == 1
        with pytest.raises(MessageLockLostError):
            desk.receiver("orders").complete_message(first)
        with pytest.raises(MessageLockLostError):
            desk.receiver("orders").renew_message_lock(first)
        desk.receiver("orders").complete_message(second)

    def test_a_renewed_lock_lasts_longer(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("orders", "renewed")
        message = desk.take("orders")

        broker.advance(20)
        until = desk.receiver("orders").renew_message_lock(message)
        broker.advance(20)
        desk.receiver("orders").complete_message(message)

        assert until > datetime.now(UTC)
        assert broker.queue("orders")["locked"] == 0

    def test_a_lock_outlives_its_receiver_until_it_expires(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("long-lived", "held")
        with desk.client.get_queue_receiver("long-lived") as gone:
            gone.receive_messages(1, max_wait_time=5)

        assert broker.queue("long-lived")["locked"] == 1
        broker.advance(61)

        assert broker.queue("long-lived")["locked"] == 0
        assert desk.take_all("long-lived") == ["held"]


class TestTime:
    def test_a_scheduled_message_comes_when_it_is_due(self, desk: Desk, broker: RunningBroker) -> None:
        far_ahead = 100_000  # later than whatever the other tests have moved the broker's clock to
        number = desk.schedule("orders", "due", far_ahead)
        assert broker.queue("orders")["scheduled"] == 1
        assert desk.receiver("orders").receive_messages(1, max_wait_time=0.1) == []

        broker.advance(far_ahead)
        message = desk.take("orders")
        desk.receiver("orders").complete_message(message)

        assert str(message) == "due"
        assert (message.sequence_number or 0) > number
        assert message.enqueued_sequence_number == number

    def test_a_message_scheduled_by_its_own_field_comes_without_moving_the_clock(self, tmp_path: Any) -> None:
        """By the broker's own timer: it sleeps until then."""
        with (
            RunningBroker(tmp_path, {"orders": {}}) as broker,
            ServiceBusClient.from_connection_string(broker.connection_string) as client,
            client.get_queue_sender("orders") as sender,
            client.get_queue_receiver("orders") as receiver,
        ):
            due = datetime.now(UTC) + timedelta(seconds=1)
            sender.send_messages(ServiceBusMessage("in a second", scheduled_enqueue_time_utc=due))
            [message] = receiver.receive_messages(1, max_wait_time=5)
            late = (datetime.now(UTC) - due).total_seconds()
            receiver.complete_message(message)

        assert -0.01 < late < 0.5

    def test_a_cancelled_message_never_comes(self, desk: Desk, broker: RunningBroker) -> None:
        number = desk.schedule("orders", "cancelled", 1_000_000)

        desk.sender("orders").cancel_scheduled_messages(number)

        assert broker.queue("orders")["scheduled"] == 0
        with pytest.raises(MessageNotFoundError):
            desk.sender("orders").cancel_scheduled_messages(number)

    def test_an_expired_message_is_dead_lettered_where_the_queue_says_so(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("short-lived", "old")

        broker.advance(21)
        message = desk.take("short-lived", dead_letters=True)
        desk.receiver("short-lived", dead_letters=True).complete_message(message)

        assert (str(message), message.dead_letter_reason) == ("old", "TTLExpiredException")

    def test_an_expired_message_is_dropped_otherwise(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("forgetful", "old")
        broker.advance(21)

        counts = broker.queue("forgetful")
        assert (counts["active"], counts["dead_lettered"], counts["totals"]["expired"]) == (0, 0, 1)

    def test_the_shorter_of_two_times_to_live_counts(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("short-lived", "brief", time_to_live=timedelta(seconds=5))
        desk.send("short-lived", "at the queue's default", time_to_live=timedelta(hours=1))

        broker.advance(6)
        assert broker.queue("short-lived")["active"] == 1
        broker.advance(15)

        assert desk.take_all("short-lived", dead_letters=True) == ["brief", "at the queue's default"]

    def test_a_locked_message_expires_when_it_is_given_back(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("forgetful", "in hand")
        message = desk.take("forgetful")

        broker.advance(25)
        desk.receiver("forgetful").abandon_message(message)

        assert (broker.queue("forgetful")["active"], broker.queue("forgetful")["locked"]) == (0, 0)


class TestDuplicateDetection:
    def test_a_repeated_id_is_accepted_and_dropped_within_the_window(self, desk: Desk, broker: RunningBroker) -> None:
        for body in ("first", "second"):
            desk.send("deduplicated", body, message_id="once")
        desk.sender("deduplicated").send_messages(
            [ServiceBusMessage("third", message_id="once"), ServiceBusMessage("other", message_id="other")]
        )

        assert desk.take_all("deduplicated") == ["first", "other"]
        assert broker.queue("deduplicated")["totals"]["duplicates_dropped"] == 2

    def test_after_the_window_the_id_is_new(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("deduplicated", "then", message_id="windowed")
        broker.advance(601)
        desk.send("deduplicated", "now", message_id="windowed")

        assert desk.take_all("deduplicated") == ["then", "now"]

    def test_scheduled_messages_count_from_when_they_were_accepted(self, desk: Desk, broker: RunningBroker) -> None:
        far_ahead = 10_000_000
        number = desk.schedule("deduplicated", "first", far_ahead, message_id="planned")
        desk.schedule("deduplicated", "second", far_ahead, message_id="planned")
        desk.send("deduplicated", "third", message_id="planned")

        assert broker.queue("deduplicated")["scheduled"] == 1
        assert broker.queue("deduplicated")["active"] == 0
        desk.sender("deduplicated").cancel_scheduled_messages(number)

    def test_queues_without_detection_take_every_copy(self, desk: Desk) -> None:
        for body in ("first", "second"):
            desk.send("orders", body, message_id="twice")

        assert desk.take_all("orders") == ["first", "second"]
