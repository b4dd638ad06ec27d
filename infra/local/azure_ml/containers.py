"""From what a deployment serves (documents) to the container that a worker runs, and its start."""

from typing import Any

from infra.local.azure_ml.blobs import Folder
from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.operations import OperationFailed
from infra.local.azure_ml.scoring_pool import Container, ScoringPool, Script
from infra.local.azure_ml.scoring_worker_process import ModelError

CRASHED = (
    "User container has crashed or terminated. Please see troubleshooting guide, available here: "
    "https://aka.ms/oe-tsg#error-resourcenotready"
)


class Containers:
    def __init__(self, cloud: Cloud, pool: ScoringPool) -> None:
        self._cloud = cloud
        self._pool = pool

    async def start(self, serving: dict[str, Any]) -> None:
        """Fetch what will serve and let a scoring script begin. Raises OperationFailed as the service's operation ends.

        MLflow models are loaded at their first request: a process and its libraries for each would be a second of both cores.
        """
        model, code = serving["model"], serving["code"]
        if model is not None:
            await self._check_model(model)
        if code is None:
            return
        if not await self._names(self._cloud.uris.locate(code["uri"])):
            raise OperationFailed("BadArgument", f"Unable to download user code: no files found at {code['uri']}")
        try:
            await self._pool.start(self._container(serving))
        except ModelError as broken:
            raise OperationFailed("ResourceNotReady", f"{CRASHED} ({broken.text})") from broken

    async def score(self, serving: dict[str, Any], payload: str) -> object:
        """Raises ModelError."""
        return await self._pool.score(self._container(serving), payload)

    async def close(self) -> None:
        await self._pool.close()

    def _container(self, serving: dict[str, Any]) -> Container:
        model, code = serving["model"], serving["code"]
        folder = self._cloud.uris.locate(model["uri"]) if model else None
        variables = tuple(sorted(serving["variables"].items()))
        if code is not None:
            place = self._cloud.uris.locate(code["uri"])
            assert place is not None
            return Container(folder, Script(place, code["script"]), variables, serving["deployment"])
        if model is None or model["type"] != "mlflow_model":
            message = "The local cloud scores MLflow models of the sklearn flavor and scoring scripts only; this is another kind."
            raise ModelError(501, message)
        return Container(folder, variables=variables)

    async def _check_model(self, model: dict[str, str]) -> None:
        """Fails where the bytes are missing, as the service's container would."""
        folder = self._cloud.uris.locate(model["uri"])
        names = await self._names(folder)
        if folder is None or not names:
            raise OperationFailed("BadArgument", f"Unable to download user model: no files found at {model['uri']}")
        if model["type"] == "mlflow_model" and f"{folder.path}/MLmodel" not in names:
            raise OperationFailed("BadArgument", f"Unable to load the MLflow model: no MLmodel file in {model['uri']}")

    async def _names(self, folder: Folder | None) -> list[str]:
        return await self._cloud.blobs.names(folder) if folder else []
