"""What the local Event Grid does with events that nobody takes: into blobs of a real Azurite, as the service writes them.

Time runs a thousandfold: the first retry comes after 10 ms, a dead letter is written 0.3 s after the last attempt.
"""

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient

from infra.local import azurite
from tests.contract.event_grid_part import WORKSPACE, Program, Receiver, eventually, receiving, running

FAST = ("--time-scale", "0.001")
EVENT = {
    "topic": WORKSPACE,
    "subject": "models/cards:1",
    "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
    "eventTime": "2026-01-02T03:04:05Z",
    "id": "1",
    "data": {"ModelName": "cards"},
    "dataVersion": "",
    "metadataVersion": "1",
}


@contextlib.contextmanager
def storage_account(directory: Path, blob_port: int = 0) -> Iterator[str]:
    """The connection string of a storage account, while it runs."""
    output = directory / "output"
    command = azurite.command(directory, dict.fromkeys(azurite.SERVICES, 0) | {"Blob": blob_port})
    with output.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield azurite.connection_string(eventually(lambda: azurite.read_ready(output.read_text()) or {}, within=30))
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with storage_account(tmp_path_factory.mktemp("azurite")) as storage:
        yield storage


@contextlib.contextmanager
def opened(storage: str) -> Iterator[ContainerClient]:
    with BlobServiceClient.from_connection_string(storage) as service, service.get_container_client("deadletters") as container:
        yield container


@pytest.fixture
def container(storage: str) -> Iterator[ContainerClient]:
    with opened(storage) as container:
        container.create_container()
        yield container
        with contextlib.suppress(ResourceNotFoundError):
            container.delete_container()


@pytest.fixture
def dead_letters(container: ContainerClient, storage: str) -> dict[str, str]:
    return {"endpointType": "StorageBlob", "connectionString": storage, "blobContainerName": container.container_name}


@pytest.fixture
def grid() -> Iterator[Program]:
    with running("event_grid", *FAST) as grid:
        yield grid


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def letters(container: ContainerClient) -> Callable[[], dict[str, Any]]:
    """What the container holds, by name."""
    return lambda: {name: json.loads(container.download_blob(name).readall()) for name in container.list_blob_names()}


def test_given_the_attempts_are_used_up_then_the_event_becomes_a_dead_letter(
    grid: Program, receiver: Receiver, container: ContainerClient, dead_letters: dict[str, str]
) -> None:
    policy = {"maxDeliveryAttempts": 3, "eventTimeToLiveInMinutes": 1440}
    grid.subscribe("fanout", receiver.url, deadLetterDestination=dead_letters, retryPolicy=policy)
    receiver.answers = [500, 500, 404]

    before = datetime.now(UTC)
    grid.call("POST", "/events", [EVENT])

    ((name, [letter]),) = eventually(lambda: letters(container)().items())
    subscription, year, month, day, hour, file = name.split("/")
    attempted = datetime.fromisoformat(letter.pop("lastDeliveryAttemptTime"))
    assert (subscription, Path(file).suffix) == ("FANOUT", ".json")
    assert [year, month, day, hour] == [str(part) for part in (attempted.year, attempted.month, attempted.day, attempted.hour)]
    assert before <= datetime.fromisoformat(letter.pop("publishTime")) <= attempted
    assert letter == {
        **EVENT,
        "deadLetterReason": "MaxDeliveryAttemptsExceeded",
        "deliveryAttempts": 3,
        "lastDeliveryOutcome": "NotFound",
    }
    assert len(receiver.deliveries) == 3
    assert grid.call("GET", "/_control/dropped")[1]["count"] == 0


def test_given_the_time_to_live_ran_out_then_the_reason_says_so(
    grid: Program, receiver: Receiver, container: ContainerClient, dead_letters: dict[str, str]
) -> None:
    policy = {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1}  # 60 ms
    grid.subscribe("fanout", receiver.url, deadLetterDestination=dead_letters, retryPolicy=policy)
    receiver.answers = [500] * 30

    grid.call("POST", "/events", [EVENT])

    ((_, [letter]),) = eventually(lambda: letters(container)().items())
    assert letter["deadLetterReason"] == "TimeToLiveExceeded"


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [
        (400, "UndeliverableDueToHttpBadRequest", "BadRequest"),
        (403, "UndeliverableDueToHttpForbidden", "Forbidden"),
        (413, "UndeliverableDueToHttpRequestEntityTooLarge", "PayloadTooLarge"),
    ],
)
def test_given_an_answer_that_no_retry_mends_then_it_is_a_dead_letter_after_one_attempt(
    grid: Program,
    receiver: Receiver,
    container: ContainerClient,
    dead_letters: dict[str, str],
    status: int,
    reason: str,
    outcome: str,
) -> None:
    grid.subscribe("fanout", receiver.url, deadLetterDestination=dead_letters)
    receiver.answers = [status]

    grid.call("POST", "/events", [EVENT])

    ((_, [letter]),) = eventually(lambda: letters(container)().items())
    assert (letter["deadLetterReason"], letter["deliveryAttempts"], letter["lastDeliveryOutcome"]) == (reason, 1, outcome)


