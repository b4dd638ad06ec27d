"""`python -m infra.local.service_bus`: starts the broker, says on one line how to reach it, runs until it is told to end."""

import argparse
import asyncio
import json
import logging
import signal
import sqlite3
import sys
from pathlib import Path

from aiohttp import web

from infra.local.control import Control
from infra.local.ports import port_number
from infra.local.service_bus.config import ConfigError, read_config
from infra.local.service_bus.control import ServiceBusControl
from infra.local.service_bus.faults import Faults
from infra.local.service_bus.queues.journal import Journal, JournalError, NoJournal
from infra.local.service_bus.queues.namespace import Namespace
from infra.local.service_bus.sqlite_journal import SqliteJournal
from infra.local.service_bus.wire.cbs import KEY_NAME, SharedAccessKey
from infra.local.service_bus.wire.connection import Connection
from infra.local.service_bus.wire.container import Container
from infra.local.service_bus.wire.gate import Gate

_HOST = "127.0.0.1"
_ANY_KEY = "SAS_KEY_VALUE"  # what Microsoft's emulator documents; the SDKs want some key
_EXIT_BROKEN, _EXIT_CANNOT_START = 1, 2


class StartError(Exception):
    """The broker cannot start; the text says what to do."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.service_bus", description="A local Service Bus.")
    parser.add_argument("--config", type=Path, required=True, help="queues, in the emulator's config.json format")
    parser.add_argument("--database", type=Path, help="SQLite file; without it everything is forgotten at the end")
    parser.add_argument("--port", type=port_number, default=0, help="AMQP port (default: a free one)")
    parser.add_argument("--control-port", type=port_number, default=0, help="HTTP port of the control interface (likewise)")
    parser.add_argument("--key", help="the shared access key that clients must have (default: any)")
    return parser.parse_args()


def _open_journal(path: Path | None) -> Journal:
    if path is None:
        return NoJournal()
    try:
        return SqliteJournal(path)
    except sqlite3.Error as wrong:
        text = f"cannot use the database {path}: {wrong}. Is another broker running on it? Give --database another file."
        raise StartError(text) from wrong


async def _listen(container: Container, port: int) -> asyncio.Server:
    try:
        return await asyncio.get_running_loop().create_server(lambda: Connection(container), _HOST, port)
    except OSError as taken:
        raise StartError(f"cannot listen on port {port}: {taken.strerror}. Give --port a free one, or 0.") from taken


async def _serve_control(control: ServiceBusControl, port: int) -> tuple[web.AppRunner, int]:
    runner = web.AppRunner(control.application(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, port).start()
    except OSError as taken:
        await runner.cleanup()
        text = f"cannot listen on port {port}: {taken.strerror}. Give --control-port a free one, or 0."
        raise StartError(text) from taken
    return runner, runner.addresses[0][1]


def _announce(port: int, control_port: int, key: str | None) -> None:
    endpoint = f"sb://{_HOST}:{port}"
    key_settings = f"SharedAccessKeyName={KEY_NAME};SharedAccessKey={key or _ANY_KEY}"
    ready = {
        "part": "service_bus",
        "port": port,
        "url": endpoint,
        "control_url": f"http://{_HOST}:{control_port}",
        "connection_string": f"Endpoint={endpoint};{key_settings};UseDevelopmentEmulator=true",
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()


async def _run(arguments: argparse.Namespace) -> None:
    """Ends on a signal. Raises ConfigError and StartError before it is ready, JournalError when the disk fails."""
    journal = _open_journal(arguments.database)
    shared, faults = Control(), Faults()
    gate = Gate(faults, shared.log.append)
    namespace = Namespace(read_config(arguments.config), journal)
    container = Container(namespace, gate, SharedAccessKey(arguments.key), lambda: shared.latency)
    server = await _listen(container, arguments.port)
    control = ServiceBusControl(container, faults, shared)
    runner, control_port = await _serve_control(control, arguments.control_port)
    container.run_due()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, container.end)
    _announce(server.sockets[0].getsockname()[1], control_port, arguments.key)
    try:
        await container.ended
    finally:
        server.close()
        container.hang_up_all()
        await runner.cleanup()
        journal.close()


def main() -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s service_bus %(message)s")
    arguments = _arguments()
    try:
        asyncio.run(_run(arguments))
    except (ConfigError, StartError) as refusal:
        sys.stderr.write(f"{refusal}\n")
        return _EXIT_CANNOT_START
    except JournalError as broken:
        sys.stderr.write(f"{broken}\n")
        return _EXIT_BROKEN
    return 0


if __name__ == "__main__":
    sys.exit(main())
