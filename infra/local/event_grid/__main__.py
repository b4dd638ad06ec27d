"""`python -m infra.local.event_grid`: see README.md in this folder."""

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sqlite3
import ssl
import sys
from pathlib import Path

from aiohttp import ClientSession, web

from infra.local.event_grid.authorization import Gate
from infra.local.event_grid.delivery import Deliveries
from infra.local.event_grid.retries import RetryPolicy
from infra.local.event_grid.server import Server
from infra.local.event_grid.store import Store
from infra.local.event_grid.topic_routes import TopicRoutes
from infra.local.ports import port_number
from infra.local.tokens import Tokens

EXIT_USAGE = 2


class UsageError(Exception):
    """What is wrong with how the program was started: a sentence that says what to do."""


def main() -> int:
    arguments = _arguments()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("azure").setLevel(logging.ERROR)
    try:
        asyncio.run(_run(arguments))
    except UsageError as wrong:
        sys.stderr.write(f"event_grid: {wrong}\n")
        return EXIT_USAGE
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.event_grid", description="A local Event Grid.")
    parser.add_argument("--state", type=Path, help="SQLite file; without it, everything is forgotten at the end")
    parser.add_argument("--port", type=port_number, default=0, help="0, the default, takes a free one")
    parser.add_argument("--tls", type=Path, help="folder with server.pem (infra/local/tls.py): serve over TLS besides")
    parser.add_argument("--tls-port", type=port_number, default=0, help="likewise, for TLS")
    parser.add_argument("--time-scale", type=_positive, default=1.0, help="0.01 makes ten seconds' wait a tenth of one")
    return parser.parse_args()


def _positive(text: str) -> float:
    if (number := float(text)) <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


async def _run(arguments: argparse.Namespace) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    plain = _bind(arguments.port, "--port")
    secure = _bind(arguments.tls_port, "--tls-port") if arguments.tls else None
    ready = _ready(plain, secure)
    store = _open_store(arguments.state)
    async with ClientSession() as http:
        deliveries = Deliveries(store, RetryPolicy(arguments.time_scale), http)
        gate = Gate(Tokens(arguments.tls) if arguments.tls else None)
        topics = TopicRoutes(store, deliveries, gate, str(ready.get("tls_url", ready["url"])))
        runner = web.AppRunner(Server(store, deliveries, topics).application(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.SockSite(runner, plain).start()
        if secure:
            await web.SockSite(runner, secure, ssl_context=_certificate(arguments.tls)).start()
        deliveries.start()
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stopping.wait()
        await runner.cleanup()
        await deliveries.stop()
    store.close()


def _ready(plain: socket.socket, secure: socket.socket | None) -> dict[str, str | int]:
    port = plain.getsockname()[1]
    ready: dict[str, str | int] = {"part": "event_grid", "port": port, "url": f"http://127.0.0.1:{port}"}
    if secure:
        port = secure.getsockname()[1]
        ready |= {"tls_port": port, "tls_url": f"https://localhost:{port}"}
    return ready


def _certificate(directory: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(directory / "server.pem")
    except OSError:
        hint = f"make it with `python -m infra.local.tls {directory}`"
        raise UsageError(f"--tls: no usable certificate {directory / 'server.pem'}: {hint}") from None
    return context


def _bind(port: int, flag: str) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as taken:
        raise UsageError(
            f"port {port} cannot be used ({os.strerror(taken.errno or 0)}); choose another with {flag}, or 0"
        ) from None


def _open_store(path: Path | None) -> Store:
    try:
        return Store(path)
    except sqlite3.Error as unusable:
        raise UsageError(f"--state {path} cannot be used as a SQLite file: {unusable}") from None


if __name__ == "__main__":
    sys.exit(main())
