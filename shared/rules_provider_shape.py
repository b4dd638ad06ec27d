"""What the provider's rules document looks like, field by field: as strict as a tenant's (`shared.rules_tenant_shape`)."""

from typing import Annotated

from pydantic import BaseModel, Field

from shared.rules import EVERYONE, Limits, Provider, RegistryRule
from shared.rules_words import STRICT, FullText, KindWord, Name, Readers, Region


class _Shape(BaseModel):
    model_config = STRICT


class RegistryShape(_Shape):
    name: Name
    readers: Readers
    regions: list[Region] = []

    def value(self) -> RegistryRule:
        readers = (EVERYONE,) if self.readers == EVERYONE else tuple(self.readers)
        return RegistryRule(self.name, readers, tuple(self.regions))


class LimitsShape(_Shape):
    instance_types: list[FullText] = []
    max_instances: Annotated[int, Field(ge=0)] = 0
    registries: list[Name] | None = None
    kinds: list[KindWord] | None = None

    def value(self) -> Limits:
        return Limits(
            instance_types=tuple(self.instance_types),
            max_instances=self.max_instances,
            registries=None if self.registries is None else tuple(self.registries),
            kinds=None if self.kinds is None else tuple(self.kinds),
        )


class ProviderShape(_Shape):
    entra_tenant: str | None = None
    registries: list[RegistryShape] = []
    limits: LimitsShape = LimitsShape()
    groups: dict[Name, list[Name]] = {}

    def value(self) -> Provider:
        registries = tuple(registry.value() for registry in self.registries)
        groups = {name: tuple(members) for name, members in self.groups.items()}
        return Provider(registries, self.limits.value(), groups, self.entra_tenant)
