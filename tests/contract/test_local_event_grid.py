"""The local Event Grid delivers, retries and drops as the real one does: over real sockets, to real receivers.

Its process runs with a time scale of 0.01: the first retry comes after 0.1 s, the second after 0.3 s.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient

from infra.local.event_grid.retries import Failure, GiveUp, RetryPolicy
from tests.contract.event_grid_part import WORKSPACE, Program, Receiver, eventually, receiving, running

REGISTERED = "Microsoft.MachineLearningServices.ModelRegistered"


def an_event(id_: str, **changes: Any) -> dict[str, Any]:
    event = {
        "topic": WORKSPACE,
        "subject": "models/sklearn_regression_model:20",
        "eventType": REGISTERED,
        "eventTime": "2017-06-26T18:41:00.9584103Z",
        "id": id_,
        "data": {"ModelName": "sklearn_regression_model", "ModelVersion": 20},
        "dataVersion": "",
        "metadataVersion": "1",
    }
    return event | changes


@pytest.fixture(scope="module")
def shared_grid() -> Iterator[Program]:
    with running("event_grid", "--time-scale", "0.01") as grid:
        yield grid


@pytest.fixture
def grid(shared_grid: Program) -> Iterator[Program]:
    """The module's process, without the event subscriptions of the test before."""
    yield shared_grid
    for subscription in shared_grid.call("GET", "/eventSubscriptions")[1]["value"]:
        shared_grid.call("DELETE", f"/eventSubscriptions/{subscription['name']}")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


# Subscribing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
def test_given_a_webhook_that_agrees_then_the_subscription_exists_without_its_secret(
    grid: Program, receiver: Receiver, schema: str
) -> None:
    status, created = grid.subscribe("fanout", receiver.url, eventDeliverySchema=schema)

    assert (status, created["provisioningState"]) == (201, "Succeeded")
    assert grid.call("GET", "/eventSubscriptions/FANOUT") == (200, created)
    assert "secret" not in json.dumps(created)


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
def test_given_a_webhook_that_fails_the_handshake_then_the_subscription_is_refused(
    grid: Program, receiver: Receiver, schema: str
) -> None:
    receiver.refuses = True

    status, answer = grid.subscribe("fanout", receiver.url, eventDeliverySchema=schema)

    assert (status, answer["error"]["code"]) == (400, "Url validation")
    assert "Webhook validation handshake failed" in answer["error"]["message"]
    assert grid.call("GET", "/eventSubscriptions/fanout")[0] == 404


def test_given_nobody_listens_then_the_subscription_is_refused(grid: Program) -> None:
    assert grid.subscribe("fanout", "http://127.0.0.1:1/hook")[0] == 400


def test_given_an_unknown_field_then_the_subscription_is_refused(grid: Program, receiver: Receiver) -> None:
    status, answer = grid.subscribe("fanout", receiver.url, includedEventType=[REGISTERED])

    assert status == 400
    assert "includedEventType" in answer["error"]["message"]


# Publishing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["id", "topic", "subject", "eventType", "eventTime", "data", "dataVersion"])
def test_given_an_event_without_a_required_field_then_none_of_the_request_is_accepted(
    grid: Program, receiver: Receiver, missing: str
) -> None:
    grid.subscribe("fanout", receiver.url)
    broken = an_event("2")
    del broken[missing]

    status, answer = grid.call("POST", "/events", [an_event("1"), broken])

    assert (status, answer["error"]["code"]) == (400, "BadRequest")
    assert f"1.{missing}" in answer["error"]["message"]
    assert receiver.deliveries == []


def test_given_an_event_then_the_receiver_gets_an_array_of_one_with_the_services_headers(grid: Program, receiver: Receiver) -> None:
    grid.subscribe("fanout", receiver.url)

    assert grid.call("POST", "/events", [an_event("1", topic=WORKSPACE.upper())])[0] == 200

    (_, headers, body), *others = eventually(lambda: receiver.deliveries)
    assert body == [an_event("1", topic=WORKSPACE.upper())]
    assert not others
    assert headers["aeg-event-type"] == "Notification"
    assert headers["aeg-subscription-name"] == "FANOUT"
    assert headers["aeg-delivery-count"] == "0"
    assert headers["aeg-data-version"] == ""


def test_given_a_subscription_to_cloud_events_then_the_event_comes_as_one(grid: Program, receiver: Receiver) -> None:
    grid.subscribe("fanout", receiver.url, eventDeliverySchema="CloudEventSchemaV1_0")

    grid.call("POST", "/events", [an_event("1")])

    ((_, headers, body),) = eventually(lambda: receiver.deliveries)
    assert headers["content-type"].startswith("application/cloudevents+json")
    assert body == {
        "specversion": "1.0",
        "id": "1",
        "source": WORKSPACE,
        "subject": "models/sklearn_regression_model:20",
        "type": REGISTERED,
        "time": "2017-06-26T18:41:00.9584103Z",
        "data": {"ModelName": "sklearn_regression_model", "ModelVersion": 20},
    }


def test_given_included_types_and_a_source_then_only_those_events_come(grid: Program, receiver: Receiver) -> None:
    grid.subscribe("fanout", receiver.url, includedEventTypes=[REGISTERED.lower()])
    other_type = an_event("1", eventType="Microsoft.MachineLearningServices.RunCompleted")
    other_source = an_event("2", topic=WORKSPACE.replace("northwind", "fabrikam"))

    grid.call("POST", "/events", [other_type, other_source, an_event("3")])

    eventually(lambda: receiver.deliveries)
    assert receiver.ids() == ["3"]


# Retrying ------------------------------------------------------------------------------------------------------------


