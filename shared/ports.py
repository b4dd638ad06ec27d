"""What the handlers need of the world, as Protocols, and the bundle in which they get it. Azure ML has a module of its own."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from shared.assets import Asset, Kind, RegistryAsset, WorkspaceId
from shared.azure_ml_ports import Copies, Endpoints, Registries, Workspaces
from shared.messages import Outgoing, Queue, Received
from shared.outcomes import Outcome
from shared.reconciling import Cursor
from shared.rows import Address, DeliveryRow, PlanRow, ShareRow, TargetRow, WorkRow
from shared.rules import Rules
from shared.rules_change import News
from shared.watching import Mark, Watch


class Clock(Protocol):
    def now(self) -> datetime:
        """Timezone-aware, in UTC."""


class Queues(Protocol):
    """Raises Transient when the queue can not be reached."""

    def send(self, queue: Queue, messages: Sequence[Outgoing]) -> None: ...


class Rows(Protocol):
    """The ledger. Writes raise Lost when another invocation's write stands, Transient when the tables can not be reached.

    A write whose answer was lost, and that stands all the same, counts as done.
    """

    def get(self, address: Address) -> WorkRow | None:
        """The row, while it is open: a closed delivery is None, a share stays where it is."""

    def shares_in(self, partition: str) -> Iterable[ShareRow]:
        """Those of all versions that one registry has of a name."""

    def insert_share(self, row: ShareRow) -> ShareRow:
        """The row that owns the address now: this one, or the one that stood there before."""

    def replace[R: ShareRow | DeliveryRow](self, row: R) -> R:
        """Write an open row that stands, under its ETag; the row with its new one."""

    def close(self, row: DeliveryRow) -> None:
        """Move a delivery that ended from the open rows to the closed ones, in one transaction."""

    def find_delivery(self, address: Address) -> DeliveryRow | None:
        """The delivery, open or closed."""

    def reopen(self, row: DeliveryRow) -> DeliveryRow:
        """Move a closed delivery back among the open ones, in one transaction, to be as `row`, which has the closed one's ETag."""

    def plan(self, asset: Asset, registry: str) -> PlanRow | None: ...

    def planned_asset(self, asset: Asset, registry: str) -> RegistryAsset:
        """The registry's asset as its plan keeps it. Permanent `plan_missing` where there is none."""

    def planned_environment(self, asset: Asset, registry: str) -> str | None:
        """The registry's id of the environment that was shared along with a model."""

    def save_plan(self, plan: PlanRow) -> PlanRow:
        """The plan alone. Transient where another was first."""

    def save_page(self, plan: PlanRow, deliveries: Sequence[DeliveryRow]) -> PlanRow:
        """The plan's cursor and up to 99 new deliveries, in one transaction. A delivery that stands already is left alone.

        Transient where another page was written first.
        """

    def insert_deliveries(self, plan: PlanRow, rows: Sequence[DeliveryRow]) -> list[DeliveryRow]:
        """Those that stand there now, these or those before: all or none are added. Transient where the plan was changed."""

    def open_deliveries(self, partition: str, after: str = "", upto: str | None = None) -> Iterable[DeliveryRow]:
        """An asset's open deliveries with after < target <= upto, in order of their targets; upto None is no bound."""

    def closed_deliveries(self, partition: str, after: str = "", upto: str | None = None) -> Iterable[DeliveryRow]:
        """Likewise those that are closed."""

    def delivered(self) -> Iterable[tuple[PlanRow, Sequence[DeliveryRow]]]:
        """All that counts as delivered, by asset and registry, with its plan. Read from end to end, a thousand rows a request."""

    def index(self, delivery: DeliveryRow) -> None:
        """Make the delivery findable by its tenant and time."""

    def target(self, tenant: str, workspace: WorkspaceId, endpoint: str) -> TargetRow | None:
        """What one endpoint shall serve; `endpoint` is the route of the action that names it."""

    def save_target(self, row: TargetRow) -> TargetRow:
        """Transient where another delivery was first: then look again."""


