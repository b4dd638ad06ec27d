"""The three yeses that a delivery needs, and who says no.

The publisher's publication lets the asset out to this tenant; the subscriber's subscription wants it, in a workspace
of its own; the provider gives the subscriber the registry to read and finds the action within its limits. A pull needs
no subscription: the tenant asks itself. Whether the provider has both tenants active is asked in `shared.planning`: a
pause only holds a delivery, while a no ends it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared import objections
from shared.actions import Action
from shared.assets import Asset, WorkspaceId
from shared.matching import matches_glob
from shared.objections import SharedAsset, paused_last
from shared.rules import Rules
from shared.tenants import Approver, Publication, Subscription, Tenant, Window


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no to one action of one subscription, or of a pull, which has none ("").

    `publication` is None where none lets the asset out to the tenant, as where the asset is the provider's own.
    `approval` is whose approval a yes waits for, `window` when it may begin.
    """

    allowed: bool
    tenant: str
    subscription: str
    action: Action
    workspace: WorkspaceId
    publication: str | None
    reason: str
    revision: int
    approval: Approver | None = None
    window: Window | None = None


def decisions(publisher: Tenant, subscriber: Tenant, shared: SharedAsset, rules: Rules) -> list[Decision]:
    """All that the subscriber's subscriptions ask for, as if nobody were paused."""
    about_it = [
        subscription
        for subscription in sorted(subscriber.subscriptions, key=paused_last)
        if passes_over(subscription, publisher, shared.asset, rules) is None
    ]
    if not about_it:
        return []
    publication = objections.publication_to(publisher, subscriber.id, shared, rules)
    return _one_per_target(
        _decide(publication, subscription, action, subscriber, shared, rules)
        for subscription in about_it
        for action in subscription.actions
    )


def pulled(shared: SharedAsset, tenant: str, workspace: WorkspaceId, action: Action, rules: Rules) -> Decision:
    """What the tenant's own asking for the asset meets, as if nobody were paused."""
    publisher = rules.tenant_of(shared.origin) if shared.origin else None
    publication = objections.publication_to(publisher, tenant, shared, rules) if publisher else None
    objection = (
        _objection_to_place(tenant, workspace, rules)
        or _objection_of_origin(publisher, publication, tenant, workspace, shared)
        or objections.of_provider(action, tenant, shared, rules)
    )
    return Decision(
        allowed=objection is None,
        tenant=tenant,
        subscription="",
        action=action,
        workspace=workspace,
        publication=publication.name if publication else None,
        reason=objection or f"tenant {tenant} asked for it",
        revision=rules.revision,
    )


def _objection_to_place(tenant: str, workspace: WorkspaceId, rules: Rules) -> str | None:
    receiver = rules.tenant(tenant)
    if receiver is None:
        return f"tenant {tenant} is not in the rules"
    if workspace not in receiver.workspaces:
        return f"workspace {workspace} is not one of {tenant}'s"
    return None


def _objection_of_origin(
    publisher: Tenant | None, publication: Publication | None, tenant: str, workspace: WorkspaceId, shared: SharedAsset
) -> str | None:
    """What was made in the registry itself is open to all its readers."""
    if shared.origin is None:
        return None
    if publisher is None:
        return f"workspace {shared.origin}, which it was shared from, belongs to no tenant"
    return objections.of_publisher(publication, tenant, workspace, shared)


def passes_over(subscription: Subscription, publisher: Tenant, asset: Asset, rules: Rules) -> str | None:
    """Why the subscription is not about the asset; None if it names publisher and asset, though an `except` or a tag may say no."""
    if not rules.provider.includes(subscription.from_tenants, publisher.id):
        return f"not to assets of {publisher.id}"
    if not any(pattern.kind is asset.kind and matches_glob(pattern.name, asset.name) for pattern in subscription.assets):
        return f"not about {asset.kind} {asset.name}"
    return None


def _decide(
    publication: Publication | None,
    subscription: Subscription,
    action: Action,
    subscriber: Tenant,
    shared: SharedAsset,
    rules: Rules,
) -> Decision:
    objection = (
        objections.of_publisher(publication, subscriber.id, subscription.into, shared)
        or objections.of_subscriber(subscription, subscriber, shared)
        or objections.of_provider(action, subscriber.id, shared, rules)
    )
    return Decision(
        allowed=objection is None,
        tenant=subscriber.id,
        subscription=subscription.name,
        action=action,
        workspace=subscription.into,
        publication=publication.name if publication else None,
        reason=objection or f"subscription {subscription.name} wants it",
        revision=rules.revision,
        approval=subscription.approval,
        window=subscription.window,
    )


def _one_per_target(decisions: Iterable[Decision]) -> list[Decision]:
    """The first yes for a workspace and route stands; later ones become a no that names it."""
    first: dict[tuple[WorkspaceId, str], Decision] = {}
    kept: list[Decision] = []
    for decision in decisions:
        winner = first.setdefault((decision.workspace, decision.action.route), decision) if decision.allowed else None
        if winner is None or winner is decision:
            kept.append(decision)
        else:
            reason = f"subscription {winner.subscription} brings it there by the same route already"
            kept.append(replace(decision, allowed=False, reason=reason))
    return kept
