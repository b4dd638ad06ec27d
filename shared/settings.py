"""The one reader of the environment: each setting is read when it is first needed. `shared.settings_table` describes them all."""

import json
import os
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from shared import settings_table as table
from shared.errors import Owner, Permanent
from shared.settings_table import Setting

CLOUD_ADDRESSES = (
    "azure_portal",
    "resource_manager",
    "active_directory",
    "aml_resource_id",
    "storage_endpoint",
    "registry_discovery_endpoint",
)


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
class OutcomesSetting:
    """Where outcome events go: a custom topic, or a domain. Without a key the app's own identity publishes."""

    endpoint: str
    is_domain: bool
    key: str | None


def service_bus() -> Connection:
    """Of the queues."""
    return _connection(table.SERVICE_BUS, table.SERVICE_BUS_ADDRESS)


def tables() -> Connection:
    """Of the rows and the rules."""
    return _connection(table.TABLES, table.TABLES_ADDRESS)


def azure_cloud() -> AzureCloud | None:
    """None is public Azure."""
    text = value_of(table.AZURE_CLOUD)
    if not text:
        return None
    try:
        document: dict[str, Any] = json.loads(text)
        return AzureCloud(document["name"], {name: document["metadata"][name] for name in CLOUD_ADDRESSES})
    except (ValueError, KeyError, TypeError) as wrong:
        raise _wrong(table.AZURE_CLOUD, 'set it to {"name": "…", "metadata": {…}}, or leave it out') from wrong


def overdue_after() -> timedelta:
    """How late a row is before the timer sends a wake-up for it."""
    text = os.environ.get(table.OVERDUE_SECONDS.name, table.OVERDUE_SECONDS.default)
    try:
        overdue = timedelta(seconds=float(text))
    except (ValueError, OverflowError) as wrong:
        raise _wrong(table.OVERDUE_SECONDS, f"{text!r} is no number of seconds") from wrong
    if overdue < timedelta(0):
        raise _wrong(table.OVERDUE_SECONDS, f"{text!r} lies in the past: set it to 0 or more seconds")
    return overdue


def threads() -> int:
    """How many handlers run at a time in one process.

    Read as the Functions worker does it, which leaves what is missing or wrong to ThreadPoolExecutor.
    """
    text = value_of(table.THREADS).strip()
    if text.isdecimal() and int(text) > 0:
        return int(text)
    return min(32, (os.process_cpu_count() or 1) + 4)


def outcomes() -> OutcomesSetting | None:
    """Where outcome events go. None: nobody is told what became of shares and deliveries."""
    topic, domain, key = (value_of(each) for each in (table.OUTCOMES_TOPIC, table.OUTCOMES_DOMAIN, table.OUTCOMES_KEY))
    setting = table.OUTCOMES_DOMAIN if domain else table.OUTCOMES_TOPIC
    if topic and domain:
        raise _wrong(setting, f"leave it out, or {table.OUTCOMES_TOPIC.name}: outcome events go to one of them")
    if key and not (topic or domain):
        raise _wrong(setting, f"{table.OUTCOMES_KEY.name} is a key of nothing: set the endpoint, or leave the key out")
    endpoint = topic or domain
    if not endpoint:
        return None
    address = urlsplit(endpoint)
    if address.scheme != "https" or not address.hostname or not address.path.endswith("/api/events") or address.query:
        raise _wrong(setting, "set it to the endpoint as Azure shows it: https://…/api/events")
    return OutcomesSetting(endpoint, endpoint == domain, key or None)


def principal_id() -> str | None:
    """The object id of the app's identity."""
    return value_of(table.PRINCIPAL_ID) or None


def host_name() -> str | None:
    """Of the function app."""
    return value_of(table.HOSTNAME) or None


def events_queue() -> str | None:
    """The ARM id of queue `events`."""
    return value_of(table.EVENTS_QUEUE_ID) or None


def namespace() -> str | None:
    """The name of the Service Bus namespace, as far as the settings of the queues tell: a development broker has none."""
    parts = dict(part.partition("=")[::2] for part in value_of(table.SERVICE_BUS).split(";"))
    host = value_of(table.SERVICE_BUS_ADDRESS) or urlsplit(parts.get("Endpoint", "")).hostname or ""
    name, _, domain = host.partition(".")
    return name if domain.startswith("servicebus.") else None


def value_of(setting: Setting) -> str:
    """As it stands in the environment; "" where it does not."""
    return os.environ.get(setting.name, "")


def misspelt() -> dict[str, str]:
    """What is set, and is nearly a setting: by its name, the setting's."""
    known = [setting.name for setting in table.SETTINGS]
    nearest = {name: get_close_matches(name, known, n=1, cutoff=0.85) for name in os.environ if name not in known}
    return {name: near[0] for name, near in sorted(nearest.items()) if near}


def _connection(text: Setting, address: Setting) -> Connection:
    connection = Connection(value_of(text) or None, value_of(address) or None)
    if not (connection.connection_string or connection.address):
        raise _wrong(text, f"set {text.name} to a connection string, or {address.name} to the service's address")
    return connection


def _wrong(setting: Setting, remedy: str) -> Permanent:
    return Permanent("bad_setting", f"setting {setting.name} is missing or wrong", Owner.PROVIDER, remedy)
