"""The app's outcome events, from the app's own settings to whoever listens: over the local Event Grid, to topics and a domain."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from shared.azure.outcomes import EventGridOutcomes, domain_topic
from shared.bootstrap import AzureFanout
from shared.deadline import within
from shared.errors import Owner, Permanent, Transient
from shared.outcomes import NoOutcomes, Outcome
from tests.contract.event_grid_part import Receiver, eventually, receiving

TOPIC, DOMAIN, KEY = "Outcomes__topicEndpointUri", "Outcomes__domainEndpointUri", "Outcomes__key"
CLOUD_EVENTS = "CloudEventSchemaV1_0"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    directory = tmp_path_factory.mktemp("cloud")
    with LocalCloud(directory, outcomes="domain", with_host=False, event_grid_time_scale=0.01) as cloud:
        yield cloud


@pytest.fixture
def app(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of the app, as the local cloud sets it."""
    for name, value in cloud.app_settings.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def topic(cloud: LocalCloud, receiver: Receiver) -> Iterator[dict[str, Any]]:
    """A custom topic that the receiver listens to."""
    topic = cloud.event_grid.create_topic("topics", "custom", inputSchema=CLOUD_EVENTS)
    listen(cloud, receiver, topic["id"])
    yield topic
    cloud.event_grid.call("DELETE", "/topics/custom")


def listen(cloud: LocalCloud, receiver: Receiver, source: str, name: str = "listener") -> None:
    destination = {"endpointType": "WebHook", "endpointUrl": receiver.url}
    cloud.event_grid.subscribe(name, {"source": source, "destination": destination})


def publisher(app: pytest.MonkeyPatch, **chosen: str) -> EventGridOutcomes | NoOutcomes:
    """As the app makes it, with these settings in place of the cloud's own."""
    for name in (TOPIC, DOMAIN, KEY):
        app.delenv(name, raising=False)
    for name, value in chosen.items():
        app.setenv(name, value)
    return AzureFanout().outcomes


def an_outcome(id_: str = "1", tenant: str = "fabrikam", **data: object) -> Outcome:
    time = datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)
    return Outcome(id_, "Fanout.AssetDelivered", tenant, "models/cards:1", time, data or {"version": "1"}, "c-1")


def refusal(outcomes: EventGridOutcomes | NoOutcomes, *told: Outcome) -> Permanent:
    with pytest.raises(Permanent) as refused:
        outcomes.publish(told or [an_outcome()])
    assert refused.value.reason.owner is Owner.PROVIDER
    return refused.value


@pytest.mark.parametrize("by", ["key", "identity"])
def test_given_a_topic_then_an_outcome_comes_as_a_cloud_event(
    app: pytest.MonkeyPatch, topic: dict[str, Any], receiver: Receiver, by: str
) -> None:
    outcomes = publisher(app, **{TOPIC: topic["endpoint"]}, **({KEY: topic["key1"]} if by == "key" else {}))

    assert outcomes.wanted
    outcomes.publish([an_outcome()])

    ((_, _, body),) = eventually(lambda: receiver.deliveries)
    assert body == {
        "specversion": "1.0",
        "id": "1",
        "source": "/fanout/fabrikam",
        "type": "Fanout.AssetDelivered",
        "subject": "models/cards:1",
        "time": "2026-01-02T03:04:05.123456Z",
        "data": {"version": "1"},
        "correlationid": "c-1",
    }


