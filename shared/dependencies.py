"""What a component names: its environment, its code, the components of a pipeline; found in its definition, and rewritten there.

A workspace's component names them by ARM id, which a registry refuses (`facts`: azure-ml-wire, Components).
"""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.assets import Asset, Kind, WorkspaceId

_REFERENCE = re.compile(
    r"(azureml:)?(?P<workspace>/subscriptions/[^/?#%\s]+/resourceGroups/[^/?#%\s]+/providers/Microsoft\.MachineLearningServices/workspaces/[^/?#%\s]+)"
    r"/(?P<kind>environments|codes|components)/(?P<name>[^/]+)/versions/(?P<version>[^/]+)",
    re.IGNORECASE,
)
_OF_ANOTHER_PLACE = ("id", "creation_context", "creationContext")  # what the spec says of where it stood; the SDK leaks it
# The names that the SDK gives to all environments that were defined within a component, and to all steps within a pipeline.
ANONYMOUS = ("CliV2AnonymousEnvironment", "azureml_anonymous")


class DependencyKind(StrEnum):
    ENVIRONMENT = "environments"
    CODE = "codes"
    COMPONENT = "components"


@dataclass(frozen=True, slots=True)
class Dependency:
    """`reference` is how the definition names it."""

    reference: str
    workspace: WorkspaceId
    kind: DependencyKind
    name: str
    version: str

    @property
    def asset(self) -> Asset:
        """Code is none of the four kinds of asset: ValueError."""
        if self.kind is DependencyKind.CODE:
            raise ValueError(f"{self.reference} is no asset")
        return Asset(Kind.ENVIRONMENT if self.kind is DependencyKind.ENVIRONMENT else Kind.COMPONENT, self.name, self.version)

    @property
    def arm_id(self) -> str:
        return f"{self.workspace}/{self.kind}/{self.name}/versions/{self.version}"

    @property
    def own_name(self) -> str:
        """The name in a registry of what no publication could name: the same whenever it is shared, so that it is shared once.

        Two workspaces may have the same of one name and version, since the SDK makes these of what is in it.
        """
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.arm_id.lower()))

    @property
    def belongs_to_the_component(self) -> bool:
        """Its own code, and what was defined within it: no publication could name them."""
        return self.kind is DependencyKind.CODE or self.name in ANONYMOUS

    def __str__(self) -> str:
        return f"{self.kind.removesuffix('s')} {self.name}:{self.version}"


def dependencies_of(definition: Mapping[str, object]) -> tuple[Dependency, ...]:
    """Each once: environments first, then code, then components."""
    found = {match.string: _dependency(match) for text in _texts(definition) if (match := _REFERENCE.fullmatch(text))}
    return tuple(sorted(found.values(), key=lambda each: (list(DependencyKind).index(each.kind), each.reference)))


def rewritten(definition: Mapping[str, object], names: Mapping[str, str], asset: Asset) -> dict[str, object]:
    """The definition of `asset` in a registry, each reference replaced by its id there."""
    spec = definition.get("componentSpec")
    if not isinstance(spec, Mapping):
        raise ValueError(f"{asset} has no componentSpec")
    kept = {field: _replaced(value, names) for field, value in spec.items() if field not in _OF_ANOTHER_PLACE}
    return {**definition, "componentSpec": kept | {"name": asset.name, "version": asset.version}}


def _dependency(match: re.Match[str]) -> Dependency:
    workspace = WorkspaceId.parse(match["workspace"])
    return Dependency(match.string, workspace, DependencyKind(match["kind"].lower()), match["name"], match["version"])


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for name, each in value.items():
                if name not in _OF_ANOTHER_PLACE:
                    yield from _texts(each)
        case list() | tuple():
            for each in value:
                yield from _texts(each)


def _replaced(value: object, names: Mapping[str, str]) -> object:
    match value:
        case str():
            return names.get(value, value)
        case Mapping():
            return {name: _replaced(each, names) for name, each in value.items()}
        case list() | tuple():
            return [_replaced(each, names) for each in value]
        case _:
            return value
