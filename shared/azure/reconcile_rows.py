"""Table `reconcile`: what the reconciler keeps between its runs.

cursor                     cursor          where it stands, and who has the turn
<workspace, kind> hashed   watch           which publications are known there
                           n|<name>        what was seen of a name, which is hashed
watched                    <tenant>|<watch>  where a tenant has publications; both are hashed
<asset's name> hashed      r|<version>     a version that was recalled; it is hashed
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from azure.data.tables import TableServiceClient

from shared.assets import Asset, Kind, WorkspaceId
from shared.azure.entities import RowCodec
from shared.azure.owned_writes import etag_of, read, write
from shared.azure.tables import table_errors
from shared.keys import key
from shared.reconciling import Cursor
from shared.watching import Mark, Watch

CURSOR, WATCH, WATCHED = "cursor", "watch", "watched"
FEW = 20  # tenants; those of more are found sooner among all

_RANGE = "PartitionKey eq @watched and RowKey ge @first and RowKey lt @end"
_CURSORS = RowCodec(Cursor)
_WATCHES = RowCodec(Watch)
_MARKS = RowCodec(Mark)


class ReconcileTable:
    """`shared.ports.Reconciling`."""

    def __init__(self, service: TableServiceClient) -> None:
        self._table = service.get_table_client("reconcile")

    def cursor(self) -> Cursor:
        entity = read(self._table, CURSOR, CURSOR)
        return Cursor() if entity is None else replace(_CURSORS.to_row(entity), etag=etag_of(entity))

    def save_cursor(self, cursor: Cursor) -> Cursor:
        return replace(cursor, etag=write(self._table, _CURSORS.to_entity(cursor, CURSOR, CURSOR), cursor.etag))

    def seen(self, workspace: WorkspaceId, kind: Kind) -> tuple[Watch, Mapping[str, Mark]]:
        partition = Watch.partition(workspace, kind)
        watch, marks = Watch(workspace=workspace, kind=kind), {}
        with table_errors("read what was seen of a workspace"):
            for entity in self._table.query_entities("PartitionKey eq @partition", parameters={"partition": partition}):
                if entity["RowKey"] == WATCH:
                    watch = replace(_WATCHES.to_row(entity), etag=etag_of(entity))
                else:
                    mark = replace(_MARKS.to_row(entity), etag=etag_of(entity))
                    marks[mark.name] = mark
        return watch, marks

    def save_watch(self, watch: Watch) -> Watch:
        """A crash leaves it among those that are watched, rather than forgets it."""
        partition = Watch.partition(watch.workspace, watch.kind)
        entity = _WATCHES.to_entity(watch, partition, WATCH)
        index = {"PartitionKey": WATCHED, "RowKey": f"{key(watch.tenant)}|{partition}"}
        with table_errors("note where is watched"):
            if watch.since:
                place = {"tenant": watch.tenant, "workspace": str(watch.workspace), "kind": watch.kind.value}
                self._table.upsert_entity(index | place)
            saved = replace(watch, etag=write(self._table, entity, watch.etag))
            if not watch.since:
                self._table.delete_entity(index["PartitionKey"], index["RowKey"])
        return saved

    def watched(self, tenants: Collection[str] | None) -> Iterator[tuple[str, WorkspaceId, Kind]]:
        some = tenants if tenants is not None and len(tenants) <= FEW else None
        ranges = [(f"{key(tenant)}|", f"{key(tenant)}}}") for tenant in some] if some is not None else [("", "~")]
        for first, end in ranges:
            bounds = {"watched": WATCHED, "first": first, "end": end}
            with table_errors("read where is watched"):
                found = list(self._table.query_entities(_RANGE, parameters=bounds))
            for entity in found:
                if tenants is None or entity["tenant"] in tenants:
                    yield entity["tenant"], WorkspaceId.parse(entity["workspace"]), Kind(entity["kind"])

    def save_mark(self, mark: Mark) -> Mark:
        entity = _MARKS.to_entity(mark, Watch.partition(mark.workspace, mark.kind), f"n|{key(mark.name)}")
        return replace(mark, etag=write(self._table, entity, mark.etag))

    def recalled(self, workspace: WorkspaceId, kind: Kind, name: str) -> Collection[str]:
        partition = _recalls(workspace, kind, name)
        with table_errors(f"read what was recalled of {kind} {name}"):
            found = self._table.query_entities("PartitionKey eq @partition", parameters={"partition": partition})
            return frozenset(entity["version"] for entity in found)

    def note_recall(self, workspace: WorkspaceId, asset: Asset) -> None:
        partition = _recalls(workspace, asset.kind, asset.name)
        entity = {"PartitionKey": partition, "RowKey": f"r|{key(asset.version)}", "version": asset.version}
        with table_errors(f"note the recall of {asset}"):
            self._table.upsert_entity(entity)


def _recalls(workspace: WorkspaceId, kind: Kind, name: str) -> str:
    return key("recalled", workspace.canonical, kind, name)
