"""What the rules need of each workspace and each registry. Paused tenants and rules count: somebody means to resume them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.actions import Endpoint, Mode, Register
from shared.assets import Kind, WorkspaceId
from shared.doctor.operations import copy_actions, endpoint_actions, register_actions, share_actions
from shared.rules import RegistryRule, Rules
from shared.rules_match_checks import reaching
from shared.rules_offers import Offers
from shared.tenants import Publication, Subscription, Tenant

_WITH_BYTES = frozenset({Kind.MODEL, Kind.DATA})


@dataclass(frozen=True, slots=True)
class EndpointNeed:
    """That an action deploys to."""

    workspace: WorkspaceId
    subscription: str
    action: Endpoint


@dataclass(frozen=True, slots=True)
class WorkspaceNeeds:
    """`shares` and `registers` are kinds, `shares_through` and `takes_from` names of registries, `copies` bytes into its storage.

    `stated_region` is where the rules say that it lies, if they do.
    """

    tenant: str
    workspace: WorkspaceId
    stated_region: str | None
    shares: frozenset[Kind]
    shares_through: tuple[str, ...]
    registers: frozenset[Kind]
    takes_from: tuple[str, ...]
    copies: bool
    endpoints: tuple[EndpointNeed, ...]

    @property
    def tells_of_models(self) -> bool:
        """Whether anybody waits for its ModelRegistered events."""
        return Kind.MODEL in self.shares

    @property
    def reads_code(self) -> bool:
        return Kind.COMPONENT in self.shares

    @property
    def registries(self) -> tuple[str, ...]:
        return tuple(sorted({*self.shares_through, *self.takes_from}))

    @property
    def actions(self) -> frozenset[str]:
        """The operations that the app's identity performs there."""
        found = {*share_actions(self.shares), *register_actions(self.registers), *(copy_actions() if self.copies else ())}
        return frozenset(found.union(*(endpoint_actions(each.action) for each in self.endpoints)))


@dataclass(frozen=True, slots=True)
class RegistryNeeds:
    """`published_to` says that assets are shared into it; `bounded` are the publications that name the regions it may have."""

    rule: RegistryRule
    published_to: bool
    bounded: tuple[tuple[str, Publication], ...]

    @property
    def name(self) -> str:
        return self.rule.name


def workspace_needs(tenants: Iterable[Tenant], rules: Rules) -> Iterator[WorkspaceNeeds]:
    offers = Offers(rules.tenants.values(), rules.provider)
    for tenant in tenants:
        for workspace in tenant.workspaces:
            yield _of_workspace(workspace, tenant, rules, offers)


def registry_needs(names: Iterable[str], rules: Rules) -> Iterator[RegistryNeeds]:
    """Of those with such names. One that the rules' provider does not list is not theirs to use."""
    published = [(tenant.id, each) for tenant in rules.tenants.values() for each in tenant.publications]
    for rule in (rule for rule in map(rules.provider.registry, sorted(set(names))) if rule):
        through_it = [(tenant, each) for tenant, each in published if each.registry == rule.name]
        bounded = tuple((tenant, each) for tenant, each in through_it if each.regions)
        yield RegistryNeeds(rule, bool(through_it), bounded)


def endpoint_needs(rules: Rules) -> tuple[EndpointNeed, ...]:
    """Of all tenants: they share limits, quota and names."""
    return tuple(need for tenant in rules.tenants.values() for each in tenant.subscriptions for need in _endpoints(each))


def _of_workspace(workspace: WorkspaceId, tenant: Tenant, rules: Rules, offers: Offers) -> WorkspaceNeeds:
    publications = [each for each in tenant.publications if not each.workspaces or workspace in each.workspaces]
    subscriptions = [each for each in tenant.subscriptions if each.into == workspace]
    reached = {offer.publication.registry for each in subscriptions for offer in reaching(each, tenant, rules.provider, offers)}
    registering = [each for each in subscriptions if any(isinstance(action, Register) for action in each.actions)]
    return WorkspaceNeeds(
        tenant=tenant.id,
        workspace=workspace,
        stated_region=tenant.regions.get(workspace),
        shares=_published_kinds(publications),
        shares_through=tuple(sorted({each.registry for each in publications})),
        registers=frozenset(pattern.kind for each in registering for pattern in each.assets),
        takes_from=tuple(sorted(reached)),
        copies=any(_copies(each) for each in subscriptions),
        endpoints=tuple(need for each in subscriptions for need in _endpoints(each)),
    )


def _published_kinds(publications: Sequence[Publication]) -> frozenset[Kind]:
    """A publication's environment goes along with its models."""
    kinds = {pattern.kind for each in publications for pattern in each.assets}
    return frozenset(kinds | {Kind.ENVIRONMENT} if any(each.environment for each in publications) else kinds)


def _copies(subscription: Subscription) -> bool:
    copying = any(isinstance(action, Register) and action.mode is Mode.COPY for action in subscription.actions)
    return copying and any(pattern.kind in _WITH_BYTES for pattern in subscription.assets)


def _endpoints(subscription: Subscription) -> Iterator[EndpointNeed]:
    for action in subscription.actions:
        if not isinstance(action, Register):
            yield EndpointNeed(subscription.into, subscription.name, action)
