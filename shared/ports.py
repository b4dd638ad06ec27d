"""What the handlers need of the world, as Protocols, and the bundle in which they get it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shared.actions import Endpoint as EndpointAction
from shared.assets import Asset, Kind, RegistryAsset, WorkspaceAsset, WorkspaceId
from shared.copies import Folder, Progress
from shared.endpoints import Deployment, Endpoint, NewDeployment
from shared.listings import Listing
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


class OperationState(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    ENDED = "ended"  # how, only what it changed can tell


class Registries(Protocol):
    """Azure ML registries. Each call raises Transient or Permanent; the `begin_` ones answer an operation's address."""

    def asset(self, registry: str, asset: Asset) -> RegistryAsset | None: ...

    def latest(self, registry: str, kind: Kind, name: str) -> Asset | None:
        """The version that came last, archived ones left out."""

    def names(self, registry: str, kind: Kind, page: str = "") -> Listing:
        """A page of the names of a kind; `page` is what the page before it leads to."""

    def newest(self, registry: str, kind: Kind, name: str, most: int) -> Sequence[RegistryAsset]:
        """The versions of a name that came last, newest first, archived ones left out."""

    def regions(self, registry: str) -> tuple[str, ...]:
        """All regions that it replicates to."""

    def source_id(self, workspace: WorkspaceId, asset: Asset) -> str:
        """The asset's id as a registry records it: azureml://locations/…/workspaces/<guid>/models/…/versions/…"""

    def begin_import(self, registry: str, asset: Asset, source: WorkspaceId, source_asset: Asset) -> str | None:
        """Begin the copy of a model, data or an environment; None where the registry says one is under way or done already."""

    def begin_component(self, registry: str, component: RegistryAsset) -> str | None:
        """Make a component, its references rewritten already; None as for an import."""

    def has_code(self, registry: str, name: str) -> bool:
        """Whether version 1 of the code asset is there."""

    def begin_code(self, registry: str, name: str, place: Folder) -> str | None:
        """Make version 1 of a code asset of the files that lie in `place`; None as for an import."""

    def begin_update(
        self, seen: RegistryAsset, tags: Mapping[str, str], *, without: Collection[str] = (), archive: bool = False
    ) -> str | None:
        """Add tags to a version just looked at, take others away, and archive it: all that Azure lets anyone change.

        None where done at once.
        """

    def operation(self, address: str) -> OperationState:
        """Permanent, with Azure's own text, when the operation failed."""


class Workspaces(Protocol):
    """The assets of Azure ML workspaces. Each call raises Transient or Permanent."""

    def asset(self, workspace: WorkspaceId, asset: Asset) -> WorkspaceAsset | None: ...

    def latest(self, workspace: WorkspaceId, kind: Kind, name: str) -> Asset | None:
        """The version that was registered last."""

    def names(self, workspace: WorkspaceId, kind: Kind, page: str = "") -> Listing:
        """A page of the names of a kind; `page` is what the page before it leads to."""

    def newest(self, workspace: WorkspaceId, kind: Kind, name: str, most: int) -> Sequence[WorkspaceAsset]:
        """The versions of a name that were registered last, newest first, archived ones left out."""

    def register(self, workspace: WorkspaceId, asset: RegistryAsset, properties: Mapping[str, str]) -> None:
        """Register it under its own name and version, its bytes where `asset.uri` says."""

    def archive(self, workspace: WorkspaceId, asset: Asset) -> None: ...


class Endpoints(Protocol):
    """Online and batch endpoints of workspaces. Each call raises Transient or Permanent.

    The `begin_` ones answer an operation's address, None where Azure was done at once. The traffic of a batch endpoint is 100 for
    its default deployment, or empty.
    """

    def endpoint(self, workspace: WorkspaceId, action: EndpointAction, *, bare: bool = False) -> Endpoint | None:
        """The endpoint that the action names. Its deployments are left out of a bare look, and while it is being changed itself."""

    def deployments(self, workspace: WorkspaceId, action: EndpointAction) -> tuple[Deployment, ...] | None:
        """Those of the endpoint that the action names, without a look at it itself; None where there is no such endpoint."""

    def begin_endpoint(self, workspace: WorkspaceId, action: EndpointAction, tags: Mapping[str, str]) -> str | None: ...

    def begin_deployment(self, workspace: WorkspaceId, action: EndpointAction, new: NewDeployment) -> str | None: ...

    def begin_traffic(
        self, workspace: WorkspaceId, action: EndpointAction, endpoint: Endpoint, traffic: Mapping[str, int]
    ) -> str | None:
        """Change the endpoint as it was looked at, and nothing but its traffic."""

    def begin_delete_deployment(self, workspace: WorkspaceId, action: EndpointAction, deployment: str) -> str | None: ...

    def smoke_test(self, workspace: WorkspaceId, endpoint: Endpoint, deployment: str, sample: str) -> None:
        """Send JSON to one deployment of an online endpoint, whatever its traffic.

        Permanent `smoke_test_failed`, with its answer, where the deployment refuses it.
        """

    def operation(self, address: str) -> OperationState:
        """Permanent, with Azure's own text, when the operation failed."""


class Copies(Protocol):
    """Copies that the storage services make between themselves: no byte passes through here. Raises Transient or Permanent."""

    def of_registry_asset(self, asset: RegistryAsset) -> Folder:
        """Where a model's or a data asset's bytes lie, with the right to read them."""

    def in_workspace(self, workspace: WorkspaceId, name: str) -> tuple[Folder, str]:
        """A folder of that name in the workspace's own storage, with the right to write there, and its uri for an asset."""

    def of_code(self, workspace: WorkspaceId, code: str) -> Folder:
        """Where the files of a workspace's code asset, by its ARM id, lie."""

    def for_code(self, registry: str, name: str) -> Folder:
        """Where the files of a registry's new code asset go."""

    def advance(self, source: Folder, target: Folder) -> Progress:
        """Begin what is absent, compare what arrived. Call again until done; Permanent `copy_differs` where it is another's."""


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
