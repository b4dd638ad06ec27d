"""A model was registered in a workspace: parse and enqueue, nothing else. Event Grid waits 30 seconds for the answer."""

import json
import logging
from collections.abc import Mapping

from shared import commands, events, logs
from shared.errors import Owner, Permanent
from shared.keys import key
from shared.messages import BY_EVENT, LONGEST_ID, Outgoing, Queue, Received, rejection
from shared.ports import Fanout

log = logging.getLogger("fanout.model_registered")


def handle(event: Mapping[str, object], fanout: Fanout) -> None:
    """Put a share command for the model on the queue; an event that is none goes to `rejected`.

    Transient when the queue can not be reached: then Event Grid sends it again.
    """
    try:
        registered = events.parse(event)
    except Permanent as refused:
        text = json.dumps(event)
        _reject(Received(text.encode(), key(text)), refused, fanout)
        return
    body = commands.share_of(registered.workspace, registered.asset)
    message_id = f"event-{key(registered.event_id, registered.workspace.canonical)}"
    command = Outgoing(body, message_id, correlation_id=registered.event_id[:LONGEST_ID], properties={BY_EVENT: True})
    fanout.queues.send(Queue.COMMANDS, [command])
    logs.event(log, "model registered", workspace=registered.workspace.name, asset=registered.asset)


def handle_message(message: Received, fanout: Fanout) -> None:
    """The same for an event that came by queue `events`."""
    try:
        event = json.loads(message.body)
        if not isinstance(event, dict):
            raise ValueError("it is no JSON object")
    except (ValueError, RecursionError) as wrong:
        _reject(message, _unreadable(wrong), fanout)
        return
    handle(event, fanout)


def _reject(message: Received, refused: Permanent, fanout: Fanout) -> None:
    logs.event(log, "event rejected", logging.WARNING, reason=refused.reason)
    fanout.queues.send(Queue.REJECTED, [rejection(message, refused.reason, "events")])


def _unreadable(wrong: Exception) -> Permanent:
    remedy = "send events of the Event Grid schema or CloudEvents 1.0, one a message"
    return Permanent("bad_event", f"the event cannot be used: {wrong}", Owner.PROVIDER, remedy)
