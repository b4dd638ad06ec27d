"""The doctor at a workspace."""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.doctor_concerns import Concern, look_at
from handlers.doctor_looks import Looks
from shared.actions import BatchEndpoint
from shared.doctor.endpoint_names import check_compute, check_name
from shared.doctor.entra import check_entra
from shared.doctor.events import check_dead_letters, check_events, ours, topic_of
from shared.doctor.findings import Finding
from shared.doctor.headroom import check_cores, check_instance_type, check_limits
from shared.doctor.mending import subscription_of
from shared.doctor.needs import WorkspaceNeeds
from shared.doctor.networks import check_sharing_from
from shared.doctor.operations import BLOB_CONTRIBUTOR, BLOB_READER, BLOB_READS, BLOB_WRITES, DATA_SCIENTIST, Access
from shared.doctor.policies import API_VERSION, check_policies, resources
from shared.doctor.regions import check_workspace_region
from shared.doctor.seen import EventSubscription, SystemTopic, Workspace
from shared.doctor.unseen import workspace_unreachable
from shared.errors import Permanent, Transient


def examine_workspace(needs: WorkspaceNeeds, looks: Looks) -> Iterator[Finding]:
    """Where the workspace itself cannot be reached, nothing else is asked."""
    try:
        workspace = looks.workspace(needs.workspace)
    except (Permanent, Transient) as error:
        yield workspace_unreachable(needs, error)
        return
    yield from look_at(_Workspace(needs, workspace, looks).concerns())


@dataclass(frozen=True, slots=True)
class _Workspace:
    needs: WorkspaceNeeds
    seen: Workspace
    looks: Looks

    def concerns(self) -> Iterator[Concern]:
        needs, workspace = self.needs, str(self.needs.workspace)
        azure_subscription = f"/subscriptions/{needs.workspace.azure_subscription_id}"
        yield Concern("its Entra tenant", azure_subscription, self._entra)
        if needs.actions:
            yield Concern("the roles of the app's identity", workspace, self._roles)
        if needs.copies or needs.reads_code:
            yield Concern("the roles of the app's identity on its storage", self.seen.storage_account, self._storage_roles)
        if needs.registries:
            yield Concern("the regions of its registries", azure_subscription, self._regions)
        if needs.tells_of_models:
            yield Concern("its event subscription", azure_subscription, self._events)
        if needs.shares:
            yield Concern("the network rules of its storage", self.seen.storage_account, self._networks)
        if needs.endpoints:
            yield Concern("the endpoints, the limits and the quota of its region", azure_subscription, self._region)
        yield Concern("its computes", workspace, self._computes)
        yield Concern("the policies for it", azure_subscription, self._policies)

    def _entra(self) -> Iterator[Finding]:
        mine = self.looks.azure_subscription(self.needs.workspace.azure_subscription_id)
        home = self.looks.rules.provider.entra_tenant
        of_home = "the provider"
        if home is None:
            registry = next(iter(self.looks.registries(self.needs.registries[:1])), None)
            of_home = f"registry {registry.name}" if registry else ""
            its = self.looks.azure_subscription(subscription_of(registry.arm_id)) if registry else mine
            home = its.entra_tenant
        return check_entra(self.needs.workspace, mine, home, of_home, self.needs.tenant)

    def _roles(self) -> Iterator[Finding]:
        why = "what the rules want of this workspace fails with AuthorizationFailed"
        return self.looks.access(Access(str(self.needs.workspace), DATA_SCIENTIST, why, self.needs.actions))

    def _storage_roles(self) -> Iterator[Finding]:
        """A datastore with a secret needs none."""
        store, account = self.looks.azure.datastore(self.needs.workspace), self.seen.storage_account
        if store.has_secret:
            return
        if self.needs.copies:
            container = f"{account}/blobServices/default/containers/{store.container}"
            why = "assets of `mode: copy` cannot be copied into the workspace's storage"
            yield from self.looks.access(Access(container, BLOB_CONTRIBUTOR, why, data_actions=BLOB_WRITES))
        if self.needs.reads_code:
            why = "the code of components cannot be copied out of the workspace's storage"
            yield from self.looks.access(Access(account, BLOB_READER, why, data_actions=BLOB_READS))

    def _regions(self) -> Iterator[Finding]:
        return check_workspace_region(self.needs, self.seen, self.looks.registries(self.needs.registries))

    def _events(self) -> Iterator[Finding]:
        looks = self.looks
        topic = topic_of(self.needs.workspace, looks.system_topics(self.needs.workspace.azure_subscription_id))
        subscription = ours(looks.azure.event_subscriptions(topic.arm_id), looks.app) if topic else None
        yield from check_events(self.seen, topic, subscription, looks.app, looks.now)
        if topic and subscription:
            yield from look_at([self._dead_letters(topic, subscription)])

    def _dead_letters(self, topic: SystemTopic, subscription: EventSubscription) -> Concern:
        place = subscription.dead_letters

        def look() -> Iterator[Finding]:
            has_any = place is not None and self.looks.azure.has_dead_letters(place)
            return check_dead_letters(subscription, self.seen, topic, self.looks.app, has_any=has_any)

        scope = place.storage_account if place else subscription.arm_id
        return Concern("its dead letters", scope, look, BLOB_READER)

    def _networks(self) -> Iterator[Finding]:
        storage = self.looks.azure.storage_account(self.seen.storage_account)
        registries = self.looks.registries(self.needs.shares_through)
        entra_tenant = self.looks.azure_subscription(self.needs.workspace.azure_subscription_id).entra_tenant
        return check_sharing_from(self.needs.workspace, storage, registries, entra_tenant)

    def _region(self) -> Iterator[Finding]:
        region, tenant = self.looks.region(self.seen), self.needs.tenant
        wanted = self.looks.wanted_in(region)
        for need in self.needs.endpoints:
            yield from check_name(need, tenant, region, [*self.looks.rivals(need, region.name), *self.needs.endpoints])
            yield from check_instance_type(need, tenant, region)
        yield from check_limits(wanted, region)
        yield from check_cores(wanted, region)

    def _computes(self) -> Iterator[Finding]:
        for need in self.needs.endpoints:
            if isinstance(need.action, BatchEndpoint):
                is_there = self.looks.azure.has_compute(need.workspace, need.action.compute)
                yield from check_compute(need, need.action, is_there=is_there)

    def _policies(self) -> Iterator[Finding]:
        for asked in resources(self.needs, self.seen):
            denials = self.looks.azure.denials(self.seen, asked.content, API_VERSION)
            yield from check_policies(asked, denials, self.seen)
