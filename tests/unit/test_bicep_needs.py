"""What the app needs stands in the templates, and nothing that it does not: queues, tables, functions, settings."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from infra.local.functions_host.settings import IdentityConnection, Settings
from infra.local.topology import TABLES, service_bus_config
from shared import settings
from shared.azure import tables
from shared.deadline import LONGEST_MESSAGE
from shared.messages import Queue
from shared.wakeups import NUDGE_EVERY
from tests.bicep import needs
from tests.bicep.copies import EVERYTHING, SOURCES, provider, with_change
from tests.bicep.deployment import Deployment

BUS, APP, STORAGE = "modules/service-bus.bicep", "modules/function-app.bicep", "modules/storage.bicep"
CHECKS = [needs.wrong_queues, needs.wrong_tables, needs.wrong_functions, needs.wrong_settings, needs.wrong_host]

type Check = Callable[[Deployment], Iterator[str]]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("params", [{}, EVERYTHING, {"outcomes": "topic", "serviceBusTier": "Premium"}])
def test_azure_has_what_the_app_needs(check: Check, params: dict[str, object]) -> None:
    assert list(check(provider(**params))) == []


@pytest.mark.parametrize(
    ("check", "path", "old", "new", "fault"),
    [
        (needs.wrong_queues, BUS, "name: 'wakeups'", "name: 'wake-ups'", "queue wakeups is missing"),
        (needs.wrong_queues, BUS, "name: 'rejected'", "name: 'refused'", "queue refused is used by nobody"),
        (
            needs.wrong_queues,
            BUS,
            "lockDuration: 'PT1M'",
            "lockDuration: 'PT30S'",
            "queue events: lockDuration is PT30S, and not PT1M",
        ),
        (
            needs.wrong_queues,
            BUS,
            "maxDeliveryCount: 20",
            "maxDeliveryCount: 10",
            "queue wakeups: maxDeliveryCount is 10, and not 20",
        ),
        (needs.wrong_queues, BUS, "'PT10M'", "'PT1H'", "duplicateDetectionHistoryTimeWindow is PT1H, and not PT10M"),
        (
            needs.wrong_queues,
            BUS,
            "requiresDuplicateDetection: true",
            "requiresDuplicateDetection: false",
            "requiresDuplicateDetection is False",
        ),
        (needs.wrong_queues, BUS, "'P7D'", "'P1D'", "queue wakeups: defaultMessageTimeToLive is P1D, and not P7D"),
        (
            needs.wrong_queues,
            BUS,
            "deadLetteringOnMessageExpiration: true",
            "deadLetteringOnMessageExpiration: false",
            "queue commands: deadLetteringOnMessageExpiration is False, and not True",
        ),
        (
            needs.wrong_queues,
            BUS,
            "maxDeliveryCount: 10\n",
            "maxDeliveryCount: 10\n requiresSession: true\n",
            "requiresSession is True",
        ),
        (needs.wrong_tables, STORAGE, "  'bytenant'\n", "", "table bytenant is missing"),
        (needs.wrong_tables, STORAGE, "  'open'\n", "  'open'\n  'closed'\n", "table closed is used by nobody"),
        (needs.wrong_functions, APP, "'function:wakeups'", "'function:wakeup'", "function wakeup cannot be always ready"),
        (
            needs.wrong_functions,
            "main.bicep",
            "functionName=model_registered",
            "functionName=events",
            "function events of the webhook",
        ),
        (
            needs.wrong_settings,
            APP,
            "    Tables__tableServiceUri: tableEndpoint\n",
            "",
            "setting Tables__tableServiceUri is missing",
        ),
        (
            needs.wrong_settings,
            APP,
            "    ServiceBus__credential: 'managedidentity'\n",
            "",
            "setting ServiceBus__credential is missing",
        ),
        (needs.wrong_settings, APP, "'managedidentity'", "'ManagedIdentity'", "AzureWebJobsStorage__credential is ManagedIdentity"),
        (needs.wrong_settings, APP, "FANOUT_RECONCILE_SCHEDULE", "FANOUT_SCHEDULE", "setting FANOUT_RECONCILE_SCHEDULE is missing"),
        (
            needs.wrong_settings,
            APP,
            "FANOUT_OVERDUE_SECONDS",
            "FANOUT_LATE_SECONDS",
            "setting FANOUT_LATE_SECONDS is read by nobody",
        ),
        (
            needs.wrong_settings,
            APP,
            "    // The app\n",
            "    FUNCTIONS_WORKER_RUNTIME: 'python'\n",
            "setting FUNCTIONS_WORKER_RUNTIME is read by nobody",
        ),
        (needs.wrong_settings, APP, "    // The app\n", "    ServiceBus: 'Endpoint=…'\n", "setting ServiceBus is read by nobody"),
        (needs.wrong_settings, APP, "string(overdueSeconds)", "overdueSeconds", "setting FANOUT_OVERDUE_SECONDS is no text"),
        (needs.wrong_settings, APP, "AZURE_CLIENT_ID: clientId", "AZURE_CLIENT_ID: identityId", "several identities"),
        (needs.wrong_host, APP, "version: '3.13'", "version: '3.12'", "the app runs on python 3.12, and not on python 3.13"),
        (needs.wrong_host, APP, "THREAD_COUNT: '32'", "THREAD_COUNT: '8'", "less than maxConcurrentCalls"),
        (needs.wrong_host, APP, "ENABLE_TELEMETRY: 'true'", "ENABLE_TELEMETRY: 'false'", "the worker sends OpenTelemetry"),
    ],
)
def test_what_the_app_would_lack_is_found(check: Check, path: str, old: str, new: str, fault: str) -> None:
    deployment = provider(with_change(path, old, new), **EVERYTHING)
    assert any(fault in each for each in check(deployment)), list(check(deployment))


def test_the_local_cloud_has_the_same_queues_and_tables() -> None:
    [namespace] = service_bus_config("PT1M")["UserConfig"]["Namespaces"]
    unlike_azures = {"MaxDeliveryCount": 10, "DeadLetteringOnMessageExpiration": False, "RequiresDuplicateDetection": False}
    local = {queue["Name"]: unlike_azures | queue["Properties"] for queue in namespace["Queues"]}
    assert {name: {key[0].lower() + key[1:]: value for key, value in made.items()} for name, made in local.items()} == needs.QUEUES
    assert set(TABLES) == set(tables.TABLES)


def test_the_queues_keep_what_the_handlers_rely_on() -> None:
    assert set(needs.QUEUES) == {queue.value for queue in Queue}
    duration = TypeAdapter(timedelta).validate_python
    for queue in needs.QUEUES.values():
        assert duration(queue["lockDuration"]) > timedelta(seconds=LONGEST_MESSAGE)
        if queue["requiresDuplicateDetection"]:
            assert duration(queue["duplicateDetectionHistoryTimeWindow"]) == NUDGE_EVERY


def test_the_app_and_its_host_understand_what_the_template_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    values = needs.app_settings(provider(SOURCES, outcomes="domain", overdueSeconds=60)) | {
        "Outcomes__domainEndpointUri": "https://evg.westeurope-1.eventgrid.azure.net/api/events",  # only Azure knows it
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    assert settings.service_bus().address == values["ServiceBus__fullyQualifiedNamespace"]
    assert settings.tables().address == values["Tables__tableServiceUri"]
    assert (settings.service_bus().connection_string, settings.tables().connection_string) == (None, None)
    outcomes = settings.outcomes()
    assert outcomes
    assert (outcomes.is_domain, outcomes.key) == (True, None)
    assert settings.azure_cloud() is None
    assert settings.overdue_after() == timedelta(seconds=60)
    assert settings.threads() == 32
    connection = Settings(values).connection("ServiceBus", "commands")
    assert connection == IdentityConnection(
        values["ServiceBus__fullyQualifiedNamespace"], managed=True, client_id=values["AZURE_CLIENT_ID"]
    )


def test_what_the_worker_sends_telemetry_by_is_asked_for() -> None:
    """azure-ai-ml happens to bring it. Where it is missing the worker runs on without, and no alert sees anything."""
    assert "azure-monitor-opentelemetry" in (needs.ROOT / "requirements.in").read_text().splitlines()
