"""Which outcome a row's state is told as. On a domain each tenant sees only its own: no event names another tenant."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import batched
from typing import Any, Protocol

from shared.assets import registry_path
from shared.errors import Reason
from shared.keys import key
from shared.outcomes import PROVIDER, Outcome
from shared.rows import DeliveryRow, ShareRow
from shared.states import DeliveryState, ShareState

MOST_WORKSPACES = 500  # named in one event: it may have 1 MB

_OF_SHARES = {
    ShareState.SHARED: "Fanout.AssetShared",
    ShareState.FAILED: "Fanout.ShareFailed",
    ShareState.RECALLED: "Fanout.AssetRecalled",
}
_OF_DELIVERIES = {
    DeliveryState.DELIVERED: "Fanout.AssetDelivered",
    DeliveryState.FAILED: "Fanout.DeliveryFailed",
    DeliveryState.AWAITING_APPROVAL: "Fanout.DeliveryAwaitingApproval",
}
# By code, in place of the row's text: that names the other origin, which is no business of the tenant that gets the event.
_TOLD_OF_OTHERS = {"conflict": "another asset has this name and version there already, from another origin"}


class ClosedDeliveries(Protocol):
    """What the event of a recall needs of the ledger: see `shared.ports.Rows`."""

    def closed_deliveries(self, partition: str, after: str = "", upto: str | None = None) -> Iterable[DeliveryRow]: ...


def announces(before: ShareRow | DeliveryRow, after: ShareRow | DeliveryRow) -> bool:
    """Whether the new state is one that is told. That a shared asset was pushed once more is no news of the asset."""
    if isinstance(before, ShareRow) and before.again and after.state is ShareState.SHARED:
        return False
    return after.state is not before.state and _type_of(after) is not None


def outcomes_of(row: ShareRow | DeliveryRow, rows: ClosedDeliveries) -> Sequence[Outcome]:
    """The same for the same row, with the same ids, however often it is told."""
    if _type_of(row) is None:
        return []
    if isinstance(row, DeliveryRow):
        return [_outcome(row, row.tenant, _of_delivery(row))]
    if row.state is ShareState.RECALLED:
        return _of_recall(row, rows)
    return [_outcome(row, row.origin_tenant or PROVIDER, _of_share(row))]


def _type_of(row: ShareRow | DeliveryRow) -> str | None:
    return _OF_SHARES.get(row.state) if isinstance(row, ShareRow) else _OF_DELIVERIES.get(row.state)


def _outcome(row: ShareRow | DeliveryRow, topic: str, data: dict[str, Any], part: str = "") -> Outcome:
    return Outcome(
        id=key(str(row.address), row.state, _when(row).isoformat(), topic, part),
        type=_type_of(row) or "",
        topic=topic,
        subject=f"{row.asset.kind.plural}/{row.asset.name}/versions/{row.asset.version}",
        time=_when(row),
        data={name: value for name, value in data.items() if value is not None},
        correlation_id=row.correlation_id,
    )


def _of_share(row: ShareRow) -> dict[str, Any]:
    return {
        "share": str(row.address),
        "tenant": row.origin_tenant,
        "workspace": str(row.origin) if row.origin else None,
        "asset": row.source.document,
        "registry": row.registry,
        "registryAsset": row.asset.document | {"id": registry_path(row.registry, row.asset)},
        "reason": _reason(row.reason, _TOLD_OF_OTHERS),
    }


def _of_delivery(row: DeliveryRow) -> dict[str, Any]:
    return {
        "delivery": str(row.address),
        "tenant": row.tenant,
        "workspace": str(row.workspace),
        "asset": row.asset.document | {"id": registry_path(row.registry, row.asset)},
        "registry": row.registry,
        "route": row.action.route,
        "mode": row.mode,
        "traffic": row.traffic,
        "subscription": row.subscription or None,
        "reason": _reason(row.reason),
    }


def _of_recall(row: ShareRow, rows: ClosedDeliveries) -> list[Outcome]:
    """One for the provider, or several where the workspaces are many, with all of them; one for each tenant with its own."""
    done = [delivery for delivery in rows.closed_deliveries(row.asset.key) if delivery.registry == row.registry and delivery.recall]
    by_tenant: dict[str, list[DeliveryRow]] = {}
    for delivery in done:
        by_tenant.setdefault(delivery.tenant, []).append(delivery)
    topics = [(PROVIDER, done), *sorted(by_tenant.items())]
    common = {
        "asset": row.asset.document | {"id": registry_path(row.registry, row.asset)},
        "registry": row.registry,
        "why": row.recall,
    }
    return [
        _outcome(row, topic, {**common, "workspaces": [_undone(each) for each in part]}, str(number))
        for topic, deliveries in topics
        for number, part in enumerate(batched(deliveries, MOST_WORKSPACES, strict=False) if deliveries else [()])
    ]


def _undone(row: DeliveryRow) -> dict[str, Any]:
    told = {"tenant": row.tenant, "workspace": str(row.workspace), "route": row.action.route, "delivery": str(row.address)}
    return {**told, "state": row.state, "done": row.done or str(row.reason)}


def _reason(reason: Reason | None, instead: Mapping[str, str] | None = None) -> dict[str, str] | None:
    """`instead`: other texts for some codes."""
    if reason is None:
        return None
    text = (instead or {}).get(reason.code, reason.text)
    return {"code": reason.code, "text": text, "owner": reason.owner, "remedy": reason.remedy}


def _when(row: ShareRow | DeliveryRow) -> datetime:
    return row.attempts[-1].at if row.attempts else row.created_at
