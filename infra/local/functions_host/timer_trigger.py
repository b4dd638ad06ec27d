"""Timer triggers. Unlike the real host's, they keep nothing on disk: an occurrence missed while down is not made up."""

import asyncio
import json
import logging
from datetime import UTC, datetime

from infra.local.functions_host.bindings import Function, TimerTrigger
from infra.local.functions_host.errors import HostError
from infra.local.functions_host.invocations import Invocations
from infra.local.functions_host.protos import TypedData
from infra.local.functions_host.schedules import Schedule, parse_schedule
from infra.local.functions_host.settings import Settings

_NEVER = datetime(1, 1, 1, tzinfo=UTC)
logger = logging.getLogger("host")


class Timers:
    """One task per timer function; a run that outlasts its interval delays the next one, they never overlap."""

    def __init__(self, functions: list[Function], settings: Settings, invocations: Invocations) -> None:
        self._invocations = invocations
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers = [
            (function, function.trigger, _schedule(function, function.trigger, settings))
            for function in functions
            if isinstance(function.trigger, TimerTrigger)
        ]

    def start(self) -> None:
        for function, trigger, schedule in self._timers:
            self._tasks.add(asyncio.create_task(self._keep(function, trigger, schedule)))

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def run_now(self, function: Function) -> None:
        await self._invocations.run(function, timer_value(_NEVER, _NEVER))

    async def _keep(self, function: Function, trigger: TimerTrigger, schedule: Schedule) -> None:
        last = _NEVER
        if trigger.run_on_startup:
            await self._fire(function, last, schedule(datetime.now(UTC)))
        while True:
            due = schedule(datetime.now(UTC))
            await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
            await self._fire(function, last, schedule(due))
            last = due

    async def _fire(self, function: Function, last: datetime, upcoming: datetime) -> None:
        # shielded so that stopping the timer lets a run that has begun come to its end
        await asyncio.shield(self._invocations.run(function, timer_value(last, upcoming)))


def timer_value(last: datetime, upcoming: datetime) -> TypedData:
    status = {"Last": last.isoformat(), "Next": upcoming.isoformat(), "LastUpdated": last.isoformat()}
    return TypedData(json=json.dumps({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": False}))


def _schedule(function: Function, trigger: TimerTrigger, settings: Settings) -> Schedule:
    try:
        return parse_schedule(settings.expand(trigger.schedule, function.name))
    except ValueError as wrong:
        raise HostError(f"function {function.name}: {wrong}") from None
