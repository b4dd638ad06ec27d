"""The messages of the worker's protocol, duck-typed.

In production these classes are generated from FunctionRpc.proto and the worker library is handed their module. It only
ever sets and reads attributes, so bags of attributes serve it as well, and this module is what we hand it. Names and
numbers are FunctionRpc.proto's; https://github.com/Azure/azure-functions-language-worker-protobuf.
"""

from enum import IntEnum
from types import SimpleNamespace


class TypedData(SimpleNamespace):
    """One value: `TypedData(string=…)`, or `bytes`, `json`, `http` in place of `string`."""

    def WhichOneof(self, group: str) -> str | None:  # noqa: ARG002, N802 # protobuf's signature and name
        return next(iter(vars(self)), None)


class ParameterBinding(SimpleNamespace):
    """A parameter's `name` and its `data`."""

    def WhichOneof(self, group: str) -> str:  # noqa: ARG002, N802 # protobuf's signature and name
        return "data"


class StatusResult(SimpleNamespace):
    Failure = 0
    Success = 1
    Cancelled = 2


class BindingInfo(SimpleNamespace):
    """`in_` is `in` in the proto, which Python cannot spell; the worker never reads it."""

    in_ = 0
    out = 1
    inout = 2

    undefined = 0
    string = 1
    binary = 2
    stream = 3


class RpcHttpCookie(SimpleNamespace):
    SameSite = IntEnum("SameSite", {"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})


class RpcException(SimpleNamespace): ...


class RpcHttp(SimpleNamespace): ...


class RpcFunctionMetadata(SimpleNamespace): ...


class RpcRetryOptions(SimpleNamespace): ...


class WorkerMetadata(SimpleNamespace): ...


class WorkerInitResponse(SimpleNamespace): ...


class FunctionMetadataResponse(SimpleNamespace): ...


class FunctionLoadResponse(SimpleNamespace): ...


class InvocationResponse(SimpleNamespace): ...


class NullableString(SimpleNamespace): ...


class NullableBool(SimpleNamespace): ...


class NullableDouble(SimpleNamespace): ...


class NullableTimestamp(SimpleNamespace): ...


class Timestamp(SimpleNamespace): ...
