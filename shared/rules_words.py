"""The smallest parts of a rules document: names, globs, ids and lists, each refused with a remedy if it is none."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    InstanceOf,
    StringConstraints,
    Tag,
)
from pydantic_core import PydanticCustomError

from shared.assets import Kind, WorkspaceId
from shared.globs import plain_globs

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, serialize_by_alias=True)


def refused(what: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("refused", "{what}", {"what": what, "remedy": remedy})


def _workspace(arm_id: object) -> WorkspaceId:
    remedy = "copy the id from the workspace's properties in the Azure portal"
    if not isinstance(arm_id, str):
        raise refused(f"{arm_id!r} is not the ARM id of a workspace", remedy)
    try:
        return WorkspaceId.parse(arm_id)
    except ValueError as wrong:
        raise refused(str(wrong), remedy) from wrong


def _reference(written: object) -> WorkspaceId | str:
    """A workspace by its ARM id, or a tenant's own by its name alone."""
    if isinstance(written, str) and not written.startswith("/"):
        if not _WORKSPACE_NAME.fullmatch(written):
            raise refused(f"{written!r} is not the name of a workspace", "write the name of one of the tenant's, or its ARM id")
        return written
    return _workspace(written)


def _glob(glob: str) -> str:
    try:
        plain = plain_globs(glob)
    except ValueError as wrong:
        raise refused(str(wrong), "write {a,b} with both braces and none within, or several patterns") from wrong
    if "," in "".join(plain):
        raise refused(f"{glob!r} has a comma outside of braces", "write {a,b}, or several patterns")
    return glob


def _steps_rise(traffic: list[int]) -> list[int]:
    if traffic[-1] != 100 or any(later <= earlier for earlier, later in pairwise(traffic)):
        raise refused(f"the steps {traffic} do not rise to 100", "write rising steps that end at 100, as in [10, 100]")
    return traffic


def _written(pattern: str, remedy: str) -> AfterValidator:
    """A text that matches the whole pattern."""
    expression = re.compile(pattern)

    def check(text: str) -> str:
        if not expression.fullmatch(text):
            raise refused(f"{text!r} is not a name that can stand here", remedy)
        return text

    return AfterValidator(check)


def by_type(forms: Mapping[str, type]) -> Discriminator:
    """Tells the forms of a value apart by its type. Their tags, in <>, are no part of the value's path."""

    def tag(value: object) -> str | None:
        return next((f"<{name}>" for name, form in forms.items() if isinstance(value, form)), None)

    expected = " or ".join(f"{'an' if name[0] in 'AEIO' else 'a'} {name}" for name in forms)
    remedy = "write that, and a text in quotes where YAML would take it for something else"
    message = f"must be {expected}"
    return Discriminator(tag, custom_error_type="form", custom_error_message=message, custom_error_context={"remedy": remedy})


def _id_of(plural: str) -> AfterValidator:
    """The id of one version in a registry (the curated ones are in registry azureml), or its ARM id in a workspace."""
    workspace = r"(?i:/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.MachineLearningServices/workspaces/[^/]+)"
    return _written(
        rf"(azureml://registries/{_NAME}|{workspace})/{plural}/{_ASSET_NAME}/versions/{_ASSET_NAME}",
        f"write azureml://registries/<registry>/{plural}/<name>/versions/<version>, or the ARM id of a version in the workspace",
    )


_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_NAME_REMEDY = "use letters, digits, '.', '_' and '-', at most 64, beginning with a letter or digit"
_ASSET_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}"
_WORKSPACE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,32}")  # Microsoft.MachineLearningServices/workspaces, 2025-04-01
_GLOB = r"[A-Za-z0-9._*?{},-]{1,255}"
_GLOB_REMEDY = "use letters, digits, '.', '_', '-', and the wildcards '*', '?' and '{a,b}' alone"

type Some[T] = Annotated[list[T], Field(min_length=1)]
type FullText = Annotated[str, StringConstraints(min_length=1)]
type KindWord = Annotated[Kind, Field(strict=False)]
type Name = Annotated[str, _written(_NAME, _NAME_REMEDY)]
type Party = Annotated[str, _written(rf"\*|{_NAME}", f"name a tenant or a group, or '*' for all; {_NAME_REMEDY}")]
type Glob = Annotated[str, _written(_GLOB, _GLOB_REMEDY), AfterValidator(_glob)]
type EndpointName = Annotated[
    str,
    _written(
        r"(?=.{3,32}$)[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?",
        "use 3 to 32 letters, digits and '-', beginning with a letter and not ending in '-'",
    ),
]
type CodeId = Annotated[str, _id_of("codes")]
type EnvironmentId = Annotated[str, _id_of("environments")]
type Script = Annotated[
    str, _written(r"(?!.*\.\.)[\w-][\w./-]*\.py", "write the path of a file ending in .py, from the root of the code: score.py")
]
type EnvironmentName = Annotated[
    str, _written(rf"{_ASSET_NAME}:{_ASSET_NAME}", "write name:version of an environment in the publishing workspace")
]
type Rename = Annotated[
    str,
    _written(
        r"(?![_-])([A-Za-z0-9_-]|\{tenant\}|\{name\})+",
        "use letters, digits, '_' and '-', beginning with a letter or digit, and no other placeholders than {tenant} and {name}",
    ),
]
type Region = Annotated[str, _written(r"[a-z0-9]+", "write it as it stands in addresses: westeurope")]
type Workspace = Annotated[InstanceOf[WorkspaceId], BeforeValidator(_workspace)]
type WorkspaceReference = Annotated[InstanceOf[WorkspaceId] | str, BeforeValidator(_reference)]
type Traffic = Annotated[Some[Annotated[int, Field(ge=1)]], AfterValidator(_steps_rise)]
type Accepted = Annotated[
    Annotated[FullText, Tag("<text>")] | Annotated[Some[FullText], Tag("<list of texts>")],
    by_type({"text": str, "list of texts": list}),
]
type Globs = Annotated[
    Annotated[Glob, Tag("<text>")] | Annotated[Some[Glob], Tag("<list of texts>")],
    by_type({"text": str, "list of texts": list}),
]
type Readers = Annotated[
    Annotated[Literal["*"], Tag("<text>")] | Annotated[Some[Party], Tag("<list of tenants and groups>")],
    by_type({"text": str, "list of tenants and groups": list}),
]
