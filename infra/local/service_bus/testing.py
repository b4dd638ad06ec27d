"""For tests: the broker as a process of its own, and a client's desk of open senders and receivers."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiver,
    ServiceBusSender,
    ServiceBusSubQueue,
)

_SECONDS_TO_END = 10
_SECONDS_TO_ANSWER = 10


def emulator_config(queues: Mapping[str, Mapping[str, Any]]) -> str:
    """A config.json of the emulator's format, from each queue's properties."""
    entries = [{"Name": name, "Properties": dict(properties)} for name, properties in queues.items()]
    namespaces = [{"Name": "sbemulatorns", "Queues": entries, "Topics": []}]
    return json.dumps({"UserConfig": {"Namespaces": namespaces, "Logging": {"Type": "File"}}})


class RunningBroker:
    """Started, asked, moved forward in time, killed, started again; a context manager.

    Its files lie in `folder`, a database only where `durable` is set.
    """

    def __init__(
        self,
        folder: Path,
        queues: Mapping[str, Mapping[str, Any]],
        *,
        durable: bool = False,
        key: str | None = None,
    ) -> None:
        config = folder / "queues.json"
        config.write_text(emulator_config(queues))
        self._command = [sys.executable, "-m", "infra.local.service_bus", "--config", str(config)]
        if durable:
            self._command += ["--database", str(folder / "queues.db")]
        if key is not None:
            self._command += ["--key", key]
        self._process: subprocess.Popen[str] | None = None
        self._ready: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def connection_string(self) -> str:
        return str(self._ready["connection_string"])

    @property
    def port(self) -> int:
        return int(self._ready["port"])

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """On the same port as before, if it ran before."""
        again = ["--port", str(self.port)] if self._ready else []
        self._process = subprocess.Popen([*self._command, *again], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the broker did not start; it ended with {self._end(signal.SIGTERM)}")
        self._ready = json.loads(line)

    def kill(self) -> None:
        """At once, with no chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self) -> int | None:
        """Its exit status, None where it did not run."""
        return self._end(signal.SIGTERM)

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON answer of the control interface, None where there is none. Raises urllib.error.HTTPError."""
        request = urllib.request.Request(  # noqa: S310 -- our own address
            f"{self._ready['control_url']}/_control/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=_SECONDS_TO_ANSWER) as response:  # noqa: S310 -- our own address
            content = response.read()
        return json.loads(content) if content else None

    def queue(self, name: str) -> dict[str, Any]:
        """A queue's counts and totals."""
        counts: dict[str, Any] = self.control("GET", "queues")[name]
        return counts

    def advance(self, seconds: float) -> None:
        self.control("POST", "clock", {"advance_seconds": seconds})

    def _end(self, how: signal.Signals) -> int | None:
        if self._process is None:
            return None
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            return process.wait(_SECONDS_TO_END)
        finally:
            process.kill()
            assert process.stdout is not None
            process.stdout.close()


class Desk:
    """Senders and receivers that stay open: opening one costs half a second, and closing it as much."""

    def __init__(self, broker: RunningBroker) -> None:
        self.broker = broker
        self.client = ServiceBusClient.from_connection_string(broker.connection_string, retry_total=0)
        self._senders: dict[str, ServiceBusSender] = {}
        self._receivers: dict[tuple[str, bool], ServiceBusReceiver] = {}

    def sender(self, queue: str) -> ServiceBusSender:
        if queue not in self._senders:
            self._senders[queue] = self.client.get_queue_sender(queue)
        return self._senders[queue]

    def receiver(self, queue: str, *, dead_letters: bool = False) -> ServiceBusReceiver:
        key = (queue, dead_letters)
        if key not in self._receivers:
            sub_queue = ServiceBusSubQueue.DEAD_LETTER if dead_letters else None
            self._receivers[key] = self.client.get_queue_receiver(queue, sub_queue=sub_queue)
        return self._receivers[key]

    def send(self, queue: str, body: str, **fields: Any) -> None:
        self.sender(queue).send_messages(ServiceBusMessage(body, **fields))

    def schedule(self, queue: str, body: str, seconds: float, **fields: Any) -> int:
        due = datetime.now(UTC) + timedelta(seconds=seconds)
        [number] = self.sender(queue).schedule_messages(ServiceBusMessage(body, **fields), due)
        return number

    def take(self, queue: str, *, dead_letters: bool = False) -> ServiceBusReceivedMessage:
        messages = self.receiver(queue, dead_letters=dead_letters).receive_messages(1, max_wait_time=5)
        assert len(messages) == 1, f"nothing came from {queue}"
        return messages[0]

    def take_all(self, queue: str, *, dead_letters: bool = False) -> list[str]:
        """The bodies of what is there, completed."""
        counts = self.broker.queue(queue)
        bodies = []
        for _ in range(counts["dead_lettered" if dead_letters else "active"] + (0 if dead_letters else counts["locked"])):
            message = self.take(queue, dead_letters=dead_letters)
            bodies.append(str(message))
            self.receiver(queue, dead_letters=dead_letters).complete_message(message)
        return bodies

    def close(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda handle: handle.close(), [*self._senders.values(), *self._receivers.values()]))
        self.client.close()
