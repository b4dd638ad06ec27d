"""A wake-up from queue `wakeups`: look at the row that it names, and take at most one step."""

import logging
from datetime import timedelta

from handlers import deliveries, shares
from handlers.turns import take
from shared import backoff, logs
from shared.deadline import LONGEST_MESSAGE, within
from shared.errors import Permanent
from shared.messages import Queue, Received, of_wake_up, rejection, to_wake_up
from shared.ports import Fanout

log = logging.getLogger("fanout.wakeups")

MOST_HOPS = 30  # then it is left to the dead-letter queue, and to the timer
PUT_BACK = 5.0  # seconds, when the tables can not be reached; more each time


def handle(message: Received, fanout: Fanout) -> None:
    """Raises only when the queue can not be reached, or after MOST_HOPS: then the message comes back, or is dead-lettered."""
    try:
        wake_up = to_wake_up(message)
    except Permanent as refused:
        logs.event(log, "wake-up rejected", logging.WARNING, message_id=message.message_id, reason=refused.reason)
        fanout.queues.send(Queue.REJECTED, [rejection(message, refused.reason, "wakeups")])
        return
    try:
        with within(LONGEST_MESSAGE):
            take(wake_up, message, fanout, shares.step, deliveries.step)
    except Exception as failure:  # Azure's, the row's or ours: left to the queue it would burn its deliveries in milliseconds
        if wake_up.hop >= MOST_HOPS:
            raise
        logs.event(log, "put back", logging.ERROR, row=wake_up.address, rev=wake_up.rev, why=repr(failure))
        at = fanout.clock.now() + timedelta(seconds=backoff.spread(PUT_BACK * 2 ** min(wake_up.hop, 6)))
        fanout.queues.send(Queue.WAKEUPS, [of_wake_up(wake_up.put_back(), at)])
