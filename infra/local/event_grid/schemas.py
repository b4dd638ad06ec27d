"""The two shapes of an event, Event Grid schema and CloudEvents 1.0: what each demands, and how one is handed on as the other.

https://learn.microsoft.com/azure/event-grid/event-schema and /azure/event-grid/cloud-event-schema
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel

LARGEST_REQUEST = 1024 * 1024  # bytes; the service's own limit for an event and for a list of them

type Schema = Literal["EventGridSchema", "CloudEventSchemaV1_0"]
type Body = dict[str, Any]

EVENT_GRID: Schema = "EventGridSchema"
CLOUD_EVENTS: Schema = "CloudEventSchemaV1_0"


@dataclass(frozen=True, slots=True)
class Event:
    """An accepted event: `source` is the ARM id of the topic that it was published to, `body` has the form of `schema`."""

    source: str
    schema: Schema
    body: Body

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def type(self) -> str:
        return str(self.body["type" if self.schema == CLOUD_EVENTS else "eventType"])

    @property
    def subject(self) -> str:
        return str(self.body.get("subject") or "")

    def as_delivered(self, schema: Schema) -> Body:
        """CloudEvents are delivered as such only; the service refuses event subscriptions that ask for more."""
        return _as_cloud_event(self.body) if schema == CLOUD_EVENTS and self.schema == EVENT_GRID else self.body


class InvalidEvents(Exception):
    """The posted events do not have the schema; the text says which field of which event."""


class EventGridEvent(BaseModel):
    """What the service demands. `eventTime` stays text: it is handed on as it came, with seven digits of a second."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True)

    id: str = Field(min_length=1)
    subject: str = Field(min_length=1)
    event_type: str = Field(min_length=1)
    event_time: str
    topic: str | None = None
    data: Any = None
    data_version: str = ""
    metadata_version: Literal["1"] = "1"

    @field_validator("event_time")
    @classmethod
    def _is_time(cls, value: str) -> str:
        datetime.fromisoformat(value)
        return value


class SystemEvent(EventGridEvent):
    """What Azure's own services send: nothing is left out, and the topic is their own resource."""

    topic: str = Field(min_length=1)
    data: Any
    data_version: str


class CloudEvent(BaseModel):
    """What CloudEvents 1.0 demands: github.com/cloudevents/spec, `spec.md` and `formats/json-format.md`."""

    model_config = ConfigDict(extra="allow", strict=True)

    id: str = Field(min_length=1)
    source: str = Field(min_length=1)
    type: str = Field(min_length=1)
    specversion: Literal["1.0"]
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    data: Any = None
    data_base64: str | None = None

    @field_validator("time")
    @classmethod
    def _is_time(cls, value: str | None) -> str | None:
        if value is not None and datetime.fromisoformat(value).tzinfo is None:
            raise ValueError("must name its offset from UTC")
        return value

    @model_validator(mode="after")
    def _attributes_fit(self) -> Self:
        if self.data is not None and self.data_base64 is not None:
            raise ValueError("data and data_base64 exclude each other")
        for name, value in (self.model_extra or {}).items():
            if not (name.isascii() and name.isalnum() and name == name.lower()):
                raise ValueError(f"the attribute {name} must have lower-case letters and digits only")
            if not isinstance(value, str | bool | int | None):
                raise ValueError(f"the attribute {name} must be a string, a boolean or an integer")
        return self


_SYSTEM_EVENTS = TypeAdapter(list[SystemEvent])


def read_system_events(body: bytes) -> list[Event]:
    """The events of a request of Azure's own services, as they came. Raises InvalidEvents."""
    try:
        _SYSTEM_EVENTS.validate_json(body)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        raise InvalidEvents(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from None
    events: list[Body] = json.loads(body)
    return [Event(event["topic"], EVENT_GRID, {"metadataVersion": "1", **event}) for event in events]


def _as_cloud_event(event: Body) -> Body:
    return {
        "specversion": "1.0",
        "id": event["id"],
        "source": event["topic"],
        "subject": event["subject"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "data": event.get("data"),
    }
