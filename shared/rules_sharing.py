"""Rules held once where they are equal.

Tenants ask for much the same. Of what 100,000 subscriptions take, with their patterns, actions and ids, a quarter is left
(`python -m tests.bench planning`), and so much less there is for the garbage collector to go through: it costs no time.
"""

from dataclasses import replace

from shared.assets import WorkspaceId
from shared.tenants import Publication, Subscription, Tenant


class EqualParts:
    """Those seen so far. Made for one load: what it holds is held by the rules anyway."""

    def __init__(self) -> None:
        self._seen: dict[object, object] = {}
        self._workspaces: dict[str, WorkspaceId] = {}

    def shared(self, tenant: Tenant) -> Tenant:
        """An equal tenant, made of parts that others are made of too."""
        return replace(
            tenant,
            workspaces=tuple(map(self._workspace, tenant.workspaces)),
            publications=tuple(map(self._publication, tenant.publications)),
            subscriptions=tuple(map(self._subscription, tenant.subscriptions)),
        )

    def _publication(self, publication: Publication) -> Publication:
        return replace(
            publication,
            name=self._one(publication.name),
            registry=self._one(publication.registry),
            assets=self._one(publication.assets),
            to=self._one(publication.to),
        )

    def _subscription(self, subscription: Subscription) -> Subscription:
        return replace(
            subscription,
            name=self._one(subscription.name),
            from_tenants=self._one(subscription.from_tenants),
            assets=self._one(subscription.assets),
            into=self._workspace(subscription.into),
            actions=self._one(subscription.actions),
        )

    def _workspace(self, workspace: WorkspaceId) -> WorkspaceId:
        """One that is written alike, too: two that differ in case are equal."""
        return self._workspaces.setdefault(str(workspace), workspace)

    def _one[T](self, part: T) -> T:
        return self._seen.setdefault(part, part)  # type: ignore[return-value] # an equal one of the same type
