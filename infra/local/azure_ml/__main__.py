"""Start the local Azure ML: `python -m infra.local.azure_ml --config cloud.json --state DIR --tls DIR --blob-endpoint URL`."""

import argparse
import asyncio
import json
import logging
import signal
import socket
import ssl
import sys
from pathlib import Path

from aiohttp import web
from pydantic import ValidationError

from infra.local.azure_ml.config import CloudConfig, read_config
from infra.local.azure_ml.identity import Identity
from infra.local.azure_ml.server import build
from infra.local.azure_ml.state import State
from infra.local.ports import port_number
from infra.local.tokens import Tokens

HOST = "127.0.0.1"


class CannotStart(Exception):
    """One sentence that says what to do."""


def main() -> int:
    options = _options()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s azure_ml %(levelname)s %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    try:
        asyncio.run(_serve(options))
    except CannotStart as reason:
        print(reason, file=sys.stderr)  # noqa: T201 a sentence for whoever typed the command
        return 2
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.azure_ml", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="cloud.json: workspaces, registries, durations")
    parser.add_argument("--state", type=Path, required=True, help="folder of what survives a restart")
    parser.add_argument("--tls", type=Path, required=True, help="folder with server.pem and ca.pem (infra/local/tls.py)")
    parser.add_argument("--blob-endpoint", required=True, help="Azurite's blob service, such as http://127.0.0.1:10000")
    parser.add_argument("--event-grid", help="base URL of the local Event Grid; without it no events are posted")
    parser.add_argument("--port", type=port_number, default=0, help="0: the port of last time where it is free, else any free one")
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> None:
    config, tls = _config(options.config), _tls(options.tls)
    state = State(options.state / "azure_ml.sqlite3")
    listener = _listen(options.port, state)
    port = listener.getsockname()[1]
    base_url = f"https://localhost:{port}/"
    identity = Identity(state, Tokens(options.tls), base_url, config.token_seconds)
    application = build(config, state, identity, base_url, options.blob_endpoint, options.event_grid, options.state)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=2)
    await runner.setup()
    await web.SockSite(runner, listener, ssl_context=tls).start()
    ready = {
        "part": "azure_ml",
        "port": port,
        "url": base_url,
        "identity_endpoint": f"{base_url}msi/token",
        "identity_header": identity.header,
        "ca": str((options.tls / "ca.pem").resolve()),
        "cloud": cloud_settings(base_url),
    }
    print(json.dumps(ready), flush=True)  # noqa: T201 the ready line is this program's interface
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()


def cloud_settings(base_url: str) -> dict[str, object]:
    """What MLClient needs as `cloud=` (name) and `cloud_metadata=` (metadata)."""
    metadata = {
        "azure_portal": base_url,
        "resource_manager": base_url,
        "active_directory": base_url,
        "aml_resource_id": "https://ml.azure.local/",
        "storage_endpoint": "core.local",
        "registry_discovery_endpoint": base_url,
    }
    return {"name": "LocalCloud", "metadata": metadata}


def _config(file: Path) -> CloudConfig:
    try:
        return read_config(file)
    except OSError as missing:
        raise CannotStart(f"Cannot read the configuration {file}: {missing.strerror}; write one as the README shows.") from missing
    except ValidationError as wrong:
        first = wrong.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CannotStart(f"The configuration {file} is wrong at {place or 'its top'}: {first['msg']}; mend it.") from wrong


def _tls(directory: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(directory / "server.pem")
    except OSError as missing:
        hint = f"make it with `python -m infra.local.tls {directory}`"
        raise CannotStart(f"No usable certificate {directory / 'server.pem'}: {hint}.") from missing
    return context


def _listen(port: int, state: State) -> socket.socket:
    """Blob addresses that clients stored hold the port: keep it over restarts where possible."""
    if port == 0 and (before := int(state.setting("port", lambda: "0"))):
        try:
            return socket.create_server((HOST, before))
        except OSError:
            logging.getLogger(__name__).warning("port %s of last time is taken; blob URLs that name it are dead", before)
    try:
        listener = socket.create_server((HOST, port))
    except OSError as taken:
        raise CannotStart(f"Port {port} is taken ({taken.strerror}): stop what uses it, or pass another --port.") from taken
    state.change_setting("port", str(listener.getsockname()[1]))
    return listener


if __name__ == "__main__":
    sys.exit(main())
