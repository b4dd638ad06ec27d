"""The service's words for how an attempt failed: lastDeliveryOutcome at learn.microsoft.com/azure/event-grid/delivery-and-retry."""

import socket

from aiohttp import ClientConnectorError
from azure.servicebus.exceptions import (
    MessageSizeExceededError,
    MessagingEntityDisabledError,
    MessagingEntityNotFoundError,
    OperationTimeoutError,
    ServiceBusAuthenticationError,
    ServiceBusAuthorizationError,
    ServiceBusQuotaExceededError,
    ServiceBusServerBusyError,
)

from infra.local.event_grid.retries import Failure

_BY_STATUS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "TimedOut",
    413: "PayloadTooLarge",
    429: "Busy",
    503: "Busy",
}
_BY_ERROR: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "TimedOut"),
    (OperationTimeoutError, "TimedOut"),
    (MessagingEntityNotFoundError, "NotFound"),
    (MessagingEntityDisabledError, "Disabled"),
    (ServiceBusQuotaExceededError, "Full"),
    (ServiceBusServerBusyError, "Busy"),
    (MessageSizeExceededError, "PayloadTooLarge"),
    (ServiceBusAuthenticationError, "Unauthorized"),
    (ServiceBusAuthorizationError, "Unauthorized"),
)


def refused(status: int, text: str) -> Failure:
    """The destination answered, but did not take the event."""
    return Failure(f"{status} {text[:200]}".rstrip(), status, _BY_STATUS.get(status, "GenericError"))


def failed(error: Exception) -> Failure:
    """The destination did not answer, or the queue did not take the event."""
    if isinstance(error, ClientConnectorError) and isinstance(error.os_error, socket.gaierror):
        return Failure(repr(error), outcome="ResolutionError")
    outcome = next((word for kind, word in _BY_ERROR if isinstance(error, kind)), "SocketError")
    return Failure(repr(error), outcome=outcome)
