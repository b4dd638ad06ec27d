"""The three yeses that a delivery needs, and who says no.

The publisher's publication lets the asset out to this tenant; the subscriber's subscription wants it, in a workspace
of its own; the provider gives the subscriber the registry to read and finds the action within its limits. Whether the
provider has both tenants active is asked in `shared.planning`: a pause only holds a delivery, while a no ends it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from shared.assets import Asset, Kind, WorkspaceId
from shared.matching import any_matches, any_matches_name, matches_glob
from shared.rules import Action, Limits, OnlineEndpoint, Publication, Rules, Subscription, Tenant


@dataclass(frozen=True, slots=True)
class SharedAsset:
    """An asset that a registry holds, the workspace that it was shared from, and the tags that it has there."""

    asset: Asset
    registry: str
    origin: WorkspaceId
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no to one action of one subscription. `publication` is None where none lets the asset out to it."""

    allowed: bool
    tenant: str
    subscription: str
    action: Action
    workspace: WorkspaceId
    publication: str | None
    reason: str
    revision: int


def letting_out(
    publisher: Tenant, asset: Asset, workspace: WorkspaceId, tags: Mapping[str, str] | None, rules: Rules
) -> Iterator[Publication]:
    for publication in sorted(publisher.publications, key=lambda publication: publication.name):
        if publication.workspaces and workspace not in publication.workspaces:
            continue
        if rules.provider.registry(publication.registry) is None:
            continue
        if tags is None:
            fits = any_matches_name(publication.assets, asset.kind, asset.name)
        else:
            fits = any_matches(publication.assets, asset.kind, asset.name, tags)
        if fits:
            yield publication


def decisions(publisher: Tenant, subscriber: Tenant, shared: SharedAsset, rules: Rules) -> list[Decision]:
    """All that the subscriber's subscriptions ask for, as if nobody were paused."""
    about_it = [
        subscription
        for subscription in sorted(subscriber.subscriptions, key=lambda subscription: subscription.name)
        if _is_about(subscription, publisher, shared.asset, rules)
    ]
    if not about_it:
        return []
    publication = _publication_to(publisher, subscriber, shared, rules)
    return _one_per_target(
        _decide(publication, subscription, action, subscriber, shared, rules)
        for subscription in about_it
        for action in subscription.actions
    )


def _is_about(subscription: Subscription, publisher: Tenant, asset: Asset, rules: Rules) -> bool:
    """Whether it names the publisher and the asset, even if an `except` or a tag then says no."""
    return rules.provider.includes(subscription.from_tenants, publisher.id) and any(
        pattern.kind is asset.kind and matches_glob(pattern.name, asset.name) for pattern in subscription.assets
    )


def _publication_to(publisher: Tenant, subscriber: Tenant, shared: SharedAsset, rules: Rules) -> Publication | None:
    candidates = letting_out(publisher, shared.asset, shared.origin, shared.tags, rules)
    return next(
        (
            publication
            for publication in candidates
            if publication.registry == shared.registry and rules.provider.includes(publication.to, subscriber.id)
        ),
        None,
    )


def _decide(
    publication: Publication | None,
    subscription: Subscription,
    action: Action,
    subscriber: Tenant,
    shared: SharedAsset,
    rules: Rules,
) -> Decision:
    objection = (
        _objection_of_publisher(publication, subscription, subscriber, shared)
        or _objection_of_subscriber(subscription, subscriber, shared)
        or _objection_of_provider(action, subscriber, shared, rules)
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
    )


def _objection_of_publisher(
    publication: Publication | None, subscription: Subscription, subscriber: Tenant, shared: SharedAsset
) -> str | None:
    if subscription.into == shared.origin:
        return "it comes from this workspace"
    if publication is None:
        return f"no publication lets it out to {subscriber.id} through registry {shared.registry}"
    return None


def _objection_of_subscriber(subscription: Subscription, subscriber: Tenant, shared: SharedAsset) -> str | None:
    if subscription.into not in subscriber.workspaces:
        return f"subscription {subscription.name} leads into a workspace that is not {subscriber.id}'s"
    if not any_matches(subscription.assets, shared.asset.kind, shared.asset.name, shared.tags):
        return f"subscription {subscription.name} excepts it by its name or its tags"
    return None


def _objection_of_provider(action: Action, subscriber: Tenant, shared: SharedAsset, rules: Rules) -> str | None:
    registry = rules.provider.registry(shared.registry)
    if registry is None or not rules.provider.includes(registry.readers, subscriber.id):
        return f"{subscriber.id} is not among the readers of registry {shared.registry}"
    if isinstance(action, OnlineEndpoint):
        if shared.asset.kind is not Kind.MODEL:
            return "only models can be deployed to an endpoint"
        return beyond_limits(action, rules.provider.limits)
    return None


def beyond_limits(action: OnlineEndpoint, limits: Limits) -> str | None:
    """What of the provider's limits the action exceeds, in words; None if nothing."""
    if action.instance_type not in limits.instance_types:
        allowed = ", ".join(limits.instance_types) or "none"
        return f"instance type {action.instance_type} is not one that the provider allows ({allowed})"
    if action.instance_count > limits.max_instances:
        return f"{action.instance_count} instances are more than the provider allows ({limits.max_instances})"
    return None


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
