"""Triggers and bindings: parse, call a handler. Nothing happens at import, and nothing is decided here."""

from datetime import UTC, datetime

import azure.functions as func

from handlers import commands, model_registered, reconcile, reconcile_pass, wakeups
from shared.bootstrap import fanout
from shared.messages import Queue, Received

SERVICE_BUS = "ServiceBus"  # the connection: a setting of this name, or ServiceBus__fullyQualifiedNamespace

app = func.FunctionApp()


@app.function_name("model_registered")
@app.event_grid_trigger(arg_name="event")
def on_model_registered(event: func.EventGridEvent) -> None:
    model_registered.handle(_as_published(event), fanout())


@app.function_name("events")
@app.service_bus_queue_trigger(arg_name="message", queue_name=Queue.EVENTS.value, connection=SERVICE_BUS)
def on_event_message(message: func.ServiceBusMessage) -> None:
    model_registered.handle_message(_received(message), fanout())


@app.function_name("commands")
@app.service_bus_queue_trigger(arg_name="message", queue_name=Queue.COMMANDS.value, connection=SERVICE_BUS)
def on_command(message: func.ServiceBusMessage) -> None:
    commands.handle(_received(message), fanout())


@app.function_name("wakeups")
@app.service_bus_queue_trigger(arg_name="message", queue_name=Queue.WAKEUPS.value, connection=SERVICE_BUS)
def on_wake_up(message: func.ServiceBusMessage) -> None:
    wakeups.handle(_received(message), fanout())


@app.function_name("reconcile")
@app.timer_trigger(arg_name="timer", schedule="%FANOUT_RECONCILE_SCHEDULE%")
def on_timer(timer: func.TimerRequest) -> None:
    reconcile.handle(fanout(), next_run(timer))
    reconcile_pass.handle(fanout())


def next_run(timer: func.TimerRequest) -> datetime | None:
    """None where the host keeps no account of it, as of timers that run several times a minute."""
    text = getattr(timer, "schedule_status", {}).get("Next")  # the annotation's class lacks what the worker library gives
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _received(message: func.ServiceBusMessage) -> Received:
    return Received(
        body=message.get_body(),
        message_id=message.message_id,
        sequence_number=message.sequence_number or 0,
        correlation_id=message.correlation_id,
        content_type=message.content_type,
        properties=message.application_properties,
    )


def _as_published(event: func.EventGridEvent | func.CloudEvent) -> dict[str, object]:
    """The event as its schema has it: the worker library gives a CloudEvent where one was sent, whatever the annotation."""
    if isinstance(event, func.CloudEvent):
        return {
            "specversion": event.specversion,
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "subject": event.subject,
            "data": event.get_json(),
        }
    return {
        "id": event.id,
        "topic": event.topic,
        "eventType": event.event_type,
        "subject": event.subject,
        "data": event.get_json(),
    }
