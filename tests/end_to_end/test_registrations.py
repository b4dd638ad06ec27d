"""Registrations as they come in life: twenty at once, the same event again and again, and events and commands that are wrong."""

import json
import random
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage

from infra.local.cloud import LocalCloud
from tests.end_to_end.support import (
    OFTEN,
    QUICK,
    accepted,
    eventually,
    idle,
    mlflow_folder,
    models,
    register,
    registry_models,
    rejected,
    rules,
    twice,
)

MODEL_REGISTERED = "Microsoft.MachineLearningServices.ModelRegistered"
SLOW = 90.0  # seconds that an import may take and hold nothing up
LONGEST_INVOCATION = 2.0  # seconds


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud(tmp_path_factory.mktemp("cloud"), seconds=QUICK, settings=OFTEN) as cloud:
        there = cloud.workspaces
        subscribers: dict[str, Any] = {
            "fabrikam": (there["workspace2"], ["register"]),
            "tailwind": (there["workspace3"], ["register"]),
        }
        cloud.apply_rules(rules(tmp_path_factory.mktemp("rules"), there["workspace1"], subscribers))
        yield cloud


def event(cloud: LocalCloud, name: str, version: Any, **changes: Any) -> dict[str, Any]:
    """A ModelRegistered event of workspace1, in the shape of Azure's documentation."""
    published = {
        "id": str(uuid.uuid4()),
        "topic": cloud.workspaces["workspace1"].id,
        "subject": f"models/{name}:{version}",
        "eventType": MODEL_REGISTERED,
        "eventTime": "2026-01-01T00:00:00.0000000Z",
        "data": {"ModelName": name, "ModelVersion": version, "ModelTags": {}, "ModelProperties": {}},
        "dataVersion": "",
        "metadataVersion": "1",
    }
    return published | changes


def test_nothing_waits_for_a_slow_import_and_another_model_overtakes_it(tmp_path: Path) -> None:
    """Of its own cloud, and first here: files of few tests begin last, and none is to wait for this one alone."""
    with LocalCloud(tmp_path / "cloud", seconds=QUICK) as cloud:
        there = cloud.workspaces
        cloud.apply_rules(rules(tmp_path / "rules", there["workspace1"], {"fabrikam": (there["workspace2"], ["register"])}))
        client = cloud.ml_client("workspace1")
        register(client, "warm-up", "1", mlflow_folder(tmp_path / "warm-up"))
        eventually("the host has loaded the SDK", lambda: "warm-up:1" in models(cloud, "workspace2"))
        warm = len(cloud.host.invocations())

        cloud.azure_ml.seconds(**{"import": SLOW})
        register(client, "slow", "1", mlflow_folder(tmp_path / "slow"))
        eventually("the slow import accepted", lambda: accepted(cloud, "POST", "/import")["slow:1"])
        began = time.monotonic()
        cloud.azure_ml.seconds(**QUICK)
        register(client, "swift", "1", mlflow_folder(tmp_path / "swift"))
        eventually("the swift model through", lambda: "swift:1" in models(cloud, "workspace2"), 30)
        assert time.monotonic() - began < SLOW / 2
        assert "slow:1" not in models(cloud, "workspace2")

        eventually("the slow model through", lambda: "slow:1" in models(cloud, "workspace2"), SLOW * 1.5)
        longest = max(cloud.host.invocations()[warm:], key=lambda invocation: invocation["seconds"] or 0)
        assert longest["seconds"] < LONGEST_INVOCATION, longest
        assert accepted(cloud, "POST", "/import")["slow:1"] == 1


def test_twenty_models_with_their_events_shuffled_and_repeated_arrive_once(cloud: LocalCloud, tmp_path: Path) -> None:
    client = cloud.ml_client("workspace1")
    names = [f"churn-{n}" for n in range(20)]
    for name in names:
        register(client, name, "1", mlflow_folder(tmp_path / name, name))
    again = [event(cloud, name, 1) for name in names] * 2 + [event(cloud, "churn-0", 1)] * 20
    random.shuffle(again)
    for each in again:
        cloud.event_grid.publish([each])
    wanted = {f"{name}:1" for name in names}
    for workspace in ("workspace2", "workspace3"):
        eventually(f"all models in {workspace}", lambda at=workspace: models(cloud, at) >= wanted, 90)  # type: ignore[misc]
    eventually("quiet", lambda: idle(cloud))
    assert registry_models(cloud) >= wanted
    assert twice(accepted(cloud, "POST", "/import")) == {}
    assert twice(accepted(cloud, "PUT", "/models/")) == {}


@pytest.mark.parametrize(
    ("version", "data"),
    [
        (7, {"modelName": "camel", "modelVersion": "7"}),
        ("2024-a", {"MODELNAME": "camel", "MODELVERSION": "2024-a"}),
    ],
)
def test_data_fields_of_any_case_and_versions_of_any_type(cloud: LocalCloud, version: Any, data: dict[str, Any]) -> None:
    before = len(rejected(cloud))
    cloud.event_grid.publish([event(cloud, "camel", version, data=data)])
    eventually("the command for it, asking for a model that is not there", lambda: len(rejected(cloud)) > before, 60)
    last = rejected(cloud)[-1]
    assert last["application_properties"]["fanout_code"] == "asset_not_found"
    assert json.loads(last["body"])["asset"] == {"kind": "model", "name": "camel", "version": str(version)}


