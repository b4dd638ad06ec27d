"""A real table service for contract tests: Azurite's, on a free port, in memory."""

import contextlib
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.data.tables import TableClient, TableServiceClient

from shared.clock import CorrectedClock

ROOT = Path(__file__).parents[2]
AZURITE = ROOT / "node_modules/azurite/dist/src/table/main.js"
# Azurite's account and key are public: github.com/Azure/Azurite, README, "Default Storage Account"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
LONGEST_START = 30  # seconds, on a busy machine


class CountingClock(CorrectedClock):
    """Counts the tables' answers, each of which it is shown. It goes `ahead` of them."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = 0
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def observe(self, date: datetime, sent: datetime, answered: datetime) -> None:
        self.answers += 1
        super().observe(date, sent, answered)


@contextlib.contextmanager
def table_service() -> Iterator[str]:
    """Its connection string, while it runs."""
    port = _free_port()
    flags = ["--tablePort", str(port), "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    process = subprocess.Popen([shutil.which("node") or "node", str(AZURITE), *flags], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        endpoint = f"http://127.0.0.1:{port}/devstoreaccount1"
        yield f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={KEY};TableEndpoint={endpoint};"
    finally:
        process.terminate()
        process.wait(10)


def new_table(connection_string: str) -> str:
    """An empty table of its own; its name."""
    name = f"t{uuid.uuid4().hex}"
    with TableServiceClient.from_connection_string(connection_string) as service:
        service.create_table(name)
    return name


@contextlib.contextmanager
def open_table(connection_string: str, name: str, *policies: SansIOHTTPPolicy) -> Iterator[TableClient]:  # type: ignore[type-arg]
    """A client of the table. The policies see each request as it goes out, repetitions included."""
    with TableClient.from_connection_string(connection_string, name, per_retry_policies=policies, retry_backoff_factor=0) as table:
        yield table


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + LONGEST_START
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("Azurite's table service did not start")
