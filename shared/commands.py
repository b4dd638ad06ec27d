"""The public contract of queue `commands`: what other systems may ask for. JSON, one object, discriminated by `type`."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError

from shared.assets import Asset, Kind, WorkspaceId
from shared.errors import Owner, Permanent

type Text = Annotated[str, StringConstraints(max_length=255, pattern=r"^\S+$")]


@dataclass(frozen=True, slots=True)
class AssetName:
    """Which asset: `version` is a string, whatever it looks like."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: Literal[Kind.MODEL]
    name: Text
    version: Text


@dataclass(frozen=True, slots=True)
class Share:
    """Share an asset of a workspace (its ARM id) to the registries that its tenant publishes it to."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    type: Literal["share"]
    workspace: str
    asset: AssetName

    @property
    def source(self) -> WorkspaceId:
        return WorkspaceId.parse(self.workspace)

    @property
    def what(self) -> Asset:
        return Asset(self.asset.kind, self.asset.name, self.asset.version)


_COMMANDS: TypeAdapter[Share] = TypeAdapter(Share)
KNOWN = ("share",)


def parse(body: bytes) -> Share:
    """Read a command. Permanent `bad_command`, naming the field, for anything that is not one."""
    try:
        command = _COMMANDS.validate_json(body)
        WorkspaceId.parse(command.workspace)
    except ValidationError as wrong:
        raise _refused(_first_fault(wrong)) from wrong
    except ValueError as wrong:
        raise _refused(f"workspace: {wrong}") from wrong
    return command


def share_of(workspace: WorkspaceId, asset: Asset) -> bytes:
    """The share command for this asset, ready for the queue."""
    command = Share("share", str(workspace), AssetName(Kind.MODEL, asset.name, asset.version))
    return _COMMANDS.dump_json(command)


def _first_fault(wrong: ValidationError) -> str:
    fault = wrong.errors(include_url=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    if where == "type":
        given = None if fault["type"] == "missing" else fault["input"]
        return f"type: {given!r} is not one of {', '.join(KNOWN)}"
    return f"{where}: {fault['msg']}" if where else fault["msg"]


def _refused(text: str) -> Permanent:
    remedy = 'send {"type":"share","workspace":"<ARM id>","asset":{"kind":"model","name":"…","version":"…"}}'
    return Permanent("bad_command", text, Owner.PROVIDER, remedy)
