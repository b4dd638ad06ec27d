"""What the examinations of all places share: the rules, whom they ask, and what was looked up for one and serves all."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from shared.assets import WorkspaceId
from shared.doctor.access import check_access, reaches
from shared.doctor.events import App
from shared.doctor.findings import Finding
from shared.doctor.needs import EndpointNeed, endpoint_needs
from shared.doctor.once import Once
from shared.doctor.operations import Access
from shared.doctor.ports import Surroundings
from shared.doctor.seen import AzureSubscription, Permission, Region, Registry, Role, RoleAssignment, SystemTopic, Workspace
from shared.errors import Permanent, Transient
from shared.rules import Rules


@dataclass(frozen=True, slots=True)
class Looks:
    """`principal` is the object id of the app's identity, `app` where events have to arrive."""

    rules: Rules
    azure: Surroundings
    principal: str
    app: App
    now: datetime
    _once: Once = field(default_factory=Once, repr=False, compare=False)

    def workspace(self, workspace: WorkspaceId) -> Workspace:
        return self._once.get(("workspace", workspace), lambda: self.azure.workspace(workspace))

    def registries(self, names: Iterable[str]) -> list[Registry]:
        return [self.registry(name) for name in names]

    def registry(self, name: str) -> Registry:
        return self._once.get(("registry", name), lambda: self.azure.registry(name))

    def azure_subscription(self, azure_subscription_id: str) -> AzureSubscription:
        key = ("subscription", azure_subscription_id.lower())
        return self._once.get(key, lambda: self.azure.azure_subscription(azure_subscription_id))

    def system_topics(self, azure_subscription_id: str) -> Sequence[SystemTopic]:
        key = ("topics", azure_subscription_id.lower())
        return self._once.get(key, lambda: self.azure.system_topics(azure_subscription_id))

    def role(self, definition: str) -> Role:
        return self._once.get(("role", definition.rpartition("/")[2].lower()), lambda: self.azure.role(definition))

    def access(self, access: Access) -> Iterator[Finding]:
        """What the app's identity lacks of it."""
        assignments = self.azure.role_assignments(access.scope, self.principal)
        there = [each for each in assignments if reaches(each, access.scope)]
        granted, conditional = (self._granted(each for each in there if bool(each.condition) is has) for has in (False, True))
        return check_access(access, granted, self.principal, conditional)

    def _granted(self, assignments: Iterable[RoleAssignment]) -> list[Permission]:
        return [permission for each in assignments for permission in self.role(each.role).permissions]

    def region(self, workspace: Workspace) -> Region:
        """What there is around a workspace."""
        azure_subscription_id, name = workspace.id.azure_subscription_id, workspace.region
        key = ("region", azure_subscription_id.lower(), name)
        return self._once.get(key, lambda: self._region(azure_subscription_id, name))

    def wanted_in(self, region: Region) -> list[EndpointNeed]:
        """What the actions of all tenants name there."""
        return [each for each in self._endpoint_needs() if each.workspace in region.workspaces]

    def rivals(self, need: EndpointNeed, region: str) -> list[EndpointNeed]:
        """What names the same endpoint elsewhere in the region, in any Azure subscription. What cannot be seen is none."""
        found: list[EndpointNeed] = []
        for each in self._by_name()[need.action.name.lower()]:
            with suppress(Permanent, Transient):
                if each.workspace != need.workspace and self.workspace(each.workspace).region == region:
                    found.append(each)
        return found

    def _by_name(self) -> Mapping[str, Sequence[EndpointNeed]]:
        def look() -> Mapping[str, Sequence[EndpointNeed]]:
            found = defaultdict[str, list[EndpointNeed]](list)
            for each in self._endpoint_needs():
                found[each.action.name.lower()].append(each)
            return found

        return self._once.get("names", look)

    def _endpoint_needs(self) -> Sequence[EndpointNeed]:
        return self._once.get("endpoints", lambda: endpoint_needs(self.rules))

    def _region(self, azure_subscription_id: str, name: str) -> Region:
        there = [each.id for each in self.azure.workspaces_in(azure_subscription_id) if each.region == name]
        return Region(
            azure_subscription_id=azure_subscription_id,
            name=name,
            workspaces=frozenset(there),
            endpoints=[placed for each in there for placed in self.azure.endpoints(each)],
            usages=self.azure.core_usages(azure_subscription_id, name),
            vm_sizes=self.azure.vm_sizes(azure_subscription_id, name),
        )
