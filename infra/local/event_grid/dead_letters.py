"""Events that nobody took, written to a blob container: one blob each, an array of the event and why it lies there.

https://learn.microsoft.com/azure/event-grid/manage-event-delivery#set-dead-letter-location and /azure/event-grid/delivery-and-retry
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import ContentSettings
from azure.storage.blob.aio import ContainerClient

from infra.local.event_grid.schemas import CLOUD_EVENTS, Body, Event, Schema
from infra.local.event_grid.subscriptions import InvalidSubscription, StorageBlob

_JSON = ContentSettings(content_type="application/json")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that was given up. `id` is the delivery's own: written twice, it is the same blob. Times are Unix times."""

    id: str
    subscription: str
    event: Event
    reason: str
    attempts: int
    outcome: str
    published: float
    last_attempt: float

    @property
    def blob(self) -> str:
        """Of the time of the last attempt, in UTC and without leading zeros."""
        at = datetime.fromtimestamp(self.last_attempt, UTC)
        return f"{self.subscription.upper()}/{at.year}/{at.month}/{at.day}/{at.hour}/{self.id}.json"

    def content(self, schema: Schema) -> list[Body]:
        """In the schema in which the event would have been delivered; CloudEvents know attributes in lower case only."""
        facts = {
            "deadLetterReason": self.reason,
            "deliveryAttempts": self.attempts,
            "lastDeliveryOutcome": self.outcome,
            "publishTime": _iso(self.published),
            "lastDeliveryAttemptTime": _iso(self.last_attempt),
        }
        if schema == CLOUD_EVENTS:
            facts = {name.lower(): value for name, value in facts.items()}
        return [self.event.as_delivered(schema) | facts]


async def require_container(place: StorageBlob) -> None:
    """Raises InvalidSubscription where dead letters could never be written."""
    try:
        async with _opened(place) as container:
            await container.get_container_properties()
    except (AzureError, ValueError) as error:
        raise InvalidSubscription(f"deadLetterDestination: container {place.blob_container_name}: {error}") from None


async def write(letter: DeadLetter, place: StorageBlob, schema: Schema) -> None:
    """Raises ContainerGone, or AzureError where trying again may help."""
    try:
        async with _opened(place) as container:
            content = json.dumps(letter.content(schema))
            await container.upload_blob(letter.blob, content, overwrite=True, content_settings=_JSON)
    except ResourceNotFoundError as missing:
        raise ContainerGone(str(missing)) from missing


class ContainerGone(Exception):
    """The container is not there any more: dead letters are dropped then, says the documentation."""


@asynccontextmanager
async def _opened(place: StorageBlob) -> AsyncIterator[ContainerClient]:
    """Dead letters are few: a connection each is cheap."""
    client = ContainerClient.from_connection_string(
        place.connection_string, place.blob_container_name, retry_total=0, connection_timeout=5, read_timeout=15
    )
    async with client:
        yield client


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
