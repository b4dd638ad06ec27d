"""Whether an asset may leave is asked again when it leaves; who asks for a share hears what came of it, and nobody else's names."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from shared import commands
from shared.actions import Register
from shared.assets import Asset, Kind, RegistryAsset, WorkspaceAsset, WorkspaceId
from shared.errors import Owner, Permanent, Transient
from shared.messages import Outgoing, Queue
from shared.reconciling import What
from shared.rows import ShareRow
from shared.states import ShareState
from shared.tenants import AssetPattern, Publication, RuleState, Subscription, Tenant, TenantState
from tests.fakes import World
from tests.unit.command_world import (
    PUSH,
    RECALL,
    SHARE,
    before_call,
    dies,
    handle_now,
    put,
    tenants_that_have_it,
    with_tenant,
    without_tenant,
)
from tests.unit.reconcile_world import PRODUCTION, delivered, every, reconciled, tagged
from tests.unit.test_command_flow import rejected, send, shared_world, the_share, with_tenants
from tests.unit.test_disturbances import with_publisher
from tests.unit.test_every_kind import ENVIRONMENT, EVERYTHING, PIPELINE, REGISTERED, STEP, arm, share, with_components, world_of
from tests.unit.world import PUBLISHER, a_world, credit_card, register, subscriber, workspace

IN_HUB = ("hub", credit_card())


def code_of(row: ShareRow) -> str:
    assert row.state is ShareState.FAILED
    assert row.reason
    return row.reason.code


# ---- a share of what is being recalled


def test_a_share_command_does_not_undo_a_recall_that_failed() -> None:
    world = shared_world(subscriber("adventure", Register()))
    world.azure.failing["update"] = Permanent("forbidden", "no role", Owner.PROVIDER, "assign it")
    send(world, **RECALL)
    with_tenants(world, subscriber("fabrikam", Register()))
    send(world, **SHARE)
    assert rejected(world) == "recalled"
    assert "fabrikam" not in tenants_that_have_it(world)


# ---- the rules change while a share waits


def waiting_share() -> World:
    """Its registry asks for an hour's patience."""
    world = a_world(subscriber("adventure", Register()))
    world.azure.failing["asset"] = Transient("throttled", retry_after=3600)
    register(world, credit_card())
    world.run(timedelta(minutes=5))
    return world


def test_what_is_not_published_any_more_does_not_leave() -> None:
    world = waiting_share()
    with_tenant(world, "northwind", publications=())
    world.run()
    assert code_of(the_share(world)) == "not_published"
    assert IN_HUB not in world.azure.registry


def test_the_share_of_a_tenant_that_left_ends() -> None:
    world = waiting_share()
    without_tenant(world, "northwind")
    world.run()
    assert code_of(the_share(world)) == "not_published"
    assert IN_HUB not in world.azure.registry


def test_the_share_of_a_paused_tenant_waits_until_it_is_active_again() -> None:
    world = waiting_share()
    with_tenant(world, "northwind", state=TenantState.PAUSED)
    world.run(timedelta(days=1))
    assert IN_HUB not in world.azure.registry
    with_tenant(world, "northwind", state=TenantState.ACTIVE)
    world.run()
    assert the_share(world).state is ShareState.SHARED


@pytest.mark.parametrize("state", [ShareState.REQUESTED, ShareState.IMPORTING, ShareState.FANNING_OUT])
@pytest.mark.parametrize("who", ["the publication", "the publisher"])
def test_what_is_on_its_way_at_a_pause_arrives_whole_once_that_is_over(who: str, state: ShareState) -> None:
    """As what is registered meanwhile does. What counts at a pause of the subscriber is the newest alone: so it is told."""
    world = a_world(subscriber("adventure", Register()))
    northwind = world.rules.rules.tenants["northwind"]
    all_paused = tuple(replace(each, state=RuleState.PAUSED) for each in northwind.publications)
    versions = ("1", "2", "3")
    for version in versions:
        register(world, credit_card(version))
    world.run(stop=lambda: len(states := [row.state for row in world.rows.shares.values()]) == len(versions) and state in states)

    changes = {"publications": all_paused} if who == "the publication" else {"state": TenantState.PAUSED}
    with_tenant(world, "northwind", **changes)
    reconciled(world)
    before = delivered(world)
    with_tenant(world, "northwind", publications=northwind.publications, state=TenantState.ACTIVE)
    reconciled(world, times=3)

    assert before == set()
    assert delivered(world) == {("adventure", version) for version in versions}


