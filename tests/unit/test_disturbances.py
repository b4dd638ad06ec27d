"""What goes wrong between tenants, rules and Azure while a delivery is under way; each was a way to lose or to block one."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from handlers import commands as command_handler
from handlers import model_registered, wakeups
from shared import commands
from shared.actions import Endpoint as Action
from shared.actions import Register
from shared.assets import Asset, Kind, RegistryAsset, WorkspaceId
from shared.endpoints import NewDeployment
from shared.errors import Conflict, Owner, Permanent, Transient
from shared.messages import Queue, Received
from shared.rows import DeliveryRow, PlanRow, TargetRow
from shared.rules import Limits, RegistryRule
from shared.states import DeliveryState, ShareState
from shared.tenants import Publication, Tenant, TenantState
from tests.fake_azure import FakeAzure, FakeWorkspaces
from tests.fakes import FakeRows, World, refusal
from tests.unit.world import CARDS, EVERY_MODEL, PUBLISHER, a_world, credit_card, register, rules, subscriber, workspace


def states(world: World) -> dict[str, DeliveryState]:
    """By version."""
    return {row.asset.version: row.state for row in (*world.rows.deliveries.values(), *world.rows.closed.values())}


def with_registry(world: World, name: str) -> None:
    provider = world.rules.rules.provider
    wider = replace(provider, registries=(*provider.registries, RegistryRule(name, ("*",))))
    world.rules.rules = replace(world.rules.rules, provider=wider)


def with_publisher(world: World, name: str, registry: str = "hub") -> WorkspaceId:
    """Another tenant that publishes all its models, and to whom all subscribe."""
    there = workspace(name)
    tenants = {
        each.id: replace(each, subscriptions=tuple(replace(wish, from_tenants=("*",)) for wish in each.subscriptions))
        for each in world.rules.rules.tenants.values()
    }
    tenants[name] = Tenant(name, TenantState.ACTIVE, (there,), (Publication("all", registry, EVERY_MODEL, ("*",)),))
    world.rules.rules = replace(world.rules.rules, tenants=tenants)
    return there


class Azure(FakeAzure):
    """An Azure ML that refuses what a test says, at its deployments and endpoints."""

    refuse_endpoint: Exception | None = None
    refused_version: str | None = None
    counts: tuple[int, ...] = ()

    def begin_endpoint(self, workspace: WorkspaceId, action: Action, tags: Mapping[str, str]) -> str | None:
        if self.refuse_endpoint:
            raise self.refuse_endpoint
        return super().begin_endpoint(workspace, action, tags)

    def begin_deployment(self, workspace: WorkspaceId, action: Action, new: NewDeployment) -> str | None:
        if new.model.asset.version == self.refused_version:
            raise refusal("image_build_failed")
        self.counts = (*self.counts, action.instance_count)
        return super().begin_deployment(workspace, action, new)


def with_azure(world: World) -> Azure:
    azure = Azure(world.clock)
    world.use(azure)
    return azure


def test_an_endpoint_name_that_stays_taken_fails_after_a_day() -> None:
    world = a_world(subscriber("fabrikam", CARDS))
    with_azure(world).refuse_endpoint = Conflict("endpoint name taken in the region")
    register(world, credit_card())
    world.run(until=timedelta(days=3))
    assert states(world) == {"1": DeliveryState.FAILED}
    (delivery,) = world.rows.closed.values()
    assert delivery.reason
    assert "name taken" in delivery.reason.text


def test_a_newest_version_that_fails_leaves_the_one_before_it_serving() -> None:
    world = a_world(subscriber("fabrikam", CARDS))
    with_azure(world).refused_version = "2"
    register(world, credit_card("1"))
    register(world, credit_card("2"))
    world.run()
    assert states(world) == {"1": DeliveryState.DELIVERED, "2": DeliveryState.FAILED}
    assert sum(world.azure.endpoints[workspace("fabrikam"), "cards"].traffic.values()) == 100


def test_two_registries_with_the_same_name_and_version_are_two_deliveries() -> None:
    world = a_world(subscriber("fabrikam", Register()))
    with_registry(world, "other-hub")
    other = with_publisher(world, "tailspin", "other-hub")
    register(world, credit_card())
    world.run()
    register(world, credit_card(), at=other)
    world.run()
    assert sorted(row.state for row in world.rows.closed.values()) == [DeliveryState.DELIVERED, DeliveryState.FAILED]
    (conflict,) = [row.reason for row in world.rows.closed.values() if row.reason]
    assert conflict.code == "conflict"


def test_a_failed_share_is_taken_up_again_when_asked_for_again() -> None:
    world = a_world(subscriber("fabrikam", Register()))
    world.azure.failing["import"] = Permanent("forbidden", "role missing", Owner.PROVIDER, "assign the role")
    register(world, credit_card())
    world.run()
    assert [share.state for share in world.rows.shares.values()] == [ShareState.FAILED]
    register(world, credit_card(), message_id="once the role is assigned")
    world.run()
    assert states(world) == {"1": DeliveryState.DELIVERED}


def test_bad_events_without_an_id_are_kept_each() -> None:
    world = a_world()
    for strange in ({"eventType": "x", "data": {"a": 1}}, {"eventType": "y", "data": {"b": 2}}, {"id": "\ud800"}):
        model_registered.handle(strange, world)
    assert len(world.queues.rejected) == 3


def test_an_event_that_is_nested_too_deeply_is_kept() -> None:
    world = a_world()
    model_registered.handle_message(Received(b"[" * 200_000, "deep"), world)
    assert [message.body for message in world.queues.rejected] == [b"[" * 200_000]


def test_postponed_commands_without_a_message_id_are_kept_apart() -> None:
    world = a_world(subscriber("fabrikam", Register()))
    for version in "12":
        command_handler.handle(Received(commands.share_of(PUBLISHER, credit_card(version))), world)
    assert len(world.queues.due) == 2


def test_limits_lowered_after_planning_hold() -> None:
    world = a_world(subscriber("fabrikam", replace(CARDS, instance_count=4)))
    azure = with_azure(world)
    register(world, credit_card())
    world.run(stop=lambda: bool(world.rows.deliveries))
    lower = rules(subscriber("fabrikam", replace(CARDS, instance_count=1)))
    world.rules.rules = replace(lower, provider=replace(lower.provider, limits=Limits(("Standard_DS3_v2",), 1)))
    world.run()
    assert azure.counts == (1,)
    assert states(world) == {"1": DeliveryState.DELIVERED}


def test_a_kind_that_the_limits_leave_out_after_planning_is_delivered_no_more() -> None:
    world = a_world(subscriber("fabrikam", Register()))
    register(world, credit_card())
    world.run(stop=lambda: bool(world.rows.deliveries))
    now = world.rules.rules
    limits = replace(now.provider.limits, kinds=(Kind.DATA,))
    world.rules.rules = replace(now, provider=replace(now.provider, limits=limits))
    world.run()
    assert states(world) == {"1": DeliveryState.CANCELLED}


class RefusingPages(FakeRows):
    """Tables that are busy for some minutes after the first page."""

    refusals = 8

    def save_page(self, plan: PlanRow, deliveries: Any) -> PlanRow:
        if self.plans and self.refusals:
            self.refusals -= 1
            raise Transient("tables: busy")
        return super().save_page(plan, deliveries)


def test_pages_that_come_late_are_open_work_all_the_same() -> None:
    world = a_world(*(subscriber(f"tenant{n}", Register()) for n in range(150)))
    world.rows = world.open_work.rows = RefusingPages()
    register(world, credit_card())
    world.run(stop=lambda: len(states_of_all(world)) == 150)
    lost = [due for due in world.queues.due if due.queue is Queue.WAKEUPS]
    world.queues.due.clear()
    world.run(until=timedelta(hours=12))
    assert lost
    assert set(states_of_all(world)) == {DeliveryState.DELIVERED}


def states_of_all(world: World) -> list[DeliveryState]:
    return [row.state for row in (*world.rows.deliveries.values(), *world.rows.closed.values())]


class MovingWorkspaces(FakeWorkspaces):
    """Moves what is registered into the workspace's own storage, and tells of it before it answers."""

    def __init__(self, azure: FakeAzure, tell: Callable[[WorkspaceId, Asset], None]) -> None:
        super().__init__(azure)
        self._tell = tell

    def register(self, workspace: WorkspaceId, asset: RegistryAsset, properties: Mapping[str, str]) -> None:
        super().register(workspace, asset, properties)
        there = self._azure.assets[workspace, asset.asset]
        moved = replace(there, uri=f"azureml://{workspace.name}/datastores/x/ServiceReplicated")
        self._azure.assets[workspace, asset.asset] = moved
        self._tell(workspace, asset.asset)


