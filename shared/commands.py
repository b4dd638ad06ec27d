"""The public contract of queue `commands`: what other systems may ask for. JSON, one object, discriminated by `type`.

`shared/commands.schema.json` is made of these types, by `fanout schema`.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from shared.assets import Asset, Kind, WorkspaceId
from shared.errors import Owner, Permanent
from shared.rows import Address, RowKind
from shared.rules_actions import ActionShape, action_value

LATEST = "latest"


def _arm_id(text: str) -> str:
    WorkspaceId.parse(text)
    return text


type AssetText = Annotated[str, StringConstraints(max_length=255, pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.\-]*$")]  # azure-rest-api-specs
type Text = Annotated[str, StringConstraints(max_length=255, pattern=r"^\S+$")]
type Line = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
type WorkspaceText = Annotated[
    str, StringConstraints(max_length=1000, pattern=r"(?i)^/subscriptions/.+/workspaces/[^/]+/?$"), AfterValidator(_arm_id)
]
type ShareId = Annotated[str, StringConstraints(pattern=r"^share/[a-z2-7]{26}/[a-z2-7]{26}$")]
type DeliveryId = Annotated[str, StringConstraints(pattern=r"^delivery/[a-z2-7]{26}/[a-z2-7]{26}$")]

_STRICT = ConfigDict(extra="forbid")
_ONE_ROW = ConfigDict(extra="forbid", json_schema_extra={"oneOf": [{"required": ["delivery"]}, {"required": ["share"]}]})


@dataclass(frozen=True, slots=True)
class AssetName:
    """Which asset: `version` is a string, whatever it looks like; "latest" is the one that was registered last."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Kind
    name: AssetText
    version: AssetText

    @property
    def value(self) -> Asset:
        return Asset(self.kind, self.name, self.version)


@dataclass(frozen=True, slots=True)
class Share:
    """Share an asset of a workspace (its ARM id) to the registries that its tenant publishes it to, or to one of them alone."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    type: Literal["share"]
    workspace: WorkspaceText
    asset: AssetName
    registry: Text | None = None
    fan_out: bool = True

    @property
    def source(self) -> WorkspaceId:
        return WorkspaceId.parse(self.workspace)


@dataclass(frozen=True, slots=True)
class Push:
    """Push an asset that was shared, by its name in the registry, to all subscribers or to some tenants among them.

    `into`, ARM ids of workspaces, and `actions` narrow what their subscriptions ask for. A delivery that failed or was cancelled
    is opened again, unless `again` says otherwise.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    type: Literal["push"]
    asset: AssetName
    to: Literal["subscribers"] | Annotated[list[Text], Field(min_length=1, max_length=100)]
    registry: Text | None = None
    into: Annotated[list[WorkspaceText], Field(min_length=1, max_length=100)] | None = None
    actions: Annotated[list[ActionShape], Field(min_length=1, max_length=20)] | None = None
    again: bool = True

    @property
    def workspaces(self) -> tuple[WorkspaceId, ...]:
        return tuple(map(WorkspaceId.parse, self.into or ()))

    @property
    def routes(self) -> tuple[str, ...]:
        return tuple(action_value(action).route for action in self.actions or ())


@dataclass(frozen=True, slots=True)
class Pull:
    """What a tenant gets of the registry at its own wish, without a subscription. `actions`: to register it, unless said."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    type: Literal["pull"]
    tenant: Text
    workspace: WorkspaceText
    asset: AssetName
    registry: Text | None = None
    actions: Annotated[list[ActionShape], Field(min_length=1, max_length=20)] | None = None

    @property
    def into(self) -> WorkspaceId:
        return WorkspaceId.parse(self.workspace)


@dataclass(frozen=True, slots=True)
class Retry:
    """Open a delivery or a share that failed again; with `repair` also a delivery that went well, to bring back what is gone."""

    __pydantic_config__: ClassVar[ConfigDict] = _ONE_ROW

    type: Literal["retry"]
    delivery: DeliveryId | None = None
    share: ShareId | None = None
    repair: bool = False

    def __post_init__(self) -> None:
        _one_row(self.share, self.delivery)

    @property
    def address(self) -> Address:
        return _one_row(self.share, self.delivery)


@dataclass(frozen=True, slots=True)
class Cancel:
    """End a delivery or a share that is under way. What was begun in the tenant's workspace and serves nobody is removed."""

    __pydantic_config__: ClassVar[ConfigDict] = _ONE_ROW

    type: Literal["cancel"]
    delivery: DeliveryId | None = None
    share: ShareId | None = None
    by: Line | None = None

    def __post_init__(self) -> None:
        _one_row(self.share, self.delivery)

    @property
    def address(self) -> Address:
        return _one_row(self.share, self.delivery)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Let a delivery go on that awaits approval, or end it. `by` says who decided."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    type: Literal["approve", "reject"]
    delivery: DeliveryId
    by: Line

    @property
    def address(self) -> Address:
        return _one_row(None, self.delivery)


@dataclass(frozen=True, slots=True)
class Recall:
    """Take a version back: archived in the registry, and archived or removed wherever it was delivered."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    type: Literal["recall"]
    asset: AssetName
    reason: Line
    registry: Text | None = None


type Command = Annotated[Share | Push | Pull | Retry | Cancel | Verdict | Recall, Field(discriminator="type")]

_COMMANDS: TypeAdapter[Command] = TypeAdapter(Command)
KNOWN = ("share", "push", "pull", "retry", "cancel", "approve", "reject", "recall")


def parse(body: bytes) -> Command:
    """Read a command, or a CloudEvent whose data is one. Permanent `bad_command`, naming the field, for anything else."""
    try:
        return _COMMANDS.validate_json(json.dumps(_command_in(json.loads(body))), strict=True)
    except ValidationError as wrong:
        raise _refused(_first_fault(wrong)) from wrong
    except (ValueError, RecursionError) as wrong:
        raise _refused(str(wrong)) from wrong


def share_of(workspace: WorkspaceId, asset: Asset) -> bytes:
    """The share command for this asset, ready for the queue."""
    command = Share("share", str(workspace), AssetName(asset.kind, asset.name, asset.version))
    return _COMMANDS.dump_json(command, exclude_defaults=True)


def schema_text() -> str:
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def json_schema() -> dict[str, Any]:
    schema = _COMMANDS.json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A command for Fanout", **schema}


def _one_row(share: str | None, delivery: str | None) -> Address:
    if (share is None) == (delivery is None):
        raise ValueError("name either a delivery or a share")
    kind, partition, row = (share or delivery or "").split("/")
    return Address(RowKind(kind), partition, row)


def _command_in(document: object) -> object:
    if isinstance(document, dict) and "specversion" in document:
        if not isinstance(document.get("data"), dict):
            raise ValueError("data: a CloudEvent's data has to be the command, as a JSON object")
        return document["data"]
    return document


def _first_fault(wrong: ValidationError) -> str:
    fault = wrong.errors(include_url=False)[0]
    if fault["type"].startswith("union_tag"):
        given = fault["input"].get("type") if isinstance(fault["input"], dict) else None
        return f"type: {given!r} is not one of {', '.join(KNOWN)}"
    where = ".".join(map(str, fault["loc"][1:]))  # the first is the command's type
    return f"{where}: {fault['msg']}" if where else fault["msg"]


def _refused(text: str) -> Permanent:
    remedy = (
        'send one JSON object as shared/commands.schema.json has it, such as {"type":"share","workspace":"<ARM id>","asset":{…}}'
    )
    return Permanent("bad_command", text, Owner.PROVIDER, remedy)
