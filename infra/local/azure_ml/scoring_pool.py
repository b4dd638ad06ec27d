"""The workers behind the endpoints: a subprocess for each container, since a model's pickle is its tenant's code."""

import asyncio
import contextlib
import os
import shutil
import sys
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.azure_ml.blobs import Blobs, Folder
from infra.local.azure_ml.scoring_worker_process import ModelError, Worker, sklearn_file

MOST_IDLE_WORKERS = 4
SECONDS_TO_START = 60
SECONDS_TO_ANSWER = 60
WORKER = Path(__file__).with_name("scoring_worker.py")


@dataclass(frozen=True, slots=True)
class Script:
    """Scoring code: its folder, and the file there that has `init` and `run`."""

    code: Folder
    file: str


@dataclass(frozen=True, slots=True)
class Container:
    """What one worker runs: an MLflow model, or a script with the model that it finds in AZUREML_MODEL_DIR, if any."""

    model: Folder | None
    script: Script | None = None
    variables: tuple[tuple[str, str], ...] = ()
    deployment: str = ""
    """Empty where deployments may share the worker: an MLflow model keeps nothing between requests."""


class _Seat:
    """A container's worker, and how many requests are with it: one that is in use is not evicted."""

    def __init__(self, starting: asyncio.Task[Worker]) -> None:
        self.starting = starting
        self.users = 0

    async def end(self) -> None:
        for worker in await asyncio.gather(self.starting, return_exceptions=True):
            if isinstance(worker, Worker):
                await worker.stop()


class ScoringPool:
    """Keeps the containers asked last running. Their files are fetched afresh after a restart."""

    def __init__(self, blobs: Blobs, directory: Path) -> None:
        self._blobs = blobs
        self._directory = directory
        self._seats: OrderedDict[Container, _Seat] = OrderedDict()
        shutil.rmtree(directory, ignore_errors=True)

    async def start(self, container: Container) -> None:
        """Raises ModelError where it does not start."""
        async with self._worker(container):
            pass

    async def score(self, container: Container, payload: str) -> object:
        """Raises ModelError, with 424 where the model refuses the input, as the service reports its containers' errors."""
        async with self._worker(container) as worker:
            answer = await asyncio.wait_for(worker.ask(payload), SECONDS_TO_ANSWER)
        if "error" in answer:
            raise ModelError(424, answer["error"], model_status=answer["status"])
        return answer["answer"]

    async def close(self) -> None:
        while self._seats:
            await self._seats.popitem()[1].end()

    @contextlib.asynccontextmanager
    async def _worker(self, container: Container) -> AsyncIterator[Worker]:
        """The container's worker, started if need be. One that broke is ended, and the next request starts another."""
        seat = self._seat(container)
        seat.users += 1
        try:
            for surplus in self._surplus():
                await surplus.end()
            yield await asyncio.shield(seat.starting)
        except Exception as broken:
            if self._seats.get(container) is seat:
                del self._seats[container]
            await seat.end()
            if isinstance(broken, TimeoutError | OSError | ValueError):
                raise ModelError(502, f"The model broke: {broken!r}") from broken
            raise
        finally:
            seat.users -= 1

    def _seat(self, container: Container) -> _Seat:
        if container not in self._seats:
            self._seats[container] = _Seat(asyncio.create_task(self._start(container)))
        self._seats.move_to_end(container)
        return self._seats[container]

    def _surplus(self) -> list[_Seat]:
        """The idle workers beyond those that are kept, the longest idle first; they leave the pool."""
        idle = [container for container, seat in self._seats.items() if not seat.users]
        return [self._seats.pop(container) for container in idle[: max(0, len(self._seats) - MOST_IDLE_WORKERS)]]

    async def _start(self, container: Container) -> Worker:
        home = self._directory / uuid.uuid4().hex
        arguments, variables = await self._fetch(container, home)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", str(WORKER), *arguments),  # -P: our modules must not shadow what a pickle imports
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=64 * 1024**2,
            env={**os.environ, **variables},
        )
        worker = Worker(process)
        try:
            await asyncio.wait_for(worker.ready(), SECONDS_TO_START)
        except (ModelError, TimeoutError):
            await worker.stop()
            raise
        return worker

    async def _fetch(self, container: Container, home: Path) -> tuple[list[str], dict[str, Any]]:
        """Bring the bytes; the worker's arguments and environment."""
        if container.script is None:
            assert container.model is not None
            await self._blobs.download(container.model, home)
            return ["mlflow", str(home), sklearn_file(home)], dict(container.variables)
        variables = dict(container.variables)
        await self._blobs.download(container.script.code, home / "code")
        if container.model is not None:
            # As on Azure, the variable names the folder that has the model's own folder or file in it.
            await self._blobs.download(container.model, home / "model" / container.model.path.rpartition("/")[2])
            variables["AZUREML_MODEL_DIR"] = str(home / "model")
        return ["script", str(home / "code"), container.script.file], variables
