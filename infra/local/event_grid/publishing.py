"""What may be published to a custom topic or a domain: checked as the service does, all of a request or nothing."""

import json
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from infra.local.event_grid.refusals import Refused, input_json_invalid, too_large, unauthorized
from infra.local.event_grid.schemas import CLOUD_EVENTS, EVENT_GRID, LARGEST_REQUEST, Body, CloudEvent, Event, EventGridEvent
from infra.local.event_grid.topics import NAME, Topic

_BATCH: Final = "application/cloudevents-batch+json"
_SINGLE: Final = ("application/cloudevents+json", "application/json")
_SHOWN = {EVENT_GRID: "EventGridEvent", CLOUD_EVENTS: "CloudEventV10"}  # what the service calls them in its messages


def read_published(topic: Topic, content_type: str, body: bytes) -> list[Event]:
    """The events of a request, each with the topic that it goes to. Raises Refused."""
    try:
        document = json.loads(body)
    except ValueError as invalid:
        raise input_json_invalid(f"{_not_conforming(topic)} {invalid}.") from invalid
    if topic.input_schema == CLOUD_EVENTS:
        bodies = _cloud_events(topic, content_type, document)
    else:
        bodies = _checked(topic, document, EventGridEvent)
    if any(len(json.dumps(each, ensure_ascii=False).encode()) > LARGEST_REQUEST for each in bodies):
        raise too_large(LARGEST_REQUEST)
    return [_addressed(topic, each) for each in bodies]


def _cloud_events(topic: Topic, content_type: str, document: Any) -> list[Body]:
    """A batch, or one event: the content type says which."""
    if content_type == _BATCH:
        return _checked(topic, document, CloudEvent)
    if content_type in _SINGLE:
        if not isinstance(document, dict):
            raise input_json_invalid(f"{_not_conforming(topic)} Token Expected: StartObject.")
        return _checked(topic, [document], CloudEvent)
    message = "The Content-Type header is either missing or it doesn't have a valid value. The content type header must either be"
    allowed = "application/cloudevents+json; charset=utf-8 or application/cloudevents-batch+json; charset=UTF-8."
    raise Refused(415, "InvalidContentType", f"{message} {allowed}")


def _checked(topic: Topic, document: Any, model: type[BaseModel]) -> list[Body]:
    if not isinstance(document, list) or not document or not all(isinstance(each, dict) for each in document):
        raise input_json_invalid(f"{_not_conforming(topic)} Token Expected: StartArray, of at least one object.")
    for body in document:
        try:
            model.model_validate(body)
        except ValidationError as invalid:
            raise input_json_invalid(_explained(topic, invalid)) from None
    return document


def _explained(topic: Topic, invalid: ValidationError) -> str:
    first = invalid.errors()[0]
    name = ".".join(map(str, first["loc"]))
    if first["type"] in ("missing", "string_too_short"):
        return f"This resource is configured for '{_SHOWN[topic.input_schema]}' schema and requires '{name}' property to be set."
    return f"{_not_conforming(topic)} {name}: {first['msg']}."


def _not_conforming(topic: Topic) -> str:
    schema = _SHOWN[topic.input_schema]
    what = f"This resource is configured to receive event in '{schema}' schema."
    return f"{what} The JSON received does not conform to the expected schema."


def _addressed(topic: Topic, body: Body) -> Event:
    """A domain's events name their topic themselves: CloudEvents in `source`, those of Event Grid schema in `topic`.

    github.com/MicrosoftDocs/azure-docs issues 43468 and 112147, github.com/Azure/azure-sdk-for-net pull request 25511.
    """
    is_cloud_event = topic.input_schema == CLOUD_EVENTS
    named = body["source"] if is_cloud_event else body.get("topic")
    source = _domain_topic(topic, named) if topic.is_domain else topic.id
    if is_cloud_event:
        return Event(source, CLOUD_EVENTS, body)
    if not topic.is_domain and named and named.casefold() != topic.id.casefold():
        raise unauthorized(f"The topic {named} of the event is not the one that it is published to.")
    return Event(source, EVENT_GRID, {"data": None, "dataVersion": "", **body, "topic": source, "metadataVersion": "1"})


def _domain_topic(domain: Topic, named: str | None) -> str:
    """The ARM id of the topic, which an event may name by that, or by its name alone."""
    prefix = domain.domain_topic("")
    name = named or ""
    if name.casefold().startswith(prefix.casefold()):
        name = name[len(prefix) :]
    if not NAME.fullmatch(name):
        message = "Required property 'topic' needs to either be a full resource id or should be just the name of the domain topic."
        raise input_json_invalid(f"{message} Found: {named}.")
    return domain.domain_topic(name)