def test_given_cloud_events_then_the_dead_letter_is_one_with_attributes_in_lower_case(
    grid: Program, receiver: Receiver, container: ContainerClient, dead_letters: dict[str, str]
) -> None:
    grid.subscribe("fanout", receiver.url, deadLetterDestination=dead_letters, eventDeliverySchema="CloudEventSchemaV1_0")
    receiver.answers = [400]

    grid.call("POST", "/events", [EVENT])

    ((_, [letter]),) = eventually(lambda: letters(container)().items())
    assert (letter["specversion"], letter["source"]) == ("1.0", WORKSPACE)
    assert letter["deadletterreason"] == "UndeliverableDueToHttpBadRequest"
    assert {"deliveryattempts", "lastdeliveryoutcome", "publishtime", "lastdeliveryattempttime"} <= set(letter)


def test_given_kill_9_before_it_is_written_then_the_next_process_writes_it(
    tmp_path: Path, receiver: Receiver, container: ContainerClient, dead_letters: dict[str, str]
) -> None:
    state = ("--state", str(tmp_path / "events.db"))
    with running("event_grid", *state) as first:  # in real time: five minutes lie between the last attempt and the dead letter
        first.subscribe("fanout", receiver.url, deadLetterDestination=dead_letters)
        receiver.answers = [400]
        first.call("POST", "/events", [EVENT])
        eventually(lambda: first.call("GET", "/_control/pending")[1]["count"] == 0)
        first.process.kill()

    with running("event_grid", *state, *FAST):
        eventually(letters(container))


def test_given_the_storage_is_down_for_a_while_then_the_dead_letter_is_written_after_it(
    receiver: Receiver, grid: Program, tmp_path: Path
) -> None:
    with storage_account(tmp_path) as storage:
        with opened(storage) as container:
            container.create_container()
        place = {"endpointType": "StorageBlob", "connectionString": storage, "blobContainerName": "deadletters"}
        grid.subscribe("fanout", receiver.url, deadLetterDestination=place)
    receiver.answers = [400]
    grid.call("POST", "/events", [EVENT])
    eventually(lambda: receiver.deliveries)
    time.sleep(0.5)  # the first attempts to write it

    (port,) = re.findall(r"BlobEndpoint=http://127.0.0.1:(\d+)", storage)
    with storage_account(tmp_path, int(port)) as storage, opened(storage) as container:
        eventually(letters(container), within=15)


def test_given_the_container_is_gone_then_the_event_is_dropped(
    grid: Program, receiver: Receiver, container: ContainerClient, dead_letters: dict[str, str]
) -> None:
    grid.subscribe("fanout", receiver.url, deadLetterDestination=dead_letters)
    container.delete_container()
    receiver.answers = [400]

    grid.call("POST", "/events", [EVENT])

    (dropped,) = eventually(lambda: grid.call("GET", "/_control/dropped")[1]["value"])
    assert dropped["reason"] == "UndeliverableDueToHttpBadRequest"


def test_given_a_container_that_does_not_exist_then_the_subscription_is_refused(
    grid: Program, receiver: Receiver, dead_letters: dict[str, str]
) -> None:
    elsewhere = dead_letters | {"blobContainerName": "nowhere"}
    status, answer = grid.subscribe("fanout", receiver.url, deadLetterDestination=elsewhere)
    assert status == 400
    assert "nowhere" in answer["error"]["message"]


def test_the_storages_key_is_never_shown(grid: Program, receiver: Receiver, dead_letters: dict[str, str]) -> None:
    _, shown = grid.subscribe("fanout", receiver.url, deadLetterDestination=dead_letters)
    assert shown["deadLetterDestination"] == {"endpointType": "StorageBlob", "blobContainerName": "deadletters"}
    assert azurite.ACCOUNT_KEY not in json.dumps(shown)


@pytest.mark.parametrize("policy", [{"maxDeliveryAttempts": 0}, {"maxDeliveryAttempts": 31}, {"eventTimeToLiveInMinutes": 1441}])
def test_a_retry_policy_beyond_the_services_limits_is_refused(grid: Program, receiver: Receiver, policy: dict[str, int]) -> None:
    assert grid.subscribe("fanout", receiver.url, retryPolicy=policy)[0] == 400


def test_given_no_retry_policy_then_a_failure_is_tried_again(grid: Program, receiver: Receiver) -> None:
    grid.subscribe("fanout", receiver.url)
    receiver.answers = [500]
    grid.call("POST", "/events", [EVENT])
    eventually(lambda: len(receiver.deliveries) == 2)
    time.sleep(0.1)
    assert len(receiver.deliveries) == 2
