"""A small world in memory that implements the ports: queues that deliver, a table that refuses stale writes, an Azure ML that
takes its time. Crashes are exceptions that no handler knows, raised where a process would die: before or after any call.
"""

import heapq
import itertools
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from handlers import commands, reconcile, wakeups
from shared.assets import Asset, RegistryAsset, WorkspaceAsset, WorkspaceId
from shared.errors import Conflict, Lost, Owner, Permanent, Transient
from shared.messages import Outgoing, Queue, Received
from shared.online_endpoint import Deployment, Endpoint
from shared.ports import OperationState
from shared.rows import Address, DeliveryRow, PlanRow, RowKind, ShareRow, TargetRow, WorkRow
from shared.rules import OnlineEndpoint, Rules
from shared.states import is_final

LOCK = timedelta(seconds=60)
MAX_DELIVERIES = 20


class Crash(BaseException):
    """The process dies here."""


@dataclass
class FakeClock:
    time: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@dataclass(order=True)
class _Due:
    at: datetime
    number: int
    queue: Queue = field(compare=False)
    message: Outgoing = field(compare=False)
    deliveries: int = field(default=0, compare=False)


@dataclass
class FakeQueues:
    """Service Bus without sessions: peek-lock, schedules, duplicate detection; `duplicate` may have a wake-up come twice."""

    clock: FakeClock
    duplicate: Callable[[], bool] = lambda: False
    due: list[_Due] = field(default_factory=list)
    seen: dict[tuple[Queue, str], datetime] = field(default_factory=dict)
    rejected: list[Outgoing] = field(default_factory=list)
    accepted: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def send(self, queue: Queue, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            assert len(message.message_id) <= 128
            last = self.seen.get((queue, message.message_id))
            if message.message_id and last and self.clock.now() - last < timedelta(minutes=10):
                continue
            self.seen[queue, message.message_id] = self.clock.now()
            if queue is Queue.REJECTED:
                self.rejected.append(message)
                continue
            self.accepted += 1
            for _ in range(2 if queue is Queue.WAKEUPS and self.duplicate() else 1):
                at = max(message.at or self.clock.now(), self.clock.now())
                heapq.heappush(self.due, _Due(at, next(self._numbers), queue, message))

    def back(self, due: _Due, at: datetime) -> None:
        """The lock of a message ran out, or it was abandoned."""
        due.deliveries += 1
        if due.deliveries < MAX_DELIVERIES:
            heapq.heappush(self.due, replace(due, at=at))


@dataclass
class FakeRows:
    shares: dict[Address, ShareRow] = field(default_factory=dict)
    deliveries: dict[Address, DeliveryRow] = field(default_factory=dict)
    closed: dict[Address, DeliveryRow] = field(default_factory=dict)
    plans: dict[tuple[str, str], PlanRow] = field(default_factory=dict)
    targets: dict[tuple[str, str], TargetRow] = field(default_factory=dict)
    indexed: set[Address] = field(default_factory=set)
    reads: int = 0
    _etags: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def get(self, address: Address) -> WorkRow | None:
        self.reads += 1
        return self.shares.get(address) if address.kind is RowKind.SHARE else self.deliveries.get(address)

    def insert_share(self, row: ShareRow) -> ShareRow:
        return self.shares.setdefault(row.address, replace(row, etag=self._etag()))

    def replace[R: ShareRow | DeliveryRow](self, row: R) -> R:
        self._check(self.get(row.address), row)
        written = replace(row, etag=self._etag())
        if isinstance(written, ShareRow):
            self.shares[row.address] = written
        elif isinstance(written, DeliveryRow):
            self.deliveries[row.address] = written
        return written

    def close(self, row: DeliveryRow) -> None:
        self._check(self.deliveries.get(row.address), row)
        del self.deliveries[row.address]
        self.closed[row.address] = row

    def find_delivery(self, address: Address) -> DeliveryRow | None:
        return self.deliveries.get(address) or self.closed.get(address)

    def index(self, delivery: DeliveryRow) -> None:
        self.indexed.add(delivery.address)

    def plan(self, asset: Asset, registry: str) -> PlanRow | None:
        return self.plans.get((asset.key, registry))

    def planned_asset(self, asset: Asset, registry: str) -> RegistryAsset:
        return self.plans[asset.key, registry].asset

    def save_page(self, plan: PlanRow, deliveries: Sequence[DeliveryRow]) -> PlanRow:
        at = (plan.asset.asset.key, plan.asset.registry)
        self._check(self.plans.get(at), plan)
        for row in deliveries:
            if row.address not in self.closed:
                self.deliveries.setdefault(row.address, replace(row, etag=self._etag()))
        self.plans[at] = replace(plan, rev=plan.rev + 1, etag=self._etag())
        return self.plans[at]

    def open_deliveries(self, partition: str, after: str = "", upto: str | None = None) -> Iterable[DeliveryRow]:
        rows = [row for row in self.deliveries.values() if row.partition == partition and row.row > after]
        return sorted((row for row in rows if upto is None or row.row <= upto), key=lambda row: row.row)

    def target(self, tenant: str, workspace: WorkspaceId, endpoint: str) -> TargetRow | None:
        return self.targets.get((tenant, TargetRow.row_key(workspace, endpoint)))

    def save_target(self, row: TargetRow) -> TargetRow:
        at = (row.tenant, TargetRow.row_key(row.workspace, row.endpoint))
        self._check(self.targets.get(at), row)
        self.targets[at] = replace(row, rev=row.rev + 1, etag=self._etag())
        return self.targets[at]

    def _check(self, there: WorkRow | PlanRow | TargetRow | None, row: WorkRow | PlanRow | TargetRow) -> None:
        if (there.etag if there else "") != row.etag:
            shared_by_many = isinstance(row, PlanRow | TargetRow)
            raise Transient("another was first") if shared_by_many else Lost("another's write stands")

    def _etag(self) -> str:
        return f"etag-{next(self._etags)}"


@dataclass
class FakeOpenWork:
    rows: FakeRows
    clock: FakeClock
    addresses: set[Address] = field(default_factory=set)
    added: dict[Address, datetime] = field(default_factory=dict)

    def add(self, address: Address) -> None:
        self.addresses.add(address)
        self.added[address] = self.clock.now()

    def remove(self, address: Address) -> None:
        self.addresses.discard(address)

    def overdue(self, before: datetime) -> Iterable[WorkRow]:
        for address in sorted(self.addresses, key=str):
            row = self.rows.shares.get(address)
            found = [row] if row else list(self.rows.open_deliveries(address.partition))
            still_open = [each for each in found if not is_final(each.state)]
            if not still_open and self.added[address] < before:
                self.addresses.discard(address)
            yield from (each for each in still_open if each.next_at < before)


@dataclass
class FakeRules:
    rules: Rules

    def current(self) -> Rules:
        return self.rules


@dataclass
class FakeAzure:
    """Workspaces and registries, whose changes take `seconds`. `effects` counts what was accepted, by name."""

    clock: FakeClock
    seconds: float = 5.0
    models: dict[tuple[WorkspaceId, Asset], WorkspaceAsset] = field(default_factory=dict)
    registry: dict[tuple[str, Asset], RegistryAsset] = field(default_factory=dict)
    arriving: dict[tuple[str, Asset], tuple[datetime, RegistryAsset]] = field(default_factory=dict)
    endpoints: dict[tuple[WorkspaceId, str], Endpoint] = field(default_factory=dict)
    operations: dict[str, datetime] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)

    # ---- registries

    def asset(self, registry: str, asset: Asset) -> RegistryAsset | None:
        self._settle()
        self._maybe_fail("asset")
        return self.registry.get((registry, asset))

    def source_id(self, workspace: WorkspaceId, asset: Asset) -> str:
        return f"azureml://{workspace.name}/{asset}"

    def begin_import(self, registry: str, asset: Asset, source: WorkspaceId) -> str | None:
        self._maybe_fail("import")
        if (registry, asset) in self.registry or (registry, asset) in self.arriving:
            return None
        there = self.models[source, asset]
        uri = f"https://store/{registry}-00000000-0000-0000-0000-000000000000/{asset.name}/{asset.version}"
        copy = RegistryAsset(asset, registry, uri, "mlflow_model", self.source_id(source, asset), tags=there.tags)
        operation = self._begin(f"import {asset}")
        self.arriving[registry, asset] = (self.operations[operation], copy)
        return operation

    def operation(self, address: str) -> OperationState:
        return OperationState.RUNNING if self.operations[address] > self.clock.now() else OperationState.ENDED

    # ---- workspaces

    def model(self, workspace: WorkspaceId, asset: Asset) -> WorkspaceAsset | None:
        return self.models.get((workspace, asset))

    def register_model(self, workspace: WorkspaceId, model: RegistryAsset, properties: dict[str, str]) -> None:
        self._maybe_fail("register")
        if (workspace, model.asset) in self.models:
            raise Conflict("it is there")
        self.effects.append(f"register {model.asset} in {workspace.name}")
        there = WorkspaceAsset(model.asset, model.uri, self.clock.now(), model.tags, properties)
        self.models[workspace, model.asset] = there

    def endpoint(self, workspace: WorkspaceId, name: str) -> Endpoint | None:
        self._settle()
        return self.endpoints.get((workspace, name))

    def begin_endpoint(self, workspace: WorkspaceId, name: str, tags: dict[str, str]) -> str | None:
        self.endpoints[workspace, name] = Endpoint(name, "creating", tags)
        return self._begin(f"endpoint {name} in {workspace.name}")

    def begin_deployment(
        self, workspace: WorkspaceId, action: OnlineEndpoint, deployment: str, model: RegistryAsset, tags: dict[str, str]
    ) -> str | None:
        self._maybe_fail("deploy")
        there = self.endpoints[workspace, action.name]
        new = Deployment(deployment, "creating", tags)
        self.endpoints[workspace, action.name] = replace(there, deployments=(*there.deployments, new))
        return self._begin(f"deploy {deployment} in {workspace.name}")

    def begin_traffic(self, workspace: WorkspaceId, endpoint: Endpoint, traffic: dict[str, int]) -> str | None:
        assert sum(traffic.values()) in (0, 100)
        self.endpoints[workspace, endpoint.name] = replace(self.endpoints[workspace, endpoint.name], traffic=traffic)
        return self._begin(f"traffic {traffic} in {workspace.name}")

    def begin_delete_deployment(self, workspace: WorkspaceId, endpoint: str, deployment: str) -> str | None:
        there = self.endpoints[workspace, endpoint]
        kept = tuple(each for each in there.deployments if each.name != deployment)
        self.endpoints[workspace, endpoint] = replace(there, deployments=kept)
        return self._begin(f"delete {deployment} in {workspace.name}")

    def _begin(self, effect: str) -> str:
        self.effects.append(effect)
        operation = f"operation-{len(self.operations)}"
        self.operations[operation] = self.clock.now() + timedelta(seconds=self.seconds)
        return operation

    def _settle(self) -> None:
        """What Azure works on is done when its operations are."""
        for at, (ready, asset) in list(self.arriving.items()):
            if ready <= self.clock.now():
                self.registry[at] = asset
                del self.arriving[at]
        if all(ready <= self.clock.now() for ready in self.operations.values()):
            for name, there in self.endpoints.items():
                done = tuple(replace(each, state="succeeded") for each in there.deployments)
                self.endpoints[name] = replace(there, state="succeeded", deployments=done)

    def _maybe_fail(self, what: str) -> None:
        if failure := self.failing.pop(what, None):
            raise failure


