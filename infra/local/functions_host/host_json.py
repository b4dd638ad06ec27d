"""host.json, read strictly: in the parts that this host uses, an unknown or malformed value ends it at start.

The real host ignores what it does not know: a misspelt `maxConcurrentCalls` goes unseen until production.
Names and defaults: https://learn.microsoft.com/azure/azure-functions/functions-host-json and -bindings-service-bus.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from infra.local.functions_host.durations import parse_timespan
from infra.local.functions_host.errors import HostError, UsageError


def _timespan(value: object) -> float:
    if not isinstance(value, str):
        raise ValueError(f'{value!r} is not a duration in quotes, like "00:05:00"')
    return parse_timespan(value)


def _timespan_or_unbounded(value: object) -> float | None:
    return None if value == "-1" else _timespan(value)


TimeSpan = Annotated[float, BeforeValidator(_timespan)]
OptionalTimeSpan = Annotated[float | None, BeforeValidator(_timespan_or_unbounded)]


class _Section(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, strict=True)


class HttpOptions(_Section):
    route_prefix: str = "api"
    # known to the real host, without a meaning here
    max_concurrent_requests: Any = None
    max_outstanding_requests: Any = None
    dynamic_throttles_enabled: Any = None
    hsts: Any = None
    custom_headers: Any = None


class ServiceBusOptions(_Section):
    """`max_auto_lock_renewal_duration` in seconds."""

    auto_complete_messages: bool = True
    prefetch_count: int = Field(default=0, ge=0)
    max_auto_lock_renewal_duration: TimeSpan = 300.0
    max_concurrent_calls: int = Field(default_factory=lambda: 16 * (os.cpu_count() or 1), ge=1)
    # known to the real host, without a meaning here: its own client's retries, batches, sessions, transactions
    client_retry_options: Any = None
    transport_type: Any = None
    web_proxy: Any = None
    max_message_batch_size: Any = None
    min_message_batch_size: Any = None
    max_batch_wait_time: Any = None
    max_concurrent_sessions: Any = None
    max_concurrent_calls_per_session: Any = None
    session_idle_timeout: Any = None
    enable_cross_entity_transactions: Any = None


class Extensions(_Section):
    model_config = ConfigDict(extra="ignore")

    http: HttpOptions = HttpOptions()
    service_bus: ServiceBusOptions = Field(default_factory=ServiceBusOptions)


class HostJson(_Section):
    """`function_timeout` in seconds; None where host.json says "-1", unbounded."""

    model_config = ConfigDict(extra="ignore")

    version: Literal["2.0"]
    function_timeout: OptionalTimeSpan = 1800.0
    extensions: Extensions = Field(default_factory=Extensions)


def read_host_json(app: Path) -> HostJson:
    """Read APP/host.json. Raises UsageError where there is none, HostError for each value that is not valid."""
    path = app / "host.json"
    try:
        return HostJson.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist; --app must name the folder of a function app") from None
    except ValidationError as invalid:
        reasons = "; ".join(f"{'.'.join(map(str, error['loc'])) or 'it'}: {error['msg']}" for error in invalid.errors())
        raise HostError(f"{path} is not valid: {reasons}") from None
