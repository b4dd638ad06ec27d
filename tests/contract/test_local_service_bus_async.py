"""The local Service Bus through the asynchronous half of the unmodified azure-servicebus."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus.aio import AutoLockRenewer, ServiceBusClient
from azure.servicebus.exceptions import MessageNotFoundError

from infra.local.service_bus.testing import RunningBroker


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    queues = {"orders": {"LockDuration": "PT4S"}, "parcels": {}, "work": {}}
    with RunningBroker(tmp_path_factory.mktemp("broker"), queues) as running:
        yield running


def test_a_message_goes_through_its_whole_life(broker: RunningBroker) -> None:
    async def live() -> tuple[list[str], str | None, int]:
        async with (
            ServiceBusClient.from_connection_string(broker.connection_string, retry_total=0) as client,
            client.get_queue_sender("parcels") as sender,
            client.get_queue_receiver("parcels") as receiver,
        ):
            await sender.send_messages([ServiceBusMessage("done"), ServiceBusMessage("bad")])
            number, *_ = await sender.schedule_messages(ServiceBusMessage("x"), datetime.now(UTC) + timedelta(hours=1))
            done = (await receiver.receive_messages(1, max_wait_time=5))[0]
            await receiver.renew_message_lock(done)
            await receiver.complete_message(done)
            bad = (await receiver.receive_messages(1, max_wait_time=5))[0]
            await receiver.abandon_message(bad)
            bad = (await receiver.receive_messages(1, max_wait_time=5))[0]
            await receiver.dead_letter_message(bad, reason="Bad")
            peeked = await receiver.peek_messages(5)
            await sender.cancel_scheduled_messages(number)
            with pytest.raises(MessageNotFoundError):
                await sender.cancel_scheduled_messages(number)
            async with client.get_queue_receiver("parcels", sub_queue=ServiceBusSubQueue.DEAD_LETTER) as dead_letters:
                [dead] = await dead_letters.receive_messages(1, max_wait_time=5)
                await dead_letters.complete_message(dead)
            return [str(message) for message in peeked], dead.dead_letter_reason, bad.delivery_count or 0

    assert asyncio.run(live()) == (["x"], "Bad", 1)


def test_the_automatic_renewer_keeps_a_lock_beyond_its_duration(broker: RunningBroker) -> None:
    async def hold() -> None:
        async with (
            ServiceBusClient.from_connection_string(broker.connection_string) as client,
            client.get_queue_sender("orders") as sender,
            client.get_queue_receiver("orders") as receiver,
            AutoLockRenewer() as renewer,
        ):
            await sender.send_messages(ServiceBusMessage("held"))
            [message] = await receiver.receive_messages(1, max_wait_time=5)
            renewer.register(receiver, message, max_lock_renewal_duration=10)
            await asyncio.sleep(4.5)
            await receiver.complete_message(message)

    asyncio.run(hold())

    totals = broker.queue("orders")["totals"]
    assert (totals["completed"], totals["delivered"]) == (1, 1)


def test_competing_receivers_share_the_messages(broker: RunningBroker) -> None:
    async def receive(client: ServiceBusClient, count: int) -> int:
        async with client.get_queue_receiver("work", prefetch_count=5) as receiver:
            taken = 0
            while broker.queue("work")["totals"]["completed"] < count:
                for message in await receiver.receive_messages(5, max_wait_time=0.2):
                    await receiver.complete_message(message)
                    taken += 1
                    await asyncio.sleep(0)
            return taken

    async def compete() -> list[int]:
        async with ServiceBusClient.from_connection_string(broker.connection_string) as client:
            async with client.get_queue_sender("work") as sender:
                await sender.send_messages([ServiceBusMessage("x") for _ in range(200)])
            return await asyncio.gather(*(receive(client, 200) for _ in range(3)))

    shares = asyncio.run(compete())

    assert sum(shares) == 200
    assert all(share > 0 for share in shares)
