"""Azure ML's ModelRegistered event, as Event Grid delivers it: recorded payloads, and every way to be none."""

import json
from pathlib import Path
from typing import Any

import pytest
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, SystemEventNames
from hypothesis import given
from hypothesis import strategies as st

from shared import events
from shared.assets import Asset, Kind, WorkspaceId
from shared.errors import Owner, Permanent
from tests.unit.random_json import anything
from tests.unit.random_rows import asset_names

RECORDED = Path(__file__).parent.parent / "events"
FORMS = ["model_registered", "model_registered_camel_case", "model_registered_cloud_event"]
SCHEMAS = ["model_registered", "model_registered_cloud_event"]
NORTHWIND = WorkspaceId("4fb3e0ae-6f5c-4c6b-a8a4-0f3d9b7c1d11", "rg-northwind", "northwind-science")
MISSING = object()


def recorded(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text())
    return event


def changed(event: dict[str, Any], field: str, value: object) -> dict[str, Any]:
    """The event with one field, or one of its data as `data.<field>`, set or taken away."""
    holder = event["data"] if field.startswith("data.") else event
    name = field.removeprefix("data.")
    if value is MISSING:
        del holder[name]
    else:
        holder[name] = value
    return event


@pytest.mark.parametrize("form", FORMS)
def test_each_form_says_the_same(form: str) -> None:
    read = events.parse(recorded(form))
    assert read.event_id == "831e1650-001e-001b-66ab-eeb76e069631"
    assert read.workspace == NORTHWIND
    assert read.asset == Asset(Kind.MODEL, "sklearn_regression_model", "20")


@pytest.mark.parametrize("form", ["model_registered", "model_registered_camel_case"])
def test_the_sdk_reads_the_same_from_the_event_grid_schema(form: str) -> None:
    ours, theirs = events.parse(recorded(form)), EventGridEvent.from_dict(recorded(form))
    assert theirs.topic is not None
    assert (ours.event_id, ours.workspace) == (theirs.id, WorkspaceId.parse(theirs.topic))
    assert f"models/{ours.asset.name}:{ours.asset.version}" == theirs.subject


def test_the_sdk_reads_the_same_from_cloud_events() -> None:
    form = recorded("model_registered_cloud_event")
    ours = events.parse(form)
    theirs: CloudEvent[Any] = CloudEvent.from_dict(form)
    assert (ours.event_id, str(ours.workspace)) == (theirs.id, theirs.source)
    assert f"models/{ours.asset.name}:{ours.asset.version}" == theirs.subject


def test_the_events_type_is_the_one_that_the_sdk_names() -> None:
    assert SystemEventNames.MachineLearningServicesModelRegisteredEventName == events.MODEL_REGISTERED


@given(name=asset_names, version=st.integers(0, 10**12) | asset_names)
def test_any_name_and_any_version_is_read_as_it_stands(name: str, version: int | str) -> None:
    event = recorded("model_registered")
    event["subject"] = f"models/{name}:{version}"
    event["data"] |= {"ModelName": name, "ModelVersion": version}
    assert events.parse(event).asset == Asset(Kind.MODEL, name, str(version))


def test_the_subject_is_split_at_its_last_colon() -> None:
    event = recorded("model_registered")
    event["subject"] = "models/azureml:card:20"
    event["data"]["ModelName"] = "azureml:card"
    assert events.parse(event).asset.name == "azureml:card"


@pytest.mark.parametrize("schema", SCHEMAS)
def test_fields_that_azure_may_add_are_ignored(schema: str) -> None:
    event = recorded(schema)
    event["traceparent"] = "00-4bf92f3577b34da6-00f067aa0ba902b7-01"
    event["data"]["ModelStage"] = "Production"
    assert events.parse(event) == events.parse(recorded(schema))


