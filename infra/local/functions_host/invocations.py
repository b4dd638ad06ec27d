"""Runs invocations for all triggers: functionTimeout, the log of what ran, and waiting for what still runs."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from infra.local.functions_host.bindings import Function
from infra.local.functions_host.protos import TypedData
from infra.local.functions_host.worker import Result, Worker

LOG_LENGTH = 100_000
logger = logging.getLogger("host")


@dataclass(slots=True)
class Invocation:
    """One call: `started` as Unix time; `seconds` and `ok` are None while it runs."""

    n: int
    function: str
    started: float
    seconds: float | None = None
    ok: bool | None = None
    error: str | None = None
    message_id: str | None = None


class Invocations:
    """`timeout` is host.json's functionTimeout in seconds; `on_timeout` must end the process."""

    def __init__(self, worker: Worker, timeout: float | None, on_timeout: Callable[[], None]) -> None:
        self._worker = worker
        self._timeout = timeout
        self._on_timeout = on_timeout
        self._numbers = itertools.count(1)
        self._finished: deque[Invocation] = deque(maxlen=LOG_LENGTH)
        self._running: dict[int, Invocation] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(
        self,
        function: Function,
        value: TypedData,
        metadata: Mapping[str, TypedData] | None = None,
        *,
        message_id: str | None = None,
        traceparent: str = "",
    ) -> Result:
        """Call `function` and log the call. A function's exception is a Result that is not ok, never raised."""
        invocation = Invocation(next(self._numbers), function.name, time.time(), message_id=message_id)
        self._running[invocation.n] = invocation
        self._idle.clear()
        started = time.perf_counter()
        call = asyncio.create_task(self._worker.invoke(function, value, metadata or {}, traceparent))
        finished, _ = await asyncio.wait({call}, timeout=self._timeout)
        if not finished:
            logger.critical("function %s ran longer than functionTimeout, %s s: restarting", function.name, self._timeout)
            self._on_timeout()
        result = await call
        self._record(invocation, result, time.perf_counter() - started)
        return result

    async def drain(self, seconds: float) -> None:
        """Wait until nothing runs, at most so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)

    def as_json(self) -> list[dict[str, object]]:
        """The last LOG_LENGTH finished invocations, then the running ones."""
        return [asdict(invocation) for invocation in (*self._finished, *self._running.values())]

    def _record(self, invocation: Invocation, result: Result, seconds: float) -> None:
        invocation.seconds, invocation.ok, invocation.error = round(seconds, 4), result.ok, result.error or None
        del self._running[invocation.n]
        if not self._running:
            self._idle.set()
        self._finished.append(invocation)
        if not result.ok:
            logger.error(
                "function %s failed after %.3f s: %s",
                invocation.function,
                seconds,
                result.error,
                extra={"worker_stack_trace": result.stack_trace},
            )
