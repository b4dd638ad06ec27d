"""Takes accepted events to their subscriptions: at least once each, in no order, one task per delivery until its end."""

import asyncio
import logging
import random
import time
from collections.abc import Iterable
from dataclasses import replace

from aiohttp import ClientSession

from infra.local.event_grid.destinations import Destination, open_destination
from infra.local.event_grid.retries import Failure, GiveUp, RetryPolicy
from infra.local.event_grid.schemas import Event
from infra.local.event_grid.store import Delivery, Store
from infra.local.event_grid.subscriptions import EventSubscription

MOST_AT_A_TIME = 64
logger = logging.getLogger("event_grid")


class Deliveries:
    """`duplication` is the share of deliveries that are made twice, as the service may do at any time."""

    def __init__(self, store: Store, policy: RetryPolicy, http: ClientSession) -> None:
        self._store = store
        self._policy = policy
        self._http = http
        self._slots = asyncio.Semaphore(MOST_AT_A_TIME)
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._destinations: dict[str, Destination] = {}
        self._tasks: dict[asyncio.Task[None], str] = {}
        self.duplication = 0.0

    def start(self) -> None:
        """Go on with what an earlier process accepted."""
        for subscription in self._store.subscriptions():
            self._destinations[subscription.name.casefold()] = open_destination(subscription, self._http)
        for delivery, due in self._store.undelivered():
            self._begin(delivery, due)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(destination.close() for destination in self._destinations.values()))

    async def subscribe(self, subscription: EventSubscription) -> None:
        """Raises InvalidSubscription where the destination does not agree; then nothing changes."""
        destination = open_destination(subscription, self._http)
        await destination.validate()
        self._store.put_subscription(subscription)
        replaced = self._destinations.pop(subscription.name.casefold(), None)
        self._destinations[subscription.name.casefold()] = destination
        if replaced:
            await replaced.close()

    async def unsubscribe(self, name: str) -> None:
        """With its events that are still on their way."""
        self._store.remove_subscription(name)
        destination = self._destinations.pop(name.casefold())
        for task in [task for task, subscription in self._tasks.items() if subscription == name.casefold()]:
            task.cancel()
        await destination.close()

    def accept(self, events: Iterable[Event]) -> None:
        """Once this returns, the events outlive the process. An event that nobody wants is no error."""
        subscriptions = self._store.subscriptions()
        wanted = [(each, event) for event in events for each in subscriptions if each.wants(event)]
        again = [pair for pair in wanted if random.random() < self.duplication]
        for delivery in self._store.accept([*wanted, *again]):
            self._begin(delivery, delivery.accepted)

    def pause(self, paused: bool) -> None:
        if paused:
            self._resumed.clear()
        else:
            self._resumed.set()

    def _begin(self, delivery: Delivery, due: float) -> None:
        task = asyncio.create_task(self._deliver(delivery, due))
        self._tasks[task] = delivery.subscription.casefold()
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def _deliver(self, delivery: Delivery, due: float) -> None:
        while True:
            await asyncio.sleep(max(0.0, due - time.time()))
            await self._resumed.wait()
            async with self._slots:
                failure = await self._destinations[delivery.subscription.casefold()].send(delivery)
            if failure is None:
                self._store.delivered(delivery)
                return
            delivery = replace(delivery, attempts=delivery.attempts + 1)
            next_due = self._after(failure, delivery)
            if next_due is None:
                return
            due = next_due

    def _after(self, failure: Failure, delivery: Delivery) -> float | None:
        """When the next attempt is due; None where there is none any more."""
        now = time.time()
        verdict = self._policy.after(failure, delivery.attempts, now - delivery.accepted)
        if isinstance(verdict, GiveUp):
            self._store.drop(delivery, verdict.reason, failure.reason)
            logger.error("event %s for %s dropped, %s: %s", *_names(delivery), verdict.reason, failure.reason)
            return None
        self._store.postpone(delivery, now + verdict, failure.reason)
        logger.warning("event %s for %s again in %.1f s: %s", *_names(delivery), verdict, failure.reason)
        return now + verdict


def _names(delivery: Delivery) -> tuple[str, str]:
    return delivery.event["id"], delivery.subscription
