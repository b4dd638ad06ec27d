"""What a push is asked to do, as it is written: the `actions` of a subscription, and those of a command.

Each shape turns itself into the value of `shared.actions` that it stands for.
"""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, JsonValue, Tag, TypeAdapter, ValidationError
from pydantic_core import from_json

from shared.actions import Action, AuthMode, BatchEndpoint, Mode, OnlineEndpoint, Register, Scoring
from shared.rules_words import STRICT, CodeId, EndpointName, EnvironmentId, FullText, Name, Script, Traffic, refused

REGISTER: Literal["register"] = "register"
MOST_KEPT = 18  # an endpoint has at most 20 deployments (Azure ML's limit): the live one and its successor stand there too

type Structure = dict[str, JsonValue] | list[JsonValue]
_STRUCTURES: TypeAdapter[Structure] = TypeAdapter(Structure)


def _sample_request(written: object) -> str:
    """As JSON text, whether it was written as text or as a structure."""
    remedy = "write a mapping, a list, or a text that is JSON"
    try:
        text = (
            written if isinstance(written, str) else json.dumps(_STRUCTURES.validate_python(written, strict=True), allow_nan=False)
        )
        from_json(text, allow_inf_nan=False)  # as it will be read from the table, which takes less depth than a structure may have
    except ValidationError as wrong:
        raise refused("is nothing that JSON can say", remedy) from wrong
    except ValueError as wrong:
        raise refused(f"is not JSON: {wrong}", remedy) from wrong
    return text


type SampleRequest = Annotated[str, BeforeValidator(_sample_request, json_schema_input_type=Structure | str)]
type Instances = Annotated[int, Field(ge=1)]
type Kept = Annotated[int, Field(ge=0, le=MOST_KEPT)]


class _Shape(BaseModel):
    model_config = STRICT


class RegisterShape(_Shape):
    mode: Annotated[Mode, Field(strict=False)] = Mode.REFERENCE


class ScoringShape(_Shape):
    code: CodeId
    script: Script
    environment: EnvironmentId | None = None

    def value(self) -> Scoring:
        return Scoring(self.code, self.script, self.environment)


class OnlineEndpointShape(_Shape):
    name: EndpointName
    instance_type: FullText
    instance_count: Instances = 1
    traffic: Traffic = [100]
    auth_mode: Annotated[AuthMode, Field(strict=False)] = AuthMode.KEY
    keep: Kept = 1
    adopt: bool = False
    sample_request: SampleRequest | None = None
    scoring: ScoringShape | None = None


class BatchEndpointShape(_Shape):
    name: EndpointName
    compute: Name
    instance_count: Instances = 1
    keep: Kept = 1
    adopt: bool = False
    scoring: ScoringShape | None = None


class RegisterAction(_Shape):
    register_: Annotated[RegisterShape, Field(alias="register")]

    def value(self) -> Register:
        return Register(self.register_.mode)


class OnlineEndpointAction(_Shape):
    online_endpoint: OnlineEndpointShape

    def value(self) -> OnlineEndpoint:
        written = self.online_endpoint
        return OnlineEndpoint(
            name=written.name,
            instance_type=written.instance_type,
            instance_count=written.instance_count,
            traffic=tuple(written.traffic),
            auth_mode=written.auth_mode,
            keep=written.keep,
            adopt=written.adopt,
            sample_request=written.sample_request,
            scoring=written.scoring.value() if written.scoring else None,
        )


class BatchEndpointAction(_Shape):
    batch_endpoint: BatchEndpointShape

    def value(self) -> BatchEndpoint:
        written = self.batch_endpoint
        return BatchEndpoint(
            name=written.name,
            compute=written.compute,
            instance_count=written.instance_count,
            keep=written.keep,
            adopt=written.adopt,
            scoring=written.scoring.value() if written.scoring else None,
        )


_ROUTES = ("register", "online_endpoint", "batch_endpoint")


def _form(action: object) -> str | None:
    """Which shape is meant; None for what names no route, or several."""
    if isinstance(action, str):
        return "<text>"
    if isinstance(action, BaseModel):  # when one is written out
        action = action.model_dump()
    named = [route for route in _ROUTES if isinstance(action, dict) and route in action]
    return f"<{named[0]}>" if len(named) == 1 else None


type ActionShape = Annotated[
    Annotated[Literal["register"], Tag("<text>")]
    | Annotated[RegisterAction, Tag("<register>")]
    | Annotated[OnlineEndpointAction, Tag("<online_endpoint>")]
    | Annotated[BatchEndpointAction, Tag("<batch_endpoint>")],
    Discriminator(
        _form,
        custom_error_type="form",
        custom_error_message="must be an action",
        custom_error_context={"remedy": f"write register, or one of {', '.join(_ROUTES)} with its fields, and each on its own"},
    ),
]


def action_value(shape: ActionShape) -> Action:
    return Register() if isinstance(shape, str) else shape.value()