def test_given_a_domain_then_a_tenant_gets_its_own_outcomes_and_no_others(
    cloud: LocalCloud, app: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    listen(cloud, receiver, f"{cloud.outcomes_topic.id}/topics/fabrikam", "fabrikam")
    outcomes = AzureFanout().outcomes

    outcomes.publish([an_outcome("1"), an_outcome("2", "northwind"), an_outcome("3", "provider")])

    eventually(lambda: len(cloud.outcomes()) == 3)
    assert {event["id"]: event["source"] for event in cloud.outcomes()} == {"1": "fabrikam", "2": "northwind", "3": "provider"}
    eventually(lambda: receiver.deliveries)
    assert receiver.ids() == ["1"]


@pytest.mark.parametrize("tenant", ["A", "Fabrikam", "fab_rikam", "a.b", "a" * 64])
def test_given_a_tenants_id_that_names_no_domain_topic_then_its_outcomes_have_one_of_their_own(
    cloud: LocalCloud, app: pytest.MonkeyPatch, receiver: Receiver, tenant: str
) -> None:
    listen(cloud, receiver, f"{cloud.outcomes_topic.id}/topics/{domain_topic(tenant)}", "listener")

    AzureFanout().outcomes.publish([an_outcome("1", tenant), an_outcome("2", tenant.swapcase() + "-2")])

    eventually(lambda: receiver.deliveries)
    assert receiver.ids() == ["1"]


def test_given_no_topic_then_nothing_is_wanted(app: pytest.MonkeyPatch) -> None:
    outcomes = publisher(app)
    assert not outcomes.wanted
    outcomes.publish([an_outcome()])


def test_given_a_wrong_key_then_it_is_the_providers_to_correct_and_told_without_it(
    app: pytest.MonkeyPatch, topic: dict[str, Any]
) -> None:
    refused = refusal(publisher(app, **{TOPIC: topic["endpoint"], KEY: "d3Jvbmc="}))
    assert refused.reason.code == "unauthenticated"
    assert "Outcomes__key" in refused.reason.remedy
    assert "d3Jvbmc=" not in str(refused)


def test_given_an_identity_without_the_role_then_the_remedy_names_it(cloud: LocalCloud, app: pytest.MonkeyPatch) -> None:
    guarded = cloud.event_grid.create_topic("topics", "guarded", inputSchema=CLOUD_EVENTS, senders=["somebody-else"])
    refused = refusal(publisher(app, **{TOPIC: guarded["endpoint"]}))
    assert (refused.reason.code, "EventGrid Data Sender" in refused.reason.remedy) == ("forbidden", True)


def test_given_a_topic_that_does_not_exist_then_it_is_permanent(app: pytest.MonkeyPatch, topic: dict[str, Any]) -> None:
    nowhere = topic["endpoint"].replace("custom", "nowhere")
    assert refusal(publisher(app, **{TOPIC: nowhere, KEY: "k"})).reason.code == "topic_not_found"


def test_given_an_event_beyond_the_services_limit_then_it_is_permanent(app: pytest.MonkeyPatch, topic: dict[str, Any]) -> None:
    refused = refusal(publisher(app, **{TOPIC: topic["endpoint"]}), an_outcome(text="a" * 1024 * 1024))
    assert refused.reason.code == "too_large"


def test_given_a_topic_of_another_schema_then_the_remedy_names_the_right_one(cloud: LocalCloud, app: pytest.MonkeyPatch) -> None:
    other = cloud.event_grid.create_topic("topics", "event-grid-schema")
    assert CLOUD_EVENTS in refusal(publisher(app, **{TOPIC: other["endpoint"]})).reason.remedy


def test_given_more_than_one_request_may_hold_then_all_come(
    app: pytest.MonkeyPatch, topic: dict[str, Any], receiver: Receiver
) -> None:
    publisher(app, **{TOPIC: topic["endpoint"]}).publish([an_outcome(str(n), text="a" * 300 * 1024) for n in range(5)])

    eventually(lambda: len(receiver.deliveries) == 5)
    assert sorted(receiver.ids()) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"status": 500}, {"drop": "before"}, {"drop": "after"}])
def test_given_event_grid_is_unwell_then_it_is_transient_after_one_request(
    cloud: LocalCloud, app: pytest.MonkeyPatch, topic: dict[str, Any], fault: dict[str, Any]
) -> None:
    outcomes = publisher(app, **{TOPIC: topic["endpoint"], KEY: topic["key1"]})
    cloud.event_grid.reset()
    cloud.event_grid.arm("POST /topics/custom", times=None, **fault)
    try:
        with pytest.raises(Transient):
            outcomes.publish([an_outcome()])
    finally:
        cloud.event_grid.disarm()
    assert len([request for request in cloud.event_grid.requests() if request["path"].endswith("/api/events")]) == 1


def test_given_little_time_is_left_then_a_slow_event_grid_is_not_waited_for(
    cloud: LocalCloud, app: pytest.MonkeyPatch, topic: dict[str, Any]
) -> None:
    outcomes = publisher(app, **{TOPIC: topic["endpoint"], KEY: topic["key1"]})
    cloud.event_grid.arm("POST /topics/custom", delay=3.0)
    with within(0.3):
        for _ in range(2):  # cut off, then refused
            with pytest.raises(Transient, match="publish outcome events"):
                outcomes.publish([an_outcome()])
    cloud.event_grid.disarm()


def test_given_threads_that_share_the_publisher_then_each_outcome_comes_and_nothing_is_logged(
    app: pytest.MonkeyPatch, topic: dict[str, Any], receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = publisher(app, **{TOPIC: topic["endpoint"]})

    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda number: outcomes.publish([an_outcome(str(number))]), range(160)))

    eventually(lambda: len(receiver.deliveries) == 160)
    assert {int(id_) for id_ in receiver.ids()} == set(range(160))
    assert [record.getMessage() for record in caplog.records if record.name.startswith("azure.eventgrid")] == []


def test_given_event_grid_is_down_then_it_is_transient(cloud: LocalCloud, app: pytest.MonkeyPatch, topic: dict[str, Any]) -> None:
    outcomes = publisher(app, **{TOPIC: topic["endpoint"]})
    cloud.stand_ins.kill("event_grid")
    try:
        with pytest.raises(Transient):
            outcomes.publish([an_outcome()])
    finally:
        cloud.stand_ins.restart("event_grid")
    outcomes.publish([an_outcome()])
