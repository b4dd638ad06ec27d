"""What operators look back on, over the tables that the ledger writes. No answer is kept: each asking reads again."""

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import batched
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient

from shared import logs
from shared.azure.ledger import Ledger
from shared.azure.open_work import PARTITION
from shared.azure.tables import table_errors
from shared.errors import Unreadable
from shared.keys import key
from shared.rows import Address, DeliveryRow, RowKind, WorkRow, is_done

log = logging.getLogger("fanout.history")

AT_ONCE = 16  # point reads of deliveries: their partitions are those of their assets, so no range holds a tenant's


class HistoryTables:
    def __init__(self, service: TableServiceClient, ledger: Ledger) -> None:
        self._by_tenant = service.get_table_client("bytenant")
        self._open = service.get_table_client("open")
        self._ledger = ledger

    def deliveries_to(self, tenant: str, since: datetime) -> Iterator[DeliveryRow]:
        query = "PartitionKey eq @tenant and RowKey ge @since"
        bounds = {"tenant": key(tenant), "since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"}
        with table_errors(f"list the deliveries of {tenant}"), ThreadPoolExecutor(AT_ONCE) as readers:
            for some in batched(_entities(self._by_tenant, query, bounds), AT_ONCE, strict=False):
                found = readers.map(self._delivery, (str(entry["RowKey"]) for entry in some))
                yield from (delivery for delivery in found if delivery)

    def open_rows(self) -> Iterator[WorkRow]:
        with table_errors("list open work"):
            entries = _entities(self._open, "PartitionKey eq @partition", {"partition": PARTITION})
            addresses = [Address(RowKind(entry["kind"]), entry["partition"], entry["row"]) for entry in entries]
        for address in addresses:
            if address.kind is RowKind.DELIVERY:
                yield from self._ledger.open_deliveries(address.partition)
            else:
                yield from self._open_share(address)

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


def _entities(table: TableClient, query: str, bounds: Mapping[str, str]) -> Iterator[Any]:
    """What the query finds; nothing where the table itself is missing, before the first rules are applied."""
    with suppress(ResourceNotFoundError):
        yield from table.query_entities(query, parameters=dict(bounds))
