"""Who may have what a registry holds, and wants it, gets it once the reconciler comes by."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from handlers import reconcile_pass
from shared.actions import Register
from shared.assets import Asset, Kind, RegistryAsset, WorkspaceAsset
from shared.errors import Owner, Permanent, Unavailable
from shared.reconciling import What
from shared.rows import DeliveryRow, ShareRow
from shared.states import DeliveryState
from shared.tenants import AssetPattern, Publication, Subscription, Tenant, TenantState
from tests.fake_azure import FakeAzure, FakeRegistries
from tests.fakes import FakeRows, World
from tests.unit.reconcile_world import (
    PRODUCTION,
    delivered,
    delivered_world,
    every,
    previewed,
    publishing,
    reconciled,
    tagged,
    time_passes,
    whats,
    with_rules,
)
from tests.unit.world import CARDS, EVERY_MODEL, PUBLISHER, a_world, credit_card, register, subscriber, workspace

ADVENTURE, FABRIKAM = subscriber("adventure", Register()), subscriber("fabrikam", Register())


class CountingRows(FakeRows):
    """Says of how many deliveries that ended it told."""

    told = 0

    def closed_deliveries(self, partition: str, after: str = "", upto: str | None = None) -> Iterable[DeliveryRow]:
        found = list(super().closed_deliveries(partition, after, upto))
        self.told += len(found)
        return found


class OneUnreadable(FakeRegistries):
    """Registries in which one name cannot be looked at."""

    def __init__(self, azure: FakeAzure, name: str) -> None:
        super().__init__(azure)
        self._name = name

    def newest(self, registry: str, kind: Kind, name: str, most: int) -> Sequence[RegistryAsset]:
        if name == self._name:
            raise Permanent("unreadable", "not JSON", Owner.PROVIDER, "see the log")
        return super().newest(registry, kind, name, most)


def of_two_workspaces(live: AssetPattern = EVERY_MODEL[0]) -> Tenant:
    """Fabrikam registers every model for trials, and `live` ones in a workspace of their own."""
    trial, production = workspace("trial"), workspace("live")
    wishes = (
        Subscription("trial", ("northwind",), EVERY_MODEL, trial, (Register(),)),
        Subscription("live", ("northwind",), (live,), production, (Register(),)),
    )
    return Tenant("fabrikam", TenantState.ACTIVE, (trial, production), subscriptions=wishes)


def placed(world: World) -> set[tuple[str, str]]:
    """Workspace and version of what fabrikam got."""
    rows = (row for row in world.rows.closed.values() if row.tenant == "fabrikam" and row.state is DeliveryState.DELIVERED)
    return {(row.workspace.name, row.asset.version) for row in rows}


def test_given_a_new_subscription_when_reconciled_then_the_newest_version_arrives_and_not_all_of_history() -> None:
    world = delivered_world()
    with_rules(world, FABRIKAM)

    found = reconciled(world)

    assert whats(found) == [(What.UNDELIVERED, "fabrikam", "3")]
    assert {version for tenant, version in delivered(world) if tenant == "fabrikam"} == {"3"}


def test_given_versions_that_came_to_the_registry_in_another_order_when_somebody_subscribes_then_the_newest_arrives() -> None:
    """Imports end in any order; a version's age is that at its origin."""
    world = a_world()
    for version in ("2", "1"):
        register(world, credit_card(version))
        world.run()

    with_rules(world, FABRIKAM)
    reconciled(world)

    assert delivered(world) == {("fabrikam", "2")}


def test_given_a_new_subscription_to_tagged_versions_when_reconciled_then_the_newest_of_these_arrives() -> None:
    world = a_world(ADVENTURE)
    for version in ("1", "2", "3"):
        tags = {"stage": "production"} if version != "3" else {}
        world.azure.assets[PUBLISHER, credit_card(version)] = WorkspaceAsset(
            credit_card(version), f"azureml://publisher/{version}", world.clock.now(), tags
        )
        register(world, credit_card(version))
        time_passes(world, 1)
    world.run()
    wish = Subscription("live", ("northwind",), (every(Kind.MODEL, PRODUCTION),), workspace("fabrikam"), (Register(),))
    with_rules(world, replace(FABRIKAM, subscriptions=(wish,)))

    reconciled(world)

    assert {version for tenant, version in delivered(world) if tenant == "fabrikam"} == {"2"}


