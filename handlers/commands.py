"""A command from queue `commands`: what it asks for becomes rows. What it cannot ask for goes to `rejected`, with the reason."""

import logging
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
from shared.messages import Outgoing, Queue, Received, rejection
from shared.ports import Fanout

log = logging.getLogger("fanout.commands")

ATTEMPT, FIRST_ID = "fanout_attempt", "fanout_first_id"  # properties of a delayed copy
CORRELATION_ID = "correlation_id"
ATTEMPTS_OF_FAULTS = 8  # then the dead-letter queue keeps the command


def handle(message: Received, fanout: Fanout) -> None:
    """Carry a command out. Idempotent by the rows' keys. Transient only when the queue itself can not be reached."""
    attempt = _attempt(message)
    try:
        with within(LONGEST_MESSAGE):
            _carry_out(commands.parse(message.body), _asked(message, attempt), fanout)
    except Lost:
        logs.event(log, "overtaken", message_id=message.message_id)  # the same command, twice at once: the other one goes on
    except Permanent as refused:
        logs.event(log, "command rejected", logging.WARNING, message_id=message.message_id, reason=refused.reason)
        fanout.queues.send(Queue.REJECTED, [rejection(message, refused.reason, "commands")])
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
    correlation_id = message.correlation_id or (str(named) if named else None)
    return Asked(str(message.properties.get(FIRST_ID) or message.message_id or ""), attempt, correlation_id)


def _attempt(message: Received) -> int:
    attempt = message.properties.get(ATTEMPT)
    return attempt if isinstance(attempt, int) else 1


def _send_again(message: Received, attempt: int, failure: Transient, fanout: Fanout) -> None:
    """A delayed copy; the message itself is done with. Abandoned instead it would come back at once, ten times in milliseconds."""
    first_id = str(message.properties.get(FIRST_ID) or message.message_id or key(message.body.hex()))
    delay = backoff.retry_delay(attempt, failure.retry_after)
    copy = Outgoing(
        message.body,
        f"{first_id if len(first_id) <= 100 else key(first_id)}:{attempt}",
        at=fanout.clock.now() + timedelta(seconds=delay),
        correlation_id=message.correlation_id,
        content_type=message.content_type,
        properties={**message.properties, ATTEMPT: attempt + 1, FIRST_ID: first_id},
    )
    logs.event(log, "command postponed", message_id=message.message_id, attempt=attempt, delay=f"{delay:.1f}", why=failure)
    fanout.queues.send(Queue.COMMANDS, [copy])