def test_a_share_whose_publication_is_paused_waits_until_it_is_resumed() -> None:
    world = waiting_share()
    publications = world.rules.rules.tenants["northwind"].publications
    with_tenant(world, "northwind", publications=tuple(replace(each, state=RuleState.PAUSED) for each in publications))
    world.run(timedelta(days=1))
    assert IN_HUB not in world.azure.registry
    with_tenant(world, "northwind", publications=publications)
    world.run()
    assert the_share(world).state is ShareState.SHARED


def test_a_retried_share_asks_again_whether_the_asset_may_leave() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.failing["import"] = Permanent("forbidden", "no role", Owner.PROVIDER, "assign it")
    register(world, credit_card())
    world.run()
    with_tenant(world, "northwind", publications=())
    send(world, type="retry", share=str(the_share(world).address))
    assert code_of(the_share(world)) == "not_published"
    assert IN_HUB not in world.azure.registry


# ---- shared for nobody, or with other tags since


def for_nobody() -> World:
    """Shared by a command that wants it delivered to nobody."""
    world = a_world(subscriber("adventure", Register()))
    world.azure.assets[PUBLISHER, credit_card()] = WorkspaceAsset(credit_card(), "azureml://x", world.clock.now())
    send(world, **SHARE, fan_out=False)
    assert the_share(world).state is ShareState.SHARED
    return world


def of_production(tenant: str) -> Subscription:
    return replace(subscriber(tenant, Register()).subscriptions[0], assets=(every(Kind.MODEL, PRODUCTION),))


def test_what_was_shared_for_nobody_stays_so_when_its_event_comes() -> None:
    world = for_nobody()
    register(world, credit_card())
    world.run()
    assert tenants_that_have_it(world) == set()


def test_what_was_shared_for_nobody_stays_so_when_its_tags_change() -> None:
    world = for_nobody()
    with_tenants(world, replace(subscriber("fabrikam", Register()), subscriptions=(of_production("fabrikam"),)))
    reconciled(world)
    tagged(world, credit_card(), {"stage": "production"})
    assert What.RETAGGED in {each.what for each in reconciled(world, times=2)}
    assert tenants_that_have_it(world) == set()


def test_what_was_shared_for_nobody_and_failed_stays_so_when_its_event_comes() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.assets[PUBLISHER, credit_card()] = WorkspaceAsset(credit_card(), "azureml://x", world.clock.now())
    world.azure.failing["import"] = Permanent("forbidden", "no role", Owner.PROVIDER, "assign it")
    send(world, **SHARE, fan_out=False)
    world.azure.failing.clear()
    register(world, credit_card())
    world.run()
    assert (the_share(world).state, tenants_that_have_it(world)) == (ShareState.SHARED, set())


def test_what_was_shared_for_nobody_is_for_all_once_somebody_asks_for_that() -> None:
    world = for_nobody()
    send(world, **SHARE)
    assert tenants_that_have_it(world) == {"adventure"}


def test_what_was_shared_for_nobody_stays_so_when_a_component_needs_it() -> None:
    world = world_of()
    with_components(world)
    send(
        world,
        type="share",
        workspace=str(PUBLISHER),
        asset={"kind": "environment", "name": "sklearn", "version": "3"},
        fan_out=False,
    )
    share(world, STEP)
    assert {row.asset for row in world.rows.closed.values()} == {STEP}


def test_tags_that_change_while_the_asset_is_fanned_out_are_not_lost_though_the_process_dies() -> None:
    world = shared_world(subscriber("adventure", Register()))
    with_tenants(world, replace(subscriber("fabrikam", Register()), subscriptions=(of_production("fabrikam"),)))
    tagged(world, credit_card(), {"stage": "production"})
    put(world, **SHARE)
    before_call(world, "save_plan", dies)
    world.run()
    assert tenants_that_have_it(world) == {"adventure", "fabrikam"}


