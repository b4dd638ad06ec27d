"""The local Service Bus as a program: how it starts and ends, and its control interface."""

import gc
import json
import socket
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.exceptions import MessageLockLostError, ServiceBusError, ServiceBusServerBusyError

from infra.local.service_bus.testing import Desk, RunningBroker, emulator_config

QUEUES: dict[str, dict[str, Any]] = {"orders": {}, "wakeups": {"RequiresDuplicateDetection": True}}


@pytest.fixture(autouse=True)
def _reset(broker: RunningBroker) -> Iterator[None]:
    yield
    broker.control("POST", "reset")


def arm(broker: RunningBroker, operation: str, error: str, **fields: Any) -> None:
    broker.control("POST", "faults", {"queue": "orders", "operation": operation, "error": error, **fields})


class TestWhatItShows:
    def test_messages_are_shown_with_their_state(self, desk: Desk, broker: RunningBroker) -> None:
        properties: dict[str | bytes, Any] = {"kind": "order", "count": 3}
        desk.send("orders", '{"a": 1}', message_id="m1", application_properties=properties)
        number = desk.schedule("orders", "later", 600, message_id="m2")

        active, scheduled = broker.control("GET", "queues/orders/messages")

        assert (active["message_id"], active["state"], active["delivery_count"]) == ("m1", "active", 0)
        assert (active["body"], active["application_properties"]) == ('{"a": 1}', {"kind": "order", "count": 3})
        assert (scheduled["message_id"], scheduled["state"], scheduled["sequence_number"]) == ("m2", "scheduled", number)
        assert scheduled["scheduled_for"] > active["enqueued_at"]
        desk.sender("orders").cancel_scheduled_messages(number)
        desk.take_all("orders")

    def test_the_log_tells_each_operation_in_its_order(self, desk: Desk, broker: RunningBroker) -> None:
        broker.control("POST", "reset")
        desk.send("orders", "x", message_id="m1")
        message = desk.take("orders")
        desk.receiver("orders").renew_message_lock(message)
        desk.receiver("orders").complete_message(message)

        log = broker.control("GET", "requests")

        assert [(entry["operation"], entry["message_id"]) for entry in log] == [
            (operation, "m1") for operation in ("send", "receive", "renew", "complete")
        ]
        assert broker.control("GET", f"requests?since={log[-1]['n']}") == []

    def test_an_unknown_queue_is_404(self, broker: RunningBroker) -> None:
        with pytest.raises(urllib.error.HTTPError, match="404"):
            broker.control("GET", "queues/nowhere/messages")


