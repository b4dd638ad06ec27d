"""What the reconciler keeps, in memory; it refuses stale writes, and counts reads and writes."""

import itertools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from shared.assets import Asset, Kind, WorkspaceId
from shared.errors import Lost
from shared.reconciling import Cursor
from shared.watching import Mark, Watch


@dataclass
class FakeReconciling:
    """`shared.ports.Reconciling`."""

    stands: Cursor = field(default_factory=Cursor)
    watches: dict[tuple[WorkspaceId, Kind], Watch] = field(default_factory=dict)
    marks: dict[tuple[WorkspaceId, Kind, str], Mark] = field(default_factory=dict)
    recalls: set[tuple[WorkspaceId, Asset]] = field(default_factory=set)
    writes: int = 0
    _etags: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def cursor(self) -> Cursor:
        return self.stands

    def save_cursor(self, cursor: Cursor) -> Cursor:
        self._check(self.stands, cursor)
        self.stands = replace(cursor, etag=self._etag())
        return self.stands

    def seen(self, workspace: WorkspaceId, kind: Kind) -> tuple[Watch, Mapping[str, Mark]]:
        watch = self.watches.get((workspace, kind), Watch(workspace=workspace, kind=kind))
        return watch, {at[2]: mark for at, mark in self.marks.items() if at[:2] == (workspace, kind)}

    def save_watch(self, watch: Watch) -> Watch:
        at = (watch.workspace, watch.kind)
        self._check(self.watches.get(at), watch)
        self.watches[at] = replace(watch, etag=self._etag())
        return self.watches[at]

    def watched(self, tenants: Collection[str] | None) -> Iterable[tuple[str, WorkspaceId, Kind]]:
        watches = [watch for watch in self.watches.values() if watch.since]
        return [(each.tenant, each.workspace, each.kind) for each in watches if tenants is None or each.tenant in tenants]

    def save_mark(self, mark: Mark) -> Mark:
        at = (mark.workspace, mark.kind, mark.name)
        self._check(self.marks.get(at), mark)
        self.marks[at] = replace(mark, etag=self._etag())
        return self.marks[at]

    def recalled(self, workspace: WorkspaceId, kind: Kind, name: str) -> Collection[str]:
        return {asset.version for there, asset in self.recalls if (there, asset.kind, asset.name) == (workspace, kind, name)}

    def note_recall(self, workspace: WorkspaceId, asset: Asset) -> None:
        self.recalls.add((workspace, asset))

    def _check(self, there: Cursor | Watch | Mark | None, row: Cursor | Watch | Mark) -> None:
        self.writes += 1
        if (there.etag if there else "") != row.etag:
            raise Lost("another's write stands")

    def _etag(self) -> str:
        return f"etag-{next(self._etags)}"
