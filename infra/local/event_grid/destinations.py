"""How an event leaves: to a webhook, after a handshake that proves it wants events, or into a Service Bus queue."""

import asyncio
import json
import uuid
from datetime import UTC, datetime
from typing import Any, Protocol

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from azure.core.exceptions import AzureError
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusSender

from infra.local.event_grid.failures import failed, refused
from infra.local.event_grid.retries import Failure
from infra.local.event_grid.schemas import CLOUD_EVENTS
from infra.local.event_grid.store import Delivery
from infra.local.event_grid.subscriptions import EventSubscription, InvalidSubscription, ServiceBusQueue, WebHook

ANSWER_WITHIN = 30.0
ACCEPTED_STATUSES = frozenset({200, 201, 202, 203, 204})
ORIGIN = "eventgrid.azure.net"


class Destination(Protocol):
    async def validate(self) -> None:
        """Raise InvalidSubscription where nothing could ever be delivered."""

    async def send(self, delivery: Delivery) -> Failure | None:
        """One attempt; None where the event was taken."""

    async def close(self) -> None: ...


def open_destination(subscription: EventSubscription, http: ClientSession) -> Destination:
    if isinstance(subscription.destination, WebHook):
        return _WebHookDestination(subscription, subscription.destination, http)
    return _QueueDestination(subscription, subscription.destination)


class _WebHookDestination:
    def __init__(self, subscription: EventSubscription, webhook: WebHook, http: ClientSession) -> None:
        self._subscription = subscription
        self._url = webhook.endpoint_url
        self._http = http
        self._is_cloud_event = subscription.event_delivery_schema == CLOUD_EVENTS

    async def validate(self) -> None:
        try:
            await (self._ask_for_permission() if self._is_cloud_event else self._ask_for_code())
        except (ClientError, TimeoutError, OSError) as error:
            raise _refused(self._url, f"no answer within {ANSWER_WITHIN:.0f} s: {error!r}") from None

    async def send(self, delivery: Delivery) -> Failure | None:
        headers = _aeg_headers(self._subscription, delivery)
        event = delivery.event.as_delivered(self._subscription.event_delivery_schema)
        if self._is_cloud_event:
            headers["Content-Type"] = "application/cloudevents+json; charset=utf-8"
            body = json.dumps(event)
        else:
            headers["Content-Type"] = "application/json; charset=utf-8"
            body = json.dumps([event])
        try:
            async with self._http.post(self._url, data=body, headers=headers, timeout=_timeout()) as answer:
                if answer.status in ACCEPTED_STATUSES:
                    return None
                return refused(answer.status, await answer.text())
        except (ClientError, TimeoutError, OSError) as error:
            return failed(error)

    async def close(self) -> None: ...

    async def _ask_for_code(self) -> None:
        """Event Grid schema: the receiver must send the code of the validation event back."""
        code = str(uuid.uuid4())
        headers = {"aeg-event-type": "SubscriptionValidation", "aeg-subscription-name": self._subscription.name.upper()}
        event = _validation_event(self._subscription, code)
        async with self._http.post(self._url, json=[event], headers=headers, timeout=_timeout()) as answer:
            if answer.status not in ACCEPTED_STATUSES:
                raise _refused(self._url, f"the request failed with status {answer.status}")
            if await _validation_response(answer) != code:
                raise _refused(self._url, "the answer does not hold the validationResponse")

    async def _ask_for_permission(self) -> None:
        """CloudEvents: the receiver must name us as an origin that may send."""
        headers = {"WebHook-Request-Origin": ORIGIN}
        async with self._http.options(self._url, headers=headers, timeout=_timeout()) as answer:
            if answer.status not in ACCEPTED_STATUSES:
                raise _refused(self._url, f"the request failed with status {answer.status}")
            if answer.headers.get("WebHook-Allowed-Origin") not in (ORIGIN, "*"):
                raise _refused(self._url, "the answer does not allow the origin eventgrid.azure.net")


class _QueueDestination:
    """One sender, kept open as opening costs half a second, and behind a lock as it is not safe to share."""

    def __init__(self, subscription: EventSubscription, queue: ServiceBusQueue) -> None:
        self._subscription = subscription
        self._queue = queue
        self._lock = asyncio.Lock()
        self._client: ServiceBusClient | None = None
        self._sender: ServiceBusSender | None = None

    async def validate(self) -> None:
        try:
            await self._open()
        except (AzureError, OSError, ValueError) as error:
            await self.close()
            raise InvalidSubscription(f"queue {self._queue.queue} cannot be opened: {error}") from None

    async def send(self, delivery: Delivery) -> Failure | None:
        event = delivery.event.as_delivered(self._subscription.event_delivery_schema)
        properties: dict[str | bytes, Any] = dict(_aeg_headers(self._subscription, delivery).items())
        # the service's own id, the same at each attempt: a queue's duplicate detection catches what is sent again
        message = ServiceBusMessage(
            json.dumps(event),
            message_id=delivery.id,
            content_type="application/json",
            application_properties=properties,
        )
        async with self._lock:
            try:
                async with asyncio.timeout(ANSWER_WITHIN):
                    await (await self._open()).send_messages(message)
            except (AzureError, OSError, TimeoutError) as error:
                await self.close()
                return failed(error)
        return None

    async def close(self) -> None:
        client, self._client, self._sender = self._client, None, None
        if client:
            await client.close()

    async def _open(self) -> ServiceBusSender:
        if self._sender is None:
            self._client = ServiceBusClient.from_connection_string(self._queue.connection_string, retry_total=0)
            self._sender = await self._client.get_queue_sender(self._queue.queue).__aenter__()
        return self._sender


def _aeg_headers(subscription: EventSubscription, delivery: Delivery) -> dict[str, str]:
    """HTTP headers and application properties alike; the count is that of the attempts before this one."""
    headers = {
        "aeg-event-type": "Notification",
        "aeg-subscription-name": subscription.name.upper(),
        "aeg-delivery-count": str(delivery.attempts),
        "aeg-output-event-id": delivery.id,
    }
    if subscription.event_delivery_schema == CLOUD_EVENTS:
        return headers | {"aeg-metadata-version": "1.0"}
    event = delivery.event.body
    return headers | {"aeg-metadata-version": event["metadataVersion"], "aeg-data-version": event["dataVersion"]}


def _validation_event(subscription: EventSubscription, code: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "topic": subscription.source,
        "subject": "",
        "data": {"validationCode": code},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "metadataVersion": "1",
        "dataVersion": "2",
    }


async def _validation_response(answer: ClientResponse) -> Any:
    try:
        return (await answer.json(content_type=None)).get("validationResponse")
    except (ValueError, AttributeError):
        return None


def _refused(url: str, reason: str) -> InvalidSubscription:
    shown = url.partition("?")[0]
    return InvalidSubscription(f"Webhook validation handshake failed for {shown}: {reason}", code="Url validation")


def _timeout() -> ClientTimeout:
    return ClientTimeout(total=ANSWER_WITHIN)
