"""Who may pass: every ARM and registry route demands a token of the right audience; ARM throttles besides."""

import re
from typing import Any

from aiohttp import web

from infra.local.azure_ml.access import caller
from infra.local.azure_ml.config import CloudConfig
from infra.local.azure_ml.errors import AzureError
from infra.local.azure_ml.identity import ML_AUDIENCES, Identity
from infra.local.azure_ml.limits import Throttle
from infra.local.resource_manager.surroundings import ENTRA_TENANT, Around

ARM = re.compile(r"^/subscriptions/(?P<subscription>[^/]+)(/|$)")
DATA_PLANE = ("/mferp/", "/registrymanagement/", "/assetstore/")
WORKSPACE = re.compile(r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/workspaces/[^/]+", re.IGNORECASE)
LOCATION = re.compile(r"/locations/(?P<location>[^/]+)/", re.IGNORECASE)


class Guard:
    def __init__(self, config: CloudConfig, around: Around, identity: Identity) -> None:
        self._config = config
        self._around = around
        self._identity = identity
        self._throttle = Throttle(config.limits)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        arm = ARM.match(request.path)
        if arm or request.path.startswith(DATA_PLANE):
            audiences = self._identity.arm_audiences
            principal = self._identity.principal(request, audiences if arm else audiences | ML_AUDIENCES)
            request["caller"] = caller(principal, self._config.denied, request.path)
            if arm:
                region, subscription = self._region(request.path), arm["subscription"]
                self._check_tenant(subscription)
                request["answer_headers"] = self._throttle.take(region, subscription, principal, request.method)
        response: web.StreamResponse = await handler(request)
        return response

    def _check_tenant(self, subscription: str) -> None:
        """Every token is of the one Entra tenant where the identities are."""
        there = self._around.now.entra_tenant(subscription)
        if there != ENTRA_TENANT:
            message = (
                f"The access token is from the wrong issuer 'https://sts.windows.net/{ENTRA_TENANT}/'. It must match the tenant "
                f"'https://sts.windows.net/{there}/' associated with this subscription. Please use the authority (URL) "
                f"'https://login.windows.net/{there}' to get the token."
            )
            raise AzureError(401, "InvalidAuthenticationTokenTenant", message)

    def _region(self, path: str) -> str:
        if match := LOCATION.search(path):
            return match["location"]
        match = WORKSPACE.match(path)
        workspace = self._config.workspace(match[0]) if match else None
        return workspace.location if workspace else "global"
