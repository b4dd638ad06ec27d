"""What has to be in the registry before an asset can be: found, and allowed to leave, before anything is written there."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from handlers.asked import Asked
from handlers.regions import stays_within_regions
from handlers.share_request import ShareRequest
from handlers.turns import Turn
from shared import backoff, planning
from shared.actions import Register
from shared.assets import Asset, Kind, WorkspaceAsset, registry_path
from shared.dependencies import Dependency, DependencyKind, dependencies_of
from shared.errors import Owner, Permanent, Transient
from shared.ports import Fanout
from shared.rows import DeliveryRow, ShareRow
from shared.rules import Rules
from shared.states import DeliveryState, ShareState
from shared.tenants import Publication, Tenant

DEPENDENCIES = "dependencies"


@dataclass(frozen=True, slots=True)
class Closure:
    """`names`: the registry's id for each reference. `first`: what has a share of its own, in order. `code`: what is copied."""

    names: dict[str, str]
    first: tuple[ShareRequest, ...] = ()
    code: tuple[Dependency, ...] = ()


def closure_of(row: ShareRow, component: WorkspaceAsset, fanout: Fanout) -> Closure:
    """Permanent `dependency_private`, `dependency_elsewhere` or `dependency_missing`, naming the one."""
    here = _Origin.of(row, fanout)
    here.check_all(component)
    names: dict[str, str] = {}
    first: list[ShareRequest] = []
    code: list[Dependency] = []
    for dependency in dependencies_of(component.definition):
        if dependency.kind is DependencyKind.CODE:
            names[dependency.reference] = f"azureml://registries/{row.registry}/codes/{dependency.own_name}/versions/1"
            code.append(dependency)
        elif here.has_from_registry(dependency.asset):
            names[dependency.reference] = registry_path(row.registry, dependency.asset)
        else:
            request = here.request_of(dependency)
            names[dependency.reference] = registry_path(row.registry, request.asset)
            first.append(request)
    return Closure(names, tuple(first), tuple(code))


def environment_of(row: ShareRow, fanout: Fanout) -> tuple[str | None, tuple[ShareRequest, ...]]:
    """The environment that a model's publication names: its id in the registry, and its share. That publication lets it out."""
    here = _Origin.of(row, fanout)
    naming = next((each for each in here.tenant.publications if each.name in row.publications and each.environment), None)
    if row.asset.kind is not Kind.MODEL or naming is None or naming.environment is None:
        return None, ()
    name, _, version = naming.environment.rpartition(":")
    asset = Asset(Kind.ENVIRONMENT, name, version)
    if here.has_from_registry(asset):
        return registry_path(row.registry, asset), ()
    with fanout.fairness.admitted(row.home):
        found = here.found(asset)
    return registry_path(row.registry, asset), (here.request(found, name, (naming,)),)


def publisher_of(row: ShareRow, rules: Rules) -> Tenant:
    """Who lets it out, asked again before it leaves. Permanent `not_published` where nobody does any more."""
    tenant = rules.tenant_of(row.home)
    if tenant and not tenant.active:
        raise Transient(f"tenant {tenant.id} is paused", retry_after=backoff.HORIZON)
    there = [each for each in tenant.publications if each.registry == row.registry] if tenant else []
    by = [each for each in there if each.name in row.publications]
    if tenant is None or (row.publications and not by):
        text = f"no publication lets {row.source} of {row.home} out to registry {row.registry} any more"
        raise Permanent("not_published", text, Owner.PUBLISHER, "publish it again, then retry the share")
    if by and not any(each.active for each in by):
        raise Transient(f"publication {by[0].name} of {tenant.id} is paused", retry_after=backoff.HORIZON)
    return tenant


def wait_for(turn: Turn[ShareRow], first: Sequence[ShareRequest]) -> ShareRow | None:
    """Request what has to come first, once. The row to wait with while some of it is missing.

    Permanent `dependency_failed` where it will not come.
    """
    return _wait(turn, [_share_of(turn, request) for request in first])


def wait_on(turn: Turn[ShareRow]) -> ShareRow | None:
    """The same, once it is known what comes first: it asks nothing but the rows."""
    registry = turn.row.registry
    shares = [turn.fanout.rows.get(ShareRow.address_of(registry, asset)) for asset in turn.row.needs]
    return _wait(turn, [share for share in shares if isinstance(share, ShareRow)])