class TestWhatItDisturbs:
    def test_a_share_of_the_messages_is_enqueued_twice(self, desk: Desk, broker: RunningBroker) -> None:
        broker.control("PUT", "duplication", {"queue": "wakeups", "rate": 0.2})
        messages = [ServiceBusMessage("x", message_id=f"copied-{number}") for number in range(1000)]

        desk.sender("wakeups").send_messages(messages)

        counts, totals = broker.queue("wakeups"), broker.queue("wakeups")["totals"]
        assert counts["active"] == 1000 + totals["copies_added"]
        assert 120 < totals["copies_added"] < 280
        shown = broker.control("GET", "queues/wakeups/messages")
        assert len({entry["sequence_number"] for entry in shown}) == counts["active"]
        assert len({entry["message_id"] for entry in shown}) == 1000

    def test_latency_comes_before_each_acknowledgement(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("orders", "quick")
        broker.control("PUT", "latency", {"milliseconds": 150})

        started = time.monotonic()
        desk.send("orders", "slow")
        sent = time.monotonic()
        messages = [desk.take("orders"), desk.take("orders")]
        taken = time.monotonic()

        assert 0.15 <= sent - started < 0.4
        assert 0.3 <= taken - sent < 0.8
        for message in messages:
            desk.receiver("orders").complete_message(message)

    def test_a_busy_server_refuses_the_next_sends(self, desk: Desk, broker: RunningBroker) -> None:
        arm(broker, "send", "server-busy", times=2)

        for _ in range(2):
            with pytest.raises(ServiceBusServerBusyError):
                desk.send("orders", "refused")
        desk.send("orders", "accepted")

        assert desk.take_all("orders") == ["accepted"]

    def test_a_busy_server_refuses_to_deliver(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("orders", "waits")
        arm(broker, "receive", "server-busy")

        with desk.client.get_queue_receiver("orders") as receiver, pytest.raises(ServiceBusServerBusyError):
            receiver.receive_messages(1, max_wait_time=5)
        message = desk.take("orders")
        desk.receiver("orders").complete_message(message)

        assert (str(message), message.delivery_count) == ("waits", 0)

    def test_a_lost_lock_makes_the_message_come_again(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("orders", "twice")
        arm(broker, "complete", "lock-lost")

        with pytest.raises(MessageLockLostError):
            desk.receiver("orders").complete_message(desk.take("orders"))
        again = desk.take("orders")
        desk.receiver("orders").complete_message(again)

        assert again.delivery_count == 1

    def test_a_lock_can_be_lost_at_renewal(self, desk: Desk, broker: RunningBroker) -> None:
        desk.send("orders", "x")
        message = desk.take("orders")
        arm(broker, "renew", "lock-lost")

        with pytest.raises(MessageLockLostError):
            desk.receiver("orders").renew_message_lock(message)

        assert desk.take_all("orders") == ["x"]

    @pytest.mark.filterwarnings("ignore::ResourceWarning")  # the SDK leaves the dropped connection's socket to the collector
    @pytest.mark.parametrize(("when", "kept"), [("before", 0), ("after", 1)])
    def test_a_connection_is_dropped_before_or_after_a_send(self, desk: Desk, broker: RunningBroker, when: str, kept: int) -> None:
        arm(broker, "send", "drop-connection", when=when)

        with desk.client.get_queue_sender("orders") as sender, pytest.raises(ServiceBusError):
            sender.send_messages(ServiceBusMessage("unsure"), timeout=2)
        del sender
        gc.collect()

        assert len(desk.take_all("orders")) == kept

    @pytest.mark.parametrize(
        "fault",
        [
            {"queue": "orders", "operation": "send", "error": "lock-lost"},
            {"queue": "orders", "operation": "fly", "error": "server-busy"},
            {"queue": "orders", "operation": "send"},
            {"queue": "orders", "operation": "send", "error": "server-busy", "when": "after"},
        ],
    )
    def test_a_fault_that_makes_no_sense_is_400(self, broker: RunningBroker, fault: dict[str, Any]) -> None:
        with pytest.raises(urllib.error.HTTPError, match="400"):
            broker.control("POST", "faults", fault)
        assert broker.control("GET", "faults") == []


class TestTheProgram:
    def test_it_ends_cleanly_and_costs_nothing_while_idle(self, tmp_path: Path) -> None:
        broker = RunningBroker(tmp_path, QUEUES)
        broker.start()
        process = psutil.Process(broker.pid)
        before = process.cpu_times()
        time.sleep(1)
        after = process.cpu_times()

        assert after.user + after.system - before.user - before.system <= 0.02
        assert broker.stop() == 0

    @pytest.mark.parametrize(
        ("config", "sentence"),
        [
            (emulator_config({"q": {"RequiresSession": True}}), "sessions are not supported"),
            (emulator_config({"q": {"LockDuraton": "PT1M"}}), "LockDuraton"),
            (emulator_config({"q": {"LockDuration": "PT6M"}}), "LockDuration"),
            (emulator_config({"q": {"ForwardTo": "r"}}), "forwarding is not supported"),
            (emulator_config({"q": {}, "Q": {}}), "repeated: q"),
            ("{", "JSON"),
            (None, "No such file"),
        ],
    )
    def test_a_bad_configuration_gets_one_sentence(self, tmp_path: Path, config: str | None, sentence: str) -> None:
        path = tmp_path / "queues.json"
        if config is not None:
            path.write_text(config)

        ended = self.run("--config", str(path))

        assert ended.returncode == 2
        assert sentence in ended.stderr
        assert ended.stderr.count("\n") == 1

    @pytest.mark.parametrize("flag", ["--port", "--control-port"])
    def test_a_taken_port_gets_one_sentence(self, tmp_path: Path, flag: str) -> None:
        path = tmp_path / "queues.json"
        path.write_text(emulator_config(QUEUES))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            ended = self.run("--config", str(path), flag, port)

        assert ended.returncode == 2
        assert f"Give {flag} a free one" in ended.stderr
        assert ended.stderr.count("\n") == 1

    def test_the_ready_line_says_how_to_reach_it(self, tmp_path: Path) -> None:
        path = tmp_path / "queues.json"
        path.write_text(emulator_config(QUEUES))
        command = [sys.executable, "-m", "infra.local.service_bus", "--config", str(path), "--key", "k"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            process.terminate()

        assert ready["part"] == "service_bus"
        assert ready["url"] == f"sb://127.0.0.1:{ready['port']}"
        assert ready["control_url"].startswith("http://127.0.0.1:")
        assert ready["connection_string"] == (
            f"Endpoint={ready['url']};SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=k;UseDevelopmentEmulator=true"
        )

    @staticmethod
    def run(*flags: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "infra.local.service_bus", *flags]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
