"""Invoking an endpoint: authentication, routing by traffic, and a worker that really scores with the model's own bytes."""

import json
import secrets
from pathlib import Path

from aiohttp import web

from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import Workspace
from infra.local.azure_ml.errors import AzureError
from infra.local.azure_ml.identity import ML_AUDIENCES, Identity
from infra.local.azure_ml.online_store import OnlineStore
from infra.local.azure_ml.scoring_pool import ModelError, ScoringPool
from infra.local.azure_ml.state import Document
from infra.local.azure_ml.traffic import choose

DEPLOYMENT_HEADER = "azureml-model-deployment"
NO_ROUTE = (
    "No valid deployments to route to. Please check that the endpoint has at least one deployment with positive weight "
    "values or use a deployment specific header to route."
)


class Scoring:
    def __init__(self, cloud: Cloud, store: OnlineStore, identity: Identity, folder: Path) -> None:
        self._cloud = cloud
        self._store = store
        self._identity = identity
        self._pool = ScoringPool(cloud.blobs, folder / "scoring")

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/endpoints/{region}/{endpoint}/score", self._score)]

    async def close(self) -> None:
        await self._pool.close()

    async def _score(self, request: web.Request) -> web.Response:
        workspace, endpoint = self._endpoint(request)
        self._authenticate(request, endpoint)
        deployment = self._route(request, workspace, endpoint)
        headers = {DEPLOYMENT_HEADER: deployment["name"]}
        try:
            answer = await self._answer(deployment, await request.json())
        except ModelError as error:
            return web.json_response({"error": error.text}, status=error.status, headers={**headers, **error.headers})
        return web.json_response(answer, headers=headers, dumps=json.dumps)

    async def _answer(self, deployment: Document, payload: object) -> object:
        model = deployment["serving"]
        if model is None or model["type"] != "mlflow_model":
            raise ModelError(501, "The local cloud scores MLflow models of the sklearn flavor only; this is another kind.")
        folder = self._cloud.uris.locate(model["uri"])
        assert folder is not None
        return await self._pool.score(folder, payload)

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

    def _route(self, request: web.Request, workspace: Workspace, endpoint: Document) -> Document:
        """The deployment named in the header, else one by the weights. Only one that once succeeded can answer."""
        name = request.headers.get(DEPLOYMENT_HEADER) or choose(endpoint["serving"])
        deployment = self._store.deployment(workspace, endpoint["name"], name) if name else None
        if deployment is None or deployment["serving"] is None:
            raise AzureError(404, "NotFound", NO_ROUTE)
        return deployment
