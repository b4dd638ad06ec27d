"""Worlds for the tests of the reconciler: what tenants do without anybody hearing of it, and the timer that comes by."""

from dataclasses import replace
from datetime import timedelta

from handlers import reconcile_pass
from handlers.reconcile_round import Bounds
from shared.actions import Register
from shared.assets import Asset, Kind, WorkspaceAsset, WorkspaceId
from shared.reconciling import Finding, What
from shared.rules import Rules
from shared.states import DeliveryState
from shared.tenants import AssetPattern, Publication, TagCondition, Tenant
from tests.fakes import World
from tests.unit.world import PUBLISHER, a_world, credit_card, register, subscriber

PRODUCTION = TagCondition("stage", ("production",))


def appears(
    world: World, asset: Asset, at: WorkspaceId = PUBLISHER, *, tags: dict[str, str] | None = None, uri: str | None = None
) -> None:
    """Someone registers an asset, and no event tells of it."""
    world.clock.time += timedelta(seconds=30)
    place = f"azureml://{at.name}/datastores/{asset.name}/{asset.version}" if uri is None else uri
    world.azure.assets[at, asset] = WorkspaceAsset(asset, place, world.clock.now(), tags or {})


def tagged(world: World, asset: Asset, tags: dict[str, str], at: WorkspaceId = PUBLISHER) -> None:
    world.azure.assets[at, asset] = replace(world.azure.assets[at, asset], tags=tags)


def time_passes(world: World, minutes: float = 15) -> None:
    world.clock.time += timedelta(minutes=minutes)


def reconciled(world: World, times: int = 1, *, looks: int = 10_000, drift: int = 10_000) -> list[Finding]:
    """The timer came by so often, and what it asked for was done; what it found."""
    found: list[Finding] = []
    for _ in range(times):
        time_passes(world)
        reconcile_pass.run(world, found.append, Bounds(world.clock.now() + timedelta(minutes=5), looks, drift))
        world.run()
    return found


def previewed(world: World) -> list[Finding]:
    found: list[Finding] = []
    reconcile_pass.preview(world, found.append)
    return found


def passed_through(world: World) -> list[Finding]:
    """Somebody asked for a whole pass."""
    found: list[Finding] = []
    reconcile_pass.whole_pass(world, found.append)
    return found


def with_rules(world: World, *tenants: Tenant) -> None:
    """The rules of these tenants are others now."""
    known = world.rules.rules
    world.rules.rules = Rules(known.provider, {**known.tenants, **{each.id: each for each in tenants}}, known.revision + 1)


def publishing(tenant: Tenant, *patterns: AssetPattern, name: str = "all", to: tuple[str, ...] = ("*",)) -> Tenant:
    return replace(tenant, publications=(Publication(name, "hub", patterns, to),))


def every(kind: Kind, *tags: TagCondition) -> AssetPattern:
    return AssetPattern(kind, "*", tags=tags)


def holds(world: World, workspace: WorkspaceId, *versions: str) -> bool:
    return all((workspace, credit_card(version)) in world.azure.assets for version in versions)


def delivered(world: World) -> set[tuple[str, str]]:
    """Tenant and version of what was delivered."""
    return {(row.tenant, row.asset.version) for row in world.rows.closed.values() if row.state is DeliveryState.DELIVERED}


def shared(world: World) -> set[str]:
    return {f"{row.asset.name}:{row.asset.version}" for row in world.rows.shares.values()}


def delivered_world(*tenants: Tenant, versions: tuple[str, ...] = ("1", "2", "3")) -> World:
    """All that was registered was delivered, and the reconciler has been by."""
    world = a_world(*(tenants or (subscriber("adventure", Register()),)))
    for version in versions:
        register(world, credit_card(version))
    world.run()
    reconciled(world, times=2)
    return world


def whats(found: list[Finding]) -> list[tuple[What, str, str]]:
    return [(each.what, each.tenant, each.asset.rpartition(":")[2]) for each in found]
