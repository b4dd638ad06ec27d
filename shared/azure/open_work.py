"""Table `open`: what has open work, so that the timer reads that and not history.

An entry is written before its rows, so a young one without rows is left alone. It is removed under its ETag once none are
open: an entry that was added again in between has another ETag, and stays.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from azure.data.tables import TableServiceClient, UpdateMode

from shared import logs
from shared.azure.ledger import Ledger
from shared.azure.owned_writes import remove
from shared.azure.tables import table_errors
from shared.errors import Lost, Unreadable
from shared.keys import key
from shared.rows import Address, RowKind, WorkRow, is_done

log = logging.getLogger("fanout.open_work")

PARTITION = "open"


class OpenWorkTable:
    def __init__(self, service: TableServiceClient, ledger: Ledger) -> None:
        self._table = service.get_table_client("open")
        self._ledger = ledger

    def add(self, address: Address) -> None:
        entity = {"PartitionKey": PARTITION, "RowKey": key(str(address)), "kind": address.kind.value}
        entity |= {"partition": address.partition, "row": address.row}
        with table_errors(f"note open work {address}"):
            self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)

    def open_rows(self, since: datetime) -> Iterable[WorkRow]:
        with table_errors("list open work"):
            entries = list(self._table.query_entities("PartitionKey eq @partition", parameters={"partition": PARTITION}))
        for entry in entries:
            address = Address(RowKind(entry["kind"]), entry["partition"], entry["row"])
            rows = self._readable_rows(address)
            if not rows and (entry.metadata["timestamp"] or since) < since and self._is_done(address):
                with suppress(Lost):  # added again in between: it stays
                    remove(self._table, entry)
            yield from rows

    def _readable_rows(self, address: Address) -> list[WorkRow]:
        if address.kind is RowKind.DELIVERY:
            return list(self._ledger.open_deliveries(address.partition))
        try:
            row = self._ledger.get(address)
        except Unreadable as unreadable:
            logs.event(log, "unreadable", logging.ERROR, row=address, why=unreadable)
            return []
        return [] if row is None or is_done(row) else [row]

    def _is_done(self, address: Address) -> bool:
        """Nothing is open there: not even what this version cannot read."""
        if address.kind is RowKind.DELIVERY:
            return not self._ledger.has_open_deliveries(address.partition)
        try:
            row = self._ledger.get(address)
        except Unreadable:
            return False
        return row is None or is_done(row)