def _wait(turn: Turn[ShareRow], rows: Sequence[ShareRow]) -> ShareRow | None:
    row = turn.row
    if failed := next((each for each in rows if each.state not in _COMING | _THERE), None):
        why = failed.recall or (failed.reason and (failed.reason.code if failed.reason.code == "conflict" else failed.reason))
        text = f"{row.source} needs {failed.asset}, whose share is {failed.state}: {why}"
        raise Permanent("dependency_failed", text, Owner.PUBLISHER, "mend that share and retry it, then retry this one")
    if all(each.state in _THERE for each in rows):
        return None
    since = row.since if row.needs and row.since else turn.now
    needs = tuple(each.asset for each in rows)
    waiting = replace(row, step=DEPENDENCIES, needs=needs, since=since, looks=row.looks + 1, failures=0)
    return turn.again(waiting, backoff.first_looks_delay(row.looks, (turn.now - since).total_seconds()))


_COMING = {ShareState.REQUESTED, ShareState.IMPORTING}
_THERE = {ShareState.FANNING_OUT, ShareState.SHARED}


def _share_of(turn: Turn[ShareRow], request: ShareRequest) -> ShareRow:
    if request.asset in turn.row.needs:  # requested by an earlier turn
        there = turn.fanout.rows.get(ShareRow.address_of(request.registry, request.asset))
        if isinstance(there, ShareRow):
            return there
    return request.make(turn.fanout)


@dataclass(frozen=True, slots=True)
class _Origin:
    """The workspace that an asset is shared from, and by which rules."""

    row: ShareRow
    tenant: Tenant
    rules: Rules
    fanout: Fanout
    seen: dict[Asset, WorkspaceAsset] = field(default_factory=dict)

    @classmethod
    def of(cls, row: ShareRow, fanout: Fanout) -> "_Origin":
        rules = fanout.rules.current()
        return cls(row, publisher_of(row, rules), rules, fanout)

    def check_all(self, component: WorkspaceAsset) -> None:
        """Of the component and, down a pipeline, of all that it names."""
        for dependency in dependencies_of(component.definition):
            if dependency.workspace != self.row.home:
                text = f"{component.asset} names {dependency} of workspace {dependency.workspace}"
                raise Permanent("dependency_elsewhere", text, Owner.PUBLISHER, "register it in the component's own workspace")
            if dependency.kind is DependencyKind.CODE or self.has_from_registry(dependency.asset):
                continue
            found = self.found(dependency.asset)
            if not dependency.belongs_to_the_component and not self.publications(found):
                text = f"{component.asset} needs {dependency.asset}, which no publication lets out to registry {self.row.registry}"
                remedy = f"publish {dependency.asset} to the same registry, then share the component again"
                raise Permanent("dependency_private", text, Owner.PUBLISHER, remedy)
            if not self.row.needs:  # not requested yet: whether it could be
                self.request_of(dependency).check(self.fanout)
            if dependency.kind is DependencyKind.COMPONENT:
                self.check_all(found)

    def request_of(self, dependency: Dependency) -> ShareRequest:
        found = self.found(dependency.asset)
        if dependency.belongs_to_the_component:
            return replace(self.request(found, dependency.own_name, ()), fan_out=False)
        publications = self.publications(found)
        name = publications[0].name_in_registry(self.tenant.id, dependency.name)
        same = [each for each in publications if each.name_in_registry(self.tenant.id, dependency.name) == name]
        return self.request(found, name, same)

    def request(self, found: WorkspaceAsset, name: str, publications: Sequence[Publication]) -> ShareRequest:
        row = self.row
        return ShareRequest(
            self.tenant,
            row.home,
            found,
            row.registry,
            name,
            tuple(publications),
            self.rules.revision,
            Asked(row.commands[-1] if row.commands else "", correlation_id=row.correlation_id, by_event=True),
            fan_out=row.fan_out,
        )

    def publications(self, found: WorkspaceAsset) -> list[Publication]:
        fitting = planning.publications_for(found.asset, self.row.home, found.tags, self.rules)
        return [each for each in fitting if each.registry == self.row.registry and stays_within_regions(each, self.fanout)]

    def has_from_registry(self, asset: Asset) -> bool:
        """Whether it came to the workspace from this very registry."""
        delivery = self.fanout.rows.find_delivery(DeliveryRow.address_of(asset, self.row.registry, self.row.home, Register().route))
        return delivery is not None and delivery.state is DeliveryState.DELIVERED

    def found(self, asset: Asset) -> WorkspaceAsset:
        found = self.seen.get(asset) or self.fanout.workspaces.asset(self.row.home, asset)
        if found is None:
            text = f"{self.row.source} needs {asset}, which workspace {self.row.home} does not hold"
            raise Permanent("dependency_missing", text, Owner.PUBLISHER, "register it there, then share again")
        self.seen[asset] = found
        return found
