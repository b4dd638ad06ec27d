"""What must survive kill -9: subscriptions, and every accepted event until it is delivered or dropped.

One SQLite connection, each change its own transaction, committed before it is answered. A commit outlives the process
without being forced to disk (WAL, synchronous=NORMAL); it might not outlive the machine.
"""

import json
import sqlite3
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.event_grid.schemas import Event
from infra.local.event_grid.subscriptions import EventSubscription

_TABLES = """
CREATE TABLE IF NOT EXISTS subscriptions (name TEXT PRIMARY KEY COLLATE NOCASE, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    id TEXT PRIMARY KEY, subscription TEXT NOT NULL COLLATE NOCASE, event TEXT NOT NULL,
    accepted REAL NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, last_failure TEXT, dropped TEXT);
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one subscription, after so many attempts; `id` stays the same over them."""

    id: str
    subscription: str
    event: Event
    accepted: float  # Unix time
    attempts: int


class Store:
    """`path` None keeps everything in memory."""

    def __init__(self, path: Path | None) -> None:
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    def put_subscription(self, subscription: EventSubscription) -> None:
        document = subscription.model_dump_json(by_alias=True)
        self._db.execute("INSERT OR REPLACE INTO subscriptions VALUES (?, ?)", (subscription.name, document))

    def remove_subscription(self, name: str) -> None:
        """With the events that were still on their way to it."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM deliveries WHERE subscription = ?", (name,))
            self._db.execute("DELETE FROM subscriptions WHERE name = ?", (name,))

    def subscriptions(self) -> list[EventSubscription]:
        rows = self._db.execute("SELECT document FROM subscriptions ORDER BY name")
        return [EventSubscription.model_validate_json(document) for (document,) in rows]

    def accept(self, wanted: Iterable[tuple[EventSubscription, Event]]) -> list[Delivery]:
        """All or none, due at once."""
        now = time.time()
        deliveries = [Delivery(str(uuid.uuid4()), subscription.name, event, now, 0) for subscription, event in wanted]
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT INTO deliveries (id, subscription, event, accepted, due) VALUES (?, ?, ?, ?, ?)",
                [(each.id, each.subscription, json.dumps(each.event), now, now) for each in deliveries],
            )
        return deliveries

    def undelivered(self) -> list[tuple[Delivery, float]]:
        """Each with the time when it is due."""
        rows = self._db.execute(
            "SELECT id, subscription, event, accepted, attempts, due FROM deliveries WHERE dropped IS NULL ORDER BY due"
        )
        return [
            (Delivery(id_, name, json.loads(event), accepted, attempts), due) for id_, name, event, accepted, attempts, due in rows
        ]

    def delivered(self, delivery: Delivery) -> None:
        self._db.execute("DELETE FROM deliveries WHERE id = ?", (delivery.id,))

    def postpone(self, delivery: Delivery, due: float, failure: str) -> None:
        self._db.execute(
            "UPDATE deliveries SET attempts = ?, due = ?, last_failure = ? WHERE id = ?",
            (delivery.attempts, due, failure, delivery.id),
        )

    def drop(self, delivery: Delivery, reason: str, failure: str) -> None:
        self._db.execute(
            "UPDATE deliveries SET attempts = ?, dropped = ?, last_failure = ? WHERE id = ?",
            (delivery.attempts, reason, failure, delivery.id),
        )

    def dropped(self) -> list[dict[str, Any]]:
        return self._listed("dropped IS NOT NULL")

    def pending(self) -> list[dict[str, Any]]:
        return self._listed("dropped IS NULL")

    def _listed(self, condition: str) -> list[dict[str, Any]]:
        rows = self._db.execute(
            "SELECT subscription, event, attempts, due, last_failure, dropped FROM deliveries"  # noqa: S608 # ours
            f" WHERE {condition} ORDER BY accepted, rowid"
        )
        return [
            {
                "subscription": name,
                "event": json.loads(event),
                "attempts": attempts,
                "due": due,
                "lastFailure": failure,
                "reason": reason,
            }
            for name, event, attempts, due, failure, reason in rows
        ]
