"""A command from queue `commands`: what it asks for becomes rows. What it cannot ask for goes to `rejected`, with the reason."""

import logging
from dataclasses import replace
from datetime import timedelta

from handlers import row_commands
from handlers.asked import Asked
from handlers.pull_command import pull
from handlers.push_command import push
from handlers.recall_command import recall
from handlers.share_command import share
from shared import backoff, commands, logs
from shared.deadline import LONGEST_MESSAGE, within
from shared.errors import Lost, Permanent, Transient
from shared.keys import key
from shared.messages import BY_EVENT, LONGEST_ID, Outgoing, Queue, Received, rejection
from shared.ports import Fanout

log = logging.getLogger("fanout.commands")

ATTEMPT, FIRST_ID = "fanout_attempt", "fanout_first_id"  # properties of a delayed copy
CORRELATION_ID = "correlation_id"
LONGEST_FIRST_ID = 100  # characters: with the attempt it stays within LONGEST_ID
ATTEMPTS_OF_FAULTS = 8  # then the dead-letter queue keeps the command


def handle(message: Received, fanout: Fanout) -> None:
    """Carry a command out. Idempotent by the rows' keys. Transient only when the queue itself can not be reached."""
    attempt = _attempt(message)
    try:
        with within(LONGEST_MESSAGE):
            _carry_out(commands.parse(message.body), _asked(message, attempt), fanout)
    except Lost as lost:  # another command, or a wake-up, wrote a row meanwhile: what stands now is for the next attempt to see
        _send_again(message, attempt, Transient(str(lost), retry_after=1), fanout)
    except Permanent as refused:
        logs.event(log, "command rejected", logging.WARNING, message_id=message.message_id, reason=refused.reason)
        fanout.queues.send(Queue.REJECTED, [rejection(_as_it_came(message), refused.reason, "commands")])
    except Transient as failure:
        _send_again(message, attempt, failure, fanout)
    except Exception as fault:  # ours: left to the queue it would burn its ten deliveries in milliseconds
        if attempt >= ATTEMPTS_OF_FAULTS:
            raise
        _send_again(message, attempt, Transient(f"unexpected: {fault!r}"), fanout)


def _carry_out(command: commands.Command, asked: Asked, fanout: Fanout) -> None:
    match command:
        case commands.Share():
            share(command, asked, fanout)
        case commands.Push():
            push(command, asked, fanout)
        case commands.Pull():
            pull(command, asked, fanout)
        case commands.Retry():
            row_commands.retry(command, asked, fanout)
        case commands.Cancel():
            row_commands.cancel(command, asked, fanout)
        case commands.Verdict():
            row_commands.decide(command, asked, fanout)
        case commands.Recall():
            recall(command, asked, fanout)


def _asked(message: Received, attempt: int) -> Asked:
    """The correlation id is AMQP's, or an application property of the name."""
    named = message.properties.get(CORRELATION_ID)
    correlation_id = message.correlation_id or (str(named)[:LONGEST_ID] if named else None)
    by_event = bool(message.properties.get(BY_EVENT))
    return Asked(_first_id(message), attempt, correlation_id, by_event)


def _first_id(message: Received) -> str:
    """The same for all its copies. A message that was sent without an id is told from others by its place in the queue."""
    return str(message.properties.get(FIRST_ID) or message.message_id or key(str(message.sequence_number), message.body.hex()))


def _as_it_came(message: Received) -> Received:
    """The message as it was sent, whatever copies of it were made since."""
    first_id = message.properties.get(FIRST_ID)
    if first_id is None:
        return message
    properties = {name: value for name, value in message.properties.items() if name not in (ATTEMPT, FIRST_ID)}
    return replace(message, message_id=str(first_id), properties=properties)


def _attempt(message: Received) -> int:
    attempt = message.properties.get(ATTEMPT)
    return attempt if isinstance(attempt, int) else 1


def _send_again(message: Received, attempt: int, failure: Transient, fanout: Fanout) -> None:
    """A delayed copy; the message itself is done with. Abandoned instead it would come back at once, ten times in milliseconds."""
    first_id = _first_id(message)
    delay = backoff.retry_delay(attempt, failure.retry_after)
    copy = Outgoing(
        message.body,
        f"{first_id if len(first_id) <= LONGEST_FIRST_ID else key(first_id)}:{attempt}",
        at=fanout.clock.now() + timedelta(seconds=delay),
        correlation_id=message.correlation_id,
        content_type=message.content_type,
        properties={**message.properties, ATTEMPT: attempt + 1, FIRST_ID: first_id},
    )
    logs.event(log, "command postponed", message_id=message.message_id, attempt=attempt, delay=f"{delay:.1f}", why=failure)
    fanout.queues.send(Queue.COMMANDS, [copy])
