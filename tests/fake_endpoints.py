"""Endpoints of workspaces, in memory. They refuse what Azure refuses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.actions import Endpoint as Action
from shared.assets import WorkspaceId
from shared.azure_ml_ports import OperationState
from shared.endpoints import SMOKE_TEST_FAILED, Deployment, Endpoint, NewDeployment
from shared.errors import Conflict, Owner, Permanent, Transient
from tests.fake_operations import FakeOperations

OUT_OF_QUOTA = Permanent("out_of_quota", "Not enough quota available", Owner.SUBSCRIBER, "raise the quota")
REFUSED_SAMPLE = Permanent(SMOKE_TEST_FAILED, "424: column age is missing", Owner.PUBLISHER, "mend the model")


@dataclass
class FakeEndpoints(FakeOperations):
    """`shared.ports.Endpoints`.

    `failing_versions` are of models whose deployments come to nothing, `dull_versions` of those that refuse their sample request,
    `mute_versions` of those that never answer it.
    `new` holds what deployments were made of, by name; `tried_out` which were sent a sample.
    """

    endpoints: dict[tuple[WorkspaceId, str], Endpoint] = field(default_factory=dict)
    failing_versions: set[str] = field(default_factory=set)
    dull_versions: set[str] = field(default_factory=set)
    mute_versions: set[str] = field(default_factory=set)
    new: dict[str, tuple[Action, NewDeployment]] = field(default_factory=dict)
    tried_out: list[str] = field(default_factory=list)
    pending: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)

    def endpoint(self, workspace: WorkspaceId, action: Action, *, bare: bool = False) -> Endpoint | None:
        there = self._seen(workspace, action)
        return replace(there, deployments=()) if there and (bare or there.is_changing) else there

    def deployments(self, workspace: WorkspaceId, action: Action) -> tuple[Deployment, ...] | None:
        there = self._seen(workspace, action)
        return there.deployments if there else None

    def begin_endpoint(self, workspace: WorkspaceId, action: Action, tags: Mapping[str, str]) -> str | None:
        self.maybe_fail("create endpoint")
        there = self.endpoints.get((workspace, action.name))
        if there and there.is_changing:
            raise Conflict("the endpoint is being changed")
        self.endpoints[workspace, action.name] = Endpoint(action.name, "creating", tags)
        return self._change(f"endpoint {action.name} in {workspace.name}", lambda: self._end(workspace, action.name))

    def begin_deployment(self, workspace: WorkspaceId, action: Action, new: NewDeployment) -> str | None:
        self.maybe_fail("deploy")
        there = self._idle(workspace, action.name)
        fails = new.model.asset.version in self.failing_versions
        self.new[new.name] = (action, new)
        kept = tuple(each for each in there.deployments if each.name != new.name)
        created = Deployment(new.name, "creating", new.tags)
        self.endpoints[workspace, action.name] = replace(there, deployments=(*kept, created))
        ended = "failed" if fails else "succeeded"
        doing = f"deploy {new.name} in {workspace.name}"
        operation = self._change(doing, lambda: self._set_state(workspace, action.name, new.name, ended))
        if fails:
            self.failed_operations[operation] = OUT_OF_QUOTA
        return operation

    def begin_traffic(self, workspace: WorkspaceId, action: Action, endpoint: Endpoint, traffic: Mapping[str, int]) -> str | None:
        self.maybe_fail("traffic")
        there = self._idle(workspace, endpoint.name)
        assert sum(traffic.values()) in (0, 100)
        for name in traffic:
            found = there.find(name)
            assert found, f"there is no {name}"
            assert not found.is_changing, f"{name} is {found.state}"
            assert there.share_of(name) or found.is_ready, f"{name} is {found.state}"
        self.endpoints[workspace, endpoint.name] = replace(there, traffic=dict(traffic), state="updating")
        return self._change(f"traffic {dict(traffic)} in {workspace.name}", lambda: self._end(workspace, endpoint.name))

    def begin_delete_deployment(self, workspace: WorkspaceId, action: Action, deployment: str) -> str | None:
        self.maybe_fail("delete")
        there = self._idle(workspace, action.name)
        assert not there.share_of(deployment), "Azure refuses to delete a deployment with traffic"
        self._set_state(workspace, action.name, deployment, "deleting")
        return self._change(f"delete {deployment} in {workspace.name}", lambda: self._drop(workspace, action.name, deployment))

    def smoke_test(self, workspace: WorkspaceId, endpoint: Endpoint, deployment: str, sample: str) -> None:
        self.maybe_fail("smoke test")
        there = self.endpoints[workspace, endpoint.name].find(deployment)
        assert there
        assert there.is_ready
        self.tried_out.append(deployment)
        if there.version in self.mute_versions:
            raise Transient("504: upstream request timeout")
        if there.version in self.dull_versions:
            raise REFUSED_SAMPLE

    def operation(self, address: str) -> OperationState:
        self._settle_endpoints()
        self.maybe_fail("operation")
        return super().operation(address)

    def put(self, workspace: WorkspaceId, endpoint: Endpoint) -> None:
        """As a tenant would, by hand."""
        self.endpoints[workspace, endpoint.name] = endpoint

    def _seen(self, workspace: WorkspaceId, action: Action) -> Endpoint | None:
        self._settle_endpoints()
        self.maybe_fail("endpoint")
        return self.endpoints.get((workspace, action.name))

    def _idle(self, workspace: WorkspaceId, name: str) -> Endpoint:
        self._settle_endpoints()
        there = self.endpoints[workspace, name]
        if there.is_changing or any(each.is_changing for each in there.deployments):
            raise Conflict("the endpoint is being changed")
        return there

    def _change(self, effect: str, end: Callable[[], None]) -> str:
        operation = self.begin(effect)
        self.pending.append((self.operations[operation], end))
        return operation

    def _settle_endpoints(self) -> None:
        """What Azure worked on for long enough is done."""
        due = [end for at, end in self.pending if at <= self.clock.now()]
        self.pending = [(at, end) for at, end in self.pending if at > self.clock.now()]
        for end in due:
            end()

    def _end(self, workspace: WorkspaceId, name: str) -> None:
        self.endpoints[workspace, name] = replace(self.endpoints[workspace, name], state="succeeded")

    def _set_state(self, workspace: WorkspaceId, endpoint: str, name: str, state: str) -> None:
        there = self.endpoints[workspace, endpoint]
        changed = tuple(replace(each, state=state) if each.name == name else each for each in there.deployments)
        self.endpoints[workspace, endpoint] = replace(there, deployments=changed)

    def _drop(self, workspace: WorkspaceId, endpoint: str, name: str) -> None:
        there = self.endpoints[workspace, endpoint]
        kept = tuple(each for each in there.deployments if each.name != name)
        self.endpoints[workspace, endpoint] = replace(there, deployments=kept)