def test_an_echo_that_comes_before_its_delivery_ends_goes_nowhere() -> None:
    adventure = subscriber("adventure", Register())
    world = a_world(replace(adventure, publications=(Publication("own", "other-hub", EVERY_MODEL, ("*",)),)))
    with_registry(world, "other-hub")
    world.workspaces = MovingWorkspaces(
        world.azure, lambda at, asset: command_handler.handle(Received(commands.share_of(at, asset), "echo"), world)
    )
    register(world, credit_card())
    world.run()
    assert {share.registry for share in world.rows.shares.values()} == {"hub"}


def test_a_held_delivery_lets_another_publishers_at_the_endpoint() -> None:
    world = a_world(subscriber("fabrikam", CARDS))
    other = with_publisher(world, "tailspin")
    register(world, credit_card("1"))
    world.run(stop=lambda: bool(world.rows.deliveries))
    tenants = dict(world.rules.rules.tenants)
    paused = {**tenants, "northwind": replace(tenants["northwind"], state=TenantState.PAUSED)}
    world.rules.rules = replace(world.rules.rules, tenants=paused)
    world.run(until=timedelta(minutes=5))
    register(world, Asset(Kind.MODEL, "fraud", "2"), at=other)
    world.run(until=timedelta(hours=3))
    assert states(world) == {"1": DeliveryState.HELD, "2": DeliveryState.DELIVERED}


