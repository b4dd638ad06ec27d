"""No row is open for ever: whoever left, whatever never answers, whatever cannot be read, its row ends and says why."""

from datetime import timedelta

import pytest

from shared import endpoints
from shared.actions import Action, Endpoint, Register
from shared.assets import WorkspaceId
from shared.errors import Unavailable
from shared.rules_pauses import with_publication_state, with_subscription_state
from shared.states import DeliveryState, ShareState
from shared.tenants import RuleState, TenantState
from tests.fake_azure import FakeAzure
from tests.fakes import World
from tests.unit.command_world import SickWorkspaces, put, with_tenant, without_tenant
from tests.unit.test_command_flow import the_delivery
from tests.unit.test_every_kind import STEP, STEP_SPEC, registered, share, with_components, world_of
from tests.unit.world import CARDS, PUBLISHER, a_world, credit_card, register, subscriber

WITHIN_A_DAY = timedelta(days=1)
BY_EVERY_ROUTE = pytest.mark.parametrize("action", [Register(), CARDS], ids=lambda action: action.route)


class SickAzure(FakeAzure):
    """Adventure's workspace does not answer."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.workspaces = SickWorkspaces(self, "adventure")

    def endpoint(self, workspace: WorkspaceId, action: Endpoint, *, bare: bool = False) -> endpoints.Endpoint | None:
        raise Unavailable("timed out")

    def deployments(self, workspace: WorkspaceId, action: Endpoint) -> tuple[endpoints.Deployment, ...] | None:
        raise Unavailable("timed out")


def a_sick_subscriber(action: Action) -> World:
    """Its delivery is tried again and again."""
    world = a_world(subscriber("adventure", action))
    world.use(SickAzure(world.clock))
    register(world, credit_card())
    world.run(timedelta(hours=1))
    return world


@BY_EVERY_ROUTE
def test_a_delivery_whose_workspace_does_not_answer_can_be_cancelled(action: Action) -> None:
    world = a_sick_subscriber(action)
    put(world, type="cancel", delivery=str(the_delivery(world).address), by="ops")
    world.run(timedelta(minutes=15))
    assert the_delivery(world).state is DeliveryState.CANCELLED


@BY_EVERY_ROUTE
def test_the_delivery_of_a_tenant_that_left_ends_though_its_workspace_does_not_answer(action: Action) -> None:
    world = a_sick_subscriber(action)
    without_tenant(world, "adventure")
    world.run(WITHIN_A_DAY)
    assert the_delivery(world).state is DeliveryState.CANCELLED


@BY_EVERY_ROUTE
def test_a_delivery_whose_workspace_never_answers_fails_after_a_week_or_so(action: Action) -> None:
    world = a_sick_subscriber(action)
    world.run(timedelta(days=9))
    row = the_delivery(world)
    assert row.state is DeliveryState.FAILED
    assert "timed out" in str(row.reason)


def test_a_component_that_names_what_is_no_workspace_is_shared_as_it_is() -> None:
    world = world_of()
    with_components(world)
    strange = f"{PUBLISHER}/codes/x/versions/1".replace("/subscriptions/s/", "/subscriptions/a b/")
    registered(world, STEP, {"componentSpec": {**STEP_SPEC, "description": strange}})
    share(world, STEP)
    assert {row.state for row in world.rows.shares.values()} == {ShareState.SHARED}


def test_a_held_delivery_notes_once_why() -> None:
    world = a_world(subscriber("adventure", Register()))
    register(world, credit_card())
    world.run(stop=lambda: bool(world.rows.deliveries))
    with_tenant(world, "adventure", state=TenantState.PAUSED)
    world.run(WITHIN_A_DAY)
    (noted,) = the_delivery(world).attempts
    assert noted.outcome == "held: tenant adventure is paused"


def test_a_paused_subscription_holds_what_is_under_way_until_it_is_resumed() -> None:
    world = a_world(subscriber("adventure", Register()))
    register(world, credit_card())
    world.run(stop=lambda: bool(world.rows.deliveries))
    active = world.rules.rules.tenants["adventure"]
    with_tenant(world, "adventure", subscriptions=with_subscription_state(active, "all", RuleState.PAUSED).subscriptions)
    world.run(WITHIN_A_DAY)
    (noted,) = the_delivery(world).attempts
    assert noted.outcome == "held: subscription all of adventure is paused"
    with_tenant(world, "adventure", subscriptions=active.subscriptions)
    world.run()
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_nothing_leaves_by_a_paused_publication() -> None:
    world = a_world(subscriber("adventure", Register()))
    active = world.rules.rules.tenants["northwind"]
    with_tenant(world, "northwind", publications=with_publication_state(active, "all", RuleState.PAUSED).publications)
    register(world, credit_card())
    world.run()
    assert not world.rows.shares
