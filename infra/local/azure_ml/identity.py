"""The App Service style managed identity endpoint, and the check of the bearer tokens that it made.

The unmodified azure-identity asks `GET {IDENTITY_ENDPOINT}?resource=…&api-version=2019-08-01[&client_id=…]` with the header
X-IDENTITY-HEADER; the client id becomes the principal. Tokens are signed, expire and name their audience, as Entra ID's do.
"""

import secrets

from aiohttp import web

from infra.local.azure_ml.errors import AzureError
from infra.local.azure_ml.state import State
from infra.local.tokens import ISSUER, ExpiredToken, InvalidToken, Tokens

SYSTEM_ASSIGNED = "system-assigned"
ARM_AUDIENCES = frozenset({"https://management.azure.com", "https://management.core.windows.net"})
ML_AUDIENCES = frozenset({"https://ml.azure.com", "https://ml.azure.local"})


class Identity:
    """Makes tokens and checks them."""

    def __init__(self, state: State, tokens: Tokens, base_url: str, token_seconds: int) -> None:
        self._tokens = tokens
        self.header = state.setting("identity header", lambda: secrets.token_hex(16))
        self._seconds = token_seconds
        self.arm_audiences = ARM_AUDIENCES | {base_url.rstrip("/")}

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/msi/token", self._issue)]

    def token(self, principal: str, audience: str) -> tuple[str, int]:
        """A token and when it expires, in seconds of Unix time."""
        return self._tokens.issue(principal, audience, self._seconds)

    def principal(self, request: web.Request, audiences: frozenset[str]) -> str:
        """Who sent the request. Raises AzureError 401 unless it bears a token of ours for one of the audiences."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            message = "Authentication failed. The 'Authorization' header is missing."
            raise _unauthorized("AuthenticationFailed", message)
        try:
            claims = self._tokens.read(token)
        except ExpiredToken as expired:
            raise _unauthorized("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier.") from expired
        except InvalidToken as invalid:
            raise _unauthorized("InvalidAuthenticationToken", f"The access token is invalid: {invalid}.") from invalid
        if claims.audience not in audiences:
            allowed = ", ".join(sorted(audiences))
            message = (
                f"The access token has been obtained for wrong audience or resource '{claims.audience}'. "
                f"It should exactly match with one of the allowed audiences '{allowed}'."
            )
            raise _unauthorized("InvalidAuthenticationTokenAudience", message)
        return claims.principal

    async def _issue(self, request: web.Request) -> web.Response:
        if not secrets.compare_digest(request.headers.get("X-IDENTITY-HEADER", ""), self.header):
            return web.json_response({"statusCode": 401, "message": "X-IDENTITY-HEADER does not match"}, status=401)
        resource = request.query.get("resource")
        if request.query.get("api-version") != "2019-08-01" or not resource:
            message = "api-version=2019-08-01 and resource are required"
            return web.json_response({"statusCode": 400, "message": message}, status=400)
        principal = request.query.get("client_id", SYSTEM_ASSIGNED)
        token, expires = self.token(principal, resource)
        answer = {"access_token": token, "expires_on": str(expires), "resource": resource, "token_type": "Bearer"}
        return web.json_response({**answer, "client_id": principal})


def _unauthorized(code: str, message: str) -> AzureError:
    parts = {"authorization_uri": f"{ISSUER}authorize", "error": "invalid_token", "error_description": message}
    challenge = "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items())
    return AzureError(401, code, message, headers={"WWW-Authenticate": challenge})
