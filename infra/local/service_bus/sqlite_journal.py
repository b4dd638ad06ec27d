"""The queues on disk: one SQLite file, one transaction for each turn of the event loop.

Write-ahead log with `synchronous=normal`: what was committed survives the end of the process however it comes (kill -9),
though perhaps not the end of the machine. The exclusive lock keeps a second broker off the file and saves time.
"""

import sqlite3
from pathlib import Path

from infra.local.service_bus.queues.journal import JournalError, Recovered
from infra.local.service_bus.queues.message import DeadLetter, Message, State

_SCHEMA = """
pragma locking_mode = exclusive;
pragma journal_mode = wal;
pragma synchronous = normal;
create table if not exists messages (
    sequence_number integer primary key,
    queue text not null,
    enqueued_sequence_number integer not null,
    message_id text not null,
    enqueued_at integer not null,
    time_to_live integer,
    scheduled_for integer,
    expires_at integer,
    delivery_count integer not null,
    state text not null,
    locked integer not null,
    dead_letter_source text,
    dead_letter_reason text,
    dead_letter_description text,
    payload blob not null
);
create table if not exists accepted_ids (
    queue text not null,
    message_id text not null,
    accepted_at integer not null,
    primary key (queue, message_id)
) without rowid;
create table if not exists reserved_numbers (only integer primary key check (only = 1), up_to integer not null);
"""

_ADD = "insert into messages values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPDATE = """
update messages set sequence_number = ?, enqueued_at = ?, expires_at = ?, delivery_count = ?, state = ?, locked = ?,
    dead_letter_source = ?, dead_letter_reason = ?, dead_letter_description = ?
where sequence_number = ?
"""
_RECOVER = """
select sequence_number, queue, enqueued_sequence_number, message_id, enqueued_at, time_to_live, scheduled_for, expires_at,
    delivery_count, state, locked, dead_letter_source, dead_letter_reason, dead_letter_description, payload
from messages where queue = ? order by sequence_number
"""


class SqliteJournal:
    """A `Journal`. Opening raises sqlite3.Error where the file is no database or in use by another broker."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, timeout=0.5)
        self._database.executescript(_SCHEMA)
        self._changes: list[tuple[str, tuple[int | str | bytes | None, ...]]] = []

    def add(self, message: Message) -> None:
        self._change(
            _ADD,
            message.sequence_number,
            message.queue,
            message.enqueued_sequence_number,
            message.message_id,
            message.enqueued_at,
            message.time_to_live,
            message.scheduled_for,
            message.expires_at,
            message.delivery_count,
            message.state,
            message.lock is not None,
            *(message.dead_letter or (None, None, None)),
            message.payload,
        )

    def update(self, message: Message, recorded_as: int) -> None:
        self._change(
            _UPDATE,
            message.sequence_number,
            message.enqueued_at,
            message.expires_at,
            message.delivery_count,
            message.state,
            message.lock is not None,
            *(message.dead_letter or (None, None, None)),
            recorded_as,
        )

    def remove(self, message: Message) -> None:
        self._change("delete from messages where sequence_number = ?", message.sequence_number)

    def remember(self, queue: str, message_id: str, accepted_at: int) -> None:
        self._change("insert or replace into accepted_ids values (?, ?, ?)", queue, message_id, accepted_at)

    def forget(self, queue: str, message_id: str) -> None:
        self._change("delete from accepted_ids where queue = ? and message_id = ?", queue, message_id)

    def reserve_numbers(self, up_to: int) -> None:
        self._change("insert or replace into reserved_numbers values (1, ?)", up_to)

    def commit(self) -> None:
        if not self._changes:
            return
        changes, self._changes = self._changes, []
        try:
            self._database.execute("begin")
            for statement, values in changes:
                self._database.execute(statement, values)
            self._database.execute("commit")
        except sqlite3.Error as broken:
            raise JournalError(f"the database did not take the queues' changes: {broken}") from broken

    def reserved_numbers(self) -> int:
        row = self._database.execute("select up_to from reserved_numbers").fetchone()
        return row[0] if row else 1

    def recover(self, queue: str) -> Recovered:
        rows = self._database.execute(_RECOVER, (queue,)).fetchall()
        accepted = self._database.execute(
            "select message_id, accepted_at from accepted_ids where queue = ? order by accepted_at", (queue,)
        ).fetchall()
        return Recovered([_message(row) for row in rows], frozenset(row[0] for row in rows if row[10]), accepted)

    def close(self) -> None:
        self._database.close()

    def _change(self, statement: str, *values: int | str | bytes | None) -> None:
        self._changes.append((statement, values))


def _message(row: tuple[int, str, int, str, int, int, int, int, int, str, int, str, str, str, bytes]) -> Message:
    number, queue, enqueued_as, message_id, enqueued_at, time_to_live, scheduled_for, expires_at, count, state = row[:10]
    source, reason, description, payload = row[11:]
    return Message(
        queue=queue,
        sequence_number=number,
        enqueued_sequence_number=enqueued_as,
        message_id=message_id,
        payload=payload,
        enqueued_at=enqueued_at,
        time_to_live=time_to_live,
        scheduled_for=scheduled_for,
        expires_at=expires_at,
        delivery_count=count,
        state=State(state),
        dead_letter=DeadLetter(source, reason, description) if source is not None else None,
    )
