"""What must survive kill -9: topics, event subscriptions, and every accepted event until it is delivered, dead-lettered or dropped.

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

from infra.local.event_grid.dead_letters import DeadLetter
from infra.local.event_grid.schemas import Event
from infra.local.event_grid.subscriptions import EventSubscription
from infra.local.event_grid.topics import Kind, Topic

_TABLES = """
CREATE TABLE IF NOT EXISTS subscriptions (name TEXT PRIMARY KEY COLLATE NOCASE, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS topics (
    kind TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, document TEXT NOT NULL, PRIMARY KEY (kind, name));
CREATE TABLE IF NOT EXISTS undelivered (
    id TEXT PRIMARY KEY, subscription TEXT NOT NULL COLLATE NOCASE, source TEXT NOT NULL, schema TEXT NOT NULL, event TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'underway', accepted REAL NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    last_attempt REAL, last_failure TEXT, last_outcome TEXT, reason TEXT);
"""
UNDERWAY, DEAD_LETTER, DROPPED = "underway", "dead letter", "dropped"


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
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    def put_topic(self, topic: Topic) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO topics VALUES (?, ?, ?)", (topic.kind, topic.name, topic.model_dump_json(by_alias=True))
        )

    def remove_topic(self, topic: Topic) -> None:
        self._db.execute("DELETE FROM topics WHERE kind = ? AND name = ?", (topic.kind, topic.name))

    def topics(self, kind: Kind) -> list[Topic]:
        rows = self._db.execute("SELECT document FROM topics WHERE kind = ? ORDER BY name", (kind,))
        return [Topic.model_validate_json(document) for (document,) in rows]

    def topic(self, kind: Kind, name: str) -> Topic | None:
        row = self._db.execute("SELECT document FROM topics WHERE kind = ? AND name = ?", (kind, name)).fetchone()
        return Topic.model_validate_json(row["document"]) if row else None

    def put_subscription(self, subscription: EventSubscription) -> None:
        document = subscription.model_dump_json(by_alias=True)
        self._db.execute("INSERT OR REPLACE INTO subscriptions VALUES (?, ?)", (subscription.name, document))

    def remove_subscription(self, name: str) -> None:
        """With the events that were still on their way to it."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM undelivered WHERE subscription = ?", (name,))
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
                "INSERT INTO undelivered (id, subscription, source, schema, event, accepted, due) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(each.id, each.subscription, *_columns(each.event), now, now) for each in deliveries],
            )
        return deliveries

    def undelivered(self) -> list[tuple[Delivery, float]]:
        """Each with the time when it is due."""
        rows = self._db.execute("SELECT * FROM undelivered WHERE state = ? ORDER BY due", (UNDERWAY,))
        return [
            (Delivery(row["id"], row["subscription"], _event(row), row["accepted"], row["attempts"]), row["due"]) for row in rows
        ]

    def dead_letters(self) -> list[DeadLetter]:
        """Those that are not written yet."""
        rows = self._db.execute("SELECT * FROM undelivered WHERE state = ? ORDER BY last_attempt", (DEAD_LETTER,))
        return [
            DeadLetter(
                row["id"],
                row["subscription"],
                _event(row),
                row["reason"],
                row["attempts"],
                row["last_outcome"],
                row["accepted"],
                row["last_attempt"],
            )
            for row in rows
        ]

    def done(self, id_: str) -> None:
        """Delivered, or written as a dead letter."""
        self._db.execute("DELETE FROM undelivered WHERE id = ?", (id_,))

    def postpone(self, delivery: Delivery, due: float, failure: str) -> None:
        self._db.execute(
            "UPDATE undelivered SET attempts = ?, due = ?, last_failure = ? WHERE id = ?",
            (delivery.attempts, due, failure, delivery.id),
        )

    def dead_letter(self, letter: DeadLetter, failure: str) -> None:
        """Keep it until it is written."""
        self._give_up(letter, failure, DEAD_LETTER)

    def drop(self, letter: DeadLetter, failure: str) -> None:
        self._give_up(letter, failure, DROPPED)

    def dropped(self) -> list[dict[str, Any]]:
        return self._listed(DROPPED)

    def pending(self) -> list[dict[str, Any]]:
        return self._listed(UNDERWAY)

    def _give_up(self, letter: DeadLetter, failure: str, state: str) -> None:
        self._db.execute(
            "UPDATE undelivered SET state = ?, attempts = ?, reason = ?, last_outcome = ?, last_attempt = ?, last_failure = ?"
            " WHERE id = ?",
            (state, letter.attempts, letter.reason, letter.outcome, letter.last_attempt, failure, letter.id),
        )

    def _listed(self, state: str) -> list[dict[str, Any]]:
        rows = self._db.execute("SELECT * FROM undelivered WHERE state = ? ORDER BY accepted, rowid", (state,))
        return [
            {
                "subscription": row["subscription"],
                "event": json.loads(row["event"]),
                "attempts": row["attempts"],
                "due": row["due"],
                "lastFailure": row["last_failure"],
                "reason": row["reason"],
            }
            for row in rows
        ]


def _columns(event: Event) -> tuple[str, str, str]:
    return event.source, event.schema, json.dumps(event.body)


def _event(row: sqlite3.Row) -> Event:
    return Event(row["source"], row["schema"], json.loads(row["event"]))
