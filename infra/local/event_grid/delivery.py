"""Takes accepted events to their subscriptions: at least once each, in no order, one task per delivery until its end."""

import asyncio
import logging
import random
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import ClientSession
from azure.core.exceptions import AzureError

from infra.local.event_grid.dead_letters import ContainerGone, DeadLetter, require_container, write
from infra.local.event_grid.destinations import Destination, open_destination
from infra.local.event_grid.retries import DEAD_LETTERS_KEPT, UNTIL_DEAD_LETTERED, Failure, GiveUp, RetryPolicy
from infra.local.event_grid.schemas import Event
from infra.local.event_grid.store import Delivery, Store
from infra.local.event_grid.subscriptions import EventSubscription, Limits

MOST_AT_A_TIME = 64
logger = logging.getLogger("event_grid")


@dataclass(frozen=True, slots=True)
class _Route:
    subscription: EventSubscription
    destination: Destination


class Deliveries:
    """`duplication` is the share of deliveries that are made twice, as the service may do at any time."""

    def __init__(self, store: Store, policy: RetryPolicy, http: ClientSession) -> None:
        self._store = store
        self._policy = policy
        self._http = http
        self._slots = asyncio.Semaphore(MOST_AT_A_TIME)
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._routes: dict[str, _Route] = {}
        self._tasks: dict[asyncio.Task[None], str] = {}
        self.duplication = 0.0

    def start(self) -> None:
        """Go on with what an earlier process accepted."""
        for subscription in self._store.subscriptions():
            self._routes[subscription.name.casefold()] = _Route(subscription, open_destination(subscription, self._http))
        for delivery, due in self._store.undelivered():
            self._begin(self._deliver(delivery, due), delivery.subscription)
        for letter in self._store.dead_letters():
            self._begin(self._dead_letter(letter), letter.subscription)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(route.destination.close() for route in self._routes.values()))

    async def subscribe(self, subscription: EventSubscription) -> None:
        """Raises InvalidSubscription where a destination does not agree; then nothing changes."""
        if subscription.dead_letter_destination:
            await require_container(subscription.dead_letter_destination)
        destination = open_destination(subscription, self._http)
        await destination.validate()
        self._store.put_subscription(subscription)
        replaced = self._routes.pop(subscription.name.casefold(), None)
        self._routes[subscription.name.casefold()] = _Route(subscription, destination)
        if replaced:
            await replaced.destination.close()

    async def unsubscribe(self, name: str) -> None:
        """With its events that are still on their way."""
        self._store.remove_subscription(name)
        route = self._routes.pop(name.casefold())
        for task in [task for task, subscription in self._tasks.items() if subscription == name.casefold()]:
            task.cancel()
        await route.destination.close()

    def accept(self, events: Iterable[Event]) -> None:
        """Once this returns, the events outlive the process. An event that nobody wants is no error."""
        subscriptions = self._store.subscriptions()
        wanted = [(each, event) for event in events for each in subscriptions if each.wants(event)]
        again = [pair for pair in wanted if random.random() < self.duplication]
        for delivery in self._store.accept([*wanted, *again]):
            self._begin(self._deliver(delivery, delivery.accepted), delivery.subscription)

    def pause(self, paused: bool) -> None:
        if paused:
            self._resumed.clear()
        else:
            self._resumed.set()

    def _begin(self, work: Coroutine[Any, Any, None], subscription: str) -> None:
        task = asyncio.create_task(work)
        self._tasks[task] = subscription.casefold()
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def _deliver(self, delivery: Delivery, due: float) -> None:
        while True:
            await asyncio.sleep(max(0.0, due - time.time()))
            await self._resumed.wait()
            route = self._routes[delivery.subscription.casefold()]
            async with self._slots:
                failure = await route.destination.send(delivery)
            if failure is None:
                self._store.done(delivery.id)
                return
            delivery = replace(delivery, attempts=delivery.attempts + 1)
            now = time.time()
            verdict = self._verdict(failure, delivery, now - delivery.accepted, route.subscription.retry_policy)
            if isinstance(verdict, GiveUp):
                await self._give_up(_letter(delivery, verdict, failure, now), failure)
                return
            due = now + verdict
            self._store.postpone(delivery, due, failure.reason)
            logger.warning("event %s for %s again in %.1f s: %s", *_names(delivery), verdict, failure.reason)

    def _verdict(self, failure: Failure, delivery: Delivery, age: float, limits: Limits) -> float | GiveUp:
        most, minutes = limits.max_delivery_attempts, limits.event_time_to_live_in_minutes
        return self._policy.after(failure, delivery.attempts, age, most, minutes)

    async def _give_up(self, letter: DeadLetter, failure: Failure) -> None:
        if self._routes[letter.subscription.casefold()].subscription.dead_letter_destination is None:
            self._drop(letter, failure.reason)
            return
        self._store.dead_letter(letter, failure.reason)
        logger.error("event %s for %s becomes a dead letter, %s: %s", *_names(letter), letter.reason, failure.reason)
        await self._dead_letter(letter)

    async def _dead_letter(self, letter: DeadLetter) -> None:
        """Write it, after the service's five minutes; try again while the container cannot be reached, for four hours."""
        scale, attempts = self._policy.time_scale, 0
        due = letter.last_attempt + UNTIL_DEAD_LETTERED * scale
        while True:
            await asyncio.sleep(max(0.0, due - time.time()))
            subscription = self._routes[letter.subscription.casefold()].subscription
            try:
                if subscription.dead_letter_destination is None:
                    raise ContainerGone("the event subscription has no deadLetterDestination any more")
                await write(letter, subscription.dead_letter_destination, subscription.event_delivery_schema)
            except (ContainerGone, AzureError, ValueError) as error:
                attempts += 1
                due = time.time() + self._policy.wait(attempts)
                if isinstance(error, ContainerGone) or due > letter.last_attempt + DEAD_LETTERS_KEPT * scale:
                    self._drop(letter, repr(error))
                    return
                logger.warning("dead letter %s for %s cannot be written: %s", *_names(letter), error)
            else:
                self._store.done(letter.id)
                return

    def _drop(self, letter: DeadLetter, failure: str) -> None:
        self._store.drop(letter, failure)
        logger.error("event %s for %s dropped, %s: %s", *_names(letter), letter.reason, failure)


def _letter(delivery: Delivery, verdict: GiveUp, failure: Failure, now: float) -> DeadLetter:
    return DeadLetter(
        delivery.id,
        delivery.subscription,
        delivery.event,
        verdict.reason,
        delivery.attempts,
        failure.outcome,
        delivery.accepted,
        now,
    )


def _names(work: Delivery | DeadLetter) -> tuple[str, str]:
    return work.event.id, work.subscription
