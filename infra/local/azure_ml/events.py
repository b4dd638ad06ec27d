"""ModelRegistered events: written in the transaction that registers, posted to Event Grid until it says that it has them."""

import asyncio
import logging
import uuid
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.state import Document, State
from infra.local.azure_ml.times import now_iso

KIND = "event"
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
log = logging.getLogger(__name__)


class Outbox:
    """At least once: an event leaves the state only when Event Grid answered 2xx."""

    def __init__(self, state: State, event_grid: str | None) -> None:
        self._state = state
        self._url = f"{event_grid.rstrip('/')}/events" if event_grid else None
        self._filled = asyncio.Event()
        self._filled.set()

    def model_registered(self, workspace: Workspace, model: Document) -> None:
        """Call inside the transaction that creates the model. Without an Event Grid nobody is told."""
        if self._url is None:
            return
        event = _model_registered(workspace, model)
        self._state.put(KIND, "", event["id"], event)
        self._filled.set()

    async def run(self) -> None:
        """Post what is waiting, oldest first, for ever."""
        if self._url is None:
            return
        async with ClientSession(timeout=ClientTimeout(total=30)) as session:
            failures = 0
            while True:
                await self._filled.wait()
                self._filled.clear()
                delivered = await self._post_all(session)
                if not delivered:
                    self._filled.set()
                    await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                failures = 0 if delivered else failures + 1

    async def _post_all(self, session: ClientSession) -> bool:
        assert self._url
        for event in self._state.within(KIND, ""):
            try:
                async with session.post(self._url, json=[event]) as answer:
                    accepted = answer.ok
            except (ClientError, TimeoutError) as unreachable:
                log.warning("Event Grid does not answer, event %s waits: %s", event["id"], unreachable)
                return False
            if not accepted:
                log.warning("Event Grid answered %s to event %s, which waits", answer.status, event["id"])
                return False
            self._state.delete(KIND, "", event["id"])
        return True


def _model_registered(workspace: Workspace, model: Document) -> dict[str, Any]:
    """Event Grid schema, as the service sends it: PascalCase, and an integer for a version that is one."""
    version: str = model["version"]
    return {
        "topic": workspace.id,
        "subject": f"models/{model['name']}:{version}",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": now_iso("Z"),
        "id": str(uuid.uuid4()),
        "data": {
            "ModelName": model["name"],
            "ModelVersion": int(version) if version.isdigit() else version,
            "ModelTags": model["properties"]["tags"],
            "ModelProperties": model["properties"]["properties"],
        },
        "dataVersion": "",
        "metadataVersion": "1",
    }
