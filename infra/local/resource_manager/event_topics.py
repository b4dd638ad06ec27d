"""System topics and their event subscriptions, as Azure Resource Manager shows them (eventgrid 2022-06-15).

The local Event Grid has the event subscriptions, and is asked each time. A workspace has a system topic once it has one of them.
"""

from typing import Any

from aiohttp import ClientSession, ClientTimeout, web

from infra.local.azure_ml.cloud import Cloud, caller_of
from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.errors import resource_not_found
from infra.local.resource_manager.requests import GROUP, demand_version, known_subscription

API = "2022-06-15"
TYPE = "Microsoft.EventGrid/systemTopics"
TOPIC_TYPE = "microsoft.machinelearningservices.workspaces"

type Document = dict[str, Any]


class EventTopics:
    """`event_grid` is the base URL of the local Event Grid; without one there are none."""

    def __init__(self, cloud: Cloud, event_grid: str | None) -> None:
        self._cloud = cloud
        self._event_grid = event_grid
        self._session: ClientSession | None = None

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"/subscriptions/{{subscription}}/providers/{TYPE}", self._list),
            web.get(f"{GROUP}/providers/{TYPE}/{{topic}}/eventSubscriptions", self._list_subscriptions),
        ]

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    async def _list(self, request: web.Request) -> web.Response:
        demand_version(request, API)
        subscription = known_subscription(request, self._cloud)
        sources = {each["source"].lower() for each in await self._subscriptions()}
        topics = [each for each in self._cloud.config.workspaces if each.subscription == subscription and each.owner in sources]
        return web.json_response({"value": [_topic(each) for each in topics]})

    async def _list_subscriptions(self, request: web.Request) -> web.Response:
        demand_version(request, API)
        known_subscription(request, self._cloud)
        asked = request.path.rstrip("/").lower().removesuffix("/eventsubscriptions")
        workspace = next((each for each in self._cloud.config.workspaces if _topic_id(each).lower() == asked), None)
        mine = [each for each in await self._subscriptions() if workspace and each["source"].lower() == workspace.owner]
        if workspace is None or not mine:
            raise resource_not_found(f"{TYPE}/{request.match_info['topic']}", request.match_info["group"])
        caller_of(request).demand(_topic_id(workspace), write=False)
        return web.json_response({"value": [_subscription(each, workspace) for each in mine]})

    async def _subscriptions(self) -> list[Document]:
        if self._event_grid is None:
            return []
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=10))
        async with self._session.get(f"{self._event_grid.rstrip('/')}/eventSubscriptions") as answer:
            answer.raise_for_status()
            found: list[Document] = (await answer.json())["value"]
        return found


def _topic_id(workspace: Workspace) -> str:
    group = f"/subscriptions/{workspace.subscription}/resourceGroups/{workspace.resource_group}"
    return f"{group}/providers/{TYPE}/{workspace.name}-events"


def _topic(workspace: Workspace) -> Document:
    return {
        "properties": {
            "provisioningState": "Succeeded",
            "source": workspace.id,
            "topicType": TOPIC_TYPE,
            "metricResourceId": workspace.guid,
        },
        "location": workspace.location,
        "tags": None,
        "id": _topic_id(workspace),
        "name": f"{workspace.name}-events",
        "type": TYPE,
    }


def _subscription(shown: Document, workspace: Workspace) -> Document:
    """A queue and dead letters are reached as the topic's managed identity, as an account without keys wants it."""
    destination = _destination(shown["destination"])
    dead_letters = shown["deadLetterDestination"]
    identity = {"type": "SystemAssigned"}
    by_identity = destination["endpointType"] != "WebHook"
    delivery: Document = {"destination": None if by_identity else destination}
    if by_identity:
        delivery["deliveryWithResourceIdentity"] = {"identity": identity, "destination": destination}
    if dead_letters:
        place = {name: value for name, value in dead_letters.items() if name != "endpointType"}
        kept = {"endpointType": "StorageBlob", "properties": place}
        delivery["deadLetterWithResourceIdentity"] = {"identity": identity, "deadLetterDestination": kept}
    filters = ("includedEventTypes", "subjectBeginsWith", "subjectEndsWith", "isSubjectCaseSensitive", "advancedFilters")
    return {
        "properties": {
            "topic": _topic_id(workspace),
            "provisioningState": shown["provisioningState"],
            **delivery,
            "deadLetterDestination": None,
            "filter": {name: shown[name] for name in (*filters, "enableAdvancedFilteringOnArrays")},
            "labels": None,
            "eventDeliverySchema": shown["eventDeliverySchema"],
            "retryPolicy": shown["retryPolicy"],
        },
        "id": f"{_topic_id(workspace)}/eventSubscriptions/{shown['name']}",
        "name": shown["name"],
        "type": f"{TYPE}/eventSubscriptions",
    }


def _destination(shown: Document) -> Document:
    return {
        "endpointType": shown["endpointType"],
        "properties": {name: value for name, value in shown.items() if name in ("endpointBaseUrl", "resourceId")},
    }
