"""Open circuits as rows of table `targets`, all in one partition, `circuit`, by workspace: one read shows all of them.

Not in their tenants' partitions: whoever asks knows the workspace only, and would have to read a row for each.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from azure.core.exceptions import ResourceModifiedError
from azure.data.tables import TableServiceClient

from shared import logs
from shared.azure.entities import RowCodec
from shared.azure.owned_writes import Entity, etag_of, if_match, write
from shared.azure.tables import table_errors
from shared.circuits import Circuit
from shared.errors import Lost, Unreadable

log = logging.getLogger("fanout.circuits")

PARTITION = "circuit"
ONE_PAGE = 1_000  # entities in one answer; with more than that, it is Azure that is sick, and every process finds out itself

_CIRCUITS = RowCodec(Circuit)


class CircuitTable:
    """`shared.circuits.CircuitRows`."""

    def __init__(self, service: TableServiceClient) -> None:
        self._table = service.get_table_client("targets")

    def all(self) -> Iterable[Circuit]:
        circuits = []
        with table_errors("read the open circuits"):
            found = self._table.query_entities("PartitionKey eq @partition", parameters={"partition": PARTITION})
            for entity in islice(found, ONE_PAGE):
                try:
                    circuits.append(replace(_CIRCUITS.to_row(entity), etag=etag_of(entity)))
                except Unreadable as unreadable:
                    logs.event(log, "unreadable", logging.ERROR, why=unreadable)
        return circuits

    def save(self, circuit: Circuit) -> Circuit:
        return replace(circuit, etag=write(self._table, _entity(circuit), circuit.etag))

    def remove(self, circuit: Circuit) -> None:
        with table_errors("remove a circuit"):
            try:  # one that is gone already is no error to the SDK
                self._table.delete_entity(PARTITION, circuit.workspace.key, **if_match(circuit.etag))
            except ResourceModifiedError as refused:
                raise Lost(str(refused)) from refused


def _entity(circuit: Circuit) -> Entity:
    return _CIRCUITS.to_entity(circuit, PARTITION, circuit.workspace.key)
