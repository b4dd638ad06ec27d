"""The server's side of a scoring worker: a subprocess that answers a line of JSON with a line of JSON."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import yaml


class ModelError(Exception):
    """What the caller of an endpoint gets when the model does not answer."""

    def __init__(self, status: int, text: str, model_status: int | None = None) -> None:
        super().__init__(text)
        self.status, self.text = status, text
        self.headers = {"ms-azureml-model-error-statuscode": str(model_status)} if model_status else {}


class Worker:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    async def ready(self) -> None:
        """Wait until it has loaded. Raises ModelError where it cannot."""
        assert self._process.stdout
        said = json.loads(await self._process.stdout.readline() or b'{"error": "its process ended; see the log"}')
        if "error" in said:
            raise ModelError(502, f"The model could not be loaded: {said['error']}")

    async def ask(self, payload: str) -> dict[str, Any]:
        """{"answer": …} or {"error", "status"}. Raises ModelError when the process ends meanwhile."""
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


def sklearn_file(directory: Path) -> str:
    """The pickle that the sklearn flavor of the folder's MLmodel names. Raises ModelError where there is none."""
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
