"""What operators look back on, over the tables that the ledger writes. No answer is kept: each asking reads again.

Ranges of the indexes are read page by page as they are asked for. Raises Transient or Permanent.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import batched, chain
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient

from shared import logs
from shared.azure.ledger import Ledger, readable, share_in
from shared.azure.open_work import PARTITION
from shared.azure.tables import table_errors
from shared.errors import Unreadable
from shared.keys import key
from shared.rows import Address, DeliveryRow, RowKind, ShareRow, WorkRow, is_done

log = logging.getLogger("fanout.history")

AT_ONCE = 16  # reads of deliveries: their partitions are those of their assets, so no range holds a tenant's
MOST_RANGES = 200  # above this many tenants, one scan of their whole index takes fewer requests than a range for each


class HistoryTables:
    def __init__(self, service: TableServiceClient, ledger: Ledger) -> None:
        self._by_tenant = service.get_table_client("bytenant")
        self._open = service.get_table_client("open")
        self._shares = service.get_table_client("shares")
        self._ledger = ledger

    def deliveries_to(self, tenant: str, since: datetime) -> Iterator[DeliveryRow]:
        """What was planned for the tenant since then, oldest first, and is not another's by now."""
        with table_errors(f"list the deliveries of {tenant}"), _readers() as readers:
            for some in batched(self._planned(since, tenant), AT_ONCE, strict=False):
                found = readers.map(self._delivery, some)
                yield from (delivery for delivery in found if delivery and delivery.tenant == tenant)

    def deliveries_since(self, since: datetime, tenants: Collection[str]) -> Iterator[DeliveryRow]:
        """What was planned for any of them since then, asset by asset. However many they are, it takes few requests."""
        with table_errors("list deliveries"), _readers() as readers:
            if len(tenants) > MOST_RANGES:
                planned = self._planned(since)
            else:
                planned = chain.from_iterable(readers.map(lambda tenant: list(self._planned(since, tenant)), tenants))
            partitions = dict.fromkeys(entry.split("|")[1] for entry in planned)
            for found in readers.map(self._deliveries_of, partitions):
                yield from (row for row in found if row.created_at >= since and row.tenant in tenants)

    def shares_since(self, since: datetime) -> Iterator[ShareRow]:
        """What was asked to be shared since then."""
        yield from self._shares_where("created_at ge @since", {"since": since.astimezone(UTC)})

    def shares_from(self, tenant: str) -> Iterator[ShareRow]:
        """What the tenant's workspaces ever shared. No index has it: the tables look at all shares, and answer these."""
        yield from self._shares_where("origin_tenant eq @tenant", {"tenant": tenant})

    def open_rows(self) -> Iterator[WorkRow]:
        """Whatever is under way, or waits for somebody."""
        with table_errors("list open work"):
            entries = _entities(self._open, "PartitionKey eq @partition", {"partition": PARTITION})
            addresses = [Address(RowKind(entry["kind"]), entry["partition"], entry["row"]) for entry in entries]
        for address in addresses:
            if address.kind is RowKind.DELIVERY:
                yield from self._ledger.open_deliveries(address.partition)
            else:
                yield from self._open_share(address)

    def _shares_where(self, query: str, bounds: Mapping[str, Any]) -> Iterator[ShareRow]:
        with table_errors("list shares"):
            yield from readable(_entities(self._shares, query, bounds), share_in)

    def _planned(self, since: datetime, tenant: str | None = None) -> Iterator[str]:
        """The entries of the index, of one tenant, in their order, or of all."""
        query, bounds = "RowKey ge @since", {"since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"}
        if tenant is not None:
            query, bounds = f"PartitionKey eq @tenant and {query}", bounds | {"tenant": key(tenant)}
        yield from (str(entry["RowKey"]) for entry in _entities(self._by_tenant, query, bounds, ["RowKey"]))

    def _deliveries_of(self, partition: str) -> Collection[DeliveryRow]:
        """An asset's. One may be closed between the two reads."""
        found = chain(self._ledger.open_deliveries(partition), self._ledger.closed_deliveries(partition))
        return {row.address: row for row in found}.values()

    def _delivery(self, entry: str) -> DeliveryRow | None:
        _, partition, row = entry.split("|")
        try:
            return self._ledger.find_delivery(Address(RowKind.DELIVERY, partition, row))
        except Unreadable as unreadable:
            logs.event(log, "unreadable", logging.ERROR, row=entry, why=unreadable)
            return None

    def _open_share(self, address: Address) -> list[WorkRow]:
        try:
            share = self._ledger.get(address)
        except Unreadable as unreadable:
            logs.event(log, "unreadable", logging.ERROR, row=address, why=unreadable)
            return []
        return [] if share is None or is_done(share) else [share]


def _entities(table: TableClient, query: str, bounds: Mapping[str, Any], select: list[str] | None = None) -> Iterator[Any]:
    """What the query finds; nothing where the table itself is missing, before the first rules are applied."""
    with suppress(ResourceNotFoundError):
        yield from table.query_entities(query, parameters=dict(bounds), select=select)


@contextmanager
def _readers() -> Iterator[ThreadPoolExecutor]:
    """Whoever is interrupted does not wait for what is not read yet."""
    readers = ThreadPoolExecutor(AT_ONCE)
    try:
        yield readers
    finally:
        readers.shutdown(wait=False, cancel_futures=True)
