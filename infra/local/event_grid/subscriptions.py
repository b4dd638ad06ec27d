"""Event subscriptions: which events of a source go where, in which schema, and where those go that nobody takes."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel

from infra.local.event_grid.filters import MOST_FILTERS, MOST_VALUES, AdvancedFilter
from infra.local.event_grid.retries import MOST_ATTEMPTS, TIME_TO_LIVE_MINUTES
from infra.local.event_grid.schemas import CLOUD_EVENTS, EVENT_GRID, Event, Schema

_NAME = re.compile(r"[A-Za-z0-9-]{3,64}")


class InvalidSubscription(Exception):
    """The event subscription cannot be created; `status` and `code` are the service's, the text its reason."""

    def __init__(self, reason: str, code: str = "InvalidRequest", status: int = 400) -> None:
        super().__init__(reason)
        self.code, self.status = code, status


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class WebHook(_Model):
    """`endpoint_url` carries the receiver's key in its query: it is never shown again."""

    endpoint_type: Literal["WebHook"]
    endpoint_url: str

    @field_validator("endpoint_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    def shown(self) -> dict[str, Any]:
        return {"endpointType": "WebHook", "endpointBaseUrl": self.endpoint_url.partition("?")[0]}


class ServiceBusQueue(_Model):
    """In Azure a resource id, which is only shown here; and the connection string by which the local broker is reached."""

    endpoint_type: Literal["ServiceBusQueue"]
    connection_string: str
    queue: str
    resource_id: str | None = None

    def shown(self) -> dict[str, Any]:
        return {"endpointType": "ServiceBusQueue", "queue": self.queue, **_named(self.resource_id)}


class StorageBlob(_Model):
    """Where dead letters go: the container's name, a resource id that is only shown, and the connection string that is used."""

    endpoint_type: Literal["StorageBlob"]
    connection_string: str
    blob_container_name: str
    resource_id: str | None = None

    def shown(self) -> dict[str, Any]:
        return {"endpointType": "StorageBlob", "blobContainerName": self.blob_container_name, **_named(self.resource_id)}


class Limits(_Model):
    """How often and how long an event is tried; whichever ends first."""

    max_delivery_attempts: int = Field(MOST_ATTEMPTS, ge=1, le=MOST_ATTEMPTS)
    event_time_to_live_in_minutes: int = Field(TIME_TO_LIVE_MINUTES, ge=1, le=TIME_TO_LIVE_MINUTES)


class EventSubscription(_Model):
    """`source` is the ARM id of a workspace, a custom topic, a domain or one of a domain's topics (`<domain>/topics/<name>`)."""

    name: str
    source: str
    included_event_types: tuple[str, ...] | None = None
    subject_begins_with: str = ""
    subject_ends_with: str = ""
    is_subject_case_sensitive: bool = False
    advanced_filters: tuple[AdvancedFilter, ...] = Field((), max_length=MOST_FILTERS)
    enable_advanced_filtering_on_arrays: bool = False
    event_delivery_schema: Schema = EVENT_GRID
    retry_policy: Limits = Limits()
    destination: Annotated[WebHook | ServiceBusQueue, Field(discriminator="endpoint_type")]
    dead_letter_destination: StorageBlob | None = None

    @field_validator("name")
    @classmethod
    def _is_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("must have 3 to 64 letters, digits or hyphens")
        return value

    @model_validator(mode="after")
    def _has_few_values(self) -> Self:
        if sum(len(each.wanted) for each in self.advanced_filters) > MOST_VALUES:
            raise ValueError(f"advancedFilters have more than {MOST_VALUES} values in all")
        return self

    def wants(self, event: Event) -> bool:
        if not self._listens_to(event.source):
            return False
        types = self.included_event_types
        if types is not None and event.type.casefold() not in {wanted.casefold() for wanted in types}:
            return False
        return self._wants_subject(event.subject) and all(
            each.matches(event.body, on_arrays=self.enable_advanced_filtering_on_arrays) for each in self.advanced_filters
        )

    def shown(self, state: str = "Succeeded") -> dict[str, Any]:
        """As GET answers it: without the secrets of its destinations, as the service does."""
        document = self.model_dump(mode="json", by_alias=True, exclude={"destination", "dead_letter_destination"})
        dead_letters = self.dead_letter_destination.shown() if self.dead_letter_destination else None
        destinations = {"destination": self.destination.shown(), "deadLetterDestination": dead_letters}
        return document | destinations | {"provisioningState": state}

    def _listens_to(self, source: str) -> bool:
        """ARM ids match whatever their case. A domain's own event subscriptions get the events of all its topics."""
        mine, its = self.source.casefold(), source.casefold()
        return its == mine or its.startswith(f"{mine}/topics/")

    def _wants_subject(self, subject: str) -> bool:
        begins, ends = self.subject_begins_with, self.subject_ends_with
        if not self.is_subject_case_sensitive:
            subject, begins, ends = subject.casefold(), begins.casefold(), ends.casefold()
        return subject.startswith(begins) and subject.endswith(ends)


def _named(resource_id: str | None) -> dict[str, str]:
    return {} if resource_id is None else {"resourceId": resource_id}


def read_subscription(name: str, body: Any, input_schema: Schema) -> EventSubscription:
    """Delivered in the schema of its source unless it says otherwise. Raises InvalidSubscription."""
    defaults = {"eventDeliverySchema": input_schema}
    try:
        document = {**defaults, **body, "name": name} if isinstance(body, dict) else body
        subscription = EventSubscription.model_validate(document)
    except ValidationError as invalid:
        reasons = (f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in invalid.errors())
        raise InvalidSubscription("; ".join(reasons)) from None
    if input_schema == CLOUD_EVENTS and subscription.event_delivery_schema != CLOUD_EVENTS:
        raise InvalidSubscription(f"events of input schema {CLOUD_EVENTS} cannot be delivered as {EVENT_GRID}")
    return subscription
