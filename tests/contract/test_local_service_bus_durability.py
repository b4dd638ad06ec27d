"""`kill -9` of the local Service Bus: nothing that it accepted is lost, and nothing that was settled comes back."""

import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.exceptions import ServiceBusError

from infra.local.service_bus.testing import Desk, RunningBroker

QUEUES: dict[str, dict[str, Any]] = {
    "orders": {"MaxDeliveryCount": 2},
    "deduplicated": {"RequiresDuplicateDetection": True},
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    with RunningBroker(tmp_path, QUEUES, durable=True) as running:
        yield running


def test_everything_comes_back_as_it_was(broker: RunningBroker) -> None:
    given = Desk(broker)
    for body in ("settled", "locked", "dead", "waiting"):
        given.send("orders", body, message_id=body, application_properties={"n": 5})
    last_number = given.schedule("orders", "scheduled", 600)
    given.send("deduplicated", "first", message_id="once")
    given.receiver("orders").complete_message(given.take("orders"))
    lock_at_the_kill = given.take("orders")
    given.receiver("orders").dead_letter_message(given.take("orders"), reason="Broken", error_description="why")
    given.close()

    broker.kill()
    broker.start()

    then = Desk(broker)
    locked, waiting = then.take("orders"), then.take("orders")
    dead = then.take("orders", dead_letters=True)
    then.send("deduplicated", "second", message_id="once")
    then.send("orders", "new")
    shown = {entry["body"]: entry for entry in broker.control("GET", "queues/orders/messages")}
    then.close()

    assert (str(locked), locked.delivery_count) == ("locked", (lock_at_the_kill.delivery_count or 0) + 1)
    assert (str(waiting), waiting.delivery_count) == ("waiting", 0)
    assert waiting.application_properties == {b"n": 5}
    assert (str(dead), dead.dead_letter_reason, dead.dead_letter_error_description) == ("dead", "Broken", "why")
    assert set(shown) == {"locked", "waiting", "scheduled", "new"}
    assert shown["scheduled"]["state"] == "scheduled"
    assert shown["new"]["sequence_number"] > last_number, "sequence numbers are never given out twice"
    assert broker.queue("deduplicated")["active"] == 1


def test_a_message_that_is_locked_at_every_kill_is_dead_lettered_in_the_end(broker: RunningBroker) -> None:
    desk = Desk(broker)
    desk.send("orders", "killer")
    desk.take("orders")
    desk.close()
    broker.kill()
    broker.start()
    desk = Desk(broker)
    desk.take("orders")
    desk.close()
    broker.kill()
    broker.start()

    counts = broker.queue("orders")

    assert (counts["active"], counts["locked"], counts["dead_lettered"]) == (0, 0, 1)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the SDK leaves a broken connection's socket to the collector
def test_nothing_acknowledged_is_lost_when_killed_under_load(broker: RunningBroker) -> None:
    acknowledged: list[str] = []
    enough = threading.Event()

    def send_until_it_fails() -> None:
        with ServiceBusClient.from_connection_string(broker.connection_string, retry_total=0) as client:
            sender = client.get_queue_sender("orders")
            try:
                for number in range(100_000):
                    sender.send_messages(ServiceBusMessage(str(number)))
                    acknowledged.append(str(number))
                    if number == 200:
                        enough.set()
            except ServiceBusError:
                sender.close()

    sending = threading.Thread(target=send_until_it_fails)
    sending.start()
    assert enough.wait(10)
    broker.kill()
    sending.join(10)
    assert not sending.is_alive()
    gc.collect()
    broker.start()

    kept = [entry["body"] for entry in broker.control("GET", "queues/orders/messages")]
    assert kept[: len(acknowledged)] == acknowledged
    assert len(kept) - len(acknowledged) <= 1, "at most the one whose answer was lost"


def test_a_second_broker_is_kept_off_the_database(broker: RunningBroker, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 2"), RunningBroker(tmp_path, QUEUES, durable=True):
        pass

    assert broker.queue("orders")["active"] == 0
