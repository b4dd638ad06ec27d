"""Event subscriptions: which events of a source go where, in which schema."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from infra.local.event_grid.schemas import Event

_NAME = re.compile(r"[A-Za-z0-9-]{3,64}")


class InvalidSubscription(Exception):
    """The event subscription cannot be created; `code` is the service's error code, the text its reason."""

    def __init__(self, reason: str, code: str = "InvalidRequest") -> None:
        super().__init__(reason)
        self.code = code


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


class ServiceBusQueue(_Model):
    """In Azure a resource id; here the connection string by which the local broker is reached."""

    endpoint_type: Literal["ServiceBusQueue"]
    connection_string: str
    queue: str


class EventSubscription(_Model):
    name: str
    source: str
    included_event_types: tuple[str, ...] | None = None
    event_delivery_schema: Literal["EventGridSchema", "CloudEventSchemaV1_0"] = "EventGridSchema"
    destination: Annotated[WebHook | ServiceBusQueue, Field(discriminator="endpoint_type")]

    @field_validator("name")
    @classmethod
    def _is_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("must have 3 to 64 letters, digits or hyphens")
        return value

    def wants(self, event: Event) -> bool:
        """Sources are ARM ids, which Azure compares without regard to case."""
        if event["topic"].casefold() != self.source.casefold():
            return False
        types = self.included_event_types
        return types is None or event["eventType"].casefold() in {wanted.casefold() for wanted in types}

    def shown(self) -> dict[str, Any]:
        """As GET answers it: without the secrets of its destination, as the service does."""
        document = self.model_dump(by_alias=True, exclude={"destination"})
        if isinstance(self.destination, WebHook):
            base = self.destination.endpoint_url.partition("?")[0]
            destination = {"endpointType": "WebHook", "endpointBaseUrl": base}
        else:
            destination = {"endpointType": "ServiceBusQueue", "queue": self.destination.queue}
        return document | {"destination": destination, "provisioningState": "Succeeded"}


def read_subscription(name: str, body: Any) -> EventSubscription:
    """Raises InvalidSubscription."""
    try:
        return EventSubscription.model_validate({**body, "name": name} if isinstance(body, dict) else body)
    except ValidationError as invalid:
        reasons = (f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in invalid.errors())
        raise InvalidSubscription("; ".join(reasons)) from None
