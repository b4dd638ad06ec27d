"""What the local Azure ML knows, in one SQLite file, so that `kill -9` loses nothing that was answered.

Everything is a JSON document under (kind, scope, name): kinds of assets that come later need no new table.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

type Document = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, scope TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (kind, scope, name)
)
"""


class State:
    """Documents in the order of their first writing. Single-threaded: it belongs to the event loop."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file, isolation_level=None)
        # WAL with NORMAL outlives the death of the process; only a power cut could take the last transactions.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(SCHEMA)

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; one inside another joins it."""
        if self._database.in_transaction:
            yield
            return
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def get(self, kind: str, scope: str, name: str) -> Document | None:
        query = "SELECT body FROM documents WHERE kind = ? AND scope = ? AND name = ?"
        row = self._database.execute(query, (kind, scope, name)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, scope: str, name: str, body: Document) -> None:
        query = (
            "INSERT INTO documents (kind, scope, name, body) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (kind, scope, name) DO UPDATE SET body = excluded.body"
        )
        self._database.execute(query, (kind, scope, name, json.dumps(body)))

    def delete(self, kind: str, scope: str, name: str) -> None:
        self._database.execute("DELETE FROM documents WHERE kind = ? AND scope = ? AND name = ?", (kind, scope, name))

    def within(self, kind: str, scope: str) -> list[Document]:
        query = "SELECT body FROM documents WHERE kind = ? AND scope = ? ORDER BY sequence"
        return [json.loads(row[0]) for row in self._database.execute(query, (kind, scope))]

    def everywhere(self, kind: str) -> list[tuple[str, Document]]:
        """(scope, document) of every document of this kind."""
        query = "SELECT scope, body FROM documents WHERE kind = ? ORDER BY sequence"
        return [(row[0], json.loads(row[1])) for row in self._database.execute(query, (kind,))]

    def setting(self, name: str, make: Callable[[], str]) -> str:
        """A value made once for this state, such as a signing key."""
        with self.transaction():
            found = self.get("setting", "", name)
            if found is None:
                found = {"value": make()}
                self.put("setting", "", name, found)
        return str(found["value"])

    def change_setting(self, name: str, value: str) -> None:
        self.put("setting", "", name, {"value": value})
