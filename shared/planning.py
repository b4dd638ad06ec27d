"""Who gets a shared asset: pure functions of the asset and the rules.

A delivery needs three yeses (`shared.decisions`), and that neither tenant nor rule is paused; a pull two, and the tenant's asking.
Each decision names the rules, and their revision, that made it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from shared.actions import Action
from shared.assets import Asset, WorkspaceId
from shared.decisions import Decision, decisions, pulled
from shared.objections import SharedAsset, letting_out
from shared.rules import Rules
from shared.tenants import Publication, RuleState, Tenant, TenantState

__all__ = [
    "Allowed",
    "Decision",
    "NoLongerAllowed",
    "Paused",
    "SharedAsset",
    "Target",
    "plan",
    "plan_for",
    "publications_for",
    "pull",
    "still_allowed",
]


class Target(Protocol):
    """What a delivery says of itself to be checked again; a `Decision` does too. A pull has no subscription: ""."""

    @property
    def tenant(self) -> str: ...
    @property
    def subscription(self) -> str: ...
    @property
    def workspace(self) -> WorkspaceId: ...
    @property
    def action(self) -> Action: ...


@dataclass(frozen=True, slots=True)
class Allowed:
    """The delivery may go on. `decision` is today's: another rule than at first may be the one that allows it."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class Paused:
    """Only this tenant's pause stands against the delivery, or that of one of its rules: "subscription cards"."""

    tenant: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.rule} of {self.tenant} is paused" if self.rule else f"tenant {self.tenant} is paused"


@dataclass(frozen=True, slots=True)
class NoLongerAllowed:
    """`reason` names the rule that says no, or the one that is missing."""

    reason: str


def plan(
    shared: SharedAsset, rules: Rules, only: Collection[str] | None = None, *, under_way: Collection[str] = ()
) -> tuple[Decision, ...]:
    """One decision for each action of each subscription that is about the asset, by tenant and subscription.

    At most one of them allows a delivery to the same workspace by the same route. None at all when the workspace that
    the asset came from belongs to no tenant, or it came from none. `only` restricts the subscribers to tenants of these ids.
    No pause of the publisher's counts for what is `under_way` by publications of these names: its deliveries are held instead.
    """
    publisher = rules.tenant_of(shared.origin) if shared.origin else None
    if publisher is None:
        return ()
    if under_way:
        publisher = _resumed(publisher, under_way)
    return tuple(
        decision
        for tenant_id in sorted(rules.who_might_want(shared.asset.name, publisher.id))
        if only is None or tenant_id in only
        for decision in plan_for(rules.tenants[tenant_id], publisher, shared, rules)
    )


def _resumed(tenant: Tenant, publications: Collection[str]) -> Tenant:
    active = (replace(each, state=RuleState.ACTIVE) if each.name in publications else each for each in tenant.publications)
    return replace(tenant, state=TenantState.ACTIVE, publications=tuple(active))


def plan_for(subscriber: Tenant, publisher: Tenant, shared: SharedAsset, rules: Rules) -> tuple[Decision, ...]:
    """The part of the plan that is about one tenant."""
    return tuple(_unless_paused(decision, publisher, subscriber) for decision in decisions(publisher, subscriber, shared, rules))


def pull(shared: SharedAsset, tenant: str, workspace: WorkspaceId, action: Action, rules: Rules) -> Decision:
    """Whether the tenant gets the asset into its workspace at its own asking, without a subscription.

    What was made in the registry itself is the provider's own, and open to all who can read the registry.
    """
    return _unless_paused(pulled(shared, tenant, workspace, action, rules), *_parties(shared, tenant, rules))


def still_allowed(delivery: Target, shared: SharedAsset, rules: Rules) -> Allowed | Paused | NoLongerAllowed:
    """The same question for one delivery, asked again before it takes effect."""
    if not delivery.subscription:
        asked_again = pulled(shared, delivery.tenant, delivery.workspace, delivery.action, rules)
        return _unless_withdrawn(asked_again, *_parties(shared, delivery.tenant, rules))
    if shared.origin is None:
        return NoLongerAllowed(f"no subscription is about what was made in registry {shared.registry} itself")
    publisher, subscriber = _parties(shared, delivery.tenant, rules)
    if publisher is None:
        return NoLongerAllowed(f"workspace {shared.origin} no longer belongs to a tenant")
    if subscriber is None:
        return NoLongerAllowed(f"tenant {delivery.tenant} is no longer in the rules")
    same_target = [
        decision
        for decision in decisions(publisher, subscriber, shared, rules)
        if decision.workspace == delivery.workspace and decision.action.route == delivery.action.route
    ]
    if not same_target:
        return NoLongerAllowed(f"no subscription of {subscriber.id} asks for {delivery.action.route} there any more")
    allowed = next((decision for decision in same_target if decision.allowed), same_target[0])
    return _unless_withdrawn(allowed, publisher, subscriber)


def publications_for(asset: Asset, workspace: WorkspaceId, tags: Mapping[str, str] | None, rules: Rules) -> tuple[Publication, ...]:
    """The publications, by name, under which an asset may leave the workspace. None that is paused, or whose tenant is.

    With `tags` None they are not known yet: name and kind alone decide, so some may turn out not to apply.
    """
    publisher = rules.tenant_of(workspace)
    if publisher is None or not publisher.active:
        return ()
    return tuple(publication for publication in letting_out(publisher, asset, workspace, tags, rules) if publication.active)


def _parties(shared: SharedAsset, receiver: str, rules: Rules) -> tuple[Tenant | None, Tenant | None]:
    """Publisher and receiver; None for who is not in the rules, and for the publisher of the provider's own."""
    return rules.tenant_of(shared.origin) if shared.origin else None, rules.tenant(receiver)


def _unless_withdrawn(decision: Decision, *parties: Tenant | None) -> Allowed | Paused | NoLongerAllowed:
    if not decision.allowed:
        return NoLongerAllowed(decision.reason)
    return _pause(decision, *parties) or Allowed(decision)


def _unless_paused(decision: Decision, *parties: Tenant | None) -> Decision:
    pause = _pause(decision, *parties) if decision.allowed else None
    return decision if pause is None else replace(decision, allowed=False, reason=str(pause))


def _pause(decision: Decision, publisher: Tenant | None, receiver: Tenant | None) -> Paused | None:
    """The first one that stands against a yes: a tenant's, the publication's, the subscription's."""
    for tenant in (publisher, receiver):
        if tenant is not None and not tenant.active:
            return Paused(tenant.id)
    for publication in publisher.publications if publisher else ():
        if publisher and publication.name == decision.publication and not publication.active:
            return Paused(publisher.id, f"publication {publication.name}")
    for subscription in receiver.subscriptions if receiver else ():
        if receiver and subscription.name == decision.subscription and not subscription.active:
            return Paused(receiver.id, f"subscription {subscription.name}")
    return None