# ---- who asked is told


def world_where_it_goes_nowhere(why: str) -> tuple[World, WorkspaceId]:
    """Where it is registered, it is private; or it is what Fanout delivered there itself."""
    world = shared_world(subscriber("adventure", Register()))
    with_tenant(world, "northwind", publications=())
    with_tenant(world, "adventure", publications=(Publication("all", "hub", EVERYTHING, ("*",)),))
    return world, PUBLISHER if why == "private" else workspace("adventure")


@pytest.mark.parametrize("why", ["private", "echo"])
def test_who_asks_for_a_share_that_goes_nowhere_is_told(why: str) -> None:
    world, origin = world_where_it_goes_nowhere(why)
    send(world, **{**SHARE, "workspace": str(origin)})
    assert rejected(world) == why


@pytest.mark.parametrize("why", ["private", "echo"])
def test_an_event_whose_model_goes_nowhere_bothers_nobody(why: str) -> None:
    world, origin = world_where_it_goes_nowhere(why)
    register(world, credit_card(), at=origin, message_id="event")
    world.run()
    assert world.queues.rejected == []


# ---- another origin's asset of the same name


def test_what_a_cancelled_share_left_in_the_registry_stays_its_own() -> None:
    world = a_world(subscriber("adventure", Register()))
    other = with_publisher(world, "tailspin")
    world.azure.seconds = 600
    register(world, credit_card())
    world.run(stop=lambda: bool(world.azure.effects))
    send(world, type="cancel", share=str(the_share(world).address))
    register(world, credit_card(), at=other)
    world.run()
    assert rejected(world) == "conflict"
    assert the_share(world).origin == PUBLISHER


def test_a_conflict_is_told_without_the_other_tenants_names() -> None:
    world = a_world()
    world.outcomes.wanted = True
    world.azure.registry[IN_HUB] = RegistryAsset(credit_card(), "hub", "https://store/1", "mlflow_model", "azureml://secretive/x")
    register(world, credit_card())
    world.run()
    assert "secretive" in str(the_share(world).reason)
    (told,) = world.outcomes.of_type("ShareFailed")
    assert "secretive" not in json.dumps(told.data)


# ---- components, and what goes along


def with_component_of(world: World, name: str, asset: Asset, spec: Mapping[str, object]) -> WorkspaceId:
    """A second tenant that publishes everything, and has a component."""
    there = workspace(name)
    everything = Publication("all", "hub", EVERYTHING, ("*",))
    with_tenants(world, Tenant(name, TenantState.ACTIVE, (there,), (everything,)))
    world.azure.assets[there, asset] = WorkspaceAsset(asset, "", REGISTERED, definition={"componentSpec": spec})
    return there


def share_from(world: World, origin: WorkspaceId, asset: Asset) -> ShareRow:
    world.queues.send(Queue.COMMANDS, [Outgoing(commands.share_of(origin, asset), f"share-{asset}-{origin.name}")])
    world.run()
    return next(row for row in world.rows.shares.values() if row.asset == asset)


def tailspins_pipeline(world: World) -> WorkspaceId:
    """It needs an environment that nobody else has, then a component whose name in the registry is northwind's."""
    origin = workspace("tailspin")
    own = replace(ENVIRONMENT, name="own")
    world.azure.assets[origin, own] = WorkspaceAsset(own, "", REGISTERED, definition={"image": "other"})
    environment = arm("environments", "own", "3", at=origin)
    with_component_of(world, "tailspin", STEP, {"environment": environment})
    jobs = {"first": {"componentId": arm("components", "train", at=origin)}}
    return with_component_of(world, "tailspin", PIPELINE, {"environment": environment, "jobs": jobs})


