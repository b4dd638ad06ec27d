"""What a rules document looks like, field by field: the provider's, a tenant's, and their parts.

Reading is strict: an unknown field, or a number where a text belongs (`reviewed: true`), is refused and never guessed.
Each shape turns itself into the value of `shared.rules` that it stands for. What rules must be towards each other is in
`shared.rules_checks`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, Tag

from shared.assets import Kind
from shared.rules import (
    EVERYONE,
    Action,
    AssetPattern,
    Limits,
    OnlineEndpoint,
    Provider,
    Publication,
    Register,
    RegistryRule,
    Subscription,
    TagCondition,
    Tenant,
    TenantState,
)
from shared.rules_words import (
    Accepted,
    EndpointName,
    FullText,
    Glob,
    Name,
    Party,
    Readers,
    Some,
    Traffic,
    Workspace,
    by_type,
)

REGISTER: Literal["register"] = "register"
PRESENT = "present"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


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


class EndpointShape(_Shape):
    name: EndpointName
    instance_type: FullText
    instance_count: Annotated[int, Field(ge=1)] = 1
    traffic: Traffic = [100]


class DeploymentShape(_Shape):
    online_endpoint: EndpointShape


type ActionShape = Annotated[
    Annotated[Literal["register"], Tag("<text>")] | Annotated[DeploymentShape, Tag("<mapping>")],
    by_type({"text": str, "mapping": dict}),
]


def action_value(shape: ActionShape) -> Action:
    if isinstance(shape, str):
        return Register()
    endpoint = shape.online_endpoint
    return OnlineEndpoint(endpoint.name, endpoint.instance_type, endpoint.instance_count, tuple(endpoint.traffic))


class PublicationShape(_Shape):
    name: Name
    registry: Name
    assets: Some[PatternShape]
    workspaces: list[Workspace] = []
    to: Some[Party]
    advisory: bool = False

    def value(self) -> Publication:
        patterns = tuple(pattern.value() for pattern in self.assets)
        return Publication(self.name, self.registry, patterns, tuple(self.to), tuple(self.workspaces), self.advisory)


class SubscriptionShape(_Shape):
    name: Name
    from_: Annotated[Some[Party], Field(alias="from")]
    assets: Some[PatternShape]
    into: Workspace
    actions: Some[ActionShape]
    release: Literal["immediately"] = "immediately"

    def value(self) -> Subscription:
        patterns = tuple(pattern.value() for pattern in self.assets)
        return Subscription(self.name, tuple(self.from_), patterns, self.into, tuple(map(action_value, self.actions)))


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
