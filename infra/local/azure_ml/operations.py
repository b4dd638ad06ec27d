"""Long-running operations: begun by a request, ended by the wall clock, whoever polls or not.

An operation is a row: after a crash those that were running go on, and those that came due meanwhile end at once.
"""

import asyncio
import logging
import time
import uuid
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from azure.core.exceptions import AzureError as StorageError

from infra.local.azure_ml.errors import AzureError
from infra.local.azure_ml.state import State

RUNNING, SUCCEEDED, FAILED = "InProgress", "Succeeded", "Failed"
KIND = "operation"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Operation:
    """`arguments` are what its work needs; `failure` ({"code", "message"}) is how it ends, if it must or did fail."""

    work: str
    arguments: dict[str, Any]
    started: float
    due: float
    failure: dict[str, str] | None = None
    status: str = RUNNING
    ended: float | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class OperationFailed(Exception):
    """An operation's own reason to fail, as its status reports it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.failure = {"code": code, "message": message}


class Work(Protocol):
    """What an operation does when it is due."""

    async def prepare(self, operation: Operation) -> None:
        """What may be repeated after a crash, such as copying bytes. Raises OperationFailed."""

    def settle(self, operation: Operation) -> None:
        """Write the outcome, in the transaction that ends the operation (its `failure` says which outcome)."""


class Operations:
    def __init__(self, state: State) -> None:
        self._state = state
        self._works: dict[str, Work] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def register(self, name: str, work: Work) -> None:
        self._works[name] = work

    def begin(self, work: str, arguments: dict[str, Any], seconds: float, failure: dict[str, str] | None = None) -> Operation:
        """Call inside the transaction that writes what the operation changes at once."""
        now = time.time()
        operation = Operation(work, arguments, now, now + seconds, failure)
        self._state.put(KIND, "running", operation.id, asdict(operation))
        self._run(operation)
        return operation

    def get(self, operation_id: str) -> Operation:
        found = self._state.get(KIND, "running", operation_id) or self._state.get(KIND, "ended", operation_id)
        if found is None:
            raise AzureError(404, "NotFound", f"Operation {operation_id} not found")
        return Operation(**found)

    def running(self, work: str | None = None) -> list[Operation]:
        """Those of one work, or all."""
        everything = [Operation(**found) for found in self._state.within(KIND, "running")]
        return [operation for operation in everything if work in (None, operation.work)]

    def resume(self) -> None:
        """Go on with what was running when the process ended."""
        for operation in self.running():
            self._run(operation)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, operation: Operation) -> None:
        task = asyncio.get_running_loop().create_task(self._finish(operation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, operation: Operation) -> None:
        await asyncio.sleep(operation.due - time.time())
        if operation.failure is None:
            operation = replace(operation, failure=await self._prepare(operation))
        ended = replace(operation, status=FAILED if operation.failure else SUCCEEDED, ended=time.time())
        with self._state.transaction():
            self._works[operation.work].settle(ended)
            self._state.delete(KIND, "running", ended.id)
            self._state.put(KIND, "ended", ended.id, asdict(ended))
        log.info("operation %s %s: %s", ended.work, ended.id, ended.status)

    async def _prepare(self, operation: Operation) -> dict[str, str] | None:
        """The failure, if it fails. A storage that does not answer is waited for, as the real service would."""
        while True:
            try:
                await self._works[operation.work].prepare(operation)
                return None
            except OperationFailed as failed:
                return failed.failure
            except StorageError as unreachable:
                log.warning("operation %s waits for the blob storage: %s", operation.id, unreachable)
                await asyncio.sleep(1)
