"""The ledger in Azure Table Storage: shares, deliveries, plans and endpoints' targets. `shared.rows` says what they hold."""

import functools
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from azure.core.exceptions import ResourceExistsError, ServiceResponseError
from azure.data.tables import TableClient, TableServiceClient

from shared import logs
from shared.assets import Asset, RegistryAsset, WorkspaceId
from shared.azure.entities import RowCodec
from shared.azure.owned_writes import etag_of, if_match, read, submit, write
from shared.azure.tables import table_errors
from shared.errors import Lost, Owner, Permanent, Transient, Unreadable
from shared.keys import key
from shared.rows import CLOSED, OPEN, PLANS, Address, DeliveryRow, PlanRow, RowKind, ShareRow, TargetRow, WorkRow
from shared.states import DeliveryState

log = logging.getLogger("fanout.ledger")

_SHARES = RowCodec(ShareRow)
_DELIVERIES = RowCodec(DeliveryRow)
_PLANS = RowCodec(PlanRow)
_TARGETS = RowCodec(TargetRow)

PLANS_KEPT = 500  # in memory: what they say of their asset never changes, and each of its deliveries asks for it


class Ledger:
    def __init__(self, service: TableServiceClient) -> None:
        self._shares = service.get_table_client("shares")
        self._deliveries = service.get_table_client("deliveries")
        self._by_tenant = service.get_table_client("bytenant")
        self._targets = service.get_table_client("targets")
        self._planned = functools.lru_cache(maxsize=PLANS_KEPT)(self._read_planned)

    # ---- shares and deliveries

    def get(self, address: Address) -> WorkRow | None:
        if address.kind is RowKind.SHARE:
            entity = read(self._shares, address.partition, address.row)
            return None if entity is None else share_in(entity)
        return self._open_delivery(address)

    def _open_delivery(self, address: Address) -> DeliveryRow | None:
        entity = read(self._deliveries, address.partition, OPEN + address.row)
        return None if entity is None else _delivery(entity)

    def shares_in(self, partition: str) -> Iterable[ShareRow]:
        with table_errors("list shares"):
            found = self._shares.query_entities("PartitionKey eq @partition", parameters={"partition": partition})
            return [share_in(entity) for entity in found]

    def insert_share(self, row: ShareRow) -> ShareRow:
        entity = _SHARES.to_entity(row, row.partition, row.row)
        with table_errors(f"insert share of {row.asset}"):
            with suppress(ResourceExistsError, ServiceResponseError):
                self._shares.create_entity(entity)
            return share_in(self._shares.get_entity(row.partition, row.row))

    def replace[R: ShareRow | DeliveryRow](self, row: R) -> R:
        if isinstance(row, ShareRow):
            table, entity = self._shares, _SHARES.to_entity(row, row.partition, row.row)
        else:
            table, entity = self._deliveries, _DELIVERIES.to_entity(row, row.partition, OPEN + row.row)
        return replace(row, etag=write(table, entity, row.etag))

    def close(self, row: DeliveryRow) -> None:
        opened = {"PartitionKey": row.partition, "RowKey": OPEN + row.row}
        closed = _DELIVERIES.to_entity(row, row.partition, CLOSED + row.row)
        submit(self._deliveries, closed, "", ("delete", opened, if_match(row.etag)))

    def reopen(self, row: DeliveryRow) -> DeliveryRow:
        closed = {"PartitionKey": row.partition, "RowKey": CLOSED + row.row}
        opened = _DELIVERIES.to_entity(row, row.partition, OPEN + row.row)
        return replace(row, etag=submit(self._deliveries, opened, "", ("delete", closed, if_match(row.etag))))

    def find_delivery(self, address: Address) -> DeliveryRow | None:
        for prefix in (CLOSED, OPEN, CLOSED):  # most are closed; one may be closed between the two reads
            entity = read(self._deliveries, address.partition, prefix + address.row)
            if entity is not None:
                return _delivery(entity)
        return None

    def index(self, delivery: DeliveryRow) -> None:
        row_key = f"{delivery.created_at:%Y-%m-%dT%H:%M:%S.%f}|{delivery.partition}|{delivery.row}"
        entity = {"PartitionKey": key(delivery.tenant), "RowKey": row_key, "tenant": delivery.tenant}
        entity |= {"asset": str(delivery.asset), "workspace": str(delivery.workspace)}
        with table_errors(f"index {delivery.address}"):
            self._by_tenant.upsert_entity(entity)

    # ---- plans

    def plan(self, asset: Asset, registry: str) -> PlanRow | None:
        entity = read(self._deliveries, asset.key, PlanRow.row_key(registry))
        return None if entity is None else replace(_PLANS.to_row(entity), etag=etag_of(entity))

    def planned_asset(self, asset: Asset, registry: str) -> RegistryAsset:
        return self._planned(asset, registry).asset

    def planned_environment(self, asset: Asset, registry: str) -> str | None:
        return self._planned(asset, registry).environment

    def _read_planned(self, asset: Asset, registry: str) -> PlanRow:
        plan = self.plan(asset, registry)
        if plan is None:  # raised, not returned: what is not there must not be remembered
            text = f"the plan of {asset} in registry {registry} is gone"
            raise Permanent("plan_missing", text, Owner.PROVIDER, "share the asset again")
        return plan

    def save_plan(self, plan: PlanRow) -> PlanRow:
        written = replace(plan, rev=plan.rev + 1)
        entity = _PLANS.to_entity(written, plan.asset.asset.key, PlanRow.row_key(plan.asset.registry))
        with _someone_else_may_be_first():
            return replace(written, etag=write(self._deliveries, entity, plan.etag))

    def save_page(self, plan: PlanRow, deliveries: Sequence[DeliveryRow]) -> PlanRow:
        partition = plan.asset.asset.key
        written = replace(plan, rev=plan.rev + 1)
        cursor = _PLANS.to_entity(written, partition, PlanRow.row_key(plan.asset.registry))
        there = self._targets_between(partition, plan.page_from, plan.cursor)
        new = [row for row in deliveries if row.row not in there]
        inserts = [("create", _DELIVERIES.to_entity(row, partition, OPEN + row.row)) for row in new]
        with _someone_else_may_be_first():
            return replace(written, etag=submit(self._deliveries, cursor, plan.etag, *inserts))

    def insert_deliveries(self, plan: PlanRow, rows: Sequence[DeliveryRow]) -> list[DeliveryRow]:
        """In one transaction with the plan, so that none is added to a plan that is taken back at this moment."""
        there = {row.address: self.find_delivery(row.address) for row in rows}
        new = [row for row in rows if there[row.address] is None]
        if new:
            partition = plan.asset.asset.key
            touched = _PLANS.to_entity(replace(plan, rev=plan.rev + 1), partition, PlanRow.row_key(plan.asset.registry))
            inserts = [("create", _DELIVERIES.to_entity(row, partition, OPEN + row.row)) for row in new]
            with _someone_else_may_be_first():
                submit(self._deliveries, touched, plan.etag, *inserts)
        return [there[row.address] or self._open_delivery(row.address) or row for row in rows]

    def open_deliveries(self, partition: str, after: str = "", upto: str | None = None) -> Iterable[DeliveryRow]:
        return self._deliveries_in(OPEN, partition, after, upto)

    def closed_deliveries(self, partition: str, after: str = "", upto: str | None = None) -> Iterable[DeliveryRow]:
        return self._deliveries_in(CLOSED, partition, after, upto)

    def _deliveries_in(self, prefix: str, partition: str, after: str, upto: str | None) -> Iterator[DeliveryRow]:
        with table_errors("list deliveries"):
            yield from readable(_range(self._deliveries, partition, prefix, after, upto), _delivery)

    def delivered(self) -> Iterator[tuple[PlanRow, Sequence[DeliveryRow]]]:
        with table_errors("list all that was delivered"):
            everything = self._deliveries.query_entities(f"state eq '{DeliveryState.DELIVERED}' or RowKey ge '{PLANS}'")
            for _, of_asset in itertools.groupby(everything, key=lambda entity: entity["PartitionKey"]):
                entities = list(of_asset)
                rows = list(readable((each for each in entities if not _is_plan(each)), _delivery))
                for plan in readable(filter(_is_plan, entities), _PLANS.to_row):
                    yield plan, [row for row in rows if row.registry == plan.asset.registry]

    def has_open_deliveries(self, partition: str) -> bool:
        """Whether there is any, readable or not."""
        with table_errors("look for open deliveries"):
            return next(_range(self._deliveries, partition, OPEN, "", None, ["RowKey"]), None) is not None

    def _targets_between(self, partition: str, after: str, upto: str) -> set[str]:
        with table_errors("list an asset's deliveries"):
            return {
                str(entity["RowKey"]).removeprefix(prefix)
                for prefix in (OPEN, CLOSED)
                for entity in _range(self._deliveries, partition, prefix, after, upto, ["RowKey"])
            }

    # ---- endpoints

    def target(self, tenant: str, workspace: WorkspaceId, endpoint: str) -> TargetRow | None:
        entity = read(self._targets, key(tenant), TargetRow.row_key(workspace, endpoint))
        return None if entity is None else replace(_TARGETS.to_row(entity), etag=etag_of(entity))

    def save_target(self, row: TargetRow) -> TargetRow:
        written = replace(row, rev=row.rev + 1)
        entity = _TARGETS.to_entity(written, key(row.tenant), TargetRow.row_key(row.workspace, row.endpoint))
        with _someone_else_may_be_first():
            return replace(written, etag=write(self._targets, entity, row.etag))


