"""What each function is bound to, read from the worker's metadata and checked before anything runs.

A binding that this host does not serve ends it at start: a function that would never run is worse than one that fails.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from infra.local.functions_host.errors import HostError


class Trigger(BaseModel):
    """The part common to all: `name` is the parameter that gets the trigger's value."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)

    name: str


class HttpTrigger(Trigger):
    type: Literal["httpTrigger"]
    route: str | None = None
    methods: tuple[str, ...] = ()
    auth_level: Literal["ANONYMOUS", "FUNCTION", "ADMIN"] = "FUNCTION"


class EventGridTrigger(Trigger):
    type: Literal["eventGridTrigger"]


class TimerTrigger(Trigger):
    type: Literal["timerTrigger"]
    schedule: str
    run_on_startup: bool = False


class ServiceBusTrigger(Trigger):
    """Queues only: a topic has no `queueName`. `cardinality` MANY and sessions are refused; see `_refuse`."""

    type: Literal["serviceBusTrigger"]
    queue_name: str
    connection: str = "ServiceBus"
    data_type: str = "STRING"
    cardinality: str = "ONE"
    is_sessions_enabled: bool = False


type AnyTrigger = HttpTrigger | EventGridTrigger | TimerTrigger | ServiceBusTrigger
_TRIGGER: TypeAdapter[AnyTrigger] = TypeAdapter(Annotated[AnyTrigger, Field(discriminator="type")])


@dataclass(frozen=True, slots=True)
class Function:
    """A loaded function: `id` is the worker's, `bindings` are as the worker gave them."""

    name: str
    id: str
    trigger: AnyTrigger
    bindings: tuple[dict[str, Any], ...]


def read_function(metadata: Any) -> Function:
    """Make a Function of the worker's RpcFunctionMetadata. Raises HostError for what this host cannot run."""
    bindings = tuple(json.loads(raw) for raw in metadata.raw_bindings)
    triggers = [binding for binding in bindings if str(binding.get("type", "")).endswith("Trigger")]
    if len(triggers) != 1:
        raise HostError(f"function {metadata.name} has {len(triggers)} triggers; it must have one")
    _refuse(metadata.name, triggers[0], bindings, metadata.retry_options)
    try:
        trigger = _TRIGGER.validate_python(triggers[0])
    except ValidationError as invalid:
        raise HostError(f"function {metadata.name} has a {triggers[0]['type']} that is not valid: {invalid}") from None
    return Function(metadata.name, metadata.function_id, trigger, bindings)


def _refuse(name: str, trigger: dict[str, Any], bindings: tuple[dict[str, Any], ...], retry: Any) -> None:
    kind = trigger["type"]
    if kind not in ("httpTrigger", "eventGridTrigger", "timerTrigger", "serviceBusTrigger"):
        raise HostError(f"function {name} has a {kind}, which this host does not serve")
    if "topicName" in trigger:
        raise HostError(f"function {name} listens to a Service Bus topic; this host serves queues only")
    if str(trigger.get("cardinality", "ONE")).upper() != "ONE" or trigger.get("isSessionsEnabled"):
        raise HostError(f"function {name} wants batches or sessions; this host hands out single messages of plain queues")
    if retry is not None:
        raise HostError(f"function {name} has a retry policy, which this host does not apply")
    for binding in bindings:
        served = binding is trigger or (binding["type"] == "http" and binding["name"] == "$return")
        if not served:
            raise HostError(
                f"function {name} has the binding {binding['name']!r} of type {binding['type']}; this host serves "
                "triggers and the HTTP response only"
            )
