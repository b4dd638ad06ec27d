"""What the broker refuses, with the conditions and status codes of the real service.

An error's docstring is its text where none is given. `condition` travels on AMQP links, `status` in management answers.
"""

from typing import ClassVar


class ServiceBusError(Exception):
    """The operation failed."""

    condition: ClassVar[str] = "amqp:internal-error"
    status: ClassVar[int] = 500

    def __init__(self, description: str | None = None) -> None:
        self.description = description or str(self.__doc__)
        super().__init__(self.description)


class MessageLockLostError(ServiceBusError):
    """The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue."""

    condition = "com.microsoft:message-lock-lost"
    status = 410


class MessageNotFoundError(ServiceBusError):
    """One or more of the messages do not exist in the queue, or are not in the state that the operation needs."""

    condition = "com.microsoft:message-not-found"
    status = 404


class EntityNotFoundError(ServiceBusError):
    """The messaging entity could not be found."""

    condition = "amqp:not-found"
    status = 404


class MessageTooLargeError(ServiceBusError):
    """The received message exceeds the limit currently allowed on the link."""

    condition = "amqp:link:message-size-exceeded"
    status = 400


class ArgumentOutOfRangeError(ServiceBusError):
    """An argument is outside of its allowed range."""

    condition = "com.microsoft:argument-out-of-range"
    status = 400


class ArgumentError(ServiceBusError):
    """An argument is missing or malformed."""

    condition = "com.microsoft:argument-error"
    status = 400


class NotAllowedError(ServiceBusError):
    """The operation is not allowed on this entity."""

    condition = "amqp:not-allowed"
    status = 400


class UnauthorizedError(ServiceBusError):
    """Unauthorized access. A valid token is required to perform this operation."""

    condition = "amqp:unauthorized-access"
    status = 401


class NotSupportedError(ServiceBusError):
    """The operation is not supported by this broker."""

    condition = "amqp:not-implemented"
    status = 501


class ServerBusyError(ServiceBusError):
    """The server is busy. Please retry the operation."""

    condition = "com.microsoft:server-busy"
    status = 503