def test_given_a_publication_that_names_another_tenant_when_reconciled_then_that_one_gets_it() -> None:
    narrow = (Publication("all", "hub", EVERY_MODEL, ("adventure",)),)
    world = a_world(ADVENTURE, FABRIKAM)
    northwind = replace(world.rules.rules.tenants["northwind"], publications=narrow)
    with_rules(world, northwind)
    register(world, credit_card())
    world.run()
    reconciled(world)
    assert delivered(world) == {("adventure", "1")}

    with_rules(world, publishing(northwind, *EVERY_MODEL))
    reconciled(world)

    assert delivered(world) == {("adventure", "1"), ("fabrikam", "1")}


def test_given_a_workspace_that_has_another_owner_now_when_that_one_publishes_more_then_it_is_followed_at_once() -> None:
    """Its changes are followed first: the walk over everything, which would find it too, does not begin in this run."""
    world = a_world(ADVENTURE, FABRIKAM)
    northwind = world.rules.rules.tenants["northwind"]
    narrow = (Publication("all", "hub", EVERY_MODEL, ("adventure",)),)
    with_rules(world, replace(northwind, publications=narrow))
    register(world, credit_card())
    world.run()
    southwind = Tenant("southwind", TenantState.ACTIVE, (PUBLISHER,), narrow)
    wishes = [replace(each, subscriptions=(replace(each.subscriptions[0], from_tenants=("*",)),)) for each in (ADVENTURE, FABRIKAM)]
    with_rules(world, replace(northwind, workspaces=(), publications=()), southwind, *wishes)
    reconciled(world, times=2)

    with_rules(world, replace(southwind, publications=(replace(narrow[0], to=("*",)),)))
    reconciled(world, looks=2)

    assert delivered(world) == {("adventure", "1"), ("fabrikam", "1")}


def test_given_many_who_have_it_when_one_more_subscribes_then_what_these_got_is_not_read_for_its_change() -> None:
    world = a_world(*(subscriber(f"tenant-{number}", Register()) for number in range(30)))
    world.rows = world.open_work.rows = rows = CountingRows()
    for version in ("1", "2"):
        register(world, credit_card(version))
    world.run()
    reconciled(world, times=2)

    with_rules(world, FABRIKAM)
    rows.told = 0
    reconciled(world, looks=1)  # its change, and not the walk over everything

    assert ("fabrikam", "2") in delivered(world)
    assert rows.told == 0


def test_given_a_subscriber_that_is_resumed_when_reconciled_then_it_gets_what_was_shared_meanwhile() -> None:
    world = a_world(replace(ADVENTURE, state=TenantState.PAUSED))
    register(world, credit_card())
    world.run()
    reconciled(world)
    assert delivered(world) == set()

    with_rules(world, ADVENTURE)
    reconciled(world)

    assert delivered(world) == {("adventure", "1")}


def test_given_a_delivery_that_the_rules_cancelled_when_they_allow_it_again_then_it_is_delivered() -> None:
    world = a_world(ADVENTURE)
    world.azure.failing["register"] = Unavailable("timed out")
    register(world, credit_card())
    world.run(stop=lambda: any(row.failures for row in world.rows.deliveries.values()))
    with_rules(world, replace(ADVENTURE, subscriptions=()))
    world.run()
    (ended,) = world.rows.closed.values()
    assert ended.state is DeliveryState.CANCELLED

    with_rules(world, ADVENTURE)
    reconciled(world)

    assert delivered(world) == {("adventure", "1")}


def with_another_owner(world: World) -> None:
    """Adventure's workspace is southridge's from now on, which subscribes to the same."""
    with_rules(world, replace(ADVENTURE, workspaces=(), subscriptions=()), replace(ADVENTURE, id="southridge"))


