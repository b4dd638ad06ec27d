"""A recall wins over whatever stands in its way: what is gone, what is late, what does not answer, what goes on meanwhile."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from shared.actions import Register
from shared.assets import Asset, RegistryAsset, WorkspaceId
from shared.azure_ml_ports import OperationState
from shared.errors import Lost, Owner, Permanent
from shared.states import ShareState
from tests.fake_azure import FakeRegistries
from tests.fakes import Crash, World
from tests.unit.command_world import (
    PUSH,
    RECALL,
    SickWorkspaces,
    before_call,
    pull_of,
    put,
    tenants_that_have_it,
    topic_down,
)
from tests.unit.test_command_flow import recalled_at, send, shared_world, the_share, with_tenants, without_subscription
from tests.unit.world import a_world, credit_card, register, subscriber, workspace


def is_archived_in(world: World, *tenants: str) -> bool:
    return all(world.azure.assets[workspace(name), credit_card()].archived for name in tenants)


# ---- what is gone from the registry


def test_what_somebody_deleted_from_the_registry_is_taken_back_from_the_tenants() -> None:
    world = shared_world(subscriber("adventure", Register()))
    del world.azure.registry["hub", credit_card()]
    send(world, **RECALL)
    assert is_archived_in(world, "adventure")


class NoRegistry(FakeRegistries):
    """The registry itself was deleted."""

    def asset(self, registry: str, asset: Asset) -> RegistryAsset | None:
        raise Permanent("registry_not_found", "there is no registry hub", Owner.PROVIDER, "correct provider.yaml")


def test_what_a_deleted_registry_held_is_taken_back_from_the_tenants() -> None:
    world = shared_world(subscriber("adventure", Register()))
    world.registries = NoRegistry(world.azure)
    send(world, **RECALL)
    assert is_archived_in(world, "adventure")


# ---- what is under way


def test_an_import_that_ends_long_after_its_recall_is_archived() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.seconds = 900
    register(world, credit_card())
    world.run(stop=lambda: bool(world.azure.effects))
    send(world, **RECALL)
    assert world.azure.registry["hub", credit_card()].archived


class DyingRegistries(FakeRegistries):
    """The process dies once an import is accepted, before it can write so."""

    def begin_import(self, registry: str, asset: Asset, source: WorkspaceId, source_asset: Asset) -> str | None:
        super().begin_import(registry, asset, source, source_asset)
        raise Crash


def test_an_import_that_nobody_lived_to_write_down_is_archived() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.seconds = 900
    world.registries = DyingRegistries(world.azure)
    register(world, credit_card())
    world.run(stop=lambda: bool(world.azure.effects))
    send(world, **RECALL)
    assert world.azure.registry["hub", credit_card()].archived


class LaggingRegistries(FakeRegistries):
    """Shows what it holds some minutes after the import has ended; of the operation it then knows nothing any more."""

    def asset(self, registry: str, asset: Asset) -> RegistryAsset | None:
        there = super().asset(registry, asset)
        shows_at = self._azure.operations.get("operation-0", self._azure.clock.now()) + timedelta(minutes=3)
        return there if shows_at < self._azure.clock.now() else None

    def operation(self, address: str) -> OperationState:
        state = super().operation(address)
        return state if state is OperationState.RUNNING else OperationState.ENDED


def test_an_import_that_ended_and_does_not_show_yet_is_archived() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.registries = LaggingRegistries(world.azure)
    register(world, credit_card())
    world.run(stop=lambda: bool(world.azure.effects))
    send(world, **RECALL)
    assert world.azure.registry["hub", credit_card()].archived
    assert the_share(world).state is ShareState.RECALLED


def test_an_import_that_failed_is_not_waited_for() -> None:
    world = a_world(subscriber("adventure", Register()))
    register(world, credit_card())
    world.run(stop=lambda: bool(world.azure.effects))
    world.azure.failed_operations["operation-0"] = Permanent("forbidden", "no role", Owner.PROVIDER, "assign it")
    world.azure.arriving.clear()
    put(world, **RECALL)
    world.run(timedelta(minutes=1))
    assert the_share(world).state is ShareState.RECALLED


def test_a_pull_that_a_recall_overtakes_delivers_nothing() -> None:
    world = shared_world(without_subscription("fabrikam"))
    before_call(world, "plan", lambda: send(world, **RECALL))
    send(world, **pull_of("fabrikam"))
    assert the_share(world).state is ShareState.RECALLED
    assert tenants_that_have_it(world) == set()


def test_a_fan_out_that_a_recall_overtakes_delivers_nothing() -> None:
    world = shared_world()
    with_tenants(world, subscriber("adventure", Register()))
    put(world, **PUSH)
    world.run(stop=lambda: the_share(world).state is ShareState.FANNING_OUT)
    before_call(world, "plan", lambda: send(world, **RECALL))
    world.run()
    assert the_share(world).state is ShareState.RECALLED
    assert tenants_that_have_it(world) == set()


def test_a_delivery_that_changes_at_the_same_time_holds_up_no_other() -> None:
    names = [f"tenant{n}" for n in range(10)]
    world = shared_world(*(subscriber(name, Register()) for name in names))

    def changes() -> None:
        raise Lost("another was first")

    before_call(world, "reopen", changes, number=10)
    began = world.clock.now()
    put(world, **RECALL)
    world.run(stop=lambda: sum(there.archived for there in world.azure.assets.values()) == 9)
    assert world.clock.now() - began < timedelta(minutes=1)


# ---- how soon


def test_what_was_shared_long_ago_is_recalled_as_soon_as_all_is_done() -> None:
    world = shared_world(subscriber("adventure", Register()))
    world.clock.time += timedelta(days=3)
    world.azure.seconds = 20
    began = world.clock.now()
    put(world, **RECALL)
    world.run(stop=lambda: the_share(world).state is ShareState.RECALLED)
    assert world.clock.now() - began < timedelta(minutes=1)


# ---- the latest


LATEST = {**RECALL, "asset": {**RECALL["asset"], "version": "latest"}}


def world_of_versions(*versions: str) -> World:
    world = a_world(subscriber("adventure", Register()))
    for version in versions:
        register(world, credit_card(version))
        world.run()
    return world


def share_states(world: World) -> dict[str, ShareState]:
    """By version."""
    return {share.asset.version: share.state for share in world.rows.shares.values()}


def test_the_latest_of_a_recall_that_comes_again_is_the_version_that_it_was_before() -> None:
    world = world_of_versions("1", "2")
    for _ in range(2):
        send(world, "recall-1", **LATEST)
        world.clock.time += timedelta(hours=1)
    assert share_states(world) == {"1": ShareState.SHARED, "2": ShareState.RECALLED}
    register(world, credit_card("3"))
    world.run()
    send(world, "recall-1", **LATEST)
    assert share_states(world)["3"] is ShareState.SHARED


def test_a_second_recall_of_the_latest_that_comes_meanwhile_remembers_its_version_too() -> None:
    world = world_of_versions("1", "2")
    put(world, "recall-1", **LATEST)
    world.run(stop=lambda: ShareState.RECALLING in share_states(world).values())
    for _ in range(2):
        send(world, "recall-2", **LATEST)
        world.clock.time += timedelta(hours=1)
    assert share_states(world) == {"1": ShareState.SHARED, "2": ShareState.RECALLED}


def test_another_recall_of_the_latest_is_of_the_version_before() -> None:
    world = world_of_versions("1", "2")
    send(world, "recall-1", **LATEST)
    send(world, "recall-2", **LATEST)
    assert share_states(world) == {"1": ShareState.RECALLED, "2": ShareState.RECALLED}


# ---- what does not answer


def test_a_recall_needs_nobody_who_listens() -> None:
    world = a_world(subscriber("adventure", Register()), subscriber("fabrikam", Register()))
    with topic_down(world):
        register(world, credit_card())
        world.run(timedelta(minutes=20))
        put(world, **RECALL)
        world.run(timedelta(hours=6))
        assert world.azure.registry["hub", credit_card()].archived
        assert is_archived_in(world, "adventure", "fabrikam")


def test_a_workspace_that_never_answers_keeps_nobody_from_hearing_of_the_recall() -> None:
    world = shared_world(subscriber("adventure", Register()), subscriber("fabrikam", Register()))
    world.workspaces = SickWorkspaces(world.azure, "adventure")
    put(world, **RECALL)
    world.run(timedelta(days=8))
    assert recalled_at(world)["fabrikam"] == [str(workspace("fabrikam"))]


class DeafRegistries(FakeRegistries):
    """Accepts that a version is archived, and leaves it as it is."""

    accepted = 0

    def begin_update(
        self, seen: RegistryAsset, tags: Mapping[str, str], *, without: Collection[str] = (), archive: bool = False
    ) -> str | None:
        self.accepted += 1
        return self._azure.begin("archive")


def test_an_archiving_that_comes_to_nothing_is_asked_for_less_and_less_often() -> None:
    world = shared_world(subscriber("adventure", Register()))
    deaf = DeafRegistries(world.azure)
    world.registries = deaf
    put(world, **RECALL)
    world.run(timedelta(hours=1))
    assert 1 < deaf.accepted < 50