BAD_COMMANDS = {
    "no JSON": ("{", "bad_command"),
    "unknown type": ('{"type": "sing"}', "bad_command"),
    "missing field": ('{"type": "share", "asset": {"kind": "model", "name": "a", "version": "1"}}', "bad_command"),
    "unknown field": (
        '{"type": "share", "workspace": "W", "asset": {"kind": "model", "name": "a", "version": "1"}, "x": 1}',
        "bad_command",
    ),
    "no ARM id": ('{"type": "share", "workspace": "W", "asset": {"kind": "model", "name": "a", "version": "1"}}', "bad_command"),
}


@pytest.mark.parametrize("case", BAD_COMMANDS)
def test_a_bad_command_is_kept_with_the_reason(cloud: LocalCloud, case: str) -> None:
    body, code = BAD_COMMANDS[case]
    message_id = f"bad-{case}"
    _send(cloud, body, message_id)
    eventually("the rejection", lambda: message_id in {message["message_id"] for message in rejected(cloud)})
    (kept,) = [message for message in rejected(cloud) if message["message_id"] == message_id]
    assert kept["body"] == body
    assert kept["application_properties"]["fanout_code"] == code
    assert kept["application_properties"]["mine"] == "stays"
    assert kept["application_properties"]["large"] == 2**40
    assert kept["application_properties"]["fanout_remedy"]


def test_bad_events_are_kept_and_do_not_stop_what_follows(cloud: LocalCloud, tmp_path: Path) -> None:
    host = cloud.workspaces["workspace1"]
    strange = [
        event(cloud, "a", 1, data="broken"),
        event(cloud, "b", 1, data={"ModelName": "b"}),
        event(cloud, "c", 1, subject="models/other:9"),
        event(cloud, "d", 1, topic=host.id.replace("workspace1", "workspace9")),
        event(cloud, "e", 1, eventType="Microsoft.MachineLearningServices.RunCompleted"),
    ]
    before = len(rejected(cloud))
    for each in strange:
        _deliver(cloud, each)
    eventually("five rejections", lambda: len(rejected(cloud)) == before + 5)
    codes = sorted(message["application_properties"]["fanout_code"] for message in rejected(cloud)[before:])
    assert codes == ["bad_event"] * 4 + ["unknown_workspace"]
    register(cloud.ml_client("workspace1"), "after", "1", mlflow_folder(tmp_path / "after"))
    eventually("the model after them", lambda: "after:1" in models(cloud, "workspace3"))


@pytest.fixture
def unheard(cloud: LocalCloud) -> Iterator[None]:
    """Event Grid holds the events of registrations meanwhile: what a test delivers itself is all that the app hears of."""
    cloud.event_grid.pause(True)
    yield
    cloud.event_grid.pause(False)


@pytest.mark.usefixtures("unheard")
def test_a_cloud_event_from_the_webhook_is_read_as_well(cloud: LocalCloud, tmp_path: Path) -> None:
    register(cloud.ml_client("workspace1"), "cloudy", "3", mlflow_folder(tmp_path / "cloudy"))
    _deliver(
        cloud,
        {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "type": MODEL_REGISTERED,
            "source": cloud.workspaces["workspace1"].id.upper().replace("/SUBSCRIPTIONS", "/subscriptions"),
            "subject": "models/cloudy:3",
            "time": "2026-01-01T00:00:00Z",
            "data": {"modelName": "cloudy", "modelVersion": "3"},
        },
    )
    eventually("the model", lambda: "cloudy:3" in models(cloud, "workspace3"))


@pytest.mark.usefixtures("unheard")
def test_an_event_by_queue_is_read_as_well(cloud: LocalCloud, tmp_path: Path) -> None:
    register(cloud.ml_client("workspace1"), "queued", "1", mlflow_folder(tmp_path / "queued"))
    _send(cloud, json.dumps(event(cloud, "queued", 1)), "by-queue", queue="events")
    eventually("the model", lambda: "queued:1" in models(cloud, "workspace3"))


def test_a_workspace_that_holds_other_content_under_that_name_keeps_it(cloud: LocalCloud, tmp_path: Path) -> None:
    register(cloud.ml_client("workspace2"), "fraud", "1", mlflow_folder(tmp_path / "theirs", "theirs"))
    theirs = cloud.ml_client("workspace2").models.get("fraud", "1").path
    register(cloud.ml_client("workspace1"), "fraud", "1", mlflow_folder(tmp_path / "ours", "ours"))
    eventually("the other tenant has it", lambda: "fraud:1" in models(cloud, "workspace3"))
    eventually("quiet", lambda: idle(cloud))
    assert cloud.ml_client("workspace2").models.get("fraud", "1").path == theirs


def _send(cloud: LocalCloud, body: str, message_id: str, queue: str = "commands") -> None:
    properties: dict[Any, Any] = {"mine": "stays", "large": {"TYPE": "LONG", "VALUE": 2**40}}  # the SDK wants the type said
    message = ServiceBusMessage(body, message_id=message_id, application_properties=properties)
    with cloud.service_bus_client() as client, client.get_queue_sender(queue) as sender:
        sender.send_messages(message)


def _deliver(cloud: LocalCloud, published: dict[str, Any]) -> None:
    """Post an event to the webhook, as Event Grid would, whatever it says."""
    import urllib.request

    kind = "application/cloudevents+json" if "specversion" in published else "application/json"
    body = json.dumps(published if "specversion" in published else [published]).encode()
    headers = {"aeg-event-type": "Notification", "Content-Type": kind}
    request = urllib.request.Request(cloud.host.webhook("model_registered"), body, headers)  # noqa: S310 - our own host
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        assert answer.status == 202
