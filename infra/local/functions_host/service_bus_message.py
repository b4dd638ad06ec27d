"""A received message as trigger value and trigger metadata, in the shape that the real extension gives them.

After ServiceBusTriggerBindingStrategy.cs in azure-sdk-for-net. What it does not give, such as the time until which the
lock holds, is missing here too, and so is the zone of its `…Utc` times, which .NET serializes without.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.amqp import AmqpMessageBodyType

from infra.local.functions_host.protos import TypedData


def trigger_value(message: ServiceBusReceivedMessage, data_type: str) -> TypedData:
    """The body: text where it is UTF-8 and not asked for as BINARY. Raises ValueError for an AMQP value or sequence."""
    if message.body_type != AmqpMessageBodyType.DATA:
        raise ValueError("the message's body is an AMQP value or sequence, which the extension does not read")
    body = b"".join(message.body)
    if data_type.upper() == "BINARY":
        return TypedData(bytes=body)
    try:
        return TypedData(string=body.decode("utf-8"))
    except UnicodeDecodeError:
        return TypedData(bytes=body)


def trigger_metadata(message: ServiceBusReceivedMessage) -> dict[str, TypedData]:
    """Strings as `string`, everything else as `json`, nulls left out."""
    properties = _text_keys(message.application_properties or {})
    values: dict[str, Any] = {
        # .NET counts this delivery too; Python's SDK gives the wire's count of the failed ones before it
        "DeliveryCount": (message.delivery_count or 0) + 1,
        "DeadLetterSource": message.dead_letter_source,
        "LockToken": str(message.lock_token),
        "ExpiresAtUtc": _without_zone(message.expires_at_utc),
        "ExpiresAt": message.expires_at_utc,
        "EnqueuedTimeUtc": _without_zone(message.enqueued_time_utc),
        "EnqueuedTime": message.enqueued_time_utc,
        "MessageId": message.message_id,
        "ContentType": message.content_type,
        "ReplyTo": message.reply_to,
        "SequenceNumber": message.sequence_number,
        "To": message.to,
        "Subject": message.subject,
        "Label": message.subject,
        "CorrelationId": message.correlation_id,
        "ApplicationProperties": properties,
        "UserProperties": properties,
        "SessionId": message.session_id,
        "ReplyToSessionId": message.reply_to_session_id,
        "PartitionKey": message.partition_key,
    }
    return {name: _typed(value) for name, value in values.items() if value is not None}


def manual_metadata() -> dict[str, TypedData]:
    """The least that the worker's decoder takes, for a function started by hand."""
    return {"UserProperties": TypedData(json="{}"), "MessageId": TypedData(string="manual")}


def _typed(value: Any) -> TypedData:
    if isinstance(value, str):
        return TypedData(string=value)
    return TypedData(json=json.dumps(value, default=_plain))


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _without_zone(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC).replace(tzinfo=None)


def _text_keys(properties: Mapping[Any, Any]) -> dict[str, Any]:
    """The SDK gives keys, and text values, as bytes."""
    return {_text(key): _text(value) if isinstance(value, bytes) else value for key, value in properties.items()}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
