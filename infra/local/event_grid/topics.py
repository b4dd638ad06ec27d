"""Custom topics and domains: what an application of the customer's own publishes to."""

import re
import secrets
from base64 import b64encode
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from infra.local.event_grid.schemas import EVENT_GRID, Schema

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-event-grid/providers/Microsoft.EventGrid"
NAME = re.compile(r"[A-Za-z0-9-]{3,50}")  # of a topic, a domain, a domain topic: Azure's naming rules for Microsoft.EventGrid

_TOPIC = re.compile(rf"{GROUP}/topics/([^/]+)", re.IGNORECASE)
_DOMAIN = re.compile(rf"{GROUP}/domains/([^/]+)(/topics/{NAME.pattern})?", re.IGNORECASE)

type Kind = Literal["topics", "domains"]


class InvalidTopic(Exception):
    """The topic or domain cannot be created; the text says why."""


class _Properties(BaseModel):
    """What its creator decides. `senders` are the client ids that hold the role EventGrid Data Sender; None is everybody."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    input_schema: Schema = EVENT_GRID
    disable_local_auth: bool = False
    senders: tuple[str, ...] | None = None


class Topic(_Properties):
    """A custom topic, or a domain, which is one endpoint for many topics."""

    kind: Kind
    name: str
    key1: str
    key2: str

    @property
    def id(self) -> str:
        """The ARM id: the source of event subscriptions."""
        return f"{GROUP}/{self.kind}/{self.name}"

    @property
    def is_domain(self) -> bool:
        return self.kind == "domains"

    def domain_topic(self, name: str) -> str:
        """The ARM id of one of a domain's topics."""
        return f"{self.id}/topics/{name}"

    def shown(self, base_url: str) -> dict[str, Any]:
        document = {"id": self.id, "type": f"Microsoft.EventGrid/{self.kind}", "endpoint": self.endpoint(base_url)}
        return document | self.model_dump(by_alias=True, exclude={"kind"}) | {"provisioningState": "Succeeded"}

    def endpoint(self, base_url: str) -> str:
        return f"{base_url}/{self.kind}/{self.name}/api/events"


def read_topic(kind: Kind, name: str, body: Any, existing: Topic | None) -> Topic:
    """As the body says; one that exists keeps its keys and its input schema. Raises InvalidTopic."""
    if not NAME.fullmatch(name):
        raise InvalidTopic(f"the name {name} must have 3 to 50 letters, digits or hyphens")
    try:
        wanted = _Properties.model_validate(body)
    except ValidationError as invalid:
        reasons = (f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in invalid.errors())
        raise InvalidTopic("; ".join(reasons)) from None
    if existing and existing.input_schema != wanted.input_schema:
        raise InvalidTopic(f"the input schema of {existing.id} cannot be changed from {existing.input_schema}")
    keys = (existing.key1, existing.key2) if existing else (_key(), _key())
    identity = {"kind": kind, "name": name, "key1": keys[0], "key2": keys[1]}
    return Topic.model_validate(wanted.model_dump(by_alias=True) | identity)


def topic_of(source: str) -> tuple[Kind, str] | None:
    """Kind and name of the custom topic or domain that an ARM id is of, or is a domain topic of; None for any other."""
    if match := _TOPIC.fullmatch(source):
        return "topics", match[1]
    if match := _DOMAIN.fullmatch(source):
        return "domains", match[1]
    return None


def is_of_event_grid(source: str) -> bool:
    """Whether an ARM id can only be a topic or a domain."""
    return "/providers/microsoft.eventgrid/" in source.casefold()


def _key() -> str:
    return b64encode(secrets.token_bytes(32)).decode()