def test_given_a_delivery_that_the_rules_cancelled_when_its_workspace_has_another_owner_then_that_one_gets_it_once() -> None:
    world = a_world(ADVENTURE)
    world.azure.failing["register"] = Unavailable("timed out")
    register(world, credit_card())
    world.run(stop=lambda: any(row.failures for row in world.rows.deliveries.values()))
    with_rules(world, replace(ADVENTURE, subscriptions=()))
    world.run()
    (ended,) = world.rows.closed.values()
    assert ended.state is DeliveryState.CANCELLED

    with_another_owner(world)
    reconciled(world)

    assert delivered(world) == {("southridge", "1")}
    assert reconciled(world, times=2) == []


def test_given_a_delivery_when_its_workspace_has_another_owner_who_may_have_it_then_it_is_not_shown_as_withdrawn() -> None:
    world = delivered_world(ADVENTURE, versions=("1",))

    with_another_owner(world)

    assert reconciled(world, times=2) == []
    assert previewed(world) == []


def test_given_a_delivery_that_failed_or_that_somebody_cancelled_when_reconciled_then_it_is_left_alone() -> None:
    world = a_world(ADVENTURE, FABRIKAM)
    world.azure.failing["register"] = Permanent("forbidden", "no role", Owner.SUBSCRIBER, "assign it")
    register(world, credit_card())
    world.run()
    (served,) = (row for row in world.rows.closed.values() if row.state is DeliveryState.DELIVERED)
    world.rows.closed[served.address] = replace(served, state=DeliveryState.CANCELLED, cancelled_by="ada")
    world.azure.assets.pop((served.workspace, served.asset))

    assert reconciled(world, times=2) == []


def test_given_a_version_that_was_shared_for_nobody_when_reconciled_then_it_stays_so() -> None:
    world = delivered_world(versions=("1",))
    for address, share in world.rows.shares.items():
        world.rows.shares[address] = replace(share, fan_out=False)
    with_rules(world, FABRIKAM)

    assert reconciled(world, times=2) == []
    assert delivered(world) == {("adventure", "1")}


def test_given_one_delivery_cancelled_by_somebody_and_one_by_the_rules_when_reconciled_then_only_that_one_comes_back() -> None:
    both = replace(ADVENTURE, subscriptions=(replace(ADVENTURE.subscriptions[0], actions=(Register(), CARDS)),))
    world = delivered_world(both, versions=("1",))
    world.azure.assets.pop((workspace("adventure"), credit_card("1")))
    for address, row in world.rows.closed.items():
        by = "ada" if row.action == Register() else None
        world.rows.closed[address] = replace(row, state=DeliveryState.CANCELLED, cancelled_by=by)

    reconciled(world)

    states = {row.action.route: row.state for row in world.rows.closed.values()}
    assert states == {"register": DeliveryState.CANCELLED, CARDS.route: DeliveryState.DELIVERED}


def test_given_a_name_that_cannot_be_looked_at_when_reconciled_then_those_behind_it_are() -> None:
    world = delivered_world(versions=("1",))
    register(world, Asset(Kind.MODEL, "a-first", "1"))
    world.run()
    reconciled(world, times=2)
    world.registries = OneUnreadable(world.azure, "a-first")
    with_rules(world, FABRIKAM)

    reconciled(world)

    assert ("fabrikam", "1") in delivered(world)


def test_given_a_new_target_of_a_tenant_when_reconciled_then_only_that_one_is_served() -> None:
    world = delivered_world()
    more = (*ADVENTURE.subscriptions, replace(ADVENTURE.subscriptions[0], name="live", actions=(CARDS,)))
    with_rules(world, replace(ADVENTURE, subscriptions=more))
    effects = len(world.azure.effects)

    reconciled(world)

    assert not any(effect.startswith("register") for effect in world.azure.effects[effects:])
    assert {row.asset.version for row in world.rows.closed.values() if row.action == CARDS} == {"3"}


