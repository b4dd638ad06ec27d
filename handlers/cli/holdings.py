"""Who has which version, how, and since when: told from the rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers.cli.documents import asset_text, since, time_text
from handlers.cli.tables import age_text, route_text
from shared.assets import Kind, WorkspaceId
from shared.rows import DeliveryRow, WorkRow, is_done
from shared.states import DeliveryState, ShareState

ORIGIN = "origin"
_OVER = (DeliveryState.SUPERSEDED, DeliveryState.CANCELLED, DeliveryState.RECALLED)  # nothing of it is there


@dataclass(frozen=True, slots=True)
class Holding:
    """One version with one tenant by one `route`, or as its `origin`; what is only on its way, or failed, included."""

    kind: Kind
    name: str
    version: str
    registry: str
    tenant: str
    route: str
    state: str
    since: datetime
    rank: str
    row: WorkRow

    @property
    def has_it(self) -> bool:
        return self.route == ORIGIN or self.row.state is DeliveryState.DELIVERED

    @property
    def workspace(self) -> WorkspaceId | None:
        return self.row.workspace if isinstance(self.row, DeliveryRow) else self.row.origin

    @property
    def document(self) -> dict[str, Any]:
        return {
            "asset": asset_text(self.row.asset),
            "registry": self.registry,
            "tenant": self.tenant,
            "workspace": str(self.workspace) if self.workspace else None,
            "route": self.route,
            "has_it": self.has_it,
            "state": self.state,
            "open": not is_done(self.row),
            "since": time_text(self.since),
            "id": str(self.row.address),
        }


def holding(row: WorkRow) -> Holding:
    asset = row.asset
    if isinstance(row, DeliveryRow):
        tenant, route = row.tenant, route_text(row)
    else:
        tenant, route = row.origin_tenant or "provider", ORIGIN
    return Holding(asset.kind, asset.name, asset.version, row.registry, tenant, route, row.state, since(row), row.rank, row)


def standing(rows: Iterable[WorkRow]) -> list[Holding]:
    """Of each asset's name, by tenant, workspace, route and registry: the newest version there, and what is newer and is not.

    What came to nothing, or was taken back, is left out.
    """
    by_place: dict[tuple[str, ...], list[Holding]] = {}
    for each in map(holding, rows):
        if each.row.state not in _OVER and each.row.state is not ShareState.RECALLED:
            workspace = each.workspace.canonical if each.workspace else ""
            place = (each.kind, each.name, each.tenant, workspace, each.route, each.registry)
            by_place.setdefault(place, []).append(each)
    return [each for place in sorted(by_place) for each in _newest(by_place[place])]


def _newest(holdings: Sequence[Holding]) -> Iterator[Holding]:
    for each in sorted(holdings, key=lambda holding: holding.rank, reverse=True):
        yield each
        if each.has_it:
            return


def cell_text(each: Holding, now: datetime, *, with_workspace: bool = False) -> str:
    """`3 register 2d`; with its state where that is not the good end."""
    route = f"{each.route} {each.workspace.name}" if with_workspace and each.workspace else each.route
    good = each.row.state in (DeliveryState.DELIVERED, ShareState.SHARED)
    state = "" if good else f" {each.state.replace('_', ' ')}"
    return f"{each.version} {route}{state} {age_text(each.since, now)}"


def nobody_has(holdings: Sequence[Holding]) -> list[str]:
    """What is in a registry, and no version of it anywhere else, nor on its way: the newest one of each name."""
    had = {(each.kind, each.name) for each in holdings if each.route != ORIGIN and (each.has_it or not is_done(each.row))}
    shared = [each for each in holdings if each.row.state is ShareState.SHARED and (each.kind, each.name) not in had]
    return sorted({asset_text(each.row.asset) for each in shared})


def in_several_workspaces(holdings: Iterable[Holding]) -> set[str]:
    """The tenants that have something in more than one."""
    places = {(each.tenant, each.workspace) for each in holdings}
    counts = Counter(tenant for tenant, _ in places)
    return {tenant for tenant, number in counts.items() if number > 1}
