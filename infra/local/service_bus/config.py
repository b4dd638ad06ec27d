"""The queues from a config.json in the format of Microsoft's Service Bus emulator.

What this broker does not have (topics, sessions, forwarding) is refused with a sentence, and so is a misspelt property:
an app that runs here must not find in Azure that a setting of its queue was never read. The limits are Azure's, not the
narrower ones of the emulator.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from infra.local.service_bus.queues.settings import QueueSettings

_ZERO = timedelta(0)


class ConfigError(Exception):
    """The configuration cannot be used; the text says why."""


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_pascal, extra="forbid")


class _Properties(_Part):
    lock_duration: Annotated[timedelta, Field(gt=_ZERO, le=timedelta(minutes=5))] = timedelta(minutes=1)
    max_delivery_count: Annotated[int, Field(ge=1, le=2000)] = 10
    default_message_time_to_live: Annotated[timedelta, Field(gt=_ZERO)] | None = None
    dead_lettering_on_message_expiration: bool = False
    requires_duplicate_detection: bool = False
    duplicate_detection_history_time_window: Annotated[timedelta, Field(gt=_ZERO, le=timedelta(days=7))] = timedelta(minutes=10)
    requires_session: bool = False
    forward_to: str = ""
    forward_dead_lettered_messages_to: str = ""


class _Queue(_Part):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,259}$")]
    properties: _Properties = _Properties()


class _Namespace(_Part):
    name: str
    queues: list[_Queue] = []
    topics: list[Any] = []


class _UserConfig(_Part):
    namespaces: Annotated[list[_Namespace], Field(min_length=1, max_length=1)]
    logging: dict[str, Any] = {}


class _Config(_Part):
    user_config: _UserConfig


def read_config(path: Path) -> list[QueueSettings]:
    """Raises ConfigError."""
    try:
        text = path.read_text("utf-8")
    except OSError as missing:
        raise ConfigError(f"cannot read the configuration {path}: {missing.strerror}") from missing
    return parse_config(text)


def parse_config(text: str) -> list[QueueSettings]:
    """Raises ConfigError."""
    try:
        [namespace] = _Config.model_validate_json(text).user_config.namespaces
    except ValidationError as wrong:
        [first, *_] = wrong.errors()
        place = ".".join(str(step) for step in first["loc"]) or "the configuration"
        raise ConfigError(f"{place}: {first['msg']}") from wrong
    if namespace.topics:
        raise ConfigError("topics are not supported, only queues: remove them from the configuration")
    queues = [_settings(queue) for queue in namespace.queues]
    repeated = {queue.key for queue in queues if sum(queue.key == other.key for other in queues) > 1}
    if repeated:
        raise ConfigError(f"queue names differ by more than case; repeated: {', '.join(sorted(repeated))}")
    return queues


def _settings(queue: _Queue) -> QueueSettings:
    properties = queue.properties
    if properties.requires_session:
        raise ConfigError(f"queue '{queue.name}' has RequiresSession true: sessions are not supported")
    if properties.forward_to or properties.forward_dead_lettered_messages_to:
        raise ConfigError(f"queue '{queue.name}' forwards its messages: forwarding is not supported")
    window = properties.duplicate_detection_history_time_window
    return QueueSettings(
        name=queue.name,
        lock_duration=_milliseconds(properties.lock_duration),
        max_delivery_count=properties.max_delivery_count,
        default_time_to_live=_optional_milliseconds(properties.default_message_time_to_live),
        dead_letter_on_expiration=properties.dead_lettering_on_message_expiration,
        duplicate_window=_milliseconds(window) if properties.requires_duplicate_detection else None,
    )


def _milliseconds(duration: timedelta) -> int:
    return max(1, duration // timedelta(milliseconds=1))


def _optional_milliseconds(duration: timedelta | None) -> int | None:
    return None if duration is None else _milliseconds(duration)
