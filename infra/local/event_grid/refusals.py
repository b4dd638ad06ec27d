"""How the service refuses what is published to it: https://learn.microsoft.com/azure/event-grid/post-to-custom-topic#response."""

import uuid

from aiohttp import web

_CODES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
}


class Refused(Exception):
    """`status` is HTTP's, `detail` the service's own code."""

    def __init__(self, status: int, detail: str, message: str) -> None:
        super().__init__(message)
        self.status, self.detail = status, detail

    def response(self) -> web.Response:
        message = f"{self} Report '{uuid.uuid4()}' to our forums for assistance or raise a support ticket."
        details = [{"code": self.detail, "message": message}]
        error = {"code": _CODES[self.status], "message": message, "details": details}
        return web.json_response({"error": error}, status=self.status)


def unauthorized(message: str) -> Refused:
    return Refused(401, "Unauthorized", message)


def input_json_invalid(message: str) -> Refused:
    return Refused(400, "InputJsonInvalid", message)


def too_large(largest: int) -> Refused:
    return Refused(413, "PayloadTooLarge", f"The maximum size ({largest}) has been exceeded.")
