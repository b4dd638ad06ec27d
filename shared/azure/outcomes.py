"""Outcome events as CloudEvents, to a custom topic of Event Grid or to a domain that has a topic for each tenant."""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceRequestTimeoutError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridPublisherClient

from shared.azure.arm import CONNECT_SECONDS, READ_SECONDS
from shared.azure.errors import translated
from shared.deadline import remaining
from shared.errors import Owner, Permanent
from shared.keys import key
from shared.outcomes import Outcome
from shared.secrets import without_secrets

LARGEST_REQUEST = 1000 * 1024  # bytes: the service takes 1 MiB
ATTRIBUTES = 2 * 1024  # bytes, for what surrounds an event's data
DOING = "publish outcome events"
TOPIC = re.compile(r"/api/events($|\?)")  # the end of every topic's endpoint

_DOMAIN_TOPIC = re.compile(r"[a-z0-9-]{3,50}")

# What the topic itself refuses, whatever the same status means elsewhere: our code, and what the provider must do.
_REFUSALS = {
    400: ("refused", "make the topic or domain with the input schema CloudEventSchemaV1_0"),
    401: ("unauthenticated", "correct Outcomes__key, or leave it out so that the app's identity counts"),
    403: ("forbidden", "assign EventGrid Data Sender on the topic or domain to the app's identity"),
    404: ("topic_not_found", "create the topic or domain, or correct its endpoint in the settings Outcomes__…"),
    413: ("too_large", "report it with the row: an outcome event may have 1 MB"),
}

# Warns, for each event, of the options for its request, which the SDK takes for attributes of the event as well.
_NOISY = "azure.eventgrid._legacy._generated._serialization"


class EventGridOutcomes:
    """One client, which threads may share: its pipeline is azure-core's, and holds nothing of a request."""

    wanted = True

    def __init__(self, endpoint: str, credential: TokenCredential | AzureKeyCredential, *, is_domain: bool) -> None:
        logging.getLogger(_NOISY).setLevel(logging.ERROR)
        self._client = EventGridPublisherClient(endpoint, credential)
        self._is_domain = is_domain

    def publish(self, outcomes: Sequence[Outcome]) -> None:
        """All of them, in as few requests as their size allows. After a failure some may be out: publish all of them again."""
        for batch in _batches(outcomes):
            with _explained():
                self._client.send([self._event(outcome) for outcome in batch], **_request_options())

    def _event(self, outcome: Outcome) -> CloudEvent[dict[str, object]]:
        return CloudEvent(
            id=outcome.id,
            source=domain_topic(outcome.topic) if self._is_domain else f"/fanout/{outcome.topic}",
            type=outcome.type,
            subject=outcome.subject,
            time=outcome.time,
            data=dict(outcome.data),
            extensions={"correlationid": outcome.correlation_id} if outcome.correlation_id else None,
        )


def domain_topic(tenant: str) -> str:
    """The domain's topic for a tenant's events: Event Grid takes it from `source`, which must be the bare name.

    Names have 3 to 50 letters, digits and hyphens, and match whatever their case. A tenant's id is its topic's name where it
    is one, in lower case; any other id gets letters of its key, so that no two tenants share a topic.
    """
    if _DOMAIN_TOPIC.fullmatch(tenant):
        return tenant
    return f"{re.sub('[^a-z0-9-]', '-', tenant.lower())[:37]}-{key(tenant)[:12]}"


def _batches(outcomes: Iterable[Outcome]) -> Iterator[list[Outcome]]:
    batch: list[Outcome] = []
    total = 0
    for outcome in outcomes:
        size = len(json.dumps(dict(outcome.data))) + ATTRIBUTES
        if batch and total + size > LARGEST_REQUEST:
            yield batch
            batch, total = [], 0
        batch.append(outcome)
        total += size
    if batch:
        yield batch


def _request_options() -> dict[str, Any]:
    """What `shared.azure.arm.KeepDeadline` does, for a client that takes options with each request only."""
    left = remaining()
    if left is None:
        left = READ_SECONDS
    if left <= 0:
        raise ServiceRequestTimeoutError("no time is left for this call: Azure was slow with the earlier ones")
    return {"retry_total": 0, "connection_timeout": min(CONNECT_SECONDS, left), "read_timeout": min(READ_SECONDS, left)}


@contextmanager
def _explained() -> Iterator[None]:
    """Errors as verdicts."""
    with translated(DOING):
        try:
            yield
        except HttpResponseError as error:
            refusal = _REFUSALS.get(_status(error))
            if refusal is None:
                raise
            code, remedy = refusal
            raise Permanent(code, without_secrets(f"{DOING}: {error}"), Owner.PROVIDER, remedy) from error


def _status(error: HttpResponseError) -> int:
    """What the topic answered; 0 where it did not, as when no token could be had."""
    if isinstance(error, ResourceNotFoundError):  # made by the client, which leaves the answer out
        return 404
    request = getattr(error.response, "request", None)
    return error.status_code or 0 if request is not None and TOPIC.search(request.url) else 0
