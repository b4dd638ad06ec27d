"""The one reader of the environment: each setting is a function, with its line of doc, and is read when it is first needed.

Two more are read by others: FANOUT_RECONCILE_SCHEDULE by the Functions host, and by azure-identity what it takes to sign in,
such as AZURE_CLIENT_ID of a user-assigned identity.
"""

import json
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from shared.errors import Owner, Permanent

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
    """`ServiceBus`, a connection string, or `ServiceBus__fullyQualifiedNamespace`: the queues."""
    return _connection("ServiceBus", "fullyQualifiedNamespace")


def tables() -> Connection:
    """`Tables`, a storage connection string, or `Tables__tableServiceUri`: the rows and the rules."""
    return _connection("Tables", "tableServiceUri")


def azure_cloud() -> AzureCloud | None:
    """`FANOUT_AZURE_CLOUD`, JSON `{"name": …, "metadata": {…}}`: another cloud than public Azure."""
    text = os.environ.get("FANOUT_AZURE_CLOUD")
    if not text:
        return None
    try:
        document: dict[str, Any] = json.loads(text)
        return AzureCloud(document["name"], {name: document["metadata"][name] for name in CLOUD_ADDRESSES})
    except (ValueError, KeyError, TypeError) as wrong:
        raise _wrong("FANOUT_AZURE_CLOUD", 'set it to {"name": "…", "metadata": {…}}, or leave it out') from wrong


def overdue_after() -> timedelta:
    """`FANOUT_OVERDUE_SECONDS`, 300: how late a row is before the timer sends a wake-up for it."""
    text = os.environ.get("FANOUT_OVERDUE_SECONDS", "300")
    try:
        overdue = timedelta(seconds=float(text))
    except (ValueError, OverflowError) as wrong:
        raise _wrong("FANOUT_OVERDUE_SECONDS", f"{text!r} is no number of seconds") from wrong
    if overdue < timedelta(0):
        raise _wrong("FANOUT_OVERDUE_SECONDS", f"{text!r} lies in the past: set it to 0 or more seconds")
    return overdue


def threads() -> int:
    """`PYTHON_THREADPOOL_THREAD_COUNT`: how many handlers run at a time in one process.

    Read as the Functions worker does it, which leaves what is missing or wrong to ThreadPoolExecutor.
    """
    text = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "").strip()
    if text.isdecimal() and int(text) > 0:
        return int(text)
    return min(32, (os.process_cpu_count() or 1) + 4)


def outcomes() -> OutcomesSetting | None:
    """`Outcomes__topicEndpointUri` or `Outcomes__domainEndpointUri`, and `Outcomes__key` where no identity is to be used.

    Without any of them nobody is told what became of shares and deliveries.
    """
    topic, domain, key = (_optional(f"Outcomes__{name}") for name in ("topicEndpointUri", "domainEndpointUri", "key"))
    name = "Outcomes__domainEndpointUri" if domain else "Outcomes__topicEndpointUri"
    if topic and domain:
        raise _wrong(name, "leave it out, or Outcomes__topicEndpointUri: outcome events go to one of them")
    if key and not (topic or domain):
        raise _wrong(name, "Outcomes__key is a key of nothing: set the endpoint, or leave the key out")
    endpoint = topic or domain
    if endpoint is None:
        return None
    address = urlsplit(endpoint)
    if address.scheme != "https" or not address.hostname or not address.path.endswith("/api/events") or address.query:
        raise _wrong(name, "set it to the endpoint as Azure shows it: https://…/api/events")
    return OutcomesSetting(endpoint, endpoint == domain, key)


def principal_id() -> str | None:
    """`FANOUT_PRINCIPAL_ID`: the object id of the app's identity, whose roles `fanout doctor` checks."""
    return _optional("FANOUT_PRINCIPAL_ID")


def host_name() -> str | None:
    """`FANOUT_HOSTNAME`: the function app's host name, by which `fanout doctor` knows event subscriptions that lead to the app."""
    return _optional("FANOUT_HOSTNAME")


def namespace() -> str | None:
    """The name of the Service Bus namespace, as far as the settings of the queues tell: a development broker has none."""
    parts = dict(part.partition("=")[::2] for part in (_optional("ServiceBus") or "").split(";"))
    host = _optional("ServiceBus__fullyQualifiedNamespace") or urlsplit(parts.get("Endpoint", "")).hostname or ""
    name, _, domain = host.partition(".")
    return name if domain.startswith("servicebus.") else None


def _optional(name: str) -> str | None:
    return os.environ.get(name) or None


def _connection(name: str, address: str) -> Connection:
    connection = Connection(os.environ.get(name), os.environ.get(f"{name}__{address}"))
    if not (connection.connection_string or connection.address):
        raise _wrong(name, f"set {name} to a connection string, or {name}__{address} to the service's address")
    return connection


def _wrong(name: str, remedy: str) -> Permanent:
    return Permanent("bad_setting", f"setting {name} is missing or wrong", Owner.PROVIDER, remedy)
