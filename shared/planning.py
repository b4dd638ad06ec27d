"""Who gets a shared asset: pure functions of the asset and the rules.

A delivery needs three yeses (`shared.decisions`), and that neither tenant is paused. Each decision names the rules, and
their revision, that made it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from shared.assets import Asset, WorkspaceId
from shared.decisions import Decision, SharedAsset, decisions, letting_out
from shared.rules import Action, Publication, Rules, Tenant

__all__ = [
    "Allowed",
    "Decision",
    "NoLongerAllowed",
    "Paused",
    "SharedAsset",
    "Target",
    "plan",
    "publications_for",
    "still_allowed",
]


class Target(Protocol):
    """What a delivery says of itself to be checked again; a `Decision` does too."""

    @property
    def tenant(self) -> str: ...
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
    """Only this tenant's pause stands against the delivery."""

    tenant: str


@dataclass(frozen=True, slots=True)
class NoLongerAllowed:
    """`reason` names the rule that says no, or the one that is missing."""

    reason: str


def plan(shared: SharedAsset, rules: Rules) -> tuple[Decision, ...]:
    """One decision for each action of each subscription that is about the asset, by tenant and subscription.

    At most one of them allows a delivery to the same workspace by the same route. None at all when the workspace that
    the asset came from belongs to no tenant.
    """
    publisher = rules.tenant_of(shared.origin)
    if publisher is None:
        return ()
    return tuple(
        _unless_paused(decision, publisher, subscriber)
        for subscriber in sorted(rules.tenants.values(), key=lambda tenant: tenant.id)
        for decision in decisions(publisher, subscriber, shared, rules)
    )


def still_allowed(delivery: Target, shared: SharedAsset, rules: Rules) -> Allowed | Paused | NoLongerAllowed:
    """The same question for one delivery, asked again before it takes effect."""
    publisher, subscriber = rules.tenant_of(shared.origin), rules.tenant(delivery.tenant)
    if publisher is None:
        return NoLongerAllowed(f"workspace {shared.origin} no longer belongs to a tenant")
    if subscriber is None:
        return NoLongerAllowed(f"tenant {delivery.tenant} is no longer in the rules")
    same_target = [
        decision
        for decision in decisions(publisher, subscriber, shared, rules)
        if decision.workspace == delivery.workspace and decision.action.route == delivery.action.route
    ]
    allowed = next((decision for decision in same_target if decision.allowed), None)
    if allowed is not None:
        paused = _paused(publisher, subscriber)
        return Allowed(allowed) if paused is None else Paused(paused.id)
    if same_target:
        return NoLongerAllowed(same_target[0].reason)
    return NoLongerAllowed(f"no subscription of {subscriber.id} asks for {delivery.action.route} there any more")


def publications_for(asset: Asset, workspace: WorkspaceId, tags: Mapping[str, str] | None, rules: Rules) -> tuple[Publication, ...]:
    """The publications, by name, under which an asset may leave the workspace. None while its tenant is paused.

    With `tags` None they are not known yet: name and kind alone decide, so some may turn out not to apply.
    """
    publisher = rules.tenant_of(workspace)
    if publisher is None or not publisher.active:
        return ()
    return tuple(letting_out(publisher, asset, workspace, tags, rules))


def _unless_paused(decision: Decision, publisher: Tenant, subscriber: Tenant) -> Decision:
    paused = _paused(publisher, subscriber)
    if paused is None or not decision.allowed:
        return decision
    return replace(decision, allowed=False, reason=f"tenant {paused.id} is paused")


def _paused(publisher: Tenant, subscriber: Tenant) -> Tenant | None:
    return next((tenant for tenant in (publisher, subscriber) if not tenant.active), None)