@contextmanager
def _someone_else_may_be_first() -> Iterator[None]:
    """Lost says that the row at hand was overtaken, and is someone else's care. A plan or a target is many rows' care."""
    try:
        yield
    except Lost as lost:
        raise Transient(f"changed by another delivery at the same time: {lost}", retry_after=0.5) from lost


def share_in(entity: Any) -> ShareRow:
    keys = {"partition": entity["PartitionKey"], "row": entity["RowKey"]}
    return replace(_SHARES.to_row(entity, **keys), etag=etag_of(entity))


def readable[R](entities: Iterable[Any], read: Callable[[Any], R]) -> Iterator[R]:
    """One that is not must not keep the others from being found."""
    for entity in entities:
        try:
            yield read(entity)
        except Unreadable as unreadable:
            logs.event(log, "unreadable", logging.ERROR, why=unreadable)


def _delivery(entity: Any) -> DeliveryRow:
    keys = {"partition": entity["PartitionKey"], "row": str(entity["RowKey"])[len(OPEN) :]}
    return replace(_DELIVERIES.to_row(entity, **keys), etag=etag_of(entity))


def _is_plan(entity: Any) -> bool:
    return str(entity["RowKey"]).startswith(PLANS)


def _range(
    table: TableClient, partition: str, prefix: str, after: str, upto: str | None, select: list[str] | None = None
) -> Iterator[Any]:
    """Rows of one prefix with after < key <= upto, in order."""
    query = "PartitionKey eq @partition and RowKey gt @after and RowKey le @upto"
    last = prefix + (upto if upto is not None else "~")  # sorts behind every key
    bounds = {"partition": partition, "after": prefix + after, "upto": last}
    return iter(table.query_entities(query, parameters=bounds, select=select))
