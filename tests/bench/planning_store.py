"""Rules in a table of Azurite's, written as an apply writes them, in as few requests as there can be."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import batched, groupby
from operator import itemgetter
from typing import Any, Self

from azure.data.tables import TableClient

from shared.azure import rules_rows as rows
from tests.contract.table_service import new_table, open_table, table_service

type Document = Mapping[str, Any]

PER_TRANSACTION = 100


class RulesOnAzurite:
    def __init__(self, provider: Document, tenants: Sequence[Document]) -> None:
        self._provider = provider
        self._tenants = tenants
        self._revision = 1
        self._open = ExitStack()
        self.table: TableClient

    def __enter__(self) -> Self:
        connection_string = self._open.enter_context(table_service())
        self.table = self._open.enter_context(open_table(connection_string, new_table(connection_string)))
        by_partition = itemgetter("PartitionKey")
        for _, entities in groupby(sorted(map(_tenant, self._tenants), key=by_partition), key=by_partition):
            for some in batched(entities, PER_TRANSACTION, strict=False):
                self.table.submit_transaction([("upsert", entity) for entity in some])
        self.table.upsert_entity(rows.entity(rows.PROVIDER_KEYS, **rows.document_columns(self._provider)))
        self._announce([])
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def change(self, tenant: Document) -> None:
        self.table.upsert_entity(_tenant(tenant))
        self._revision += 1
        self._announce([tenant["id"]])

    def _announce(self, tenants: list[str]) -> None:
        what = {"everything": False, "provider": False, "tenants": tenants}
        self.table.upsert_entity(rows.entity(rows.change_keys(self._revision), **rows.document_columns(what)))
        self.table.upsert_entity(rows.Head(self._revision, self._revision).to_entity())


def _tenant(document: Document) -> rows.Entity:
    return rows.entity(rows.tenant_keys(document["id"]), tenant=document["id"], **rows.document_columns(document))