class OpenWork(Protocol):
    """What has open work, so that the timer's cost follows it, and not history."""

    def add(self, address: Address) -> None:
        """A share's address, or `deliveries_of` an asset. Called before the rows are written: a crash between loses nothing."""

    def open_rows(self, since: datetime) -> Iterable[WorkRow]:
        """All of them. Forgets, on the way, what has none left, but for what was added since that time: its rows may yet come."""


class KeptMessages(Protocol):
    """Messages as they lie in a queue, for operators. Raises Transient, or Permanent `queue_forbidden`."""

    def peek(self, queue: Queue, after: int = 0) -> Iterable[Received]:
        """Those with a higher sequence number, in its order and in whatever state; nobody else is kept from them."""

    def take_out(self, queue: Queue, sequence_number: int, once: Callable[[], None]) -> None:
        """Remove one message, but not before `once` is done: until then it is locked, and afterwards free again.

        Lost where it is gone, or somebody else has it.
        """


class RulesSource(Protocol):
    def current(self) -> Rules:
        """All rules, at most one point read behind."""

    def news(self, after: int, upto: int) -> News:
        """What the revisions after the first and up to the second changed."""


class Outcomes(Protocol):
    """Whoever listens to what became of shares and deliveries. Raises Transient or Permanent."""

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""

    def publish(self, outcomes: Sequence[Outcome]) -> None: ...


class Reconciling(Protocol):
    """What the reconciler keeps between its runs. Writes raise Lost where another's stands, all calls Transient."""

    def cursor(self) -> Cursor:
        """The one that stands; one without an ETag before the first."""

    def save_cursor(self, cursor: Cursor) -> Cursor: ...

    def seen(self, workspace: WorkspaceId, kind: Kind) -> tuple[Watch, Mapping[str, Mark]]:
        """What was seen there, by name, and by which publications: in one query a thousand names."""

    def save_watch(self, watch: Watch) -> Watch: ...

    def watched(self, tenants: Collection[str] | None) -> Iterable[tuple[str, WorkspaceId, Kind]]:
        """Where the tenants, or all with None, had publications when that was last looked at."""

    def save_mark(self, mark: Mark) -> Mark: ...

    def recalled(self, workspace: WorkspaceId, kind: Kind, name: str) -> Collection[str]:
        """The versions that were shared from there and taken back, under whatever names and from whichever registries."""

    def note_recall(self, workspace: WorkspaceId, asset: Asset) -> None:
        """Of the asset as the workspace names it."""


class Fairness(Protocol):
    """Keeps one sick or busy workspace from holding up the others, in this process and, by rows, in all of them."""

    def admitted(self, workspace: WorkspaceId) -> AbstractContextManager[None]:
        """One of the few places that a workspace has. Full when none is free, Waiting while it has to be left alone.

        An Unavailable or a Throttled that passes is noted, and so is success.
        """


class Fanout(Protocol):
    """All that a handler may use. Each is made on first use: the event's handler touches nothing but the queues."""

    @property
    def clock(self) -> Clock: ...
    @property
    def queues(self) -> Queues: ...
    @property
    def rows(self) -> Rows: ...
    @property
    def open_work(self) -> OpenWork: ...
    @property
    def rules(self) -> RulesSource: ...
    @property
    def registries(self) -> Registries: ...
    @property
    def workspaces(self) -> Workspaces: ...
    @property
    def endpoints(self) -> Endpoints: ...
    @property
    def copies(self) -> Copies: ...
    @property
    def fairness(self) -> Fairness: ...
    @property
    def outcomes(self) -> Outcomes: ...
    @property
    def reconciling(self) -> Reconciling: ...
    @property
    def overdue_after(self) -> timedelta:
        """How late a row is before the timer sends a wake-up for it."""
