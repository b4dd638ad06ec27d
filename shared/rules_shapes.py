"""What a rules document looks like, field by field: the provider's, a tenant's, and their parts.

Reading is strict: an unknown field, or a number where a text belongs (`reviewed: true`), is refused and never guessed.
Each shape turns itself into the value of `shared.rules` that it stands for. What rules must be towards each other is in
`shared.rules_checks`.
"""

from typing import Annotated

from pydantic import BaseModel, Field

from shared.assets import Kind
from shared.rules import (
    EVERYONE,
    AssetPattern,
    Limits,
    Provider,
    Publication,
    RegistryRule,
    Subscription,
    TagCondition,
    Tenant,
    TenantState,
)
from shared.rules_actions import ActionShape, action_value
from shared.rules_release import IMMEDIATELY, ApprovalShape, Release, WindowShape
from shared.rules_words import (
    STRICT,
    Accepted,
    EnvironmentName,
    FullText,
    Glob,
    Name,
    Party,
    Readers,
    Region,
    Rename,
    Some,
    Workspace,
)

PRESENT = "present"


class _Shape(BaseModel):
    model_config = STRICT


class PatternShape(_Shape):
    kind: Annotated[Kind, Field(strict=False)]
    name: Glob
    except_: Annotated[Glob | None, Field(alias="except")] = None
    tags: dict[FullText, Accepted] = {}

    def value(self) -> AssetPattern:
        return AssetPattern(self.kind, self.name, self.except_, tuple(_condition(*item) for item in self.tags.items()))


def _condition(tag: str, accepted: str | list[str]) -> TagCondition:
    if accepted == PRESENT:
        return TagCondition(tag)
    return TagCondition(tag, (accepted,) if isinstance(accepted, str) else tuple(accepted))


class PublicationShape(_Shape):
    name: Name
    registry: Name
    assets: Some[PatternShape]
    workspaces: list[Workspace] = []
    to: Some[Party]
    advisory: bool = False
    as_: Annotated[Rename | None, Field(alias="as")] = None
    regions: list[Region] = []
    environment: EnvironmentName | None = None

    def value(self) -> Publication:
        return Publication(
            name=self.name,
            registry=self.registry,
            assets=tuple(pattern.value() for pattern in self.assets),
            to=tuple(self.to),
            workspaces=tuple(self.workspaces),
            advisory=self.advisory,
            rename=self.as_,
            regions=tuple(self.regions),
            environment=self.environment,
        )


class SubscriptionShape(_Shape):
    name: Name
    from_: Annotated[Some[Party], Field(alias="from")]
    assets: Some[PatternShape]
    into: Workspace
    actions: Some[ActionShape]
    release: Release = IMMEDIATELY

    def value(self) -> Subscription:
        return Subscription(
            name=self.name,
            from_tenants=tuple(self.from_),
            assets=tuple(pattern.value() for pattern in self.assets),
            into=self.into,
            actions=tuple(map(action_value, self.actions)),
            approval=self.release.approval if isinstance(self.release, ApprovalShape) else None,
            window=self.release.value() if isinstance(self.release, WindowShape) else None,
        )


class TenantShape(_Shape):
    id: Name
    state: Annotated[TenantState, Field(strict=False)] = TenantState.ACTIVE
    entra_tenant: str | None = None
    workspaces: Some[Workspace]
    publications: list[PublicationShape] = []
    subscriptions: list[SubscriptionShape] = []

    def value(self) -> Tenant:
        publications = tuple(publication.value() for publication in self.publications)
        subscriptions = tuple(subscription.value() for subscription in self.subscriptions)
        return Tenant(self.id, self.state, tuple(self.workspaces), publications, subscriptions)


class RegistryShape(_Shape):
    name: Name
    readers: Readers

    def value(self) -> RegistryRule:
        return RegistryRule(self.name, (EVERYONE,) if self.readers == EVERYONE else tuple(self.readers))


class LimitsShape(_Shape):
    instance_types: list[FullText] = []
    max_instances: Annotated[int, Field(ge=0)] = 0

    def value(self) -> Limits:
        return Limits(tuple(self.instance_types), self.max_instances)


class ProviderShape(_Shape):
    entra_tenant: str | None = None
    registries: list[RegistryShape] = []
    limits: LimitsShape = LimitsShape()
    groups: dict[Name, list[Name]] = {}

    def value(self) -> Provider:
        groups = {name: tuple(members) for name, members in self.groups.items()}
        return Provider(tuple(registry.value() for registry in self.registries), self.limits.value(), groups)