@pytest.mark.parametrize("why", ["conflict", "recalled"])
def test_nothing_goes_along_before_a_later_dependency_that_cannot(why: str) -> None:
    world = world_of()
    with_components(world)
    share(world, STEP)
    if why == "recalled":
        asset = {"kind": "component", "name": STEP.name, "version": STEP.version}
        send(world, type="recall", asset=asset, reason="leaks")
    before = set(world.azure.registry)
    row = share_from(world, tailspins_pipeline(world), PIPELINE)
    assert code_of(row) == why
    assert set(world.azure.registry) == before


def test_a_dependency_stays_within_the_regions_that_its_publication_allows() -> None:
    world = world_of()
    with_components(world)
    anywhere = Publication("components", "hub", (AssetPattern(Kind.COMPONENT, "*"),), ("*",))
    europe = Publication("envs", "hub", (AssetPattern(Kind.ENVIRONMENT, "*"),), ("*",), regions=("westeurope",))
    with_tenant(world, "northwind", publications=(anywhere, europe))
    world.azure.regions["hub"] = ("westeurope", "eastasia")
    share(world, STEP)
    (row,) = world.rows.shares.values()
    assert code_of(row) == "dependency_private"
    assert world.azure.registry == {}


def test_a_conflict_of_a_dependency_is_told_without_the_other_tenants_names() -> None:
    world = world_of()
    with_components(world)
    share(world, ENVIRONMENT)
    world.outcomes.wanted = True
    tailspin = workspace("tailspin")
    theirs = WorkspaceAsset(ENVIRONMENT, "", REGISTERED, definition={"image": "other"})
    world.azure.assets[tailspin, ENVIRONMENT] = theirs
    spec = {"environment": arm("environments", "sklearn", "3", at=tailspin)}
    share_from(world, with_component_of(world, "tailspin", STEP, spec), STEP)
    (told,) = [each for each in world.outcomes.of_type("ShareFailed") if each.topic == "tailspin"]
    assert "northwind" not in json.dumps(told.data)
    assert str(PUBLISHER) not in json.dumps(told.data)


def test_a_dependency_that_conflicts_with_what_came_by_hand_is_told_without_its_origin() -> None:
    world = world_of()
    with_components(world)
    world.outcomes.wanted = True
    by_hand = RegistryAsset(ENVIRONMENT, "hub", "", "", "azureml://secretive/x", definition={"image": "other"})
    world.azure.registry["hub", ENVIRONMENT] = by_hand
    share(world, STEP)
    assert len(world.outcomes.of_type("ShareFailed")) == 2
    for told in world.outcomes.of_type("ShareFailed"):
        assert "secretive" not in json.dumps(told.data)


# ---- what was cancelled


def test_a_share_that_somebody_cancelled_does_not_come_back_because_it_gets_other_tags() -> None:
    wish = Subscription("live", ("northwind",), (every(Kind.MODEL, PRODUCTION),), workspace("adventure"), (Register(),))
    world = a_world(Tenant("adventure", TenantState.ACTIVE, (workspace("adventure"),), subscriptions=(wish,)))
    register(world, credit_card())
    world.run(stop=lambda: bool(world.rows.shares))
    send(world, type="cancel", share=str(the_share(world).address), by="ada")
    reconciled(world)

    tagged(world, credit_card(), {"stage": "production"})
    reconciled(world, times=2)

    assert (code_of(the_share(world)), the_share(world).cancelled_by) == ("cancelled", "ada")
    assert not world.rows.closed


def test_a_fan_out_that_somebody_cancelled_is_not_made_good_by_the_reconciler_but_by_a_push() -> None:
    world = a_world(subscriber("adventure", Register()), subscriber("fabrikam", Register()))
    register(world, credit_card())
    world.run(stop=lambda: any(row.state is ShareState.FANNING_OUT for row in world.rows.shares.values()))
    handle_now(world, type="cancel", share=str(the_share(world).address), by="ada")
    world.run()
    assert the_share(world).state is ShareState.SHARED

    assert reconciled(world, times=2) == []
    assert not tenants_that_have_it(world)

    send(world, **PUSH)
    assert tenants_that_have_it(world) == {"adventure", "fabrikam"}
