"""The rules and assets that the tests of the whole flow share: one publisher, subscribers by route."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from shared import commands
from shared.actions import Action, OnlineEndpoint
from shared.assets import Asset, Kind, WorkspaceAsset, WorkspaceId
from shared.messages import BY_EVENT, Outgoing, Queue
from shared.rules import Limits, Provider, RegistryRule, Rules
from shared.tenants import AssetPattern, Publication, Subscription, Tenant, TenantState
from tests.fakes import World

CARDS = OnlineEndpoint("cards", "Standard_DS3_v2", 1, (100,))
EVERY_MODEL = (AssetPattern(Kind.MODEL, "*"),)


def workspace(name: str) -> WorkspaceId:
    return WorkspaceId.parse(f"/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/{name}")


PUBLISHER = workspace("publisher")


def credit_card(version: str = "1") -> Asset:
    return Asset(Kind.MODEL, "credit-card", version)


def subscriber(name: str, *actions: Action, state: TenantState = TenantState.ACTIVE) -> Tenant:
    there = workspace(name)
    return Tenant(name, state, (there,), subscriptions=(Subscription("all", ("northwind",), EVERY_MODEL, there, actions),))


def rules(*subscribers: Tenant) -> Rules:
    publications = (Publication("all", "hub", EVERY_MODEL, ("*",)),)
    northwind = Tenant("northwind", TenantState.ACTIVE, (PUBLISHER,), publications)
    provider = Provider((RegistryRule("hub", ("*",)),), Limits(("Standard_DS3_v2",), 4))
    return Rules(provider, {tenant.id: tenant for tenant in (northwind, *subscribers)}, 1)


def a_world(*subscribers: Tenant, duplicate: Callable[[], bool] = lambda: False) -> World:
    return World(rules(*subscribers), duplicate)


def register(world: World, asset: Asset, at: WorkspaceId = PUBLISHER, message_id: str = "") -> None:
    """A data scientist registers a model, and the event's handler puts its command on the queue."""
    registered = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=int(asset.version))
    world.azure.assets.setdefault((at, asset), WorkspaceAsset(asset, f"azureml://{at.name}/datastores/x", registered))
    command = Outgoing(commands.share_of(at, asset), message_id or f"event-{at.name}-{asset}", properties={BY_EVENT: True})
    world.queues.send(Queue.COMMANDS, [command])