BROKEN: list[tuple[str, object, str]] = [
    ("id", MISSING, "it has no id"),
    ("id", "", "it has no id"),
    ("data", MISSING, "its data is not an object"),
    ("data", None, "its data is not an object"),
    ("data", "ModelName", "its data is not an object"),
    ("data", ["ModelName"], "its data is not an object"),
    ("data.ModelName", MISSING, "no ModelName"),
    ("data.ModelName", "", "no ModelName"),
    ("data.ModelName", 20, "no ModelName"),
    ("data.ModelVersion", MISSING, "no ModelVersion"),
    ("data.ModelVersion", None, "no ModelVersion"),
    ("data.ModelVersion", "", "no ModelVersion"),
    ("data.ModelVersion", 20.5, "no ModelVersion"),
    ("data.ModelVersion", True, "no ModelVersion"),
    ("data.ModelVersion", [20], "no ModelVersion"),
    ("data.ModelVersion", 21, "its subject is 'models/sklearn_regression_model:20', but its data says"),
    ("data.ModelName", "another", "its subject is 'models/sklearn_regression_model:20', but its data says"),
    ("subject", MISSING, "its subject is ''"),
    ("subject", "models/sklearn_regression_model", "its subject is 'models/sklearn_regression_model'"),
    ("subject", "runs/sklearn_regression_model:21", "its subject is 'runs/sklearn_regression_model:21'"),
]
OF_ONE_SCHEMA: list[tuple[str, str, object, str]] = [
    ("model_registered", "eventType", MISSING, "its type is None"),
    ("model_registered", "eventType", "Microsoft.MachineLearningServices.RunCompleted", "RunCompleted"),
    ("model_registered", "topic", MISSING, "not the ARM id of a workspace"),
    ("model_registered", "topic", "/subscriptions/s/resourceGroups/g", "not the ARM id of a workspace"),
    ("model_registered_cloud_event", "type", MISSING, "its type is None"),
    ("model_registered_cloud_event", "type", "Microsoft.MachineLearningServices.RunCompleted", "RunCompleted"),
    ("model_registered_cloud_event", "source", MISSING, "not the ARM id of a workspace"),
    ("model_registered_cloud_event", "source", 7, "not the ARM id of a workspace"),
]


@pytest.mark.parametrize(
    ("form", "field", "value", "said"), [(form, *broken) for form in SCHEMAS for broken in BROKEN] + OF_ONE_SCHEMA
)
def test_a_broken_event_is_refused_with_what_is_wrong(form: str, field: str, value: object, said: str) -> None:
    with pytest.raises(Permanent) as refused:
        events.parse(changed(recorded(form), field, value))
    assert (refused.value.reason.code, refused.value.reason.owner) == ("bad_event", Owner.PROVIDER)
    assert said in refused.value.reason.text
    assert refused.value.reason.remedy


@pytest.mark.parametrize("field", ["id", "topic", "data.ModelName", "data.ModelVersion"])
def test_a_text_that_no_encoding_can_write_is_refused(field: str) -> None:
    """JSON can, as half a surrogate pair; a key or a message made of it would fail later."""
    half = f"{NORTHWIND}\ud800" if field == "topic" else "\ud800"
    event = changed(recorded("model_registered"), field, half)
    event["subject"] = f"models/{event['data']['ModelName']}:{event['data']['ModelVersion']}"
    with pytest.raises(Permanent, match="bad_event"):
        events.parse(event)


def outcome(event: dict[str, Any]) -> str:
    try:
        events.parse(event)
    except Permanent as refused:
        return refused.reason.code
    return "read"


@given(
    form=st.sampled_from(FORMS),
    field=st.sampled_from(["id", "topic", "source", "subject", "eventType", "type", "data", "specversion", "data.ModelName"]),
    value=anything,
)
def test_nothing_but_a_refusal_comes_of_an_event_with_anything_in_a_field(form: str, field: str, value: object) -> None:
    assert outcome(changed(recorded(form), field, value)) in ("read", "bad_event")
