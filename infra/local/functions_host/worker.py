"""The real worker library, driven in this process as the Functions host drives it over gRPC.

azure-functions-runtime 1.3 is what production's Python 3.13 worker runs: a broken app is refused here with the very
message that production would give. Its registry of functions is module-global, hence one app and one worker a process.
"""

import os
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

from infra.local.functions_host import protos
from infra.local.functions_host.bindings import Function, read_function
from infra.local.functions_host.errors import HostError
from infra.local.functions_host.protos import ParameterBinding, StatusResult, TypedData


@dataclass(frozen=True, slots=True)
class Result:
    """How an invocation ended: the value of the function's `$return` binding, or the worker's message and traceback."""

    ok: bool
    return_value: TypedData | None = None
    error: str = ""
    stack_trace: str = ""


class Worker:
    def __init__(self, app: Path) -> None:
        self._app = app

    async def load(self) -> list[Function]:
        """Index the app, as the real host does at start. Raises HostError with the worker's own message."""
        os.chdir(self._app)
        sys.path.insert(0, str(self._app))
        runtime.start_threadpool_executor()
        directory = str(self._app)
        started = await runtime.worker_init_request(
            _request("worker_init_request", capabilities={}, function_app_directory=directory)
        )
        _require_success(started.result, "the app cannot be loaded")
        indexed = await runtime.functions_metadata_request(_request("functions_metadata_request", function_app_directory=directory))
        _require_success(indexed.result, "the app's functions cannot be read")
        if not indexed.function_metadata_results:
            raise HostError(f"no functions were found in {self._app / 'function_app.py'}")
        return [await self._load(metadata) for metadata in indexed.function_metadata_results]

    async def invoke(
        self, function: Function, value: TypedData, metadata: Mapping[str, TypedData], traceparent: str = ""
    ) -> Result:
        """Call a function with its trigger's value, through `invocation_request` as production's 3.13 worker does."""
        response = await runtime.invocation_request(
            _request(
                "invocation_request",
                invocation_id=str(uuid.uuid4()),
                function_id=function.id,
                input_data=[ParameterBinding(name=function.trigger.name, data=value)],
                trigger_metadata=metadata,
                trace_context=SimpleNamespace(trace_parent=traceparent, trace_state="", attributes={}),
                retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
            )
        )
        if response.result.status != StatusResult.Success:
            failure = response.result.exception
            return Result(ok=False, error=failure.message, stack_trace=failure.stack_trace)
        return Result(ok=True, return_value=response.return_value)

    async def _load(self, metadata: Any) -> Function:
        function = read_function(metadata)
        loaded = await runtime.function_load_request(
            _request("function_load_request", function_id=metadata.function_id, metadata=metadata)
        )
        _require_success(loaded.result, f"function {function.name} cannot be loaded")
        return function


def _request(kind: str, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(
        request=SimpleNamespace(**{kind: SimpleNamespace(**fields)}),
        properties={"host": "127.0.0.1", "protos": protos},
    )


def _require_success(result: Any, what: str) -> None:
    if result.status != StatusResult.Success:
        raise HostError(f"{what}: {result.exception.message}\n{result.exception.stack_trace}".rstrip())
