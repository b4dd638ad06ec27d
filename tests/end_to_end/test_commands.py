"""What other systems ask for by commands, and what they are told of it on a custom topic.

Northwind publishes everything. Fabrikam subscribes, and approves of what is called `asked_*` first; Tailwind comes later;
Adventure pulls.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableServiceClient
from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage

from infra.local.cloud import LocalCloud
from shared.provenance import DELIVERY
from tests.end_to_end.catalogue import Author, Known, found, in_registry, in_workspace
from tests.end_to_end.support import (
    OFTEN,
    QUICK,
    REGISTRY,
    eventually,
    publication,
    rules_of,
    send,
    send_all,
    subscription,
    tenant,
    unreconciled,
)

EVERY_KIND = ("model", "data", "environment", "component")
PULLED = {kind: Known(kind, f"pulled_{kind}") for kind in EVERY_KIND}
PULLED_COPY, MENDED = Known("model", "pulled_copy"), Known("data", "mended_rows")
WANTED = {kind: Known(kind, f"wanted_{kind}") for kind in EVERY_KIND}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    options: dict[str, Any] = {"seconds": QUICK | {"asset": 0.1}, "settings": OFTEN, "outcomes": "topic"}
    with LocalCloud(tmp_path_factory.mktemp("cloud"), **options) as cloud:
        cloud.apply_rules(_rules(cloud, tmp_path_factory.mktemp("rules")))
        with unreconciled(cloud):  # it would ask for what a test has just registered, or once more for what has just failed
            _share_some_of_every_kind(cloud, Author(cloud, "workspace1", tmp_path_factory.mktemp("files")))
            yield cloud


def _share_some_of_every_kind(cloud: LocalCloud, author: Author) -> None:
    """All at once, so that the tests need not wait for each."""
    given = [*PULLED.values(), *WANTED.values(), PULLED_COPY, MENDED]
    environment = author.environment("base")
    for asset in (environment, *given):
        match asset.kind:
            case "model":
                author.model(asset.name)
            case "data":
                author.data(asset.name, "uri_folder")
            case "environment" if asset is not environment:
                author.environment(asset.name)
            case "component":
                author.component(asset.name, environment)
    send_all(cloud, {f"share-{asset.name}": share(cloud, asset) for asset in given}, "given")
    for asset in given:
        eventually(f"{asset} is shared", lambda what=asset: told(cloud, "AssetShared", what))  # type: ignore[misc]


def _rules(cloud: LocalCloud, folder: Path, **later: Any) -> Path:
    """`later`: what Tailwind subscribes to."""
    there = cloud.workspaces
    wanted = subscription("wanted", there["workspace2"], EVERY_KIND, ["register"], "wanted_*")
    asked = subscription("asked", there["workspace2"], ["data"], ["register"], "asked_*", release={"approval": "subscriber"})
    return rules_of(
        folder,
        tenant("northwind", there["workspace1"], publications=[publication("all", EVERY_KIND)]),
        tenant("fabrikam", there["workspace2"], subscriptions=[wanted, asked]),
        tenant("tailwind", there["workspace3"], **later),
        tenant("adventure", there["workspace4"]),
    )


@pytest.fixture
def author(cloud: LocalCloud, tmp_path: Path) -> Author:
    return Author(cloud, "workspace1", tmp_path)


def share(cloud: LocalCloud, asset: Known, **more: Any) -> dict[str, Any]:
    return {"type": "share", "workspace": cloud.workspaces["workspace1"].id, "asset": asset.command, **more}


def share_now(cloud: LocalCloud, asset: Known) -> None:
    send(cloud, f"share-{asset.name}", share(cloud, asset), "given")
    eventually(f"{asset} is shared", lambda: told(cloud, "AssetShared", asset))


def told(cloud: LocalCloud, event_type: str, asset: Known) -> list[dict[str, Any]]:
    """The outcome events of this type about the asset, each once."""
    events = {event["id"]: event for event in cloud.outcomes() if event["type"] == f"Fanout.{event_type}"}
    named = (asset.kind, asset.name, asset.version)
    return [
        event for event in events.values() if tuple(event["data"]["asset"][part] for part in ("kind", "name", "version")) == named
    ]


def rows(cloud: LocalCloud, table: str, asset: Known) -> list[dict[str, Any]]:
    """The rows about an asset, as an operator sees them in the table."""
    with TableServiceClient.from_connection_string(cloud.environment["Tables"]) as service:
        entities = [dict(entity) for entity in service.get_table_client(table).list_entities()]
    return [entity for entity in entities if "state" in entity and json.loads(entity["asset_json"]) == asset.command]


def states(cloud: LocalCloud, table: str, asset: Known) -> list[str]:
    return [row["state"] for row in rows(cloud, table, asset)]


def test_a_pushed_asset_reaches_who_subscribed_later(cloud: LocalCloud, author: Author, tmp_path: Path) -> None:
    asset = author.data("late_rows", "uri_file")
    share_now(cloud, asset)
    wish = subscription("late", cloud.workspaces["workspace3"], ["data"], ["register"], "late_*")
    cloud.apply_rules(_rules(cloud, tmp_path / "rules", subscriptions=[wish]))
    send(cloud, "push-late", {"type": "push", "asset": asset.command, "to": "subscribers"}, "order-1")
    eventually("it is there", lambda: in_workspace(cloud, "workspace3", asset))
    eventually("and told", lambda: told(cloud, "AssetDelivered", asset))
    (delivered,) = told(cloud, "AssetDelivered", asset)
    assert (delivered["data"]["tenant"], delivered["data"]["subscription"]) == ("tailwind", "late")


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_tenant_pulls_without_a_subscription(cloud: LocalCloud, kind: str) -> None:
    asset = PULLED[kind]
    into = cloud.workspaces["workspace4"].id
    send(cloud, f"pull-{kind}", {"type": "pull", "tenant": "adventure", "workspace": into, "asset": asset.command}, "order-2")
    eventually("it is told", lambda: told(cloud, "AssetDelivered", asset))
    (delivered,) = told(cloud, "AssetDelivered", asset)
    assert (delivered["data"]["tenant"], delivered["correlationid"]) == ("adventure", "order-2")
    assert found(cloud.ml_client("workspace4"), asset).version == "1"
    assert in_workspace(cloud, "workspace4", asset)["properties"][DELIVERY] == delivered["data"]["delivery"]
    assert in_workspace(cloud, "workspace2", asset) == {}


def test_a_tenant_pulls_a_copy_of_the_latest(cloud: LocalCloud) -> None:
    asset = PULLED_COPY
    into = cloud.workspaces["workspace4"].id
    latest = {**asset.command, "version": "latest"}
    actions = [{"register": {"mode": "copy"}}]
    send(cloud, "pull-copy", {"type": "pull", "tenant": "adventure", "workspace": into, "asset": latest, "actions": actions})
    eventually("it is told", lambda: told(cloud, "AssetDelivered", asset))
    (delivered,) = told(cloud, "AssetDelivered", asset)
    assert delivered["data"]["mode"] == "copy"
    assert "/workspaces/workspace4/datastores/workspaceblobstore/" in found(cloud.ml_client("workspace4"), asset).path


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_recalled_version_is_archived_wherever_it_is(cloud: LocalCloud, kind: str) -> None:
    asset = WANTED[kind]
    eventually("it is delivered", lambda: told(cloud, "AssetDelivered", asset))
    send(cloud, f"recall-{kind}", {"type": "recall", "asset": asset.command, "reason": "leaks card numbers"}, "order-3")
    eventually("all are told", lambda: len(told(cloud, "AssetRecalled", asset)) == 2)
    assert in_registry(cloud, REGISTRY, asset)["isArchived"]
    assert in_workspace(cloud, "workspace2", asset)["isArchived"]
    assert not in_workspace(cloud, "workspace1", asset)["isArchived"]
    events = told(cloud, "AssetRecalled", asset)
    assert {event["source"] for event in events} == {"/fanout/provider", "/fanout/fabrikam"}
    for event in events:
        (undone,) = event["data"]["workspaces"]
        assert (undone["workspace"], undone["done"]) == (cloud.workspaces["workspace2"].id, "archived")
        assert (event["data"]["why"], event["correlationid"]) == ("leaks card numbers", "order-3")


def test_what_awaits_approval_goes_on_when_it_is_given(cloud: LocalCloud, author: Author) -> None:
    asset = author.data("asked_rows", "uri_file")
    share_now(cloud, asset)
    eventually("it waits", lambda: told(cloud, "DeliveryAwaitingApproval", asset))
    (waiting,) = told(cloud, "DeliveryAwaitingApproval", asset)
    assert in_workspace(cloud, "workspace2", asset) == {}
    delivery = waiting["data"]["delivery"]
    send(cloud, "approve", {"type": "approve", "delivery": delivery, "by": "jo@fabrikam"})
    eventually("it is delivered", lambda: told(cloud, "AssetDelivered", asset))
    assert in_workspace(cloud, "workspace2", asset)["properties"][DELIVERY] == delivery
    assert [row["approved_by"] for row in rows(cloud, "deliveries", asset)] == ["jo@fabrikam"]


def test_a_correlation_id_is_in_the_rows_the_log_and_the_outcomes(cloud: LocalCloud, author: Author) -> None:
    asset = author.data("wanted_by_order", "uri_file")
    send(cloud, "correlated", share(cloud, asset), "order-4711")
    eventually("it is delivered", lambda: told(cloud, "AssetDelivered", asset))
    for table in ("shares", "deliveries"):
        assert [row["correlation_id"] for row in rows(cloud, table, asset)] == ["order-4711"]
    for event_type in ("AssetShared", "AssetDelivered"):
        assert [event["correlationid"] for event in told(cloud, event_type, asset)] == ["order-4711"]


def test_a_command_within_a_cloud_event_is_carried_out(cloud: LocalCloud, author: Author) -> None:
    asset = author.data("wanted_by_event", "uri_file")
    event = {"specversion": "1.0", "id": "7", "source": "/orders", "type": "Contoso.Ordered", "data": share(cloud, asset)}
    send(cloud, "cloud-event", event)
    eventually("it is delivered", lambda: in_workspace(cloud, "workspace2", asset))


def test_a_rejected_command_runs_once_it_is_mended_and_the_original_never(cloud: LocalCloud) -> None:
    asset = MENDED
    into = cloud.workspaces["workspace4"].id
    wrong = {"type": "pull", "tenant": "nobody", "workspace": into, "asset": asset.command}
    send(cloud, "wrong", wrong, "order-5")
    eventually("its rejection", lambda: rejection(cloud, "wrong"))
    kept = rejection(cloud, "wrong")
    assert kept
    assert json.loads(str(kept)) == wrong
    assert kept.correlation_id == "order-5"
    why = {_text(name): _text(value) for name, value in (kept.application_properties or {}).items()}
    assert why["fanout_code"] == "not_allowed"
    assert "tenant nobody is not in the rules" in why["fanout_reason"]

    send(cloud, "mended", wrong | {"tenant": "adventure"}, "order-5")
    eventually("it is delivered", lambda: states(cloud, "deliveries", asset) == ["delivered"])
    before = rows(cloud, "deliveries", asset)
    cloud.service_bus.advance_clock(3600)  # beyond the window in which the queue drops what it had before
    send_back(cloud, kept)
    eventually("it is rejected again", lambda: len(rejections(cloud, "wrong")) == 2)
    assert rows(cloud, "deliveries", asset) == before


def test_a_share_that_fails_is_told_with_who_must_do_what(cloud: LocalCloud, author: Author) -> None:
    asset = author.data("wanted_in_vain", "uri_file")
    operation = {"code": "UserError", "message": "No files found", "status": 400}
    cloud.azure_ml.arm("POST .*/import", operation=operation)
    send(cloud, "in-vain", share(cloud, asset), "order-6")
    eventually("it is told", lambda: told(cloud, "ShareFailed", asset))
    (failed,) = told(cloud, "ShareFailed", asset)
    assert "No files found" in failed["data"]["reason"]["text"]
    assert failed["data"]["reason"]["owner"]
    assert failed["data"]["reason"]["remedy"]
    assert failed["source"] == "/fanout/northwind"
    assert [json.loads(row["reason_json"]) for row in rows(cloud, "shares", asset)] == [failed["data"]["reason"]]
    send(cloud, "retry-in-vain", {"type": "retry", "share": failed["data"]["share"]})
    eventually("it is delivered after all", lambda: told(cloud, "AssetDelivered", asset))


def rejections(cloud: LocalCloud, message_id: str) -> list[ServiceBusReceivedMessage]:
    with cloud.service_bus_client() as client, client.get_queue_receiver("rejected") as receiver:
        return [message for message in receiver.peek_messages(100) if message.message_id == message_id]


def rejection(cloud: LocalCloud, message_id: str) -> ServiceBusReceivedMessage | None:
    return next(iter(rejections(cloud, message_id)), None)


def send_back(cloud: LocalCloud, kept: ServiceBusReceivedMessage) -> None:
    """As an operator's tool does with what it finds in `rejected`: body and properties as they are."""
    message = ServiceBusMessage(str(kept), message_id=kept.message_id, application_properties=kept.application_properties)
    with cloud.service_bus_client() as client, client.get_queue_sender("commands") as sender:
        sender.send_messages(message)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
