"""The noes that a delivery can meet, each with its reason in words: the publisher's, the subscriber's and the provider's.

A publication is about the name that the asset has in the publisher's workspace, a subscription about the one in the registry.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.actions import Action, BatchEndpoint, Mode, OnlineEndpoint, Register
from shared.assets import Asset, Kind, WorkspaceId
from shared.matching import any_matches, any_matches_name
from shared.rules import Limits, Rules
from shared.tenants import Publication, Subscription, Tenant

WITH_BYTES = frozenset({Kind.MODEL, Kind.DATA})


@dataclass(frozen=True, slots=True)
class SharedAsset:
    """An asset that a registry holds, the workspace that it was shared from, and the tags that it has there.

    `origin` is None for what was made in the registry itself: the provider's own. `source` is the asset as its origin names
    it, where a publication renamed it. `regions` are those that the registry replicates to, as far as they are known.
    """

    asset: Asset
    registry: str
    origin: WorkspaceId | None
    tags: Mapping[str, str]
    source: Asset | None = None
    regions: tuple[str, ...] = ()

    @property
    def named_at_origin(self) -> Asset:
        return self.source or self.asset


def letting_out(
    publisher: Tenant, asset: Asset, workspace: WorkspaceId, tags: Mapping[str, str] | None, rules: Rules
) -> Iterator[Publication]:
    """The publications, by name, under which the asset, named as in the workspace, may leave it. `tags` None: whatever they are.

    Those that are paused come last: they count where no other does the same.
    """
    for publication in sorted(publisher.publications, key=paused_last):
        if keeps_in(publication, asset, workspace, tags, rules) is None:
            yield publication


def keeps_in(
    publication: Publication, asset: Asset, workspace: WorkspaceId, tags: Mapping[str, str] | None, rules: Rules
) -> str | None:
    """Why the asset may not leave the workspace by this publication; None if it may."""
    if publication.workspaces and workspace not in publication.workspaces:
        return f"lets nothing out of workspace {workspace.name}"
    if rules.provider.registry(publication.registry) is None:
        return f"names registry {publication.registry}, which the provider does not have"
    if not any_matches_name(publication.assets, asset.kind, asset.name):
        return f"not about {asset.kind} {asset.name}"
    if tags is not None and not any_matches(publication.assets, asset.kind, asset.name, tags):
        return "not about it with these tags"
    return None


def paused_last(rule: Publication | Subscription) -> tuple[bool, str]:
    """Orders rules: the first one of two that do the same is the one that counts."""
    return not rule.active, rule.name


def publication_to(publisher: Tenant, receiver: str, shared: SharedAsset, rules: Rules) -> Publication | None:
    """The first publication by which the asset is in the registry under its name there, and lets this tenant have it."""
    if shared.origin is None:
        return None
    candidates = letting_out(publisher, shared.named_at_origin, shared.origin, shared.tags, rules)
    return next((each for each in candidates if withholds(each, publisher, receiver, shared, rules) is None), None)


def withholds(publication: Publication, publisher: Tenant, receiver: str, shared: SharedAsset, rules: Rules) -> str | None:
    """Why what may leave by this publication does not reach the tenant by it; None if it does."""
    if publication.registry != shared.registry:
        return f"leads to registry {publication.registry}"
    name = publication.name_in_registry(publisher.id, shared.named_at_origin.name)
    if name != shared.asset.name:
        return f"names it {name} in the registry"
    if forbidden := publication.forbidden(shared.regions):
        return f"forbids {' and '.join(forbidden)}, where registry {shared.registry} replicates to"
    if not rules.provider.includes(publication.to, receiver):
        return f"not to {receiver}"
    return None


def of_publisher(publication: Publication | None, receiver: str, into: WorkspaceId, shared: SharedAsset) -> str | None:
    if into == shared.origin:
        return "it comes from this workspace"
    if publication is None:
        return f"no publication lets it out to {receiver} through registry {shared.registry}"
    return None


def of_subscriber(subscription: Subscription, subscriber: Tenant, shared: SharedAsset) -> str | None:
    if subscription.into not in subscriber.workspaces:
        return f"subscription {subscription.name} leads into a workspace that is not {subscriber.id}'s"
    if not any_matches(subscription.assets, shared.asset.kind, shared.asset.name, shared.tags):
        return f"subscription {subscription.name} excepts it by its name or its tags"
    return None


def of_provider(action: Action, receiver: str, shared: SharedAsset, rules: Rules) -> str | None:
    registry = rules.provider.registry(shared.registry)
    if registry is None or not rules.provider.includes(registry.readers, receiver):
        return f"{receiver} is not among the readers of registry {shared.registry}"
    left_out = left_out_of_limits(shared.registry, shared.asset.kind, rules.provider.limits)
    if left_out:
        return left_out
    if isinstance(action, Register):
        return beyond_copying(action, shared.asset.kind)
    if shared.asset.kind is not Kind.MODEL:
        return "only models can be deployed to an endpoint"
    return beyond_limits(action, rules.provider.limits)


def left_out_of_limits(registry: str, kind: Kind, limits: Limits) -> str | None:
    """Whether the provider lets nobody take in anything from the registry, or of the kind."""
    if limits.registries is not None and registry not in limits.registries:
        return f"the provider's limits leave out registry {registry}"
    if limits.kinds is not None and kind not in limits.kinds:
        return f"the provider's limits leave out assets of kind {kind}"
    return None


def beyond_copying(action: Register, kind: Kind) -> str | None:
    if action.mode is Mode.COPY and kind not in WITH_BYTES:
        return f"only models and data have bytes to copy, and not {kind.plural}"
    return None


def beyond_limits(action: OnlineEndpoint | BatchEndpoint, limits: Limits) -> str | None:
    """What of the provider's limits the action exceeds, in words; None if nothing."""
    return next((what for _, what in exceeding_fields(action, limits)), None)


def exceeding_fields(action: OnlineEndpoint | BatchEndpoint, limits: Limits) -> Iterator[tuple[str, str]]:
    """Those fields of the action, each with the limit in words. The tenant chose its own compute for batch."""
    if isinstance(action, OnlineEndpoint) and action.instance_type not in limits.instance_types:
        allowed = ", ".join(limits.instance_types) or "none"
        yield "instance_type", f"instance type {action.instance_type} is not one that the provider allows ({allowed})"
    if action.instance_count > limits.max_instances:
        yield "instance_count", f"{action.instance_count} instances are more than the provider allows ({limits.max_instances})"
