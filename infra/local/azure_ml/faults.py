"""How an operation must fail: as a fault armed through `/_control` says, or else as the configuration does."""

import re

from aiohttp import web

from infra.local.azure_ml.config import CloudConfig
from infra.local.control import Control


def operation_failure(request: web.Request, config: CloudConfig) -> dict[str, str] | None:
    """{"code", "message"} with which the operation begun by this request must end; None: it may succeed."""
    if failure := Control.operation_failure(request):
        return {"code": "InternalServerError", "message": "injected by the local cloud", **failure}
    line = f"{request.method} {request.path}"
    for configured in config.operation_failures:
        if re.search(configured.match, line):
            return {"code": configured.code, "message": configured.message}
    return None
