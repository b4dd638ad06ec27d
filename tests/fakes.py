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
from shared.assets import Asset, RegistryAsset, WorkspaceId
from shared.errors import Lost, Owner, Permanent, Transient
from shared.messages import Outgoing, Queue, Received
from shared.outcomes import Outcome
from shared.rows import Address, DeliveryRow, PlanRow, RowKind, ShareRow, TargetRow, WorkRow, is_done
from shared.rules import Provider, Rules
from shared.rules_change import News, difference
from shared.states import DeliveryState
from tests.fake_azure import FakeAzure
from tests.fake_fairness import FakeFairness
from tests.fake_reconciling import FakeReconciling

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

    def shares_in(self, partition: str) -> Iterable[ShareRow]:
        return [row for row in self.shares.values() if row.partition == partition]

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
        self.closed[row.address] = replace(row, etag=self._etag())

    def reopen(self, row: DeliveryRow) -> DeliveryRow:
        self._check(self.closed.get(row.address), row)
        del self.closed[row.address]
        self.deliveries[row.address] = replace(row, etag=self._etag())
        return self.deliveries[row.address]

    def find_delivery(self, address: Address) -> DeliveryRow | None:
        return self.deliveries.get(address) or self.closed.get(address)

    def index(self, delivery: DeliveryRow) -> None:
        self.indexed.add(delivery.address)

    def plan(self, asset: Asset, registry: str) -> PlanRow | None:
        return self.plans.get((asset.key, registry))

    def planned_asset(self, asset: Asset, registry: str) -> RegistryAsset:
        return self.plans[asset.key, registry].asset

    def planned_environment(self, asset: Asset, registry: str) -> str | None:
        return self.plans[asset.key, registry].environment

    def save_plan(self, plan: PlanRow) -> PlanRow:
        return self.save_page(plan, [])

    def save_page(self, plan: PlanRow, deliveries: Sequence[DeliveryRow]) -> PlanRow:
        at = (plan.asset.asset.key, plan.asset.registry)
        self._check(self.plans.get(at), plan)
        for row in deliveries:
            if row.address not in self.closed:
                self.deliveries.setdefault(row.address, replace(row, etag=self._etag()))
        self.plans[at] = replace(plan, rev=plan.rev + 1, etag=self._etag())
        return self.plans[at]

    def insert_deliveries(self, plan: PlanRow, rows: Sequence[DeliveryRow]) -> list[DeliveryRow]:
        new = [row for row in rows if self.find_delivery(row.address) is None]
        if new:
            self.save_page(plan, new)
        return [found for row in rows if (found := self.find_delivery(row.address))]

    def open_deliveries(self, partition: str, after: str = "", upto: str | None = None) -> Iterable[DeliveryRow]:
        return _between(self.deliveries, partition, after, upto)

    def closed_deliveries(self, partition: str, after: str = "", upto: str | None = None) -> Iterable[DeliveryRow]:
        return _between(self.closed, partition, after, upto)

    def delivered(self) -> Iterable[tuple[PlanRow, Sequence[DeliveryRow]]]:
        rows = [row for row in (*self.closed.values(), *self.deliveries.values()) if row.state is DeliveryState.DELIVERED]
        for (partition, registry), plan in self.plans.items():
            yield plan, [row for row in rows if (row.partition, row.registry) == (partition, registry)]

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


def _between(rows: dict[Address, DeliveryRow], partition: str, after: str, upto: str | None) -> Iterable[DeliveryRow]:
    found = [row for row in rows.values() if row.partition == partition and row.row > after]
    return sorted((row for row in found if upto is None or row.row <= upto), key=lambda row: row.row)


@dataclass
class FakeOpenWork:
    rows: FakeRows
    clock: FakeClock
    addresses: set[Address] = field(default_factory=set)
    added: dict[Address, datetime] = field(default_factory=dict)

    def add(self, address: Address) -> None:
        self.addresses.add(address)
        self.added[address] = self.clock.now()

    def open_rows(self, since: datetime) -> Iterable[WorkRow]:
        for address in sorted(self.addresses, key=str):
            row = self.rows.shares.get(address)
            found = [row] if row else list(self.rows.open_deliveries(address.partition))
            still_open = [each for each in found if not is_done(each)]
            if not still_open and self.added[address] < since:
                self.addresses.discard(address)
            yield from still_open


class FakeRules:
    """Each revision that `rules` ever was is kept, so that `news` tells what changed."""

    def __init__(self, rules: Rules) -> None:
        self._history = {0: Rules(Provider(), {}, 0)}
        self.rules = rules

    @property
    def rules(self) -> Rules:
        return self._rules

    @rules.setter
    def rules(self, rules: Rules) -> None:
        self._rules = self._history[rules.revision] = rules

    def current(self) -> Rules:
        return self.rules

    def news(self, after: int, upto: int) -> News:
        change = difference(self._history[after], self._history[upto].provider, self._history[upto].tenants.values())
        return News(everything=False, provider=change.provider, tenants=frozenset(each.tenant for each in change.tenants))


@dataclass
class FakeOutcomes:
    """`shared.ports.Outcomes`: what was published, each id once; `wanted` as a test says."""

    wanted: bool = False
    published: dict[str, Outcome] = field(default_factory=dict)
    failing: list[Exception] = field(default_factory=list)

    def publish(self, outcomes: Sequence[Outcome]) -> None:
        if self.failing:
            raise self.failing.pop()
        self.published |= {outcome.id: outcome for outcome in outcomes}

    def of_type(self, name: str) -> list[Outcome]:
        return [outcome for outcome in self.published.values() if outcome.type == f"Fanout.{name}"]


class World:
    """`shared.ports.Fanout` in memory, and the host that runs the handlers until nothing is due."""

    def __init__(self, rules: Rules, duplicate: Callable[[], bool] = lambda: False) -> None:
        self.clock = FakeClock()
        self.queues = self._bus = FakeQueues(self.clock, duplicate)
        self.rows = FakeRows()
        self.open_work = FakeOpenWork(self.rows, self.clock)
        self.rules = FakeRules(rules)
        self.outcomes = FakeOutcomes()
        self.fairness = FakeFairness()
        self.reconciling = FakeReconciling()
        self.use(FakeAzure(self.clock))
        self.overdue_after = timedelta(minutes=5)
        self.looks = 0

    def use(self, azure: FakeAzure) -> None:
        self.azure = azure
        self.registries = azure.registries
        self.workspaces = azure.workspaces
        self.copies = azure.copies
        self.endpoints = azure

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
