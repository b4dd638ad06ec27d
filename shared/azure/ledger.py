"""The ledger in Azure Table Storage: shares, deliveries, plans and endpoints' targets (tables of DESIGN.md, "Rows")."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceResponseError,
)
from azure.data.tables import TableClient, TableServiceClient, TableTransactionError, UpdateMode

from shared.assets import Asset, WorkspaceId
from shared.azure.entities import Entity, RowCodec
from shared.azure.tables import table_errors
from shared.errors import Lost
from shared.keys import key
from shared.rows import CLOSED, OPEN, Address, DeliveryRow, PlanRow, RowKind, ShareRow, TargetRow, WorkRow
from shared.rules import Register

_SHARES = RowCodec(ShareRow)
_DELIVERIES = RowCodec(DeliveryRow)
_PLANS = RowCodec(PlanRow)
_TARGETS = RowCodec(TargetRow)

# A write that the table refused, or whose answer was lost: read again to see whose stands.
_DOUBTFUL = (
    ResourceModifiedError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceResponseError,
    TableTransactionError,
)


class Ledger:
    def __init__(self, service: TableServiceClient) -> None:
        self._shares = service.get_table_client("shares")
        self._deliveries = service.get_table_client("deliveries")
        self._by_tenant = service.get_table_client("bytenant")
        self._targets = service.get_table_client("targets")

    # ---- shares and deliveries

    def get(self, address: Address) -> WorkRow | None:
        if address.kind is RowKind.SHARE:
            entity = _read(self._shares, address.partition, address.row)
            return None if entity is None else _share(entity)
        entity = _read(self._deliveries, address.partition, OPEN + address.row)
        return None if entity is None else _delivery(entity)

    def insert_share(self, row: ShareRow) -> ShareRow:
        entity = _SHARES.to_entity(row, row.partition, row.row)
        with table_errors(f"insert share of {row.asset}"):
            with suppress(ResourceExistsError, ServiceResponseError):
                self._shares.create_entity(entity)
            return _share(self._shares.get_entity(row.partition, row.row))

    def replace[R: ShareRow | DeliveryRow](self, row: R) -> R:
        if isinstance(row, ShareRow):
            table, entity = self._shares, _SHARES.to_entity(row, row.partition, row.row)
        else:
            table, entity = self._deliveries, _DELIVERIES.to_entity(row, row.partition, OPEN + row.row)
        return replace(row, etag=_overwrite(table, entity, row.etag))

    def close(self, row: DeliveryRow) -> None:
        closed = _DELIVERIES.to_entity(row, row.partition, CLOSED + row.row)
        opened = {"PartitionKey": row.partition, "RowKey": OPEN + row.row}
        if_unchanged = {"etag": row.etag, "match_condition": MatchConditions.IfNotModified}
        with table_errors(f"close {row.address}"):
            try:
                self._deliveries.submit_transaction([("delete", opened, if_unchanged), ("upsert", closed)])
            except _DOUBTFUL as refused:
                _won_after_all(self._deliveries, closed, refused)

    def was_delivered(self, workspace: WorkspaceId, asset: Asset) -> bool:
        target = DeliveryRow.target_of(workspace, Register().route)
        return any(_read(self._deliveries, asset.key, prefix + target) is not None for prefix in (OPEN, CLOSED))

    def index(self, delivery: DeliveryRow) -> None:
        row_key = f"{delivery.created_at:%Y-%m-%dT%H:%M:%S.%f}|{delivery.partition}|{delivery.row}"
        entity = {"PartitionKey": key(delivery.tenant), "RowKey": row_key, "tenant": delivery.tenant}
        entity |= {"asset": str(delivery.asset), "workspace": str(delivery.workspace)}
        with table_errors(f"index {delivery.address}"):
            self._by_tenant.upsert_entity(entity)

    # ---- plans

    def plan(self, asset: Asset, registry: str) -> PlanRow | None:
        entity = _read(self._deliveries, asset.key, PlanRow.row_key(registry))
        return None if entity is None else replace(_PLANS.to_row(entity), etag=_etag(entity))

    def save_page(self, plan: PlanRow, deliveries: Sequence[DeliveryRow]) -> PlanRow:
        partition = plan.asset.asset.key
        written = replace(plan, rev=plan.rev + 1, writer=uuid.uuid4().hex)
        cursor = _PLANS.to_entity(written, partition, PlanRow.row_key(plan.asset.registry))
        with table_errors(f"save a page of {plan.asset.asset}"):
            there = self._targets_between(partition, plan.page_from, plan.cursor)
            inserts = [
                ("create", _DELIVERIES.to_entity(row, partition, OPEN + row.row)) for row in deliveries if row.row not in there
            ]
            try:
                self._deliveries.submit_transaction([_cursor_write(cursor, plan.etag), *inserts])
            except _DOUBTFUL as refused:
                _won_after_all(self._deliveries, cursor, refused)
            return replace(written, etag=_etag(self._deliveries.get_entity(partition, cursor["RowKey"])))

    def open_deliveries(self, partition: str, after: str = "", upto: str | None = None) -> Iterable[DeliveryRow]:
        with table_errors("list open deliveries"):
            yield from map(_delivery, _range(self._deliveries, partition, OPEN, after, upto))

    def _targets_between(self, partition: str, after: str, upto: str) -> set[str]:
        return {
            str(entity["RowKey"]).removeprefix(prefix)
            for prefix in (OPEN, CLOSED)
            for entity in _range(self._deliveries, partition, prefix, after, upto, ["RowKey"])
        }

    # ---- endpoints

    def target(self, tenant: str, workspace: WorkspaceId, endpoint: str) -> TargetRow | None:
        entity = _read(self._targets, key(tenant), TargetRow.row_key(workspace, endpoint))
        return None if entity is None else replace(_TARGETS.to_row(entity), etag=_etag(entity))

    def save_target(self, row: TargetRow) -> TargetRow:
        written = replace(row, rev=row.rev + 1, writer=uuid.uuid4().hex)
        entity = _TARGETS.to_entity(written, key(row.tenant), TargetRow.row_key(row.workspace, row.endpoint))
        return replace(written, etag=_overwrite(self._targets, entity, row.etag))


def _share(entity: Any) -> ShareRow:
    keys = {"partition": entity["PartitionKey"], "row": entity["RowKey"]}
    return replace(_SHARES.to_row(entity, **keys), etag=_etag(entity))


def _delivery(entity: Any) -> DeliveryRow:
    keys = {"partition": entity["PartitionKey"], "row": str(entity["RowKey"])[len(OPEN) :]}
    return replace(_DELIVERIES.to_row(entity, **keys), etag=_etag(entity))


def _etag(entity: Any) -> str:
    return str(entity.metadata["etag"])


def _read(table: TableClient, partition: str, row: str) -> Any:
    """The entity, or None."""
    with table_errors(f"read a row of {table.table_name}"):
        try:
            return table.get_entity(partition, row)
        except ResourceNotFoundError:
            return None


def _range(
    table: TableClient, partition: str, prefix: str, after: str, upto: str | None, select: list[str] | None = None
) -> Iterator[Any]:
    """Rows of one prefix with after < key <= upto, in order."""
    query = "PartitionKey eq @partition and RowKey gt @after and RowKey le @upto"
    last = prefix + (upto if upto is not None else "~")  # sorts behind every key
    bounds = {"partition": partition, "after": prefix + after, "upto": last}
    return iter(table.query_entities(query, parameters=bounds, select=select))


def _overwrite(table: TableClient, entity: Entity, etag: str) -> str:
    """Write under the ETag, or insert where there is none yet; the new ETag. Lost where another writer's row stands."""
    with table_errors(f"write a row of {table.table_name}"):
        try:
            if etag:
                answer = table.update_entity(
                    entity, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
                )
            else:
                answer = table.create_entity(entity)
            return str(answer["etag"])
        except _DOUBTFUL as refused:
            return _won_after_all(table, entity, refused)


def _won_after_all(table: TableClient, entity: Entity, refused: Exception) -> str:
    """The ETag of our own write, which stood although its answer was lost: the SDK repeats a PUT, and is then refused.

    Lost where another's stands; the first error again where that cannot be known.
    """
    with suppress(ResourceNotFoundError):
        there = table.get_entity(entity["PartitionKey"], entity["RowKey"])
        if (there["writer"], there["rev"]) == (entity["writer"], entity["rev"]):
            return _etag(there)
    if isinstance(refused, ServiceResponseError) or getattr(refused, "status_code", 0) in (500, 503):
        raise refused
    raise Lost(str(refused)) from refused


def _cursor_write(entity: Entity, etag: str) -> tuple[Any, ...]:
    if not etag:
        return ("create", entity)
    return (
        "update",
        entity,
        {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified},
    )
