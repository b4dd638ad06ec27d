"""Service Bus queue triggers over the real azure-servicebus: peek-lock, as many calls at a time as host.json allows.

Each of a queue's `maxConcurrentCalls` has a receiver of its own and does one thing after the other: receive, invoke
while renewing the lock, settle. Sharing a receiver among calls is no alternative: the SDK awaits a settlement by
reading from the connection, which waits behind the receive that reads from it. Measured: 16 receivers open in 0.9 s,
cost 10 MB and 1 % of a core when idle; the first is enough to be ready.
"""

import asyncio
import logging
from datetime import UTC, datetime

from azure.core.exceptions import AzureError
from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessagingEntityNotFoundError,
    ServiceBusAuthenticationError,
)

from infra.local.functions_host.bindings import Function
from infra.local.functions_host.errors import HostError
from infra.local.functions_host.host_json import ServiceBusOptions
from infra.local.functions_host.invocations import Invocations
from infra.local.functions_host.service_bus_message import trigger_metadata, trigger_value
from infra.local.functions_host.worker import Result

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
CLOSING_TAKES_AT_MOST = 2.0
logger = logging.getLogger("host")


class QueueListener:
    """Feeds one function from one queue."""

    def __init__(
        self,
        function: Function,
        queue: str,
        client: ServiceBusClient,
        options: ServiceBusOptions,
        data_type: str,
        invocations: Invocations,
    ) -> None:
        self._function = function
        self._queue = queue
        self._client = client
        self._options = options
        self._data_type = data_type
        self._invocations = invocations
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._slots: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._lost = False

    async def start(self) -> None:
        """Return once a receiver is open, waiting for a broker that is not up yet.

        Raises HostError for a queue that does not exist or may not be read.
        """
        self._slots = {asyncio.create_task(self._slot()) for _ in range(self._options.max_concurrent_calls)}
        await self._opened

    async def stop(self, seconds: float) -> None:
        """Receive no more; let what runs come to its end and settle, at most so long."""
        self._stopping = True
        for slot in self._slots - self._busy:
            slot.cancel()
        if self._slots:
            await asyncio.wait(self._slots, timeout=seconds)

    async def _slot(self) -> None:
        """One call at a time, for ever, whatever happens to the connection."""
        pause = FIRST_PAUSE
        while not self._stopping:
            receiver = self._client.get_queue_receiver(self._queue, prefetch_count=self._options.prefetch_count)
            try:
                await receiver.__aenter__()
                self._connected()
                pause = FIRST_PAUSE
                await self._serve(receiver)
            except Exception as error:  # noqa: BLE001 # a call slot that died would go unseen; see _disconnected
                self._disconnected(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            finally:
                await _close(receiver)

    async def _serve(self, receiver: ServiceBusReceiver) -> None:
        slot = asyncio.current_task()
        assert slot
        while not self._stopping:
            for message in await receiver.receive_messages(max_message_count=1, max_wait_time=60):
                self._busy.add(slot)
                try:
                    await self._process(receiver, message)
                finally:
                    self._busy.discard(slot)

    async def _process(self, receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage) -> None:
        try:
            result = await self._invoke(receiver, message)
            if not result.ok:
                await receiver.abandon_message(message)
            elif self._options.auto_complete_messages:
                await receiver.complete_message(message)
        except MessageLockLostError:
            logger.error("message %s of %s: its lock was lost before it was settled", message.message_id, self._queue)

    async def _invoke(self, receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage) -> Result:
        try:
            value = trigger_value(message, self._data_type)
        except ValueError as unreadable:
            logger.error("message %s of %s: %s", message.message_id, self._queue, unreadable)
            return Result(ok=False, error=str(unreadable))
        call = asyncio.create_task(
            self._invocations.run(self._function, value, trigger_metadata(message), message_id=message.message_id)
        )
        await self._renew_until_done(receiver, message, call)
        return await call

    async def _renew_until_done(
        self, receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage, call: asyncio.Task[Result]
    ) -> None:
        """Renew the lock whenever half of what is left of it has gone, for maxAutoLockRenewalDuration."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._options.max_auto_lock_renewal_duration
        while loop.time() < end and message.locked_until_utc:
            left = (message.locked_until_utc - datetime.now(UTC)).total_seconds()
            done, _ = await asyncio.wait({call}, timeout=max(0.0, min(left / 2, end - loop.time())))
            if done or loop.time() >= end:
                return
            try:
                await receiver.renew_message_lock(message)
            except AzureError as error:
                logger.warning("message %s of %s: its lock was not renewed: %s", message.message_id, self._queue, error)
                return

    def _connected(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)
        elif self._lost:
            logger.info("function %s: connected again to queue %s", self._function.name, self._queue)
        self._lost = False

    def _disconnected(self, error: Exception) -> None:
        """One line for an outage, however many receivers meet it; anything but an outage gets its traceback."""
        if not isinstance(error, (AzureError, OSError)):
            logger.error("function %s: receiving from %s failed", self._function.name, self._queue, exc_info=error)
        if not self._opened.done() and isinstance(error, (MessagingEntityNotFoundError, ServiceBusAuthenticationError)):
            self._opened.set_exception(HostError(f"function {self._function.name}: queue {self._queue} cannot be opened: {error}"))
        elif not self._lost:
            logger.warning("function %s: no connection to queue %s, trying on: %s", self._function.name, self._queue, error)
        self._lost = True


async def _close(receiver: ServiceBusReceiver) -> None:
    """Closing hands back messages that arrived but were not taken; a dead connection must not make it wait."""
    try:
        async with asyncio.timeout(CLOSING_TAKES_AT_MOST):
            await receiver.close()
    except (AzureError, OSError, TimeoutError) as error:
        logger.debug("a receiver did not close: %s", error)
