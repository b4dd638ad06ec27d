"""What the handlers need of the world, as Protocols, and the bundle in which they get it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shared.assets import Asset, RegistryAsset, WorkspaceAsset, WorkspaceId
from shared.messages import Outgoing, Queue
from shared.online_endpoint import Endpoint
from shared.rows import Address, DeliveryRow, PlanRow, ShareRow, TargetRow, WorkRow
from shared.rules import OnlineEndpoint, Rules


class Clock(Protocol):
    def now(self) -> datetime: ...


class Queues(Protocol):
    """Raises Transient when the queue can not be reached."""

    def send(self, queue: Queue, messages: Sequence[Outgoing]) -> None: ...


class Rows(Protocol):
    """The ledger. Writes raise Lost when another invocation's write stands, Transient when the tables can not be reached.

    A write whose answer was lost, and that stands all the same, counts as done.
    """

    def get(self, address: Address) -> WorkRow | None:
        """The row, while it is open: a closed delivery is None, a share stays where it is."""

    def insert_share(self, row: ShareRow) -> ShareRow:
        """The row that owns the address now: this one, or the one that stood there before."""

    def replace[R: ShareRow | DeliveryRow](self, row: R) -> R: ...

    def close(self, row: DeliveryRow) -> None:
        """Move a delivery that ended from the open rows to the closed ones, in one transaction."""

    def find_delivery(self, address: Address) -> DeliveryRow | None:
        """The delivery, open or closed."""

    def plan(self, asset: Asset, registry: str) -> PlanRow | None: ...

    def planned_asset(self, asset: Asset, registry: str) -> RegistryAsset:
        """The registry's asset as its plan keeps it. Permanent `plan_missing` where there is none."""

    def save_page(self, plan: PlanRow, deliveries: Sequence[DeliveryRow]) -> PlanRow:
        """The plan's cursor and up to 99 new deliveries, in one transaction. A delivery that stands already is left alone.

        Transient where another page was written first.
        """

    def open_deliveries(self, partition: str, after: str = "", upto: str | None = None) -> Iterable[DeliveryRow]:
        """An asset's open deliveries with after < target <= upto, in order of their targets; upto None is no bound."""

    def index(self, delivery: DeliveryRow) -> None:
        """Make the delivery findable by its tenant and time."""

    def target(self, tenant: str, workspace: WorkspaceId, endpoint: str) -> TargetRow | None: ...

    def save_target(self, row: TargetRow) -> TargetRow:
        """Transient where another delivery was first: then look again."""


class OpenWork(Protocol):
    """What has open work, so that the timer's cost follows it, and not history."""

    def add(self, address: Address) -> None: ...

    def remove(self, address: Address) -> None: ...

    def overdue(self, before: datetime) -> Iterable[WorkRow]:
        """The open rows whose `next_at` lies before that time. Forgets, on the way, what has no open rows left."""


class RulesSource(Protocol):
    def current(self) -> Rules:
        """All rules, at most one point read behind."""


class OperationState(StrEnum):
    RUNNING = "running"
    ENDED = "ended"


class Registries(Protocol):
    """Azure ML registries. Each call raises Transient or Permanent."""

    def asset(self, registry: str, asset: Asset) -> RegistryAsset | None: ...

    def source_id(self, workspace: WorkspaceId, asset: Asset) -> str:
        """The asset's id as a registry records it: azureml://locations/…/workspaces/<guid>/models/…/versions/…"""

    def begin_import(self, registry: str, asset: Asset, source: WorkspaceId) -> str | None:
        """Begin the copy; the address of its operation, None where the registry says one is under way or done already."""

    def operation(self, address: str) -> OperationState:
        """Permanent, with Azure's own text, when the operation failed."""


class Workspaces(Protocol):
    """Azure ML workspaces. Each call raises Transient or Permanent; the `begin_` ones answer an operation's address."""

    def model(self, workspace: WorkspaceId, asset: Asset) -> WorkspaceAsset | None: ...

    def register_model(self, workspace: WorkspaceId, model: RegistryAsset, properties: dict[str, str]) -> None: ...

    def endpoint(self, workspace: WorkspaceId, name: str) -> Endpoint | None: ...

    def begin_endpoint(self, workspace: WorkspaceId, name: str, tags: dict[str, str]) -> str | None: ...

    def begin_deployment(
        self,
        workspace: WorkspaceId,
        action: OnlineEndpoint,
        deployment: str,
        model: RegistryAsset,
        tags: dict[str, str],
    ) -> str | None: ...

    def begin_traffic(self, workspace: WorkspaceId, endpoint: Endpoint, traffic: dict[str, int]) -> str | None: ...

    def begin_delete_deployment(self, workspace: WorkspaceId, endpoint: str, deployment: str) -> str | None: ...

    def operation(self, address: str) -> OperationState:
        """Permanent, with Azure's own text, when the operation failed."""


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
    def overdue_after(self) -> timedelta:
        """How late a row is before the timer sends a wake-up for it."""
