"""Custom topics and domains of the local Event Grid take from the unmodified EventGridPublisherClient what the real ones take."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken, AzureKeyCredential, AzureSasCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, EventGridPublisherClient, generate_sas

from infra.local.event_grid.schemas import CLOUD_EVENTS, EVENT_GRID, Event
from infra.local.event_grid.subscriptions import InvalidSubscription, read_subscription
from infra.local.tls import make_certificates
from infra.local.tokens import Tokens
from tests.contract.event_grid_part import Program, Receiver, eventually, receiving, running

AUDIENCE = "https://eventgrid.azure.net"


class Identity:
    """A TokenCredential, as azure-identity's are."""

    def __init__(self, tokens: Tokens, principal: str = "fanout", audience: str = AUDIENCE, seconds: int = 600) -> None:
        self._token = AccessToken(*tokens.issue(principal, audience, seconds))

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == (f"{AUDIENCE}/.default",)
        return self._token


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tls")
    make_certificates(directory)
    return directory


@pytest.fixture(scope="module")
def tokens(tls: Path) -> Tokens:
    return Tokens(tls)


@pytest.fixture(scope="module")
def shared_grid(tls: Path) -> Iterator[Program]:
    with pytest.MonkeyPatch.context() as environment, running("event_grid", "--tls", str(tls), "--time-scale", "0.01") as grid:
        environment.setenv("REQUESTS_CA_BUNDLE", str(tls / "ca.pem"))
        environment.setenv("NO_PROXY", "localhost,127.0.0.1")
        environment.setenv("no_proxy", "localhost,127.0.0.1")
        yield grid


@pytest.fixture
def grid(shared_grid: Program) -> Iterator[Program]:
    """The module's process, without the topics, and so the event subscriptions, of the test before."""
    yield shared_grid
    for kind in ("topics", "domains"):
        for topic in shared_grid.call("GET", f"/{kind}")[1]["value"]:
            shared_grid.call("DELETE", f"/{kind}/{topic['name']}")


@pytest.fixture
def topic(grid: Program) -> dict[str, Any]:
    return created(grid, "topics/outcomes", inputSchema=CLOUD_EVENTS)


@pytest.fixture
def domain(grid: Program) -> dict[str, Any]:
    return created(grid, "domains/tenants", inputSchema=CLOUD_EVENTS)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def created(grid: Program, path: str, **properties: Any) -> dict[str, Any]:
    status, topic = grid.call("PUT", f"/{path}", properties)
    assert status in (200, 201), topic
    found: dict[str, Any] = topic
    return found


def listen(grid: Program, receiver: Receiver, source: str, name: str = "listener", **changes: Any) -> None:
    status, answer = grid.subscribe(name, receiver.url, source=source, **changes)
    assert status in (200, 201), answer


def client(topic: dict[str, Any], credential: Any = None) -> EventGridPublisherClient:
    return EventGridPublisherClient(topic["endpoint"], credential or AzureKeyCredential(topic["key1"]))


def an_event(id_: str = "1", **changes: Any) -> CloudEvent[Any]:
    facts: dict[str, Any] = {"source": "/fanout", "type": "Fanout.AssetDelivered", "subject": "models/cards", "data": {"n": 1}}
    return CloudEvent(id=id_, **facts | changes)


def an_event_grid_event(**changes: Any) -> EventGridEvent:
    facts: dict[str, Any] = {
        "subject": "models/cards",
        "event_type": "Fanout.AssetDelivered",
        "data": {"n": 1},
        "data_version": "1.0",
    }
    return EventGridEvent(**facts | changes)


def signature(topic: dict[str, Any], key: str, minutes: float = 10) -> AzureSasCredential:
    return AzureSasCredential(generate_sas(topic["endpoint"], key, datetime.now(UTC) + timedelta(minutes=minutes)))


