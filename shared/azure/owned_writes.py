"""Writes to a table that know whether they stood.

The SDK repeats a PUT whose answer was lost, and is then told 412 although its own write stands; a POST's lost answer is an
error at once. So each write bears a `writer` of its own, and whatever is in doubt is read again.
"""

import uuid
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceResponseError,
)
from azure.data.tables import TableClient, TableTransactionError, UpdateMode

from shared.azure.tables import table_errors
from shared.errors import Lost

type Entity = dict[str, Any]

_DOUBTFUL = (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceResponseError,
    TableTransactionError,
)

_ANOTHERS = (404, 409, 412)  # gone, there already, changed: someone else's write


def read(table: TableClient, partition: str, row: str) -> Any:
    """The entity, or None: also where the table itself is missing."""
    with table_errors(f"read a row of {table.table_name}"):
        try:
            return table.get_entity(partition, row)
        except ResourceNotFoundError:
            return None


def etag_of(entity: Any) -> str:
    return str(entity.metadata["etag"])


def write(table: TableClient, entity: Entity, etag: str) -> str:
    """Replace the entity that has this ETag, or with an empty one insert it; the new ETag. Lost where another's stands."""
    owned = entity | {"writer": uuid.uuid4().hex}
    with table_errors(f"write a row of {table.table_name}"):
        try:
            if etag:
                return str(table.update_entity(owned, mode=UpdateMode.REPLACE, **if_match(etag))["etag"])
            return str(table.create_entity(owned)["etag"])
        except _DOUBTFUL as refused:
            return _stands(table, owned, refused)


def submit(table: TableClient, entity: Entity, etag: str, *others: tuple[Any, ...]) -> str:
    """Like `write`, in one transaction with other writes to the same partition: all stand, or none; the new ETag."""
    owned = entity | {"writer": uuid.uuid4().hex}
    first = ("update", owned, {"mode": UpdateMode.REPLACE, **if_match(etag)}) if etag else ("create", owned)
    with table_errors(f"write rows of {table.table_name}"):
        try:
            return str(table.submit_transaction([first, *others])[0]["etag"])
        except _DOUBTFUL as refused:
            return _stands(table, owned, refused)


def remove(table: TableClient, entity: Any) -> None:
    """Delete the entity as it was read; one that is gone already is no loss. Lost where it was changed since."""
    with table_errors(f"remove a row of {table.table_name}"):
        try:
            table.delete_entity(entity["PartitionKey"], entity["RowKey"], **if_match(etag_of(entity)))
        except _DOUBTFUL as refused:
            if read(table, entity["PartitionKey"], entity["RowKey"]) is not None:
                raise Lost(str(refused)) from refused


def if_match(etag: str) -> dict[str, Any]:
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _stands(table: TableClient, owned: Entity, refused: Exception) -> str:
    there = read(table, owned["PartitionKey"], owned["RowKey"])
    if there is not None and there.get("writer") == owned["writer"]:
        return etag_of(there)
    if isinstance(refused, ServiceResponseError) or getattr(refused, "status_code", None) not in _ANOTHERS:
        raise refused
    raise Lost(f"another writer's row stands: {refused}") from refused
