"""Publications that are paused, changed or refused by their registry: in the end what came after them is shared, and no more."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from handlers import reconcile_pass
from shared.actions import Mode, Register
from shared.assets import Asset, Kind, WorkspaceAsset, WorkspaceId
from shared.provenance import DELIVERY
from shared.reconciling import Finding, What
from shared.rules import RegistryRule, Rules
from shared.tenants import AssetPattern, Publication, RuleState, Tenant, TenantState
from tests.fake_azure import FakeAzure, FakeWorkspaces
from tests.fakes import World
from tests.unit.command_world import RECALL, SHARE, with_tenant, without_tenant
from tests.unit.reconcile_world import (
    PRODUCTION,
    appears,
    delivered,
    every,
    passed_through,
    previewed,
    reconciled,
    shared,
    tagged,
    time_passes,
    whats,
    with_rules,
)
from tests.unit.test_command_flow import send
from tests.unit.world import EVERY_MODEL, PUBLISHER, a_world, credit_card, register, subscriber, workspace

MANY = [str(number) for number in range(1, 16)]  # more than one look at a name finds

ALL = Publication("all", "hub", EVERY_MODEL, ("*",))
VAULTED = Publication("vaulted", "vault", EVERY_MODEL, ("*",))


def paused(publication: Publication) -> Publication:
    return replace(publication, state=RuleState.PAUSED)


def with_publications(world: World, *publications: Publication) -> None:
    with_rules(world, replace(world.rules.rules.tenants["northwind"], publications=publications))


def world_with(*publications: Publication) -> World:
    """Two registries; the reconciler has been by, when nothing was registered yet."""
    world = a_world()
    provider = replace(world.rules.rules.provider, registries=(RegistryRule("hub", ("*",)), RegistryRule("vault", ("*",))))
    world.rules.rules = Rules(provider, world.rules.rules.tenants, 2)
    with_publications(world, *publications)
    reconciled(world)
    return world


def all_appear(world: World, versions: list[str]) -> None:
    for version in versions:
        appears(world, credit_card(version))


def in_registry(world: World, registry: str) -> list[str]:
    return sorted((row.asset.version for row in world.rows.shares.values() if row.registry == registry), key=int)


# ---- paused


@pytest.mark.parametrize("before", [["1"], []], ids=["a name that was known", "a new name"])
def test_given_a_publication_that_was_paused_when_it_is_resumed_then_all_that_came_meanwhile_is_shared(before: list[str]) -> None:
    world = world_with(ALL)
    all_appear(world, before)
    reconciled(world)
    with_publications(world, paused(ALL))
    all_appear(world, MANY[1:])
    reconciled(world, times=3)
    assert in_registry(world, "hub") == before

    with_publications(world, ALL)
    reconciled(world)

    assert in_registry(world, "hub") == [*before, *MANY[1:]]


def test_given_a_paused_publication_when_reconciled_then_nothing_is_found_nor_asked_for() -> None:
    world = world_with(ALL)
    with_publications(world, paused(ALL))
    all_appear(world, ["1"])
    accepted = world.queues.accepted

    assert reconciled(world, times=2) == []
    assert previewed(world) == []
    assert world.queues.accepted == accepted


def test_given_one_of_two_publications_that_was_paused_when_it_is_resumed_then_all_follows_to_its_registry_too() -> None:
    world = world_with(ALL, VAULTED)
    with_publications(world, ALL, paused(VAULTED))
    for version in MANY:
        all_appear(world, [version])
        reconciled(world)
    assert (in_registry(world, "hub"), in_registry(world, "vault")) == (MANY, [])

    with_publications(world, ALL, VAULTED)
    reconciled(world)

    assert in_registry(world, "vault") == MANY


def test_given_a_publication_that_begins_paused_when_it_is_resumed_then_the_newest_before_it_and_all_after_it_is_shared() -> None:
    world = world_with(ALL)
    all_appear(world, MANY[:3])
    reconciled(world)
    with_publications(world, ALL, paused(VAULTED))
    reconciled(world)
    all_appear(world, MANY[3:])
    reconciled(world)

    with_publications(world, ALL, VAULTED)
    reconciled(world)

    assert in_registry(world, "vault") == MANY[2:]


def test_given_history_when_a_publication_is_paused_and_resumed_then_no_more_of_it_is_shared() -> None:
    world = a_world()
    all_appear(world, MANY)
    reconciled(world)
    assert in_registry(world, "hub") == MANY[-1:]

    with_publications(world, paused(ALL))
    reconciled(world)
    with_publications(world, ALL)

    assert reconciled(world, times=2) == []
    assert in_registry(world, "hub") == MANY[-1:]


def test_given_a_publication_that_came_to_a_paused_tenant_when_that_is_resumed_then_all_that_came_after_it_is_shared() -> None:
    world = world_with()
    northwind = replace(world.rules.rules.tenants["northwind"], publications=(ALL,))
    with_rules(world, replace(northwind, state=TenantState.PAUSED))
    reconciled(world)
    all_appear(world, MANY)
    assert reconciled(world) == []

    with_rules(world, northwind)
    reconciled(world)

    assert in_registry(world, "hub") == MANY


# ---- new


def test_given_a_new_publication_when_versions_come_before_the_reconciler_does_then_all_of_them_are_shared() -> None:
    """And of what stood there before, the newest."""
    world = world_with()
    all_appear(world, MANY[:5])
    reconciled(world)

    with_publications(world, ALL)
    all_appear(world, MANY[5:])
    shown = previewed(world)
    reconciled(world)

    assert {each.asset for each in shown} == {f"model credit-card:{version}" for version in MANY[4:]}
    assert in_registry(world, "hub") == MANY[4:]


def test_given_a_new_publication_when_the_reconciler_comes_late_to_its_workspace_then_all_that_came_after_it_is_shared() -> None:
    world = world_with()
    others = [workspace(f"a-{number}") for number in range(8)]
    for there in others:
        appears(world, credit_card("1"), at=there)
    reconciled(world, times=8)

    northwind = world.rules.rules.tenants["northwind"]
    with_rules(world, replace(northwind, publications=(ALL,), workspaces=(*others, *northwind.workspaces)))
    all_appear(world, MANY)
    reconciled(world, times=12, looks=2)

    assert in_registry(world, "hub") == MANY


# ---- changed


CHANGES: list[Callable[[Publication], Publication]] = [
    lambda before: replace(before, to=("fabrikam",)),
    lambda before: replace(before, advisory=True),
    lambda before: replace(before, regions=("westeurope",)),
]


@pytest.mark.parametrize("change", CHANGES)
def test_given_a_change_of_who_gets_it_when_a_name_was_new_then_all_its_versions_are_shared(
    change: Callable[[Publication], Publication],
) -> None:
    world = world_with(ALL)
    all_appear(world, MANY)

    with_publications(world, change(ALL))
    reconciled(world)

    assert in_registry(world, "hub") == MANY


def test_given_another_registry_when_reconciled_then_it_gets_the_newest_that_stood_there_and_all_that_comes() -> None:
    world = world_with(ALL)
    all_appear(world, MANY[:5])
    reconciled(world)
    time_passes(world, 24 * 60)
    reconciled(world)  # knows that all five arrived

    with_publications(world, replace(ALL, registry="vault"))
    reconciled(world)
    all_appear(world, MANY[5:])
    reconciled(world)

    assert in_registry(world, "vault") == MANY[4:]


def test_given_a_version_that_left_by_one_publication_when_it_gets_the_tags_of_another_then_it_leaves_by_that_too() -> None:
    world = world_with(ALL, replace(VAULTED, assets=(every(Kind.MODEL, PRODUCTION),)))
    all_appear(world, ["1", "2"])
    reconciled(world)
    assert in_registry(world, "vault") == []

    tagged(world, credit_card("1"), {"stage": "production"})
    reconciled(world)

    assert in_registry(world, "vault") == ["1"]


def test_given_a_workspace_whose_new_owner_names_things_after_itself_when_reconciled_then_the_newest_gets_its_name() -> None:
    world = world_with(replace(ALL, rename="{tenant}-{name}"))
    all_appear(world, ["1", "2"])
    for _ in range(2):  # the second time it knows that they arrived
        reconciled(world)
        time_passes(world, 24 * 60)

    northwind = world.rules.rules.tenants["northwind"]
    with_rules(world, replace(northwind, workspaces=(), publications=()), replace(northwind, id="southridge"))
    reconciled(world)

    assert shared(world) == {"northwind-credit-card:1", "northwind-credit-card:2", "southridge-credit-card:2"}


@pytest.mark.parametrize("mode", list(Mode))
def test_given_a_registry_in_place_of_another_when_reconciled_then_who_got_something_does_not_share_it(mode: Mode) -> None:
    world = world_with(ALL)
    adventure = replace(subscriber("adventure", Register(mode)), publications=(ALL,))
    with_rules(world, adventure)
    all_appear(world, ["1"])
    reconciled(world, times=2)
    assert (workspace("adventure"), credit_card("1")) in world.azure.assets

    known = world.rules.rules
    in_vault = {each.id: replace(each, publications=(replace(ALL, registry="vault"),)) for each in known.tenants.values()}
    provider = replace(known.provider, registries=(RegistryRule("vault", ("*",)),))
    world.rules.rules = Rules(provider, in_vault, known.revision + 1)
    reconciled(world, times=2)

    assert sorted(row.registry for row in world.rows.shares.values()) == ["hub", "vault"]
    assert {row.origin_tenant for row in world.rows.shares.values()} == {"northwind"}


@pytest.mark.parametrize("mark", ["", "delivery", "delivery/a/b", "delivery/a?/b#", "share/a/b", "delivery/a/b/c"])
def test_given_a_mark_that_is_none_of_ours_when_reconciled_then_the_asset_is_shared(mark: str) -> None:
    world = world_with(ALL)
    all_appear(world, ["1"])
    there = world.azure.assets[PUBLISHER, credit_card("1")]
    world.azure.assets[PUBLISHER, credit_card("1")] = replace(there, properties={DELIVERY: mark})

    reconciled(world)

    assert in_registry(world, "hub") == ["1"]


OF_FRAUD = replace(ALL, name="fraud", assets=(AssetPattern(Kind.MODEL, "fraud-*"),))


@pytest.mark.parametrize("others", [(), (OF_FRAUD,)], ids=["the only one", "one of two"])
@pytest.mark.parametrize("back", [ALL, replace(ALL, assets=(AssetPattern(Kind.MODEL, "credit-*"),))], ids=["as it was", "changed"])
def test_given_a_publication_that_was_removed_when_it_is_back_then_what_was_private_meanwhile_stays_so_but_the_newest(
    others: tuple[Publication, ...], back: Publication
) -> None:
    world = world_with(*others, ALL)
    all_appear(world, MANY[:1])
    reconciled(world)
    with_publications(world, *others)
    reconciled(world)
    all_appear(world, MANY[1:4])
    reconciled(world)

    with_publications(world, *others, back)
    reconciled(world)
    all_appear(world, MANY[4:6])
    reconciled(world)

    assert in_registry(world, "hub") == ["1", "4", "5", "6"]


LEAVES: list[Callable[[World], None]] = [
    lambda world: with_tenant(world, "northwind", workspaces=()),
    lambda world: without_tenant(world, "northwind"),
    lambda world: with_rules(
        world,
        replace(world.rules.rules.tenants["northwind"], workspaces=()),
        replace(world.rules.rules.tenants["northwind"], id="southridge", publications=()),
    ),
]


@pytest.mark.parametrize("leaves", LEAVES, ids=["the workspace", "the tenant", "to a tenant that publishes nothing"])
@pytest.mark.parametrize("look", [reconciled, passed_through], ids=["by the timer", "in a whole pass"])
def test_given_a_workspace_that_was_in_no_rules_when_it_is_back_then_what_was_private_meanwhile_stays_so_but_the_newest(
    leaves: Callable[[World], None], look: Callable[[World], list[Finding]]
) -> None:
    world = world_with(ALL)
    all_appear(world, MANY[:1])
    reconciled(world)
    northwind = world.rules.rules.tenants["northwind"]
    leaves(world)
    look(world)
    all_appear(world, MANY[1:4])
    reconciled(world)

    without_tenant(world, "southridge")
    with_rules(world, northwind)
    reconciled(world)
    all_appear(world, MANY[4:6])
    reconciled(world)

    assert in_registry(world, "hub") == ["1", "4", "5", "6"]


def test_given_a_workspace_that_nothing_is_published_from_any_more_when_that_is_known_then_no_change_leads_there_again() -> None:
    world = world_with(ALL)
    with_publications(world)
    reconciled(world)

    assert list(world.reconciling.watched(None)) == []


# ---- refused


def forbidden_world() -> World:
    """The registry replicates to where nothing may go."""
    world = world_with(replace(ALL, regions=("westeurope",)))
    world.azure.regions["hub"] = ("asia",)
    all_appear(world, MANY)
    return world


def refusals(found: list[Finding]) -> list[tuple[str, str, str | None]]:
    return [(each.asset, each.why.partition(":")[0], each.healed_by) for each in found if each.what is What.REFUSED]


def test_given_what_its_registry_may_not_hold_when_reconciled_then_it_is_shown_with_the_reason_and_not_asked_for() -> None:
    world = forbidden_world()
    accepted = world.queues.accepted

    found = reconciled(world, times=3)

    assert refusals(found) == [(f"model credit-card:{version}", "region_forbidden", None) for version in MANY]
    assert (world.queues.accepted, world.queues.rejected) == (accepted, [])


def test_given_what_was_refused_when_the_rules_change_and_it_still_is_then_nothing_piles_up() -> None:
    world = forbidden_world()

    for number in range(5):
        with_rules(world, subscriber(f"tenant-{number}", Register()))
        reconciled(world)
        time_passes(world, 24 * 60)

    assert world.queues.rejected == []


def test_given_what_was_refused_when_somebody_looks_at_everything_then_it_is_shown_again() -> None:
    world = forbidden_world()
    reconciled(world, times=2)
    time_passes(world)
    found: list[Finding] = []

    assert len(refusals(previewed(world))) == len(MANY)
    reconcile_pass.whole_pass(world, found.append)

    assert len(refusals(found)) == len(MANY)


@pytest.mark.parametrize("mended", ["the registry", "the publication"])
def test_given_what_was_refused_when_that_is_mended_then_all_of_it_is_shared(mended: str) -> None:
    world = forbidden_world()
    reconciled(world, times=2)

    if mended == "the registry":
        world.azure.regions["hub"] = ("westeurope",)
        time_passes(world, 24 * 60)
    else:
        with_publications(world, ALL)
    reconciled(world)

    assert in_registry(world, "hub") == MANY


INSIDE, ANYWHERE = replace(ALL, name="inside", to=("fabrikam",), regions=("westeurope",)), replace(ALL, to=("adventure",))


def test_given_a_registry_that_one_publication_forbids_when_another_brings_something_there_then_the_first_lets_nobody_have_it() -> (
    None
):
    world = world_with(INSIDE, ANYWHERE)
    with_rules(world, subscriber("adventure", Register()), subscriber("fabrikam", Register()))
    world.azure.regions["hub"] = ("westeurope", "asia")
    all_appear(world, ["1"])

    reconciled(world, times=2)

    assert delivered(world) == {("adventure", "1")}


def test_given_a_registry_that_comes_to_replicate_further_when_pushed_to_another_then_that_is_forbidden_and_shown() -> None:
    world = world_with(INSIDE, ANYWHERE)
    with_rules(world, subscriber("fabrikam", Register()))
    all_appear(world, ["1"])
    reconciled(world, times=2)
    assert delivered(world) == {("fabrikam", "1")}

    world.azure.regions["hub"] = ("westeurope", "asia")
    with_rules(world, subscriber("adventure", Register()))
    found = reconciled(world, times=2)

    assert delivered(world) == {("fabrikam", "1"), ("adventure", "1")}
    assert (What.NOT_ALLOWED, "fabrikam", "1") in whats(found)


def test_given_two_tenants_with_an_asset_of_the_same_name_when_reconciled_then_the_second_is_told_of_the_conflict() -> None:
    world = world_with(ALL)
    there = workspace("tailspin")
    with_rules(world, Tenant("tailspin", world.rules.rules.tenants["northwind"].state, (there,), (ALL,)))
    reconciled(world)
    appears(world, credit_card("1"))
    reconciled(world)
    appears(world, credit_card("1"), at=there)

    (finding,) = reconciled(world, times=2)

    assert (finding.what, finding.tenant, finding.why.partition(":")[0]) == (What.REFUSED, "tailspin", "conflict")
    assert world.queues.rejected == []


class CountingWorkspaces(FakeWorkspaces):
    def __init__(self, azure: FakeAzure) -> None:
        super().__init__(azure)
        self.looks = 0

    def newest(self, workspace: WorkspaceId, kind: Kind, name: str, most: int) -> Sequence[WorkspaceAsset]:
        self.looks += 1
        return super().newest(workspace, kind, name, most)

    def asset(self, workspace: WorkspaceId, asset: Asset) -> WorkspaceAsset | None:
        self.looks += 1
        return super().asset(workspace, asset)


def looks_at_one_more(history: int, refused: list[str]) -> int:
    """How many it takes to share one new version, where the very first ones were refused: another tenant has their names."""
    world = world_with(ALL)
    counting = CountingWorkspaces(world.azure)
    world.workspaces = counting
    southridge = Tenant("southridge", TenantState.ACTIVE, (workspace("southridge"),), (ALL,))
    with_rules(world, southridge)
    for version in refused:
        appears(world, credit_card(version), at=southridge.workspaces[0])
    for versions in ([], refused, [str(number) for number in range(100, 100 + history)]):
        all_appear(world, versions)
        reconciled(world)
    before = counting.looks
    all_appear(world, ["5000"])
    found = reconciled(world)
    assert [each.asset for each in found if each.what is What.UNSHARED] == ["model credit-card:5000"]
    return counting.looks - before


@pytest.mark.parametrize("refused", [["1"], MANY[:5]], ids=["one", "a few"])
def test_given_what_was_refused_long_ago_when_something_comes_then_as_much_is_read_as_soon_after(refused: list[str]) -> None:
    assert looks_at_one_more(300, refused) == looks_at_one_more(30, refused)


def test_given_much_that_was_refused_long_ago_when_something_comes_then_it_is_not_looked_for_one_by_one() -> None:
    assert looks_at_one_more(300, MANY) < len(MANY)


def test_given_a_recalled_version_when_reconciled_then_nobody_is_told_of_it_again() -> None:
    world = world_with(ALL)
    all_appear(world, ["1"])
    reconciled(world)
    for address, row in world.rows.shares.items():
        world.rows.shares[address] = replace(row, recall="leaks")

    assert refusals(previewed(world)) == []


def test_given_a_version_that_one_registry_refuses_when_another_lacks_it_then_it_is_shared_there() -> None:
    world = world_with(replace(ALL, regions=("westeurope",)), VAULTED)
    world.azure.regions["hub"] = ("asia",)
    all_appear(world, ["1"])

    found = reconciled(world, times=2)

    assert {each.what for each in found} == {What.REFUSED, What.UNSHARED}
    assert in_registry(world, "vault") == ["1"]


def test_given_a_name_that_only_a_paused_publication_is_about_when_another_is_then_it_is_left_alone() -> None:
    world = world_with(replace(ALL, assets=(AssetPattern(Kind.MODEL, "credit-*"),)), paused(replace(ALL, name="rest")))
    appears(world, Asset(Kind.MODEL, "fraud", "1"))
    appears(world, credit_card("1"))

    reconciled(world, times=2)

    assert shared(world) == {"credit-card:1"}


# ---- recalled


AGAIN = replace(ALL, name="again", rename="{tenant}-{name}")


def recalled_world(*before: str) -> World:
    """Version 1 was shared after these, and recalled."""
    world = world_with(ALL)
    all_appear(world, [*before, "1"])
    reconciled(world, times=2)
    send(world, **RECALL)
    return world


def test_given_a_recalled_version_when_its_publication_gives_it_another_name_then_it_is_not_shared_by_that() -> None:
    world = recalled_world()

    with_publications(world, ALL, AGAIN)
    found = reconciled(world, times=2)

    assert (found, world.queues.rejected) == ([], [])
    assert shared(world) == {"credit-card:1"}


def test_given_a_recalled_version_that_is_the_newest_when_its_publication_is_another_then_the_one_before_it_is_shared() -> None:
    world = recalled_world("0")

    with_publications(world, replace(ALL, registry="vault"))
    reconciled(world)

    assert in_registry(world, "vault") == ["0"]


def test_given_a_recalled_version_when_its_event_comes_again_then_it_is_not_shared_under_another_name() -> None:
    world = recalled_world()
    with_publications(world, AGAIN)

    register(world, credit_card())
    world.run()

    assert shared(world) == {"credit-card:1"}


def test_given_a_recalled_version_when_somebody_shares_it_under_another_name_then_that_is_done() -> None:
    world = recalled_world()
    with_publications(world, AGAIN)

    send(world, **SHARE)

    assert shared(world) == {"credit-card:1", "northwind-credit-card:1"}