def posted(topic: dict[str, Any], body: object, content_type: str, version: str | None = "2018-01-01") -> tuple[int, str]:
    """Status and the service's own code for a request that the SDK would not make."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"aeg-sas-key": topic["key1"], "Content-Type": content_type}
    answer = requests.post(
        topic["endpoint"], content, headers=headers, params={"api-version": version} if version else {}, timeout=10
    )
    return answer.status_code, "" if answer.ok else answer.json()["error"]["details"][0]["code"]


BATCH, SINGLE = "application/cloudevents-batch+json; charset=utf-8", "application/cloudevents+json; charset=utf-8"
COMPLETE = {"specversion": "1.0", "id": "1", "source": "/fanout", "type": "Fanout.AssetDelivered"}


# Who may publish ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["first key", "second key", "signature", "identity"])
def test_given_a_credential_that_is_good_then_the_event_comes_as_it_was_sent(
    grid: Program, topic: dict[str, Any], receiver: Receiver, tokens: Tokens, way: str
) -> None:
    listen(grid, receiver, topic["id"])
    credentials: dict[str, Any] = {
        "first key": AzureKeyCredential(topic["key1"]),
        "second key": AzureKeyCredential(topic["key2"]),
        "signature": signature(topic, topic["key2"]),
        "identity": Identity(tokens),
    }

    with client(topic, credentials[way]) as publisher:
        publisher.send([an_event("1", extensions={"correlationid": "c-1"}, time=datetime(2026, 1, 2, 3, 4, 5, 123456, UTC))])

    ((_, headers, body),) = eventually(lambda: receiver.deliveries)
    assert headers["content-type"].startswith("application/cloudevents+json")
    assert body == {
        "specversion": "1.0",
        "id": "1",
        "source": "/fanout",
        "type": "Fanout.AssetDelivered",
        "subject": "models/cards",
        "time": "2026-01-02T03:04:05.123456Z",
        "data": {"n": 1},
        "correlationid": "c-1",
    }


@pytest.mark.parametrize(
    "way", ["wrong key", "signed with a wrong key", "expired signature", "signature for another topic", "wrong audience", "expired"]
)
def test_given_a_credential_that_is_not_good_then_it_is_401(grid: Program, topic: dict[str, Any], tokens: Tokens, way: str) -> None:
    other = created(grid, "topics/other", inputSchema=CLOUD_EVENTS)
    credentials: dict[str, Any] = {
        "wrong key": AzureKeyCredential(other["key1"]),
        "signed with a wrong key": signature(topic, other["key1"]),
        "expired signature": signature(topic, topic["key1"], minutes=-1),
        "signature for another topic": signature(other, topic["key1"]),
        "wrong audience": Identity(tokens, audience="https://management.azure.com"),
        "expired": Identity(tokens, seconds=-1),
    }

    with client(topic, credentials[way]) as publisher, pytest.raises(ClientAuthenticationError) as refused:
        publisher.send([an_event()])

    assert refused.value.status_code == 401
    assert refused.value.error
    assert refused.value.error.code == "Unauthorized"


def test_given_a_text_that_is_no_signature_then_it_is_400(topic: dict[str, Any]) -> None:
    with (
        client(topic, AzureSasCredential("lrPUpeSQUJEMj3paatULJ1ejvtgMvU4PIy3o=")) as publisher,
        pytest.raises(HttpResponseError) as refused,
    ):
        publisher.send([an_event()])
    assert refused.value.status_code == 400
    assert "Invalid key in aeg-sas-token" in str(refused.value)


def test_given_no_credential_then_it_is_401(topic: dict[str, Any]) -> None:
    answer = requests.post(f"{topic['endpoint']}?api-version=2018-01-01", json=[], timeout=10)
    assert answer.status_code == 401
    assert "aeg-sas-token, aeg-sas-key" in answer.json()["error"]["message"]


def test_given_local_authentication_is_off_then_only_identities_may_publish(grid: Program, tokens: Tokens) -> None:
    topic = created(grid, "topics/keyless", inputSchema=CLOUD_EVENTS, disableLocalAuth=True)
    with client(topic, Identity(tokens)) as publisher:
        publisher.send([an_event()])
    with client(topic) as publisher, pytest.raises(ClientAuthenticationError):
        publisher.send([an_event()])


def test_given_an_identity_without_the_role_then_it_is_403(grid: Program, tokens: Tokens) -> None:
    topic = created(grid, "topics/guarded", inputSchema=CLOUD_EVENTS, senders=["fanout"])
    with client(topic, Identity(tokens, "fanout")) as publisher:
        publisher.send([an_event()])
    with client(topic, Identity(tokens, "stranger")) as publisher, pytest.raises(HttpResponseError) as refused:
        publisher.send([an_event()])
    assert refused.value.status_code == 403
    assert "does not have permission to send data" in str(refused.value)


# What may be published ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ([COMPLETE], BATCH, (200, "")),
        (COMPLETE, SINGLE, (200, "")),
        (COMPLETE, "application/json", (200, "")),
        ([COMPLETE], "application/json", (400, "InputJsonInvalid")),
        ([COMPLETE], SINGLE, (400, "InputJsonInvalid")),
        (COMPLETE, BATCH, (400, "InputJsonInvalid")),
        ([], BATCH, (400, "InputJsonInvalid")),
        (b"{", BATCH, (400, "InputJsonInvalid")),
        (COMPLETE, "text/plain", (415, "InvalidContentType")),
        ([COMPLETE, COMPLETE | {"specversion": "0.3"}], BATCH, (400, "InputJsonInvalid")),
        (COMPLETE | {"time": "yesterday"}, SINGLE, (400, "InputJsonInvalid")),
        (COMPLETE | {"correlationId": "c"}, SINGLE, (400, "InputJsonInvalid")),
        (COMPLETE | {"extra": {}}, SINGLE, (400, "InputJsonInvalid")),
        (COMPLETE | {"data": 1, "data_base64": "MQ=="}, SINGLE, (400, "InputJsonInvalid")),
        (COMPLETE | {"data": "a" * 1024 * 1024}, SINGLE, (413, "PayloadTooLarge")),
        ([COMPLETE | {"data": "a" * 600 * 1024}] * 2, BATCH, (413, "PayloadTooLarge")),
    ],
)
def test_cloud_events_are_taken_in_their_content_types_whole_and_small_enough(
    topic: dict[str, Any], body: object, content_type: str, expected: tuple[int, str]
) -> None:
    assert posted(topic, body, content_type) == expected


@pytest.mark.parametrize("missing", ["id", "source", "type", "specversion"])
def test_given_a_cloud_event_without_a_required_attribute_then_none_of_the_batch_is_accepted(
    grid: Program, topic: dict[str, Any], receiver: Receiver, missing: str
) -> None:
    listen(grid, receiver, topic["id"])
    broken = {name: value for name, value in COMPLETE.items() if name != missing}

    assert posted(topic, [COMPLETE, broken], BATCH) == (400, "InputJsonInvalid")

    time.sleep(0.1)
    assert receiver.deliveries == []


def test_given_events_of_the_other_schema_then_they_are_refused(grid: Program, topic: dict[str, Any]) -> None:
    other = created(grid, "topics/event-grid-schema")
    for publisher, event in ((client(topic), an_event_grid_event()), (client(other), an_event())):
        with publisher, pytest.raises(HttpResponseError, match="schema") as refused:
            publisher.send([event])
        assert refused.value.status_code in (400, 415)


@pytest.mark.parametrize(("version", "code"), [(None, "ApiVersionUnspecified"), ("2024-06-01", "UnsupportedApiVersion")])
def test_given_another_version_of_the_api_then_it_is_refused(topic: dict[str, Any], version: str | None, code: str) -> None:
    assert posted(topic, COMPLETE, SINGLE, version) == (400, code)


def test_given_no_such_topic_then_it_is_404(topic: dict[str, Any]) -> None:
    missing = topic | {"endpoint": topic["endpoint"].replace("outcomes", "nowhere")}
    with client(missing) as publisher, pytest.raises(ResourceNotFoundError):
        publisher.send([an_event()])


def test_given_event_grid_schema_then_the_service_fills_in_the_topic(grid: Program, receiver: Receiver) -> None:
    topic = created(grid, "topics/event-grid-schema")
    listen(grid, receiver, topic["id"])

    with client(topic) as publisher:
        publisher.send(an_event_grid_event(id="1"))
        with pytest.raises(ClientAuthenticationError, match="not the one"):
            publisher.send(an_event_grid_event(topic="/subscriptions/s/other"))

    ((_, headers, [body]),) = eventually(lambda: receiver.deliveries)
    assert (body["topic"], body["id"], body["data"], body["metadataVersion"]) == (topic["id"], "1", {"n": 1}, "1")
    assert headers["aeg-data-version"] == "1.0"


# Domains --------------------------------------------------------------------------------------------------------------


def test_given_a_domain_then_each_event_goes_to_the_topic_that_its_source_names(grid: Program, domain: dict[str, Any]) -> None:
    with receiving() as fabrikam, receiving() as everything:
        listen(grid, fabrikam, f"{domain['id']}/topics/Fabrikam", "fabrikam")
        listen(grid, everything, domain["id"], "everything")
        full = f"{domain['id']}/topics/fabrikam"

        with client(domain) as publisher:
            publisher.send([an_event("1", source="fabrikam"), an_event("2", source="northwind"), an_event("3", source=full)])

        eventually(lambda: len(everything.deliveries) == 3)
        eventually(lambda: len(fabrikam.deliveries) == 2)
        time.sleep(0.1)
        assert sorted(everything.ids()) == ["1", "2", "3"]
        assert sorted((body["id"], body["source"]) for _, _, body in fabrikam.deliveries) == [("1", "fabrikam"), ("3", full)]


@pytest.mark.parametrize("source", ["https://fanout.example/", "/fanout/tenants/fabrikam", "ab", "a.b.c", "fabrikam#1"])
def test_given_a_source_that_names_no_domain_topic_then_it_is_refused(domain: dict[str, Any], source: str) -> None:
    with client(domain) as publisher, pytest.raises(HttpResponseError, match="just the name of the domain topic") as refused:
        publisher.send([an_event("1", source="fabrikam"), an_event("2", source=source)])
    assert refused.value.status_code == 400


def test_given_a_domain_of_event_grid_schema_then_topic_names_the_topic(grid: Program, receiver: Receiver) -> None:
    domain = created(grid, "domains/tenants")
    listen(grid, receiver, f"{domain['id']}/topics/fabrikam")

    with client(domain) as publisher:
        publisher.send([an_event_grid_event(topic="fabrikam"), an_event_grid_event(topic="northwind")])
        with pytest.raises(HttpResponseError, match="domain topic"):
            publisher.send(an_event_grid_event())

    ((_, _, [body]),) = eventually(lambda: receiver.deliveries)
    assert body["topic"] == f"{domain['id']}/topics/fabrikam"


# Topics and their event subscriptions ---------------------------------------------------------------------------------


def test_given_a_topic_when_it_is_put_again_then_it_keeps_its_keys_and_its_schema(grid: Program, topic: dict[str, Any]) -> None:
    again = created(grid, "topics/OUTCOMES", inputSchema=CLOUD_EVENTS)
    assert (again["key1"], again["key2"]) == (topic["key1"], topic["key2"])
    status, answer = grid.call("PUT", "/topics/outcomes", {"inputSchema": EVENT_GRID})
    assert (status, answer["error"]["code"]) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    ("name", "properties"), [("ab", {}), ("a_b_c", {}), ("abc", {"inputSchema": "Custom"}), ("abc", {"key": "k"})]
)
def test_given_a_topic_that_azure_would_not_make_then_it_is_refused(grid: Program, name: str, properties: dict[str, Any]) -> None:
    assert grid.call("PUT", f"/topics/{name}", properties)[0] == 400


def test_given_kill_9_then_topics_and_keys_are_there_again(tmp_path: Path) -> None:
    state = str(tmp_path / "events.db")
    with running("event_grid", "--state", state) as first:
        topic = created(first, "topics/outcomes", inputSchema=CLOUD_EVENTS)
        first.process.kill()
    with running("event_grid", "--state", state) as second:
        again = second.call("GET", "/topics/outcomes")[1]
    assert {**topic, "endpoint": ""} == {**again, "endpoint": ""}


@pytest.mark.parametrize(
    "source", ["topics/nowhere", "domains/nowhere", "domains/nowhere/topics/fabrikam", "topics/outcomes/topics/x"]
)
def test_given_a_source_that_does_not_exist_then_the_subscription_is_refused(
    grid: Program, topic: dict[str, Any], receiver: Receiver, source: str
) -> None:
    status, answer = grid.subscribe("listener", receiver.url, source=topic["id"].replace("topics/outcomes", source))
    assert (status, answer["error"]["code"]) == (404, "ResourceNotFound")


def test_cloud_events_are_delivered_as_such_only(grid: Program, topic: dict[str, Any], receiver: Receiver) -> None:
    status, answer = grid.subscribe("listener", receiver.url, source=topic["id"], eventDeliverySchema=EVENT_GRID)
    assert (status, answer["error"]["code"]) == (400, "InvalidRequest")


def test_given_filters_then_only_what_matches_all_of_them_comes(grid: Program, topic: dict[str, Any], receiver: Receiver) -> None:
    beyond = [{"operatorType": "NumberGreaterThan", "key": "data.n", "value": 1}]
    listen(grid, receiver, topic["id"], subjectBeginsWith="MODELS/", subjectEndsWith="s", advancedFilters=beyond)

    with client(topic) as publisher:
        publisher.send([an_event("few"), an_event("data", subject="data/cards", data={"n": 2}), an_event("good", data={"n": 2})])

    eventually(lambda: receiver.deliveries)
    time.sleep(0.1)
    assert receiver.ids() == ["good"]


DATA = {"n": 5, "text": "Contoso", "yes": True, "nothing": None, "tags": ["Red", "green"], "deep": {"er": "x"}}


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "matches"),
    [
        ("NumberGreaterThan", "data.n", 4.5, True),
        ("NumberGreaterThan", "data.n", 5, False),
        ("NumberGreaterThanOrEquals", "data.n", 5, True),
        ("NumberLessThan", "data.n", 5, False),
        ("NumberLessThanOrEquals", "data.n", 5, True),
        ("NumberIn", "data.n", [1, 5], True),
        ("NumberNotIn", "data.n", [1, 5], False),
        ("NumberNotIn", "data.none", [1], True),
        ("NumberInRange", "data.n", [[0, 1], [5, 6]], True),
        ("NumberNotInRange", "data.n", [[0, 1], [5, 6]], False),
        ("NumberIn", "data.text", [5], False),
        ("NumberIn", "data.yes", [1], False),
        ("BoolEquals", "data.yes", True, True),
        ("BoolEquals", "data.yes", False, False),
        ("StringContains", "DATA.TEXT", ["x", "TOS"], True),
        ("StringNotContains", "data.text", ["tos"], False),
        ("StringNotContains", "data.none", ["tos"], False),
        ("StringBeginsWith", "data.text", ["con"], True),
        ("StringNotBeginsWith", "data.text", ["con"], False),
        ("StringEndsWith", "data.text", ["SO"], True),
        ("StringNotEndsWith", "data.text", ["x"], True),
        ("StringIn", "type", ["fanout.assetdelivered"], True),
        ("StringIn", "correlationid", ["c-1"], True),
        ("StringNotIn", "data.text", ["contoso"], False),
        ("StringNotIn", "data.none", ["contoso"], True),
        ("StringIn", "data.deep.er", ["x"], True),
        ("StringIn", "data.tags", ["green"], True),
        ("StringNotIn", "data.tags", ["red"], False),
        ("IsNullOrUndefined", "data.nothing", None, True),
        ("IsNullOrUndefined", "data.none", None, True),
        ("IsNullOrUndefined", "data.n", None, False),
        ("IsNotNull", "data.n", None, True),
        ("IsNotNull", "data.nothing", None, False),
    ],
)
def test_advanced_filters_compare_as_documented(operator: str, key: str, wanted: object, matches: bool) -> None:
    value = {} if wanted is None else {"values" if isinstance(wanted, list) else "value": wanted}
    subscription = read_subscription("listener", a_subscription([{"operatorType": operator, "key": key, **value}]), CLOUD_EVENTS)
    event = COMPLETE | {"correlationid": "c-1", "data": DATA}
    assert subscription.wants(Event("/topic", CLOUD_EVENTS, event)) is matches


def test_arrays_are_compared_only_where_the_subscription_says_so() -> None:
    filters = [{"operatorType": "StringIn", "key": "data.tags", "values": ["red"]}]
    subscription = read_subscription("listener", a_subscription(filters, enableAdvancedFilteringOnArrays=False), CLOUD_EVENTS)
    assert not subscription.wants(Event("/topic", CLOUD_EVENTS, COMPLETE | {"data": DATA}))


@pytest.mark.parametrize(
    "filters",
    [
        [{"operatorType": "IsNotNull", "key": "subject"}] * 26,
        [{"operatorType": "StringIn", "key": "subject", "values": ["a"] * 26}],
        [{"operatorType": "StringIn", "key": "subject", "values": ["a" * 513]}],
        [{"operatorType": "StringLike", "key": "subject", "values": ["a"]}],
        [{"operatorType": "NumberIn", "key": "data.n", "values": ["1"]}],
        [{"operatorType": "BoolEquals", "key": "data.yes", "value": "true"}],
        [{"operatorType": "StringIn", "key": "subject", "value": "a"}],
    ],
)
def test_filters_beyond_the_documented_limits_are_refused(filters: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidSubscription, match="advancedFilters"):
        read_subscription("listener", a_subscription(filters), CLOUD_EVENTS)


def a_subscription(filters: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    destination = {"endpointType": "WebHook", "endpointUrl": "http://127.0.0.1/"}
    return {
        "source": "/topic",
        "destination": destination,
        "advancedFilters": filters,
        "enableAdvancedFilteringOnArrays": True,
        **changes,
    }
