"""What a command brings about, from the queue to the outcome.

A command is carried out once it is in neither queue `commands` nor `rejected`: a copy that waits for a retry is in the first
one too. From then on the rows tell all: those that the command names, and the deliveries of a share.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from handlers.cli.rows_of import rows_of
from handlers.cli.sending import Sent
from handlers.commands import ATTEMPT, FIRST_ID
from shared.commands import Command, Push, Recall, Retry, Share
from shared.messages import Queue, Received
from shared.ports import KeptMessages, Rows, RulesSource
from shared.rows import Address, DeliveryRow, RowKind, ShareRow, WorkRow, is_done
from shared.states import DeliveryState, ShareState


class Sources(Protocol):
    """What is looked at."""

    @property
    def rows(self) -> Rows: ...
    @property
    def rules(self) -> RulesSource: ...
    @property
    def kept_messages(self) -> KeptMessages: ...


class Outcome(StrEnum):
    DONE = "done"
    FAILED = "failed"
    REJECTED = "rejected"
    OPEN = "open"


@dataclass(slots=True)
class Following:
    """What one command has brought about so far. Each `look` reads what may have changed, and nothing that has ended."""

    sent: Sent
    sources: Sources
    carried_out: bool = False
    attempt: int = 1  # how often it was tried: it may have to wait for something
    rejection: Received | None = None
    rows: dict[Address, WorkRow] = field(default_factory=dict)
    _named: tuple[Address, ...] = ()
    _complete: set[Address] = field(default_factory=set)  # shares whose deliveries are all known
    _seen_upto: dict[Queue, int] = field(default_factory=dict)

    def look(self) -> Outcome:
        """The outcome as it stands. Transient, Permanent as the queues and the tables say."""
        if not self.carried_out:
            self._look_for_message()
        if self.rejection:
            return Outcome.REJECTED
        if not self.carried_out:
            return Outcome.OPEN
        if not self._named:
            self._named = rows_of(self.sent.command, self.sources.rules.current())
        for address in self._named:
            self._look_at(address)
        for address in [each for each in self.rows if each not in self._named]:
            self._look_at(address)
        for share in [row for row in self.rows.values() if isinstance(row, ShareRow)]:
            self._look_for_deliveries(share)
        return self._outcome()

    def _look_for_message(self) -> None:
        waits = self._find(Queue.COMMANDS)
        self.rejection = self._find(Queue.REJECTED)
        self.carried_out = waits is None
        tried = waits.properties.get(ATTEMPT) if waits else None
        self.attempt = tried if isinstance(tried, int) else self.attempt

    def _find(self, queue: Queue) -> Received | None:
        """The newest message that is the command, or a copy of it. It is looked for from where it was, or the queue ended."""
        found = None
        for message in self.sources.kept_messages.peek(queue, self._seen_upto.get(queue, 0)):
            if self.sent.message_id in (message.message_id, message.properties.get(FIRST_ID)):
                found = message
            elif found is None:
                self._seen_upto[queue] = message.sequence_number
        return found

    def _look_at(self, address: Address) -> None:
        known = self.rows.get(address)
        if known and is_done(known):
            return
        rows = self.sources.rows
        row = rows.get(address) if address.kind is RowKind.SHARE else rows.find_delivery(address)
        if row and self._is_meant(row):
            self.rows[address] = row

    def _is_meant(self, row: WorkRow) -> bool:
        """A share of the same name from elsewhere is not what was asked for."""
        command = self.sent.command
        return not (isinstance(command, Share) and isinstance(row, ShareRow) and row.origin != command.source)

    def _look_for_deliveries(self, share: ShareRow) -> None:
        """The open ones at each look; once no more can come, also those that came and ended unseen."""
        if share.address in self._complete or not _fans_out(self.sent.command):
            return
        for delivery in self.sources.rows.open_deliveries(share.asset.key):
            if self._concerns(delivery, share) or self._is_in(delivery, share):
                self.rows[delivery.address] = delivery
        if is_done(share):
            ended = self.sources.rows.closed_deliveries(share.asset.key)
            self.rows |= {each.address: each for each in ended if self._concerns(each, share) or self._came_before(each, share)}
            self._complete.add(share.address)

    def _concerns(self, delivery: DeliveryRow, share: ShareRow) -> bool:
        """Whether the command made it, or touched it."""
        ours = delivery.correlation_id == self.sent.correlation_id or delivery.was_asked_by(self.sent.message_id)
        return ours and delivery.registry == share.registry

    def _came_before(self, delivery: DeliveryRow, share: ShareRow) -> bool:
        """Whether a share that was asked for brought it already, since an event or another was first. What was ended is over."""
        asked_for = isinstance(self.sent.command, Share) and bool(delivery.subscription)
        return asked_for and delivery.state is not DeliveryState.CANCELLED and delivery.registry == share.registry

    def _is_in(self, delivery: DeliveryRow, share: ShareRow) -> bool:
        """Whether it is under way to somebody whom the command is for, though another command made it."""
        command = self.sent.command
        push = command if isinstance(command, Push) else None
        to = push.to if push and push.to != "subscribers" else [delivery.tenant]
        into = (push and push.workspaces) or [delivery.workspace]
        routes = (push and push.routes) or [delivery.action.route]
        is_for = delivery.tenant in to and delivery.workspace in into and delivery.action.route in routes
        return is_for and delivery.registry == share.registry

    def _outcome(self) -> Outcome:
        if any(not is_done(row) for row in self.rows.values()):
            return Outcome.OPEN
        return Outcome.DONE if all(went_well(row, self.sent.command.type) for row in self.rows.values()) else Outcome.FAILED


def _fans_out(command: Command) -> bool:
    """Whether a share's deliveries are the command's concern too."""
    return isinstance(command, Push | Recall | Retry) or (isinstance(command, Share) and command.fan_out)


def went_well(row: WorkRow, command: str) -> bool:
    """Whether a row that ended did so as the command wanted. What a newer version overtook is no failure."""
    match row.state:
        case ShareState.FAILED if isinstance(row, ShareRow):  # a delivery's is equal to it
            return command == "cancel" and bool(row.cancelled_by)
        case DeliveryState.CANCELLED:
            return command in ("cancel", "reject", "recall")
        case DeliveryState.FAILED:
            return False
        case ShareState.RECALLED | DeliveryState.RECALLED:
            return command not in ("share", "push", "pull", "approve")
        case DeliveryState.DELIVERED:
            return command not in ("cancel", "reject")
        case _:
            return True
