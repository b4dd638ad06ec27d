"""The two shapes of an event: how publishers send it (Event Grid schema) and how a subscription may want it (CloudEvents).

https://learn.microsoft.com/azure/event-grid/event-schema and /azure/event-grid/cloud-event-schema
"""

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from pydantic.alias_generators import to_camel

LARGEST_REQUEST = 1024 * 1024  # bytes; the service's own limit for an event and for a list of them

type Event = dict[str, Any]


class InvalidEvents(Exception):
    """The posted events do not have the Event Grid schema; the text says which field of which event."""


class _EventGridEvent(BaseModel):
    """What the service demands. `eventTime` stays text: it is handed on as it came, with seven digits of a second."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True)

    id: str = Field(min_length=1)
    topic: str = Field(min_length=1)
    subject: str = Field(min_length=1)
    event_type: str = Field(min_length=1)
    event_time: str
    data: Any
    data_version: str
    metadata_version: Literal["1"] = "1"

    @field_validator("event_time")
    @classmethod
    def _is_time(cls, value: str) -> str:
        datetime.fromisoformat(value)
        return value


_EVENTS = TypeAdapter(list[_EventGridEvent])


def read_events(body: bytes) -> list[Event]:
    """The events of a request, as they came. Raises InvalidEvents."""
    try:
        _EVENTS.validate_json(body)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        raise InvalidEvents(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from None
    events: list[Event] = json.loads(body)
    return [{"metadataVersion": "1", **event} for event in events]


def as_cloud_event(event: Event) -> Event:
    return {
        "specversion": "1.0",
        "id": event["id"],
        "source": event["topic"],
        "subject": event["subject"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "data": event["data"],
    }
