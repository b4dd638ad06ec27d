"""Errors in the two shapes that clients meet: ARM's own, and those of Azure ML's front end (`managementfrontend`).

The second is as recorded from the real service (`x-ms-response-type: error`, `additionalInfo`); the online inference
service behind the front end reports through `details`, code `InferencingClientCallFailed`.
"""

import json
import uuid
from typing import Any

from aiohttp import web

from infra.local.azure_ml.times import now_iso

REASONS = {400: "BadRequest", 404: "NotFoundError", 409: "Conflict"}


class AzureError(Exception):
    """An error answer: HTTP status, Azure's code, a message for people."""

    def __init__(self, status: int, code: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers: dict[str, str] = extra.pop("headers", {})
        self.extra = extra

    def response(self) -> web.Response:
        body = {"error": {"code": self.code, "message": self.message, **self.extra}}
        return web.json_response(body, status=self.status, headers=self.headers)


def front_end_error(status: int, message: str, location: str, code: str = "UserError") -> AzureError:
    """As `managementfrontend` answers; `location` is the region it runs in."""
    correlation = {"operation": uuid.uuid4().hex, "request": uuid.uuid4().hex[:16]}
    facts: dict[str, Any] = {
        "ComponentName": "managementfrontend",
        "Correlation": correlation,
        "Environment": location,
        "Location": location,
        "Time": now_iso(),
        "InnerError": {"code": REASONS.get(status, "BadRequest"), "innerError": None},
    }
    information = [{"type": name, "info": {"value": value}} for name, value in facts.items()]
    headers = {"x-ms-response-type": "error"}
    return AzureError(status, code, message, details=[], additionalInfo=information, headers=headers)


def asset_not_found(what: str, message: str, location: str) -> AzureError:
    """As the front end answers (reported) where a batch deployment names an asset that is not there: "ModelNotFound", …"""
    error = front_end_error(404, "The specified resource was not found.", location)
    error.extra["details"] = [{"code": f"{what.capitalize()}NotFound", "message": message, "details": [], "additionalInfo": []}]
    return error


def inferencing_error(status: int, message: str) -> AzureError:
    """As the online inference service answers through the front end. 400 carries ASP.NET's list of validation errors."""
    codes = {400: "BadRequest", 404: "NotFound", 409: "Conflict"}
    titles = {400: "The request is invalid.", 404: "The specified resource was not found.", 409: message}
    inner: dict[str, Any] = {"title": message, "status": status}
    if status == 400:
        inner = {"errors": {"": [message]}, "title": "One or more validation errors occurred.", "status": status}
    details = [{"code": "InferencingClientCallFailed", "message": json.dumps(inner), "details": [], "additionalInfo": []}]
    headers = {"x-ms-response-type": "error"}
    return AzureError(status, codes[status], titles[status], details=details, additionalInfo=[], headers=headers)


def resource_not_found(resource: str, group: str) -> AzureError:
    """As ARM answers for a resource that does not exist."""
    message = (
        f"The Resource '{resource}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return AzureError(404, "ResourceNotFound", message)


@web.middleware
async def error_middleware(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answers `AzureError`s, and gives every answer the ids under which Azure's support would find it."""
    try:
        response: web.StreamResponse = await handler(request)
    except AzureError as error:
        response = error.response()
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        message = f"The local Azure ML does not serve {request.method} {request.path}; its README says what it does."
        response = AzureError(404, "NotFound", message).response()
    except json.JSONDecodeError as error:
        response = AzureError(400, "InvalidRequestContent", f"The request content was invalid: {error}").response()
    if not response.prepared:
        request_id = str(uuid.uuid4())
        response.headers.setdefault("x-ms-request-id", request_id)
        response.headers.setdefault("x-ms-correlation-request-id", request_id)
        for name, value in request.get("answer_headers", {}).items():
            response.headers[name] = value
    return response
