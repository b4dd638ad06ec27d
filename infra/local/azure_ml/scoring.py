"""Invoking an endpoint: authentication, routing by traffic, and a worker that really scores with the model's own bytes."""

import json
import secrets
from collections import Counter

from aiohttp import web

from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.containers import Containers
from infra.local.azure_ml.endpoint_store import EndpointStore
from infra.local.azure_ml.errors import AzureError
from infra.local.azure_ml.identity import ML_AUDIENCES, Identity
from infra.local.azure_ml.scoring_worker_process import ModelError
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.traffic import choose

DEPLOYMENT_HEADER = "azureml-model-deployment"
NO_ROUTE = (
    "No valid deployments to route to. Please check that the endpoint has at least one deployment with positive weight "
    "values or use a deployment specific header to route."
)


class Scoring:
    def __init__(self, store: EndpointStore, identity: Identity, containers: Containers) -> None:
        self._store = store
        self._identity = identity
        self._containers = containers
        self._answered: Counter[tuple[str, int]] = Counter()

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/endpoints/{region}/{endpoint}/score", self._score)]

    def answered(self, deployment: Document) -> dict[str, int]:
        """How many requests this deployment has answered since the start, by status."""
        identity = deployment["body"]["id"]
        return {str(status): count for (found, status), count in sorted(self._answered.items()) if found == identity}

    async def _score(self, request: web.Request) -> web.Response:
        workspace, endpoint = self._endpoint(request)
        self._authenticate(request, endpoint)
        payload = await request.text()
        deployment = self._route(request, workspace, endpoint["name"])
        response = await self._answer(deployment, payload)
        response.headers[DEPLOYMENT_HEADER] = deployment["name"]
        self._answered[deployment["body"]["id"], response.status] += 1
        return response

    async def _answer(self, deployment: Document, payload: str) -> web.Response:
        try:
            answer = await self._containers.score(deployment["serving"], payload)
        except ModelError as error:
            return web.json_response({"error": error.text}, status=error.status, headers=error.headers)
        return web.json_response(answer, dumps=json.dumps)

    def _endpoint(self, request: web.Request) -> tuple[Workspace, Document]:
        name = request.match_info["endpoint"].lower()
        for workspace, document in self._store.in_region(request.match_info["region"]):
            if document["name"].lower() == name:
                return workspace, document
        raise AzureError(404, "NotFound", f"Endpoint {name} was not found.")

    def _authenticate(self, request: web.Request, endpoint: Document) -> None:
        """A key, a token of this endpoint, or a token of Entra ID, as the endpoint's authMode says."""
        properties = endpoint["body"]["properties"]
        if properties["authMode"] == "Key":
            bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not any(secrets.compare_digest(bearer, key) for key in endpoint["keys"].values()):
                raise AzureError(401, "Unauthorized", "The key is missing or wrong.")
        elif properties["authMode"] == "AMLToken":
            self._identity.principal(request, frozenset({properties["scoringUri"]}))
        else:
            self._identity.principal(request, ML_AUDIENCES)

    def _route(self, request: web.Request, workspace: Workspace, name: str) -> Document:
        """The deployment named in the header, else one by the weights. Only one that once succeeded can answer.

        The endpoint is read again: while the request's body came in, traffic may have changed and a deployment gone.
        """
        endpoint = self._store.endpoint(workspace, name)
        named = request.headers.get(DEPLOYMENT_HEADER) or choose(endpoint["serving"] if endpoint else {})
        deployment = self._store.deployment(workspace, name, named) if named else None
        if deployment is None or deployment["serving"] is None:
            raise AzureError(404, "NotFound", NO_ROUTE)
        return deployment