def test_given_failures_then_the_event_comes_again_on_the_schedule(grid: Program, receiver: Receiver) -> None:
    grid.subscribe("fanout", receiver.url)
    receiver.answers = [500, 404]

    grid.call("POST", "/events", [an_event("1")])

    eventually(lambda: len(receiver.deliveries) == 3)
    (first, second, third) = (moment for moment, _, _ in receiver.deliveries)
    assert 0.1 <= second - first < 0.25
    assert 0.3 <= third - second < 0.5
    assert [headers["aeg-delivery-count"] for _, headers, _ in receiver.deliveries] == ["0", "1", "2"]
    eventually(lambda: grid.call("GET", "/_control/pending")[1]["count"] == 0)


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_given_an_answer_that_no_retry_mends_then_the_event_is_dropped_and_seen(
    grid: Program, receiver: Receiver, status: int
) -> None:
    grid.subscribe("fanout", receiver.url)
    receiver.answers = [status]

    grid.call("POST", "/events", [an_event(f"dropped-{status}")])

    def dropped() -> list[dict[str, Any]]:
        listed = grid.call("GET", "/_control/dropped")[1]["value"]
        return [each for each in listed if each["event"]["id"] == f"dropped-{status}"]

    (drop,) = eventually(dropped)
    assert (drop["subscription"], drop["attempts"]) == ("fanout", 1)
    assert drop["lastFailure"].startswith(str(status))
    time.sleep(0.15)
    assert len(receiver.deliveries) == 1


def test_given_the_real_schedule_then_an_event_is_given_up_within_a_day() -> None:
    policy, waits = RetryPolicy(), list[float]()
    while not isinstance(verdict := policy.after(Failure("down"), len(waits) + 1, age=sum(waits)), GiveUp):
        waits.append(verdict)

    assert waits == [10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200]
    assert verdict == GiveUp("TimeToLiveExceeded")
    assert policy.after(Failure("down"), 30, age=0) == GiveUp("MaxDeliveryAttemptsExceeded")
    assert policy.after(Failure("busy", 503), 1, age=0) == 30


# At least once -------------------------------------------------------------------------------------------------------


def test_given_duplication_then_that_share_of_events_comes_twice(grid: Program, receiver: Receiver) -> None:
    grid.subscribe("fanout", receiver.url)
    assert grid.call("PUT", "/_control/duplication", {"rate": 1.0})[0] == 204

    grid.call("POST", "/events", [an_event("1")])
    grid.call("PUT", "/_control/duplication", {"rate": 0})

    eventually(lambda: receiver.ids() == ["1", "1"])


def test_given_a_pause_then_events_wait_for_its_end(grid: Program, receiver: Receiver) -> None:
    grid.subscribe("fanout", receiver.url)
    grid.call("PUT", "/_control/pause", {"paused": True})

    grid.call("POST", "/events", [an_event("1")])
    time.sleep(0.2)
    assert receiver.deliveries == []
    assert grid.call("GET", "/_control/pending")[1]["count"] == 1
    grid.call("PUT", "/_control/pause", {"paused": False})

    eventually(lambda: receiver.ids() == ["1"])


def test_given_kill_9_after_acceptance_then_the_event_is_delivered_by_the_next_process(tmp_path: Path, receiver: Receiver) -> None:
    state = str(tmp_path / "events.db")
    with running("event_grid", "--state", state) as first:
        first.subscribe("fanout", receiver.url)
        first.call("PUT", "/_control/pause", {"paused": True})
        assert first.call("POST", "/events", [an_event("1")])[0] == 200
        first.process.kill()

    with running("event_grid", "--state", state) as second:
        eventually(lambda: receiver.ids() == ["1"])
        assert second.call("GET", "/eventSubscriptions/fanout")[0] == 200


# The neighbours ------------------------------------------------------------------------------------------------------


def test_given_a_service_bus_queue_then_the_event_is_the_message_and_its_headers_are_properties(
    grid: Program, tmp_path: Path
) -> None:
    queues = [{"Name": "events", "Properties": {"LockDuration": "PT1M"}}]
    config = tmp_path / "queues.json"
    config.write_text(json.dumps({"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": queues}]}}))
    with running("service_bus", "--config", str(config)) as broker:
        connection_string = broker.ready["connection_string"]
        destination = {"endpointType": "ServiceBusQueue", "connectionString": connection_string, "queue": "events"}
        assert grid.subscribe("nowhere", "", destination=destination | {"queue": "nowhere"})[0] == 400
        assert grid.subscribe("queued", "", destination=destination)[0] == 201

        grid.call("POST", "/events", [an_event("1")])

        with (
            ServiceBusClient.from_connection_string(connection_string) as client,
            client.get_queue_receiver("events") as receiver,
        ):
            (message,) = receiver.receive_messages(max_wait_time=5)
    assert json.loads(str(message)) == an_event("1")
    properties = dict(message.application_properties or {})  # the SDK gives text as bytes
    assert properties[b"aeg-subscription-name"] == b"QUEUED"
    assert properties[b"aeg-delivery-count"] == b"0"
    assert properties[b"aeg-event-type"] == b"Notification"


APP = """
import azure.functions as func
app = func.FunctionApp()

@app.event_grid_trigger(arg_name="event")
def model_registered(event: func.EventGridEvent): ...
"""


def test_given_the_local_functions_host_then_its_webhook_agrees_and_takes_events(grid: Program, tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(APP)
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    with running("functions_host", "--app", str(tmp_path)) as host:
        url = host.ready["event_grid_url"].format(functionName="model_registered")
        assert grid.subscribe("without-key", url.partition("&code")[0])[0] == 400
        assert grid.subscribe("fanout", url)[0] == 201

        grid.call("POST", "/events", [an_event("1")])

        eventually(lambda: [each["ok"] for each in host.call("GET", "/_control/invocations")[1]] == [True])
