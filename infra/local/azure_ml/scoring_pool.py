"""The workers behind the endpoints: one subprocess per model, since a model's pickle is its tenant's code."""

import asyncio
import json
import re
import shutil
import sys
import uuid
from collections import OrderedDict
from pathlib import Path
from typing import Any

import yaml

from infra.local.azure_ml.blobs import Blobs, Folder

MOST_WORKERS = 4
SECONDS_TO_ANSWER = 60
WORKER = Path(__file__).with_name("scoring_worker.py")


class ModelError(Exception):
    """What the caller of an endpoint gets when the model does not answer."""

    def __init__(self, status: int, text: str, model_status: int | None = None) -> None:
        super().__init__(text)
        self.status, self.text = status, text
        self.headers = {"ms-azureml-model-error-statuscode": str(model_status)} if model_status else {}


class _Worker:
    """A subprocess that has one model loaded and answers a line of JSON with a line of JSON."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    async def ask(self, payload: object) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        async with self._turn:
            self._process.stdin.write(json.dumps(payload).encode() + b"\n")
            await self._process.stdin.drain()
            line = await self._process.stdout.readline()
        if not line:
            raise ModelError(502, "The model's process ended while it scored.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


class ScoringPool:
    """Keeps the models asked last loaded. Their files are fetched afresh after a restart."""

    def __init__(self, blobs: Blobs, directory: Path) -> None:
        self._blobs = blobs
        self._directory = directory
        self._workers: OrderedDict[Folder, asyncio.Task[_Worker]] = OrderedDict()
        shutil.rmtree(directory, ignore_errors=True)

    async def score(self, folder: Folder, payload: object) -> object:
        """Raises ModelError, with 424 where the model refuses the input, as the service reports its containers' errors."""
        try:
            worker = await self._worker(folder)
            answer = await asyncio.wait_for(worker.ask(payload), SECONDS_TO_ANSWER)
        except (ModelError, TimeoutError, OSError) as broken:
            await self._drop(folder)
            raise broken if isinstance(broken, ModelError) else ModelError(502, f"The model broke: {broken!r}") from broken
        if "error" in answer:
            raise ModelError(424, answer["error"], model_status=400)
        return answer["predictions"]

    async def close(self) -> None:
        for folder in list(self._workers):
            await self._drop(folder)

    async def _worker(self, folder: Folder) -> _Worker:
        if folder not in self._workers:
            self._workers[folder] = asyncio.create_task(self._start(folder))
            while len(self._workers) > MOST_WORKERS:
                await self._drop(next(iter(self._workers)))
        self._workers.move_to_end(folder)
        try:
            return await asyncio.shield(self._workers[folder])
        except Exception:
            self._workers.pop(folder, None)
            raise

    async def _drop(self, folder: Folder) -> None:
        starting = self._workers.pop(folder, None)
        if starting is None:
            return
        started = await asyncio.gather(starting, return_exceptions=True)
        for worker in started:
            if isinstance(worker, _Worker):
                await worker.stop()

    async def _start(self, folder: Folder) -> _Worker:
        directory = self._directory / uuid.uuid4().hex
        await self._blobs.download(folder, directory)
        model_file = _sklearn_file(directory)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", str(WORKER), str(directory), model_file),  # -P: our modules must not shadow what a pickle imports
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=64 * 1024**2,
        )
        worker = _Worker(process)
        assert process.stdout
        ready = json.loads(await process.stdout.readline() or b'{"error": "its process ended; see the log"}')
        if "error" in ready:
            await worker.stop()
            raise ModelError(502, f"The model could not be loaded: {ready['error']}")
        return worker


def _sklearn_file(directory: Path) -> str:
    """The pickle that the sklearn flavor of the folder's MLmodel names."""
    try:
        flavors = yaml.safe_load((directory / "MLmodel").read_text())["flavors"]
    except (OSError, TypeError, KeyError, yaml.YAMLError) as broken:
        raise ModelError(502, f"The model's MLmodel file cannot be read: {broken!r}") from broken
    if "sklearn" not in flavors:
        names = ", ".join(flavors) or "none"
        raise ModelError(501, f"The local cloud scores MLflow models of the sklearn flavor only; this model has: {names}.")
    name = str(flavors["sklearn"].get("pickled_model", "model.pkl"))
    if re.search(r"(^/|(^|/)\.\.(/|$))", name):
        raise ModelError(502, f"MLmodel names a file outside its folder: {name}")
    return name
