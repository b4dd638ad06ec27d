"""Shares and registrations of all four kinds, in memory: what travels, in which order, and what stops it before it begins."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared import commands, provenance
from shared.actions import Mode, Register
from shared.assets import Asset, Kind, WorkspaceAsset, WorkspaceId, registry_path
from shared.errors import Owner, Permanent
from shared.messages import Outgoing, Queue
from shared.states import DeliveryState, ShareState
from shared.tenants import AssetPattern, Publication, Subscription, Tenant, TenantState
from tests.fake_fairness import FakeFairness, FullFairness
from tests.fakes import World
from tests.unit.world import PUBLISHER, rules, workspace

EVERYTHING = tuple(AssetPattern(kind, "*") for kind in Kind)
SUBSCRIBER = workspace("fabrikam")
REGISTERED = datetime(2026, 3, 1, tzinfo=UTC)

ENVIRONMENT = Asset(Kind.ENVIRONMENT, "sklearn", "3")
STEP = Asset(Kind.COMPONENT, "train", "1")
PIPELINE = Asset(Kind.COMPONENT, "pipeline", "7")
CODE = "5e90c012-c49b-4540-8774-219789e1a752"


def arm(kind: str, name: str, version: str = "1", at: WorkspaceId = PUBLISHER) -> str:
    return f"azureml:{at}/{kind}/{name}/versions/{version}"


STEP_SPEC = {
    "name": "train",
    "version": "1",
    "type": "command",
    "command": "python train.py",
    "environment": arm("environments", "sklearn", "3"),
    "code": arm("codes", CODE),
    "id": arm("components", "train"),
}
PIPELINE_SPEC = {
    "name": "pipeline",
    "type": "pipeline",
    "jobs": {"first": {"type": "command", "componentId": arm("components", "train")}},
}


def world_of(*kinds: Kind, mode: Mode = Mode.REFERENCE, publication: Publication | None = None) -> World:
    """Northwind publishes these kinds, and fabrikam takes in everything."""
    published = tuple(AssetPattern(kind, "*") for kind in kinds or Kind)
    lets_out = publication or Publication("all", "hub", published, ("*",))
    wants = Subscription("all", ("northwind",), EVERYTHING, SUBSCRIBER, (Register(mode),))
    base = rules()
    tenants = {
        "northwind": Tenant("northwind", TenantState.ACTIVE, (PUBLISHER,), (lets_out,)),
        "fabrikam": Tenant("fabrikam", TenantState.ACTIVE, (SUBSCRIBER,), (), (wants,)),
    }
    return World(replace(base, tenants=tenants))


def registered(world: World, asset: Asset, definition: Mapping[str, object] | None = None, uri: str = "") -> None:
    there = WorkspaceAsset(asset, uri, REGISTERED, {"stage": "production"}, definition=definition or {})
    world.azure.assets[PUBLISHER, asset] = there


def with_components(world: World) -> None:
    registered(world, ENVIRONMENT, {"image": "mcr.microsoft.com/x:1"})
    registered(world, STEP, {"componentSpec": STEP_SPEC})
    registered(world, PIPELINE, {"componentSpec": PIPELINE_SPEC})


def share(world: World, asset: Asset, message_id: str = "") -> None:
    world.queues.send(Queue.COMMANDS, [Outgoing(commands.share_of(PUBLISHER, asset), message_id or f"share-{asset}")])
    world.run()


def share_states(world: World) -> dict[str, ShareState]:
    return {row.asset.name: row.state for row in world.rows.shares.values()}


@pytest.mark.parametrize(
    ("asset", "uri", "definition"),
    [
        (Asset(Kind.MODEL, "card", "1"), "azureml://paths/card", {}),
        (Asset(Kind.DATA, "cards", "2"), "azureml://paths/cards", {}),
        (ENVIRONMENT, "", {"image": "mcr.microsoft.com/x:1"}),
    ],
    ids=lambda value: value.kind if isinstance(value, Asset) else "",
)
def test_what_azure_can_share_is_imported_and_registered(asset: Asset, uri: str, definition: Mapping[str, object]) -> None:
    world = world_of()
    registered(world, asset, definition, uri)
    share(world, asset)
    assert share_states(world) == {asset.name: ShareState.SHARED}
    there = world.azure.assets[SUBSCRIBER, asset]
    assert there.uri == world.azure.registry["hub", asset].uri
    assert there.definition == definition
    assert there.tags["stage"] == "production"


def test_an_import_bears_its_provenance_in_its_tags_and_a_delivery_in_its_properties() -> None:
    world = world_of()
    asset = Asset(Kind.DATA, "cards", "2")
    registered(world, asset, uri="azureml://paths/cards")
    share(world, asset)
    (row,) = world.rows.shares.values()
    (delivery,) = world.rows.closed.values()
    expected = {provenance.SHARE: str(row.address), provenance.ORIGIN: f"azureml://publisher/{asset}"}
    assert expected.items() <= dict(world.azure.registry["hub", asset].tags).items()
    expected = {provenance.DELIVERY: str(delivery.address), provenance.REGISTRY_ID: registry_path("hub", asset)}
    assert expected.items() <= dict(world.azure.assets[SUBSCRIBER, asset].properties).items()


def test_a_registry_that_refuses_tags_keeps_the_asset_all_the_same() -> None:
    world = world_of()
    asset = Asset(Kind.DATA, "cards", "2")
    registered(world, asset, uri="azureml://paths/cards")
    world.azure.failing["update"] = Permanent("refused", "tags are not for you", Owner.PROVIDER, "nothing")
    share(world, asset)
    (row,) = world.rows.shares.values()
    assert row.state is ShareState.SHARED
    assert any("tags are not for you" in attempt.outcome for attempt in row.attempts)


def test_a_component_follows_its_environment_and_its_code() -> None:
    world = world_of()
    with_components(world)
    share(world, STEP)
    assert share_states(world) == {"sklearn": ShareState.SHARED, "train": ShareState.SHARED}
    made = [effect.split(" ")[0] for effect in world.azure.effects if effect.split(" ")[0] in ("import", "code", "make")]
    assert made == ["import", "code", "make"]
    spec = world.azure.registry["hub", STEP].definition["componentSpec"]
    assert isinstance(spec, dict)
    assert spec["environment"] == registry_path("hub", ENVIRONMENT)
    assert spec["code"].startswith("azureml://registries/hub/codes/")
    assert "id" not in spec
    assert world.azure.assets[SUBSCRIBER, STEP].definition["componentSpec"] == spec


def test_two_components_share_their_environment_and_code_once() -> None:
    world = world_of()
    with_components(world)
    other = replace(STEP, name="evaluate")
    registered(world, other, {"componentSpec": {**STEP_SPEC, "name": "evaluate"}})
    share(world, STEP)
    share(world, other)
    assert sorted(share_states(world)) == ["evaluate", "sklearn", "train"]
    assert sum(effect.startswith("code ") for effect in world.azure.effects) == 1


def test_a_pipeline_follows_its_components() -> None:
    world = world_of()
    with_components(world)
    share(world, PIPELINE)
    assert set(share_states(world).values()) == {ShareState.SHARED}
    spec = world.azure.registry["hub", PIPELINE].definition["componentSpec"]
    assert isinstance(spec, dict)
    assert spec["jobs"]["first"]["componentId"] == registry_path("hub", STEP)


@pytest.mark.parametrize("asset", [STEP, PIPELINE], ids=lambda asset: asset.name)
def test_a_dependency_that_may_not_leave_stops_the_share_before_it_begins(asset: Asset) -> None:
    world = world_of(Kind.COMPONENT)
    with_components(world)
    share(world, asset)
    (row,) = world.rows.shares.values()
    assert row.state is ShareState.FAILED
    assert row.reason
    assert (row.reason.code, row.reason.owner) == ("dependency_private", Owner.PUBLISHER)
    assert "environment sklearn:3" in row.reason.text
    assert world.azure.effects == []


def test_a_dependency_whose_share_failed_is_named() -> None:
    world = world_of()
    with_components(world)
    world.azure.failing["import"] = Permanent("forbidden", "no role", Owner.PROVIDER, "assign it")
    share(world, STEP)
    assert share_states(world) == {"sklearn": ShareState.FAILED, "train": ShareState.FAILED}
    row = next(row for row in world.rows.shares.values() if row.asset == STEP)
    assert row.reason
    assert "environment sklearn:3" in row.reason.text
    assert "no role" in row.reason.text
    share(world, STEP, "once the role is assigned")
    assert share_states(world) == {"sklearn": ShareState.SHARED, "train": ShareState.SHARED}


def test_an_environment_that_came_from_the_registry_is_named_as_it_is_there() -> None:
    world = world_of()
    with_components(world)
    share(world, ENVIRONMENT)
    tenants = dict(world.rules.rules.tenants)
    back = Publication("back", "hub", (AssetPattern(Kind.COMPONENT, "*"),), ("*",))
    tenants["fabrikam"] = replace(tenants["fabrikam"], publications=(back,))
    world.rules.rules = replace(world.rules.rules, tenants=tenants)
    theirs = replace(STEP, name="theirs")
    spec = {"environment": arm("environments", "sklearn", "3", at=SUBSCRIBER)}
    world.azure.assets[SUBSCRIBER, theirs] = WorkspaceAsset(theirs, "", REGISTERED, definition={"componentSpec": spec})
    world.queues.send(Queue.COMMANDS, [Outgoing(commands.share_of(SUBSCRIBER, theirs), "back")])
    world.run()
    there = world.azure.registry["hub", theirs].definition["componentSpec"]
    assert isinstance(there, dict)
    assert there["environment"] == registry_path("hub", ENVIRONMENT)


def test_a_models_environment_goes_along_when_its_publication_names_it() -> None:
    publication = Publication("cards", "hub", (AssetPattern(Kind.MODEL, "*"),), ("*",), environment="sklearn:3")
    world = world_of(publication=publication)
    with_components(world)
    model = Asset(Kind.MODEL, "card", "1")
    registered(world, model, uri="azureml://paths/card")
    share(world, model)
    assert share_states(world) == {"sklearn": ShareState.SHARED, "card": ShareState.SHARED}
    assert world.rows.planned_environment(model, "hub") == registry_path("hub", ENVIRONMENT)


def test_a_models_environment_is_not_looked_for_in_a_workspace_that_has_no_place_left() -> None:
    publication = Publication("cards", "hub", (AssetPattern(Kind.MODEL, "*"),), ("*",), environment="sklearn:3")
    world = world_of(publication=publication)
    with_components(world)
    model = Asset(Kind.MODEL, "card", "1")
    registered(world, model, uri="azureml://paths/card")
    world.queues.send(Queue.COMMANDS, [Outgoing(commands.share_of(PUBLISHER, model), "share-1")])
    world.run(stop=lambda: bool(world.rows.shares))
    world.fairness = FullFairness(PUBLISHER)
    world.run(until=timedelta(minutes=1))
    assert share_states(world) == {"card": ShareState.REQUESTED}
    world.fairness = FakeFairness()
    world.run()
    assert share_states(world) == {"sklearn": ShareState.SHARED, "card": ShareState.SHARED}


def test_a_name_can_change_on_the_way() -> None:
    publication = Publication("cards", "hub", EVERYTHING, ("*",), rename="{tenant}-{name}")
    world = world_of(publication=publication)
    model = Asset(Kind.MODEL, "card", "1")
    registered(world, model, uri="azureml://paths/card")
    share(world, model)
    there = replace(model, name="northwind-card")
    (row,) = world.rows.shares.values()
    assert (row.asset, row.source) == (there, model)
    assert world.azure.registry["hub", there].tags[provenance.ORIGIN].endswith("model card:1")
    assert (SUBSCRIBER, there) in world.azure.assets


def test_a_region_that_the_publication_forbids_is_refused_before_anything_leaves() -> None:
    publication = Publication("cards", "hub", EVERYTHING, ("*",), regions=("westeurope",))
    world = world_of(publication=publication)
    world.azure.regions["hub"] = ("westeurope", "eastasia")
    registered(world, Asset(Kind.MODEL, "card", "1"), uri="azureml://paths/card")
    share(world, Asset(Kind.MODEL, "card", "1"))
    (rejected,) = world.queues.rejected
    assert rejected.properties["fanout_code"] == "region_forbidden"
    assert "eastasia" in str(rejected.properties["fanout_reason"])
    assert world.rows.shares == {}


@pytest.mark.parametrize("kind", [Kind.MODEL, Kind.DATA])
def test_a_copy_is_the_tenants_own(kind: Kind) -> None:
    world = world_of(mode=Mode.COPY)
    asset = Asset(kind, "cards", "2")
    registered(world, asset, uri="azureml://paths/cards")
    share(world, asset)
    (delivery,) = world.rows.closed.values()
    assert (delivery.state, delivery.mode) == (DeliveryState.DELIVERED, Mode.COPY)
    assert delivery.copied == "2 files, 2000 bytes, checksum"
    there = world.azure.assets[SUBSCRIBER, asset]
    assert there.uri.startswith("azureml://fabrikam/")
    assert there.properties[provenance.CHECKSUM] == "checksum"


def test_the_latest_version_is_the_one_registered_last() -> None:
    world = world_of()
    for version, day in (("9", 1), ("10", 2)):
        asset = Asset(Kind.DATA, "cards", version)
        world.azure.assets[PUBLISHER, asset] = WorkspaceAsset(asset, "azureml://x", REGISTERED.replace(day=day))
    share(world, Asset(Kind.DATA, "cards", "latest"))
    assert [row.asset.version for row in world.rows.shares.values()] == ["10"]
