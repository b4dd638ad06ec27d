"""A tenant's workspaces as its rules name them: by ARM id, or by the name alone where only one of the tenant's has it."""

from collections.abc import Iterable, Iterator, Sequence

from shared.assets import WorkspaceId
from shared.marked_yaml import Path
from shared.rules_findings import Finding

type Reference = WorkspaceId | str


def resolved(reference: Reference, own: Sequence[WorkspaceId]) -> WorkspaceId:
    """The workspace that is meant. ValueError where the name is that of none of the tenant's, or of several."""
    if isinstance(reference, WorkspaceId):
        return reference
    (workspace,) = _named(reference, own)
    return workspace


def check_references(file: str, references: Iterable[tuple[Path, Reference]], own: Sequence[WorkspaceId]) -> Iterator[Finding]:
    """What `resolved` would refuse."""
    for path, reference in references:
        named = [] if isinstance(reference, WorkspaceId) else _named(reference, own)
        if len(named) > 1:
            remedy = f"write which one is meant: {' or '.join(map(str, named))}"
            yield Finding(file, path, f"{len(named)} of the tenant's workspaces are named {reference!r}", remedy)
        elif isinstance(reference, str) and not named:
            names = ", ".join(dict.fromkeys(workspace.name for workspace in own))
            remedy = f"name one of them ({names}), or add it to the tenant's workspaces"
            yield Finding(file, path, f"{reference!r} is not one of the tenant's workspaces", remedy)


def _named(name: str, own: Sequence[WorkspaceId]) -> list[WorkspaceId]:
    """Without regard to case, as in Azure."""
    return [workspace for workspace in dict.fromkeys(own) if workspace.name.lower() == name.lower()]
