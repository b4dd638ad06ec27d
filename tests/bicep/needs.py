"""What the app needs in Azure, beside what a deployment makes: queues, tables, functions, settings. Each answers what is wrong."""

import json
import re
import runpy
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from azure.identity._constants import EnvironmentVariables
from azure_functions_runtime.utils import constants as worker

from shared.azure import tables
from shared.messages import Queue
from shared.settings_table import SETTINGS
from tests.bicep.deployment import Deployment

ROOT = Path(__file__).parents[2]
HOST: Mapping[str, Any] = json.loads((ROOT / "host.json").read_text())

# As the handlers assume them. Durations are ISO 8601.
DEDUPLICATED = {"requiresDuplicateDetection": True, "duplicateDetectionHistoryTimeWindow": "PT10M"}
QUEUES: Mapping[str, Mapping[str, object]] = {
    "commands": DEDUPLICATED
    | {
        "lockDuration": "PT1M",
        "maxDeliveryCount": 10,
        "defaultMessageTimeToLive": "P14D",
        "deadLetteringOnMessageExpiration": True,
    },
    "wakeups": DEDUPLICATED
    | {
        "lockDuration": "PT1M",
        "maxDeliveryCount": 20,
        "defaultMessageTimeToLive": "P7D",
        "deadLetteringOnMessageExpiration": False,
    },
    "events": {
        "lockDuration": "PT1M",
        "maxDeliveryCount": 10,
        "requiresDuplicateDetection": False,
        "defaultMessageTimeToLive": "P14D",
        "deadLetteringOnMessageExpiration": True,
    },
    "rejected": DEDUPLICATED
    | {
        "lockDuration": "PT1M",
        "maxDeliveryCount": 10,
        "defaultMessageTimeToLive": "P14D",
        "deadLetteringOnMessageExpiration": False,
    },
}

# Settings that hold a secret, where Azure has identities.
SECRETS = {"ServiceBus", "Tables", "Outcomes__key"}
OF_THE_HOST = {
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
OF_THE_WORKER = {worker.PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY, worker.PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME}
OF_AZURE_IDENTITY = {EnvironmentVariables.AZURE_CLIENT_ID, EnvironmentVariables.AZURE_TOKEN_CREDENTIALS}


@cache
def bindings() -> dict[str, dict[str, Any]]:
    """Each function's trigger."""
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]  # anew: an app tells its functions once
    return {each.get_function_name(): json.loads(each.get_raw_bindings()[0]) for each in app.get_functions()}


def app_settings(deployment: Deployment) -> dict[str, str]:
    [settings] = deployment.of("Microsoft.Web/sites/config")
    return dict(settings.properties)


def wrong_queues(deployment: Deployment) -> Iterator[str]:
    made = {queue.name: queue.properties for queue in deployment.of("Microsoft.ServiceBus/namespaces/queues")}
    named = {str(binding["queueName"]) for binding in bindings().values() if "queueName" in binding} | {
        queue.value for queue in Queue
    }
    yield from (f"queue {name} is missing" for name in sorted(named - made.keys()))
    yield from (f"queue {name} is used by nobody" for name in sorted(made.keys() - named))
    for name in sorted(made.keys() & QUEUES.keys()):
        for key in sorted(made[name].keys() | QUEUES[name].keys()):
            has, needs = made[name].get(key), QUEUES[name].get(key)
            if has != needs:
                yield f"queue {name}: {key} is {has}, and not {needs}"


def wrong_tables(deployment: Deployment) -> Iterator[str]:
    made = {table.name for table in deployment.of("Microsoft.Storage/storageAccounts/tableServices/tables")}
    yield from (f"table {name} is missing" for name in sorted(set(tables.TABLES) - made))
    yield from (f"table {name} is used by nobody" for name in sorted(made - set(tables.TABLES)))


def wrong_functions(deployment: Deployment) -> Iterator[str]:
    """Wherever a function is named."""
    [app] = deployment.of("Microsoft.Web/sites")
    ready = app.properties["functionAppConfig"]["scaleAndConcurrency"]["alwaysReady"]
    named = [each["name"].removeprefix("function:") for each in ready]
    triggers = bindings()
    yield from (f"function {name} cannot be always ready: there is none" for name in named if name not in triggers)
    hook = str(deployment.outputs["FANOUT_WEBHOOK_URL"]).partition("functionName=")[2]
    if triggers.get(hook, {}).get("type") != "eventGridTrigger":
        yield f"function {hook} of the webhook takes no events of Event Grid"


def wrong_settings(deployment: Deployment) -> Iterator[str]:
    settings, needed = app_settings(deployment), needed_settings()
    yield from (f"setting {name} is missing" for name in sorted(needed - settings.keys()))
    yield from (f"setting {name} is read by nobody" for name in sorted(settings.keys() - needed))
    yield from (f"setting {name} is no text" for name, value in settings.items() if not isinstance(value, str))
    clients = {str(value) for name, value in settings.items() if name.endswith("__clientId") or name == "AZURE_CLIENT_ID"}
    if len(clients) != 1:
        yield f"several identities: {', '.join(sorted(clients))}"
    yield from (
        f"{name} is {value}" for name, value in settings.items() if name.endswith("__credential") and value != "managedidentity"
    )


def wrong_host(deployment: Deployment) -> Iterator[str]:
    """What host.json says, and what goes with it."""
    settings = app_settings(deployment)
    [app] = deployment.of("Microsoft.Web/sites")
    runtime = app.properties["functionAppConfig"]["runtime"]
    python = ".".join((ROOT / ".python-version").read_text().split(".")[:2]).strip()
    if (runtime["name"], runtime["version"]) != ("python", python):
        yield f"the app runs on {runtime['name']} {runtime['version']}, and not on python {python}"
    if int(settings.get("PYTHON_THREADPOOL_THREAD_COUNT", "1")) < HOST["extensions"]["serviceBus"]["maxConcurrentCalls"]:
        yield "PYTHON_THREADPOOL_THREAD_COUNT is less than maxConcurrentCalls of host.json"
    is_sent = settings.get(worker.PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY) == worker.TRUE
    if is_sent is not (HOST.get("telemetryMode") == "OpenTelemetry"):
        yield "the worker sends OpenTelemetry where the host does, and only there: telemetryMode of host.json"


def needed_settings() -> set[str]:
    """Of the app; of the bindings; of the host, the worker and azure-identity."""
    triggers = bindings().values()
    expanded = {name for binding in triggers for value in binding.values() for name in re.findall("%(.+?)%", str(value))}
    connections = {str(binding["connection"]) for binding in triggers if "connection" in binding}
    connected = {f"{name}__{part}" for name in connections for part in ("fullyQualifiedNamespace", "credential", "clientId")}
    return (
        ({each.name for each in SETTINGS if each.of_the_app} - SECRETS)
        | expanded
        | connected
        | OF_THE_HOST
        | OF_THE_WORKER
        | OF_AZURE_IDENTITY
    )
