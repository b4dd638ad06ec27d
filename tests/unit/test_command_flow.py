"""Each command's way through the rows, in memory: what it does, what it refuses, and that the same one again does nothing more."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.actions import Register
from shared.assets import Asset, Kind, RegistryAsset, WorkspaceAsset
from shared.errors import Owner, Permanent, Transient
from shared.messages import Outgoing, Queue
from shared.rows import DeliveryRow, ShareRow
from shared.states import DeliveryState, ShareState
from shared.tenants import Approver, Publication, Tenant, TenantState
from tests.fakes import World
from tests.unit.reconcile_world import reconciled
from tests.unit.world import CARDS, EVERY_MODEL, PUBLISHER, a_world, credit_card, register, subscriber, workspace

CARD = {"kind": "model", "name": "credit-card", "version": "1"}


def send(world: World, message_id: str = "", **command: Any) -> None:
    message = Outgoing(json.dumps(command).encode(), message_id or f"message-{len(world.queues.seen)}", correlation_id="order-66")
    world.queues.send(Queue.COMMANDS, [message])
    world.run(until=timedelta(hours=6))


def shared_world(*tenants: Tenant) -> World:
    world = a_world(*tenants)
    world.outcomes.wanted = True
    register(world, credit_card())
    world.run()
    return world


def without_subscription(name: str) -> Tenant:
    return Tenant(name, TenantState.ACTIVE, (workspace(name),))


def the_delivery(world: World) -> DeliveryRow:
    (row,) = [*world.rows.deliveries.values(), *world.rows.closed.values()]
    return row


def the_share(world: World) -> ShareRow:
    (row,) = world.rows.shares.values()
    return row


def rejected(world: World) -> str:
    (message,) = world.queues.rejected
    return str(message.properties["fanout_code"])


def with_tenants(world: World, *tenants: Tenant) -> None:
    both = {**world.rules.rules.tenants, **{tenant.id: tenant for tenant in tenants}}
    world.rules.rules = replace(world.rules.rules, tenants=both, revision=world.rules.rules.revision + 1)


# ---- push


def test_a_push_reaches_those_who_subscribed_since() -> None:
    world = shared_world(subscriber("adventure", Register()))
    with_tenants(world, subscriber("fabrikam", Register()))
    send(world, type="push", asset=CARD, to="subscribers")
    assert {row.tenant: row.state for row in world.rows.closed.values()} == {
        "adventure": DeliveryState.DELIVERED,
        "fabrikam": DeliveryState.DELIVERED,
    }
    assert the_share(world).state is ShareState.SHARED


def test_a_push_to_some_leaves_the_others_alone_and_names_who_did_not_ask_for_it() -> None:
    world = shared_world()
    with_tenants(world, subscriber("adventure", Register()), subscriber("fabrikam", Register()), without_subscription("tailspin"))
    send(world, type="push", asset=CARD, to=["fabrikam", "tailspin"])
    assert {row.tenant for row in world.rows.closed.values()} == {"fabrikam"}
    assert rejected(world) == "not_subscribed"
    assert "tailspin" in str(world.queues.rejected[0].properties["fanout_reason"])


def test_a_push_by_one_action_leaves_the_others_out() -> None:
    world = shared_world()
    with_tenants(world, subscriber("fabrikam", Register(), CARDS))
    send(world, type="push", asset=CARD, to="subscribers", actions=["register"])
    assert the_delivery(world).action == Register()


def with_two_workspaces(name: str) -> Tenant:
    """It registers every model in both."""
    there = (workspace(name), workspace(f"{name}-live"))
    wishes = (replace(subscriber(name, Register()).subscriptions[0], name=at.name, into=at) for at in there)
    return Tenant(name, TenantState.ACTIVE, there, subscriptions=tuple(wishes))


@pytest.mark.parametrize("to", ["subscribers", ["fabrikam"]])
def test_a_push_into_one_workspace_leaves_the_tenants_other_alone(to: str | list[str]) -> None:
    world = shared_world()
    with_tenants(world, with_two_workspaces("fabrikam"), subscriber("adventure", Register()))
    send(world, type="push", asset=CARD, to=to, into=[str(workspace("fabrikam-live"))])
    assert the_delivery(world).workspace == workspace("fabrikam-live")
    send(world, type="push", asset=CARD, to="subscribers")
    assert {row.workspace.name for row in world.rows.closed.values()} == {"fabrikam", "fabrikam-live", "adventure"}


def test_a_push_into_a_workspace_that_gets_nothing_names_it() -> None:
    world = shared_world()
    with_tenants(world, subscriber("fabrikam", Register()), without_subscription("tailspin"))
    send(world, type="push", asset=CARD, to="subscribers", into=[str(workspace("fabrikam")), str(workspace("tailspin"))])
    assert the_delivery(world).tenant == "fabrikam"
    assert rejected(world) == "not_subscribed"
    assert "tailspin (no subscription asks for it)" in str(world.queues.rejected[0].properties["fanout_reason"])


@pytest.mark.parametrize(
    ("narrowed", "for_all"),
    [
        ({"to": ["fabrikam"]}, False),
        ({"into": [str(workspace("fabrikam"))]}, False),
        ({"actions": ["register"]}, False),
        ({}, True),
    ],
    ids=["to", "into", "actions", "to-all"],
)
def test_what_was_shared_for_nobody_is_for_all_after_a_push_to_all_alone(narrowed: dict[str, Any], for_all: bool) -> None:
    world = a_world(subscriber("fabrikam", Register()))
    world.azure.assets[PUBLISHER, credit_card()] = WorkspaceAsset(credit_card(), "azureml://x", world.clock.now())
    send(world, type="share", workspace=str(PUBLISHER), asset=CARD, fan_out=False)
    send(world, **{"type": "push", "asset": CARD, "to": "subscribers", **narrowed})
    with_tenants(world, subscriber("tailspin", Register()))
    reconciled(world, times=2)
    got = {row.tenant for row in world.rows.closed.values()}
    assert got == ({"fabrikam", "tailspin"} if for_all else {"fabrikam"})


def test_a_push_tries_again_what_failed_and_the_same_message_does_not() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.failing["register"] = Permanent("forbidden", "no role", Owner.SUBSCRIBER, "assign it")
    register(world, credit_card())
    world.run()
    assert the_delivery(world).state is DeliveryState.FAILED
    world.azure.failing["register"] = Permanent("forbidden", "no role yet", Owner.SUBSCRIBER, "assign it")
    send(world, "push-1", type="push", asset=CARD, to="subscribers")
    assert the_delivery(world).state is DeliveryState.FAILED
    world.clock.time += timedelta(hours=1)
    send(world, "push-1", type="push", asset=CARD, to="subscribers")
    assert the_delivery(world).state is DeliveryState.FAILED
    send(world, "push-2", type="push", asset=CARD, to="subscribers")
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_what_was_never_shared_cannot_be_pushed() -> None:
    world = a_world(subscriber("adventure", Register()))
    send(world, type="push", asset=CARD, to="subscribers")
    assert rejected(world) == "not_in_registry"


# ---- pull


def test_a_tenant_pulls_what_its_publisher_lets_out_without_a_subscription() -> None:
    world = shared_world(without_subscription("fabrikam"))
    send(world, type="pull", tenant="fabrikam", workspace=str(workspace("fabrikam")), asset=CARD)
    row = the_delivery(world)
    assert (row.state, row.subscription, row.correlation_id) == (DeliveryState.DELIVERED, "", "order-66")
    assert (workspace("fabrikam"), credit_card()) in world.azure.assets


def test_a_pull_is_by_all_actions_or_by_none() -> None:
    world = shared_world(without_subscription("fabrikam"))
    big = {"online_endpoint": {"name": "cards", "instance_type": "Standard_NC96", "instance_count": 1}}
    command: dict[str, Any] = {"type": "pull", "tenant": "fabrikam", "workspace": str(workspace("fabrikam")), "asset": CARD}
    send(world, **command, actions=["register", big])
    assert rejected(world) == "not_allowed"
    assert world.rows.closed == {}
    fitting = {"online_endpoint": {"name": "cards", "instance_type": "Standard_DS3_v2", "instance_count": 1}}
    send(world, **command, actions=["register", fitting])
    assert {row.state for row in world.rows.closed.values()} == {DeliveryState.DELIVERED}
    assert len(world.rows.closed) == 2


def test_a_tenant_that_it_was_not_published_to_cannot_pull() -> None:
    world = a_world(without_subscription("fabrikam"))
    tenants = dict(world.rules.rules.tenants)
    to_adventure = (Publication("all", "hub", EVERY_MODEL, ("adventure",)),)
    tenants["northwind"] = replace(tenants["northwind"], publications=to_adventure)
    world.rules.rules = replace(world.rules.rules, tenants=tenants)
    register(world, credit_card())
    world.run()
    send(world, type="pull", tenant="fabrikam", workspace=str(workspace("fabrikam")), asset=CARD)
    assert rejected(world) == "not_allowed"


def test_the_same_pull_long_after_does_nothing_more() -> None:
    world = shared_world(without_subscription("fabrikam"))
    for _ in range(2):
        send(world, "pull-1", type="pull", tenant="fabrikam", workspace=str(workspace("fabrikam")), asset=CARD)
        world.clock.time += timedelta(hours=1)
    assert sum(effect.startswith("register") for effect in world.azure.effects) == 1


def in_the_registry(world: World, origin: str | None) -> None:
    there = RegistryAsset(credit_card(), "hub", "https://store/hub/1", "mlflow_model", origin)
    world.azure.registry["hub", credit_card()] = there


def test_what_the_provider_made_in_the_registry_can_be_pulled_by_its_readers() -> None:
    world = a_world(without_subscription("fabrikam"))
    in_the_registry(world, origin=None)
    send(world, type="pull", tenant="fabrikam", workspace=str(workspace("fabrikam")), asset={**CARD, "version": "latest"})
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_what_came_by_hand_from_some_workspace_cannot_be_pulled_before_it_is_shared() -> None:
    world = a_world(without_subscription("fabrikam"))
    in_the_registry(world, origin="azureml://publisher/model credit-card:1")
    send(world, type="pull", tenant="fabrikam", workspace=str(workspace("fabrikam")), asset=CARD)
    assert rejected(world) == "origin_unknown"
    register(world, credit_card())
    world.run()
    send(world, type="pull", tenant="fabrikam", workspace=str(workspace("fabrikam")), asset=CARD)
    assert the_delivery(world).state is DeliveryState.DELIVERED


# ---- retry, cancel, approve, reject


def test_a_retry_opens_what_failed_once_for_each_message() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.failing["register"] = Permanent("forbidden", "no role", Owner.SUBSCRIBER, "assign it")
    register(world, credit_card())
    world.run()
    failed = str(the_delivery(world).address)
    world.azure.failing["register"] = Permanent("forbidden", "no role yet", Owner.SUBSCRIBER, "assign it")
    send(world, "retry-1", type="retry", delivery=failed)
    world.clock.time += timedelta(hours=1)
    send(world, "retry-1", type="retry", delivery=failed)
    assert the_delivery(world).state is DeliveryState.FAILED
    send(world, "retry-2", type="retry", delivery=failed)
    assert the_delivery(world).state is DeliveryState.DELIVERED
    send(world, "retry-3", type="retry", delivery=failed)
    assert rejected(world) == "not_failed"


def test_a_share_that_failed_is_retried() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.failing["import"] = Permanent("forbidden", "no role", Owner.PROVIDER, "assign it")
    register(world, credit_card())
    world.run()
    send(world, type="retry", share=str(the_share(world).address))
    assert the_share(world).state is ShareState.SHARED


def test_a_delivery_under_way_is_cancelled() -> None:
    world = a_world(subscriber("fabrikam", CARDS))
    world.azure.seconds = 600
    register(world, credit_card())
    world.run(stop=lambda: any("deploy" in effect for effect in world.azure.effects))
    send(world, type="cancel", delivery=str(the_delivery(world).address), by="ops")
    assert the_delivery(world).state is DeliveryState.CANCELLED
    assert world.azure.endpoints[workspace("fabrikam"), "cards"].deployments == ()


def test_a_share_under_way_is_cancelled_and_says_by_whom() -> None:
    world = a_world(subscriber("fabrikam", Register()))
    world.azure.seconds = 600
    register(world, credit_card())
    world.run(stop=lambda: bool(world.azure.effects))
    send(world, type="cancel", share=str(the_share(world).address), by="ops")
    assert the_share(world).state is ShareState.FAILED
    assert "cancelled by ops" in str(the_share(world).reason)


def test_what_ended_cannot_be_cancelled() -> None:
    world = shared_world(subscriber("adventure", Register()))
    send(world, type="cancel", delivery=str(the_delivery(world).address))
    assert rejected(world) == "ended"


def awaiting(*names: str) -> World:
    tenants = [subscriber(name, Register()) for name in names]
    asking = [
        replace(each, subscriptions=tuple(replace(wish, approval=Approver.SUBSCRIBER) for wish in each.subscriptions))
        for each in tenants
    ]
    return shared_world(*asking)


def test_a_delivery_waits_for_approval_and_says_so() -> None:
    world = awaiting("fabrikam")
    assert the_delivery(world).state is DeliveryState.AWAITING_APPROVAL
    assert [outcome.topic for outcome in world.outcomes.of_type("DeliveryAwaitingApproval")] == ["fabrikam"]
    assert (workspace("fabrikam"), credit_card()) not in world.azure.assets


@pytest.mark.parametrize(("verdict", "end"), [("approve", DeliveryState.DELIVERED), ("reject", DeliveryState.CANCELLED)])
def test_an_approval_lets_it_go_on_and_a_rejection_ends_it(verdict: str, end: DeliveryState) -> None:
    world = awaiting("fabrikam")
    for message in ("first", "again"):
        send(world, message, type=verdict, delivery=str(the_delivery(world).address), by="jo@fabrikam")
    assert the_delivery(world).state is end
    assert world.queues.rejected == []


def test_what_awaits_nothing_cannot_be_approved() -> None:
    world = shared_world(subscriber("adventure", Register()))
    send(world, type="approve", delivery=str(the_delivery(world).address), by="jo")
    assert rejected(world) == "not_awaiting_approval"


def test_an_unknown_delivery_is_refused() -> None:
    world = shared_world(subscriber("adventure", Register()))
    send(world, type="retry", delivery=f"delivery/{'a' * 26}/{'b' * 26}")
    assert rejected(world) == "unknown_row"


# ---- recall


def recalled_at(world: World) -> dict[str, list[str]]:
    """By topic: which workspaces the outcome lists."""
    told: dict[str, list[str]] = {}
    for outcome in world.outcomes.of_type("AssetRecalled"):
        workspaces = outcome.data["workspaces"]
        assert isinstance(workspaces, list)
        told[outcome.topic] = [each["workspace"] for each in workspaces]
    return told


def test_a_recall_archives_everywhere_and_tells_each_tenant_its_own() -> None:
    world = shared_world(subscriber("adventure", Register()), subscriber("fabrikam", Register()))
    send(world, type="recall", asset=CARD, reason="leaks card numbers")
    assert world.azure.registry["hub", credit_card()].archived
    assert all(world.azure.assets[workspace(name), credit_card()].archived for name in ("adventure", "fabrikam"))
    assert {row.state for row in world.rows.closed.values()} == {DeliveryState.RECALLED}
    assert the_share(world).state is ShareState.RECALLED
    assert recalled_at(world) == {
        "provider": [str(workspace(row.tenant)) for row in sorted(world.rows.closed.values(), key=lambda row: row.row)],
        "adventure": [str(workspace("adventure"))],
        "fabrikam": [str(workspace("fabrikam"))],
    }
    assert {each.correlation_id for each in world.outcomes.of_type("AssetRecalled")} == {"order-66"}


def test_a_recall_puts_the_previous_version_back() -> None:
    world = shared_world(subscriber("fabrikam", CARDS))
    register(world, credit_card("2"))
    world.run()
    send(world, type="recall", asset={**CARD, "version": "2"}, reason="worse")
    endpoint = world.azure.endpoints[workspace("fabrikam"), "cards"]
    assert [name[:3] for name in endpoint.traffic] == ["v1-"]
    assert len(endpoint.deployments) == 1
    assert sorted(row.state for row in world.rows.closed.values()) == [DeliveryState.DELIVERED, DeliveryState.RECALLED]


@pytest.mark.parametrize("effect", ["import", "endpoint", "deploy", "traffic"])
def test_a_recall_wins_over_what_is_in_flight(effect: str) -> None:
    world = a_world(subscriber("fabrikam", CARDS))
    world.azure.seconds = 100
    register(world, credit_card())
    world.run(stop=lambda: any(each.startswith(effect) for each in world.azure.effects))
    send(world, type="recall", asset=CARD, reason="stop it")
    assert the_share(world).state is ShareState.RECALLED
    assert {row.state for row in world.rows.closed.values()} <= {DeliveryState.RECALLED}
    assert all(not there.deployments for there in world.azure.endpoints.values())
    assert world.rows.deliveries == {}
    there = world.azure.registry.get(("hub", credit_card()))
    assert there is None or there.archived


def test_what_was_recalled_is_not_delivered_again() -> None:
    world = shared_world(subscriber("adventure", Register()))
    send(world, type="recall", asset=CARD, reason="bad")
    with_tenants(world, without_subscription("fabrikam"))
    send(world, type="pull", tenant="fabrikam", workspace=str(workspace("fabrikam")), asset=CARD)
    assert rejected(world) == "recalled"
    world.queues.rejected.clear()
    send(world, type="share", workspace=str(PUBLISHER), asset=CARD)
    assert rejected(world) == "recalled"
    world.queues.rejected.clear()
    send(world, type="push", asset=CARD, to="subscribers")
    assert rejected(world) == "recalled"


def test_a_tenants_own_asset_of_the_same_name_survives_a_recall() -> None:
    world = a_world(subscriber("adventure", Register()))
    register(world, credit_card(), at=workspace("adventure"))
    register(world, credit_card())
    world.run()
    send(world, type="recall", asset=CARD, reason="bad")
    assert not world.azure.assets[workspace("adventure"), credit_card()].archived


# ---- outcomes


def test_outcomes_name_no_other_tenant() -> None:
    world = shared_world(subscriber("adventure", Register()), subscriber("fabrikam", CARDS))
    names = {"northwind", "adventure", "fabrikam"}
    assert {outcome.topic for outcome in world.outcomes.published.values()} == names
    for outcome in world.outcomes.published.values():
        text = json.dumps(outcome.data)
        assert not [name for name in names - {outcome.topic} if name in text], outcome


def test_a_row_stays_open_until_its_outcome_is_out() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.outcomes.wanted = True
    world.outcomes.failing = [Transient("the topic is down"), Permanent("forbidden", "no role", Owner.PROVIDER, "assign it")]
    register(world, credit_card())
    world.run()
    assert world.outcomes.failing == []
    assert len(world.outcomes.of_type("AssetDelivered")) == 1
    assert len(world.outcomes.of_type("AssetShared")) == 1
    assert world.rows.deliveries == {}


def test_a_failure_is_told_with_the_rows_own_words() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.outcomes.wanted = True
    world.azure.failing["register"] = Permanent("forbidden", "no role", Owner.SUBSCRIBER, "assign it")
    register(world, credit_card())
    world.run()
    (told,) = world.outcomes.of_type("DeliveryFailed")
    assert told.data["reason"] == {"code": "forbidden", "text": "no role", "owner": "subscriber", "remedy": "assign it"}
    assert told.data["asset"] == {**CARD, "id": "azureml://registries/hub/models/credit-card/versions/1"}


def test_a_command_in_a_cloud_event_is_carried_out() -> None:
    world = shared_world(without_subscription("fabrikam"))
    command = {"type": "pull", "tenant": "fabrikam", "workspace": str(workspace("fabrikam")), "asset": CARD}
    send(world, specversion="1.0", id="1", source="/orders", type="Contoso.Order", data=command)
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_the_kind_of_an_asset_is_part_of_its_name() -> None:
    world = shared_world(without_subscription("fabrikam"))
    send(world, type="pull", tenant="fabrikam", workspace=str(workspace("fabrikam")), asset={**CARD, "kind": Kind.DATA})
    assert rejected(world) == "not_in_registry"
    assert Asset(Kind.DATA, "credit-card", "1") not in {asset for _, asset in world.azure.assets}
