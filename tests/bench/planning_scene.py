"""Rules of many tenants, as the table stores them: ten subscriptions each, most of them to a few others, one to what all get."""

from collections.abc import Iterator
from typing import Any

from shared.assets import Asset, Kind, WorkspaceId
from shared.planning import SharedAsset

type Document = dict[str, Any]

PER_TENANT = 10  # subscriptions
REGISTRY = "contoso-hub"
ACTIONS = (
    "register",
    {"online_endpoint": {"name": "cards", "instance_type": "Standard_DS3_v2", "instance_count": 1, "traffic": [10, 100]}},
)
PROVIDER = {
    "registries": [{"name": REGISTRY, "readers": "*"}],
    "limits": {"instance_types": ["Standard_DS3_v2"], "max_instances": 4},
    "groups": {},
}


def tenant_documents(subscriptions: int) -> Iterator[Document]:
    """So many subscriptions in all, ten a tenant."""
    count = subscriptions // PER_TENANT
    for number in range(count):
        yield {
            "id": _tenant(number),
            "state": "active",
            "workspaces": [str(_workspace(number, place)) for place in (0, 1)],
            "publications": [_publication(number)],
            "subscriptions": [_subscription(number, nth, count) for nth in range(PER_TENANT)],
        }


def for_few() -> SharedAsset:
    """One that nine tenants want: those that follow its publisher."""
    return _shared(5, "team-5-scores")


def for_all() -> SharedAsset:
    """One that every tenant but its publisher gets."""
    return _shared(0, "base-scores")


def for_one_by_name() -> SharedAsset:
    """One that a single tenant wants, where all go by names alone."""
    return _shared(5, "base-3-4")


def by_name_alone(document: Document) -> Document:
    """The tenant's rules, its subscriptions to anybody's assets of names that no other tenant asks for."""
    number = int(document["id"].rpartition("-")[2])
    wanted = [
        {**each, "from": ["*"], "assets": [{"kind": "model", "name": f"base-{number}-{nth}*"}]}
        for nth, each in enumerate(document["subscriptions"])
    ]
    return {**document, "subscriptions": wanted}


def renamed(document: Document, number: int) -> Document:
    """The tenant's rules as a change leaves them: `number` tells the changes apart."""
    first, *others = document["subscriptions"]
    return {**document, "subscriptions": [{**first, "name": f"changed-{number}"}, *others]}


def _shared(publisher: int, name: str) -> SharedAsset:
    return SharedAsset(Asset(Kind.MODEL, name, "1"), REGISTRY, _workspace(publisher, 0), {"stage": "production"})


def _publication(number: int) -> Document:
    assets = [{"kind": "model", "name": f"team-{number}-*", "except": "*-draft"}, {"kind": "model", "name": "base-*"}]
    return {"name": "all", "registry": REGISTRY, "assets": assets, "workspaces": [], "to": ["*"], "advisory": False}


def _subscription(number: int, nth: int, tenants: int) -> Document:
    """The last one is to what tenant 0 gives to all, the others each to another tenant."""
    publisher = 0 if nth == PER_TENANT - 1 else (number + nth + 1) % tenants
    name = "base-*" if nth == PER_TENANT - 1 else f"team-{publisher}-*"
    return {
        "name": f"follow-{nth}",
        "from": [_tenant(publisher)],
        "assets": [{"kind": "model", "name": name, "tags": {"stage": ["production"]}}],
        "into": str(_workspace(number, nth % 2)),
        "actions": [ACTIONS[nth % 2]],
        "release": "immediately",
    }


def _tenant(number: int) -> str:
    return f"tenant-{number:05}"


def _workspace(number: int, place: int) -> WorkspaceId:
    azure_subscription = f"{number % 50:08}-0000-0000-0000-000000000000"
    return WorkspaceId(azure_subscription, f"rg-{_tenant(number)}", f"{_tenant(number)}-workspace-{place}")