def test_given_an_old_version_that_alone_fits_a_new_subscription_when_reconciled_then_no_other_action_gets_it() -> None:
    """The version that the new subscription wants is pushed by that subscription's action alone."""
    world = delivered_world()
    tagged(world, credit_card("1"), {"stage": "production"})
    tagged_row = world.rows.plans[credit_card("1").key, "hub"]
    production = replace(tagged_row.asset, tags={**tagged_row.asset.tags, "stage": "production"})
    world.rows.plans[credit_card("1").key, "hub"] = replace(tagged_row, asset=production)
    other = workspace("fabrikam")
    wishes = (
        Subscription("all", ("northwind",), EVERY_MODEL, other, (Register(),)),
        Subscription("live", ("northwind",), (every(Kind.MODEL, PRODUCTION),), other, (CARDS,)),
    )
    with_rules(world, replace(FABRIKAM, subscriptions=wishes))

    reconciled(world)

    got = {(row.action.route, row.asset.version) for row in world.rows.closed.values() if row.tenant == "fabrikam"}
    assert got == {("register", "3"), (CARDS.route, "1")}


def test_given_two_workspaces_of_which_one_wants_an_older_version_when_reconciled_then_each_gets_its_own_alone() -> None:
    world = delivered_world()
    tagged(world, credit_card("1"), {"stage": "production"})
    first = world.rows.plans[credit_card("1").key, "hub"]
    world.rows.plans[credit_card("1").key, "hub"] = replace(first, asset=replace(first.asset, tags={"stage": "production"}))
    with_rules(world, of_two_workspaces(live=every(Kind.MODEL, PRODUCTION)))

    reconciled(world)

    assert placed(world) == {("trial", "3"), ("live", "1")}


def test_given_two_workspaces_of_which_one_was_served_when_a_delivery_to_the_other_is_due_again_then_it_alone_is_opened() -> None:
    """What somebody cancelled in the one workspace stays so when the rules' own cancelling in the other is made good."""
    world = delivered_world(of_two_workspaces(), versions=("1",))
    for address, row in world.rows.closed.items():
        by = "ada" if row.workspace == workspace("trial") else None
        world.rows.closed[address] = replace(row, state=DeliveryState.CANCELLED, cancelled_by=by)

    reconciled(world)

    assert placed(world) == {("live", "1")}


def test_given_a_newest_version_for_nobody_when_somebody_subscribes_then_the_newest_for_all_arrives() -> None:
    world = delivered_world()
    latest = ShareRow.address_of("hub", credit_card("3"))
    world.rows.shares[latest] = replace(world.rows.shares[latest], fan_out=False)
    with_rules(world, FABRIKAM)

    reconciled(world, times=2)

    assert {version for tenant, version in delivered(world) if tenant == "fabrikam"} == {"2"}


def test_given_a_recalled_version_when_reconciled_then_nobody_gets_it() -> None:
    world = delivered_world(versions=("1",))
    address, share = next(iter(world.rows.shares.items()))
    world.rows.shares[address] = replace(share, recall="leaks")
    with_rules(world, FABRIKAM)

    assert [each for each in reconciled(world) if each.tenant == "fabrikam"] == []


def test_given_another_run_at_work_when_one_begins_then_it_does_nothing() -> None:
    world = delivered_world()
    with_rules(world, FABRIKAM)
    world.reconciling.stands = replace(world.reconciling.stands, until=world.clock.now().replace(year=2027))

    with pytest.raises(reconcile_pass.BusyError):
        reconciled(world)

    assert world.queues.rejected == []
    assert not any(tenant == "fabrikam" for tenant, _ in delivered(world))


def test_given_a_run_that_died_when_its_turn_is_over_then_the_next_goes_on() -> None:
    world = delivered_world()
    with_rules(world, FABRIKAM)
    world.reconciling.stands = replace(world.reconciling.stands, until=world.clock.now() + reconcile_pass.TURN)

    reconciled(world)

    assert ("fabrikam", "3") in delivered(world)


def test_given_changes_that_take_several_runs_when_rules_change_meanwhile_then_both_changes_are_followed() -> None:
    world = a_world(ADVENTURE)
    for number in range(5):
        register(world, replace(credit_card(), name=f"card-{number}"))
    world.run()
    reconciled(world, times=9, looks=3)
    with_rules(world, FABRIKAM)
    reconciled(world, looks=2)
    with_rules(world, subscriber("tailwind", Register()))

    reconciled(world, times=5, looks=3)

    assert {row.tenant for row in world.rows.closed.values()} == {"adventure", "fabrikam", "tailwind"}
    assert len(delivered(world)) == 3
    assert len(world.rows.closed) == 15
