"""`python -m infra.local.functions_host --app DIR`: see README.md in this folder."""

import argparse
import asyncio
import json
import os
import secrets
import signal
import socket
import sys
from pathlib import Path
from typing import TextIO

from infra.local.functions_host.errors import EXIT_BROKEN_APP, EXIT_USAGE, HostError, UsageError
from infra.local.functions_host.host import Host, Keys
from infra.local.functions_host.host_json import read_host_json
from infra.local.functions_host.logs import log_to_stderr
from infra.local.functions_host.settings import Settings, load_local_settings
from infra.local.ports import port_number


def main() -> int:
    arguments = _arguments()
    ready = sys.stdout
    sys.stdout = sys.stderr  # an app that prints must not disturb who reads the ready line
    log_to_stderr()
    try:
        asyncio.run(_run(arguments, ready))
    except UsageError as wrong:
        return _complain(wrong, EXIT_USAGE)
    except HostError as broken:
        return _complain(broken, EXIT_BROKEN_APP)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.functions_host", description="A local Functions host.")
    parser.add_argument("--app", type=Path, required=True, help="folder of the function app: host.json, function_app.py")
    parser.add_argument("--port", type=port_number, default=0, help="0, the default, takes a free one")
    parser.add_argument("--key", help="function, host and master key; made up and printed by default")
    parser.add_argument("--event-grid-key", help="system key eventgrid_extension; made up and printed by default")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace, ready: TextIO) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    app = arguments.app.resolve()
    config = read_host_json(app)
    listening = _bind(arguments.port)
    load_local_settings(app, os.environ)
    keys = Keys(arguments.key or secrets.token_urlsafe(16), arguments.event_grid_key or secrets.token_urlsafe(16))
    host = Host(app, config, Settings(), keys)
    if await _started(host, listening, stopping):
        ready.write(json.dumps(_ready_line(host, listening, keys)) + "\n")
        ready.flush()
        await stopping.wait()
        await host.stop()


async def _started(host: Host, listening: socket.socket, stopping: asyncio.Event) -> bool:
    """False where a signal came first: a start may wait for a broker that is not up."""
    starting, stopped = asyncio.create_task(host.start(listening)), asyncio.create_task(stopping.wait())
    await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if starting.done():
        await starting
        return True
    starting.cancel()
    return False


def _bind(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as taken:
        raise UsageError(
            f"port {port} cannot be used ({os.strerror(taken.errno or 0)}); choose another with --port, or 0"
        ) from None


def _ready_line(host: Host, listening: socket.socket, keys: Keys) -> dict[str, object]:
    port = listening.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    return {
        "part": "functions_host",
        "port": port,
        "url": url,
        "key": keys.host,
        "event_grid_url": f"{url}/runtime/webhooks/EventGrid?functionName={{functionName}}&code={keys.event_grid}",
        "functions": [function.name for function in host.functions],
    }


def _complain(reason: Exception, code: int) -> int:
    sys.stderr.write(f"functions_host: {reason}\n")
    return code


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # a function that still runs in a thread must not keep the process
