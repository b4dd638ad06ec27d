"""The one reader of the environment. Every setting has its line of doc here; the README's table is made from nothing else."""

import json
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.errors import Owner, Permanent


@dataclass(frozen=True, slots=True)
class Connection:
    """A service by connection string, or by its address with the app's own identity. One of them is set."""

    connection_string: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class AzureCloud:
    """Another cloud than public Azure, as MLClient's `cloud` and `cloud_metadata` have it."""

    name: str
    metadata: dict[str, str]

    @property
    def resource_manager(self) -> str:
        return self.metadata["resource_manager"].rstrip("/")

    @property
    def registry_discovery(self) -> str:
        return self.metadata["registry_discovery_endpoint"].rstrip("/")


@dataclass(frozen=True, slots=True)
class Settings:
    """`identity` is the client id of a user-assigned identity (AZURE_CLIENT_ID), as DefaultAzureCredential reads it itself."""

    service_bus: Connection
    tables: Connection
    cloud: AzureCloud | None
    overdue_after: timedelta


def read() -> Settings:
    """All settings from the environment. Permanent `bad_setting`, naming the setting, where one is missing or wrong."""
    return Settings(
        service_bus=_connection("ServiceBus", "fullyQualifiedNamespace"),
        tables=_connection("Tables", "tableServiceUri"),
        cloud=_cloud(),
        overdue_after=timedelta(seconds=_number("FANOUT_OVERDUE_SECONDS", 300)),
    )


def _connection(name: str, address: str) -> Connection:
    connection = Connection(os.environ.get(name), os.environ.get(f"{name}__{address}"))
    if not (connection.connection_string or connection.address):
        raise _wrong(name, f"set {name} to a connection string, or {name}__{address} to the service's address")
    return connection


def _cloud() -> AzureCloud | None:
    text = os.environ.get("FANOUT_AZURE_CLOUD")
    if not text:
        return None
    try:
        document: dict[str, Any] = json.loads(text)
        return AzureCloud(document["name"], dict(document["metadata"]))
    except (ValueError, KeyError, TypeError) as wrong:
        raise _wrong("FANOUT_AZURE_CLOUD", 'set it to {"name": "…", "metadata": {…}}, or leave it out') from wrong


def _number(name: str, default: float) -> float:
    text = os.environ.get(name, "")
    try:
        return float(text) if text else default
    except ValueError as wrong:
        raise _wrong(name, f"{text!r} is no number") from wrong


def _wrong(name: str, remedy: str) -> Permanent:
    return Permanent("bad_setting", f"setting {name} is missing or wrong", Owner.PROVIDER, remedy)
