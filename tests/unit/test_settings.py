"""The settings: what each may be, and that a wrong one is named with its remedy."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared import settings
from shared.errors import Owner, Permanent
from shared.settings import Connection, OutcomesSetting

LOCAL_CLOUD = {
    "name": "LocalCloud",
    "metadata": {
        "azure_portal": "https://localhost:8443/",
        "resource_manager": "https://localhost:8443/",
        "active_directory": "https://localhost:8443/",
        "aml_resource_id": "https://ml.azure.local/",
        "storage_endpoint": "core.local",
        "registry_discovery_endpoint": "https://localhost:8443/discovery/",
    },
}
ALL = ["ServiceBus", "ServiceBus__fullyQualifiedNamespace", "Tables", "Tables__tableServiceUri"]
ALL += ["FANOUT_PRINCIPAL_ID", "FANOUT_HOSTNAME", "FANOUT_AZURE_CLOUD", "FANOUT_OVERDUE_SECONDS", "PYTHON_THREADPOOL_THREAD_COUNT"]
TOPIC, DOMAIN, KEY = "Outcomes__topicEndpointUri", "Outcomes__domainEndpointUri", "Outcomes__key"
ALL += [TOPIC, DOMAIN, KEY]
ENDPOINT = "https://outcomes.westeurope-1.eventgrid.azure.net/api/events"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ALL:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("read", "name", "value", "expected"),
    [
        (settings.service_bus, "ServiceBus", "Endpoint=sb://b/", Connection("Endpoint=sb://b/", None)),
        (
            settings.service_bus,
            "ServiceBus__fullyQualifiedNamespace",
            "b.servicebus.windows.net",
            Connection(None, "b.servicebus.windows.net"),
        ),
        (settings.tables, "Tables", "UseDevelopmentStorage=true", Connection("UseDevelopmentStorage=true", None)),
        (
            settings.tables,
            "Tables__tableServiceUri",
            "https://t.table.core.windows.net",
            Connection(None, "https://t.table.core.windows.net"),
        ),
    ],
)
def test_a_service_is_named_by_connection_string_or_by_address(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], Connection], name: str, value: str, expected: Connection
) -> None:
    monkeypatch.setenv(name, value)
    assert read() == expected


@pytest.mark.parametrize(
    ("read", "name", "address"),
    [
        (settings.service_bus, "ServiceBus", "ServiceBus__fullyQualifiedNamespace"),
        (settings.tables, "Tables", "Tables__tableServiceUri"),
    ],
)
@pytest.mark.parametrize("value", [None, ""])
def test_a_service_that_is_not_named_is_asked_for_by_both_its_settings(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], Connection], name: str, address: str, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv(name, value)
    reason = refusal(read)
    assert name in reason
    assert address in reason


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ServiceBus__fullyQualifiedNamespace", "contoso-bus.servicebus.windows.net", "contoso-bus"),
        ("ServiceBus", "Endpoint=sb://contoso-bus.servicebus.windows.net/;SharedAccessKeyName=a;SharedAccessKey=b=", "contoso-bus"),
        ("ServiceBus", "Endpoint=sb://localhost:5672;UseDevelopmentEmulator=true", None),
        ("ServiceBus", "", None),
    ],
)
def test_the_namespace_is_known_by_its_address(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str | None
) -> None:
    monkeypatch.setenv(name, value)
    assert settings.namespace() == expected


@pytest.mark.parametrize("name", ["FANOUT_PRINCIPAL_ID", "FANOUT_HOSTNAME"])
def test_what_the_doctor_is_told_may_be_left_out(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    read = settings.principal_id if name == "FANOUT_PRINCIPAL_ID" else settings.host_name
    assert read() is None
    monkeypatch.setenv(name, "told")
    assert read() == "told"


def refusal(read: Callable[[], object]) -> str:
    """Text and remedy of the refusal."""
    with pytest.raises(Permanent) as refused:
        read()
    reason = refused.value.reason
    assert (reason.code, reason.owner) == ("bad_setting", Owner.PROVIDER)
    return f"{reason.text}; {reason.remedy}"


@pytest.mark.parametrize("text", [None, ""])
def test_public_azure_needs_no_setting(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    if text is not None:
        monkeypatch.setenv("FANOUT_AZURE_CLOUD", text)
    assert settings.azure_cloud() is None


def test_another_cloud_is_named_with_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FANOUT_AZURE_CLOUD", json.dumps(LOCAL_CLOUD))
    cloud = settings.azure_cloud()
    assert cloud
    assert (cloud.name, cloud.metadata) == (LOCAL_CLOUD["name"], LOCAL_CLOUD["metadata"])
    assert cloud.resource_manager == "https://localhost:8443"
    assert cloud.registry_discovery == "https://localhost:8443/discovery"


@pytest.mark.parametrize(
    "text",
    [
        "LocalCloud",
        "{",
        "null",
        "[]",
        "{}",
        '{"name": "LocalCloud"}',
        '{"metadata": {}}',
        '{"name": "LocalCloud", "metadata": null}',
        '{"name": "LocalCloud", "metadata": "https://localhost"}',
        '{"name": "LocalCloud", "metadata": {}}',
        '{"name": "LocalCloud", "metadata": {"resource_manager": "https://localhost:8443/"}}',
    ],
)
def test_a_cloud_that_lacks_anything_is_refused_when_it_is_read(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("FANOUT_AZURE_CLOUD", text)
    assert "FANOUT_AZURE_CLOUD" in refusal(settings.azure_cloud)


@pytest.mark.parametrize(("text", "seconds"), [(None, 300), ("20", 20), ("0.5", 0.5), ("0", 0)])
def test_a_row_is_overdue_after_five_minutes_unless_set(monkeypatch: pytest.MonkeyPatch, text: str | None, seconds: float) -> None:
    if text is not None:
        monkeypatch.setenv("FANOUT_OVERDUE_SECONDS", text)
    assert settings.overdue_after() == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["soon", "", "5 min", "nan", "inf", "1e300", "-1"])
def test_a_time_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("FANOUT_OVERDUE_SECONDS", text)
    assert "FANOUT_OVERDUE_SECONDS" in refusal(settings.overdue_after)


def test_each_reading_takes_the_setting_as_it_is_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Tables", "first")
    first = settings.tables()
    monkeypatch.setenv("Tables", "second")
    assert (first.connection_string, settings.tables().connection_string) == ("first", "second")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, None),
        ({TOPIC: "", DOMAIN: "", KEY: ""}, None),
        ({TOPIC: ENDPOINT}, OutcomesSetting(ENDPOINT, is_domain=False, key=None)),
        ({DOMAIN: ENDPOINT, TOPIC: ""}, OutcomesSetting(ENDPOINT, is_domain=True, key=None)),
        ({DOMAIN: ENDPOINT, KEY: "k"}, OutcomesSetting(ENDPOINT, is_domain=True, key="k")),
    ],
)
def test_outcomes_go_to_a_topic_or_to_a_domain_or_nowhere(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], expected: OutcomesSetting | None
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    assert settings.outcomes() == expected


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({TOPIC: ENDPOINT, DOMAIN: ENDPOINT}, DOMAIN),
        ({KEY: "k"}, KEY),
        ({TOPIC: "outcomes.westeurope-1.eventgrid.azure.net"}, TOPIC),
        ({TOPIC: ENDPOINT.replace("https", "http")}, TOPIC),
        ({TOPIC: ENDPOINT.removesuffix("/api/events")}, TOPIC),
        ({TOPIC: f"{ENDPOINT}?api-version=2018-01-01"}, TOPIC),
        ({DOMAIN: "https:///api/events"}, DOMAIN),
    ],
)
def test_a_place_for_outcomes_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], named: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    assert named in refusal(settings.outcomes)


@pytest.mark.parametrize(("text", "threads"), [("1", 1), ("32", 32), (" 64 ", 64)])
def test_the_threads_are_as_many_as_the_worker_is_told(monkeypatch: pytest.MonkeyPatch, text: str, threads: int) -> None:
    monkeypatch.setenv("PYTHON_THREADPOOL_THREAD_COUNT", text)
    assert settings.threads() == threads


@pytest.mark.parametrize("text", [None, "", "many", "0", "-1", "1.5"])
def test_what_tells_the_worker_nothing_leaves_the_threads_to_python(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    if text is not None:
        monkeypatch.setenv("PYTHON_THREADPOOL_THREAD_COUNT", text)
    with ThreadPoolExecutor() as pool:
        assert settings.threads() == pool._max_workers
