"""What a tenant's rules document looks like, field by field.

Reading is strict: an unknown field, or a number where a text belongs (`reviewed: true`), is refused and never guessed.
Each shape turns itself into the value of `shared.tenants` that it stands for. What rules must be towards each other is in
`shared.rules_checks`.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, Field, Tag

from shared.assets import WorkspaceId
from shared.marked_yaml import Path
from shared.rules_actions import ActionShape, action_value
from shared.rules_references import Reference, resolved
from shared.rules_release import IMMEDIATELY, ApprovalShape, Release, WindowShape
from shared.rules_words import (
    STRICT,
    Accepted,
    EnvironmentName,
    FullText,
    Glob,
    Globs,
    KindWord,
    Name,
    Party,
    Region,
    Rename,
    Some,
    Workspace,
    WorkspaceReference,
    by_type,
)
from shared.tenants import AssetPattern, Publication, RuleState, Subscription, TagCondition, Tenant, TenantState

PRESENT = "present"

type StateWord = Annotated[RuleState, Field(strict=False)]


class _Shape(BaseModel):
    model_config = STRICT


class PatternShape(_Shape):
    kind: KindWord
    name: Glob
    except_: Annotated[Globs | None, Field(alias="except")] = None
    tags: dict[FullText, Accepted] = {}

    def value(self) -> AssetPattern:
        excepted = (self.except_,) if isinstance(self.except_, str) else tuple(self.except_ or ())
        return AssetPattern(self.kind, self.name, excepted, tuple(_condition(*item) for item in self.tags.items()))


def _condition(tag: str, accepted: str | list[str]) -> TagCondition:
    if accepted == PRESENT:
        return TagCondition(tag)
    return TagCondition(tag, (accepted,) if isinstance(accepted, str) else tuple(accepted))


class PublicationShape(_Shape):
    name: Name
    state: StateWord = RuleState.ACTIVE
    registry: Name
    assets: Some[PatternShape]
    workspaces: list[WorkspaceReference] = []
    to: Some[Party]
    advisory: bool = False
    as_: Annotated[Rename | None, Field(alias="as")] = None
    regions: list[Region] = []
    environment: EnvironmentName | None = None

    def value(self, own: Sequence[WorkspaceId]) -> Publication:
        return Publication(
            name=self.name,
            registry=self.registry,
            assets=tuple(pattern.value() for pattern in self.assets),
            to=tuple(self.to),
            workspaces=tuple(resolved(workspace, own) for workspace in self.workspaces),
            advisory=self.advisory,
            rename=self.as_,
            regions=tuple(self.regions),
            environment=self.environment,
            state=self.state,
        )


class SubscriptionShape(_Shape):
    name: Name
    state: StateWord = RuleState.ACTIVE
    from_: Annotated[Some[Party], Field(alias="from")]
    assets: Some[PatternShape]
    into: WorkspaceReference
    actions: Some[ActionShape]
    release: Release = IMMEDIATELY

    def value(self, own: Sequence[WorkspaceId]) -> Subscription:
        return Subscription(
            name=self.name,
            from_tenants=tuple(self.from_),
            assets=tuple(pattern.value() for pattern in self.assets),
            into=resolved(self.into, own),
            actions=tuple(map(action_value, self.actions)),
            approval=self.release.approval if isinstance(self.release, ApprovalShape) else None,
            window=self.release.value() if isinstance(self.release, WindowShape) else None,
            state=self.state,
        )


class PlacedWorkspace(_Shape):
    id: Workspace
    region: Region


type OwnWorkspace = Annotated[
    Annotated[Workspace, Tag("<ARM id>")] | Annotated[PlacedWorkspace, Tag("<mapping of id and region>")],
    by_type({"ARM id": str, "mapping of id and region": dict}),
]


class TenantShape(_Shape):
    id: Name
    state: Annotated[TenantState, Field(strict=False)] = TenantState.ACTIVE
    entra_tenant: str | None = None
    workspaces: Some[OwnWorkspace]
    publications: list[PublicationShape] = []
    subscriptions: list[SubscriptionShape] = []

    @property
    def own(self) -> tuple[WorkspaceId, ...]:
        return tuple(workspace.id if isinstance(workspace, PlacedWorkspace) else workspace for workspace in self.workspaces)

    def references(self) -> Iterator[tuple[Path, Reference]]:
        """The workspaces that its rules name, each with its place."""
        for place, publication in enumerate(self.publications):
            for at, workspace in enumerate(publication.workspaces):
                yield ("publications", place, "workspaces", at), workspace
        for place, subscription in enumerate(self.subscriptions):
            yield ("subscriptions", place, "into"), subscription.into

    def value(self) -> Tenant:
        """ValueError where a reference is not to one of the tenant's workspaces, see `shared.rules_references`."""
        own = self.own
        return Tenant(
            id=self.id,
            state=self.state,
            workspaces=own,
            publications=tuple(publication.value(own) for publication in self.publications),
            subscriptions=tuple(subscription.value(own) for subscription in self.subscriptions),
            regions={placed.id: placed.region for placed in self.workspaces if isinstance(placed, PlacedWorkspace)},
        )