class Raced(FakeRows):
    """Another host handles a wake-up between this one's read of an endpoint's row and its write."""

    race: Callable[[], None] | None = None

    def target(self, tenant: str, workspace: WorkspaceId, endpoint: str) -> TargetRow | None:
        seen = super().target(tenant, workspace, endpoint)
        if self.race:
            race, self.race = self.race, None
            race()
        return seen


def test_a_race_for_an_endpoint_that_was_lost_is_run_again_soon() -> None:
    world = a_world(subscriber("fabrikam", CARDS))
    rows = Raced()
    world.rows = world.open_work.rows = rows
    for version in "12":
        register(world, credit_card(version))
    world.run(stop=lambda: len(rows.deliveries) == 2)
    older, newer = sorted(rows.deliveries.values(), key=lambda row: row.rank)
    wake_up = {due.message.message_id: due for due in world.queues.due}

    def handle(row: DeliveryRow) -> None:
        due = next(due for name, due in wake_up.items() if name.startswith(f"{row.address}:"))
        world.queues.due.remove(due)
        wakeups.handle(Received(due.message.body, due.message.message_id, due.number), world)

    rows.race = lambda: handle(older)
    began = world.clock.now()
    handle(newer)
    world.run(stop=lambda: not rows.deliveries)
    assert states(world)["2"] is DeliveryState.DELIVERED
    assert world.clock.now() - began < timedelta(minutes=3)


def test_a_fault_of_ours_is_tried_again_with_time_in_between() -> None:
    class Faulty(FakeRows):
        faults = 3

        def find_delivery(self, address: Any) -> DeliveryRow | None:
            if self.faults:
                self.faults -= 1
                raise ZeroDivisionError
            return super().find_delivery(address)

    world = a_world(subscriber("fabrikam", Register()))
    world.rows = world.open_work.rows = Faulty()
    register(world, credit_card())
    world.run()
    assert states(world) == {"1": DeliveryState.DELIVERED}
