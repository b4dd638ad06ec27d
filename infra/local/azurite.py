"""Azurite, Microsoft's Azure Storage on one machine, as a part of the local cloud."""

import re
import shutil
from pathlib import Path

from infra.local.processes import REPOSITORY, CannotStart, Ready

PROGRAM = REPOSITORY / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
SERVICES = ("Blob", "Queue", "Table")

# The published account of every Azurite; real accounts have keys of their own.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at (http://\S+)")


def command(directory: Path, ports: dict[str, int]) -> list[str]:
    """Raises CannotStart where Node or Azurite is missing. A port of 0 means a free one."""
    node = shutil.which("node")
    if node is None:
        raise CannotStart("Node.js is missing, which Azurite (Azure Storage) needs: install Node 20 or newer from nodejs.org.")
    if not PROGRAM.exists():
        raise CannotStart("Azurite (Azure Storage) is missing: run `npm ci` in the repository, or `make setup`.")
    listening = [word for service in SERVICES for word in (f"--{service.lower()}Port", str(ports[service]))]
    return [node, str(PROGRAM), "--location", str(directory), *listening, "--skipApiVersionCheck", "--silent", "--disableTelemetry"]


def read_ready(output: str) -> Ready | None:
    """The services' addresses by name, once all of them listen."""
    addresses = dict(_LISTENING.findall(output))
    return addresses if len(addresses) == len(SERVICES) else None


def connection_string(addresses: Ready) -> str:
    endpoints = [f"{service}Endpoint={addresses[service]}/{ACCOUNT}" for service in SERVICES]
    account = ["DefaultEndpointsProtocol=http", f"AccountName={ACCOUNT}", f"AccountKey={ACCOUNT_KEY}"]
    return ";".join([*account, *endpoints]) + ";"