class World:
    """`shared.ports.Fanout` in memory, and the host that runs the handlers until nothing is due."""

    def __init__(self, rules: Rules, duplicate: Callable[[], bool] = lambda: False) -> None:
        self.clock = FakeClock()
        self.queues = self._bus = FakeQueues(self.clock, duplicate)
        self.rows = FakeRows()
        self.open_work = FakeOpenWork(self.rows, self.clock)
        self.rules = FakeRules(rules)
        self.azure = FakeAzure(self.clock)
        self.registries = self.azure
        self.workspaces = self.azure
        self.overdue_after = timedelta(minutes=5)
        self.looks = 0

    def run(self, until: timedelta = timedelta(hours=2), stop: Callable[[], bool] = lambda: False) -> None:
        """Deliver what is due, time passing from message to message, with a timer every five minutes."""
        end, timer = self.clock.now() + until, self.clock.now() + timedelta(minutes=5)
        while (self._bus.due or self.open_work.addresses) and not stop():
            at = min(self._bus.due[0].at if self._bus.due else timer, timer)
            self.clock.time = max(self.clock.time, at)
            if self.clock.time >= end:
                return
            if at == timer:
                timer += timedelta(minutes=5)
                with suppress(Crash):
                    reconcile.handle(self)
            elif self._bus.due:
                self._deliver(heapq.heappop(self._bus.due))

    def _deliver(self, due: _Due) -> None:
        message = Received(
            due.message.body, due.message.message_id, due.number, due.message.correlation_id, properties=due.message.properties
        )
        try:
            if due.queue is Queue.COMMANDS:
                commands.handle(message, self)
            else:
                self.looks += 1
                wakeups.handle(message, self)
        except Crash:
            self._bus.back(due, self.clock.now() + LOCK)


def refusal(code: str) -> Permanent:
    return Permanent(code, "as a test says", Owner.SUBSCRIBER, "nothing")
