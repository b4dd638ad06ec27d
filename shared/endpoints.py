"""Online and batch endpoints as Fanout sees them, and how it knows what there is its own.

Both are one thing here: a name, deployments, and who of them answers. A batch endpoint's default deployment has all its traffic.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.actions import Endpoint as Action
from shared.assets import Asset, RegistryAsset, WorkspaceId
from shared.keys import key
from shared.provenance import DELIVERY, delivery_in
from shared.rows import Address, DeliveryRow

TENANT_TAG = "fanout_tenant"  # those before the rank are for whoever sorts the costs
SUBSCRIPTION_TAG = "fanout_subscription"
ASSET_TAG = "fanout_asset"
RANK_TAG = "fanout_rank"
MARK_TAG = "fanout_mark"
LONGEST_TAG = 256  # characters of a value, Azure Resource Manager
LONGEST_NAME = 32  # of a deployment, Azure ML
_MARK_LENGTH = 6

SMOKE_TEST_FAILED = "smoke_test_failed"
READY = "succeeded"
ENDED = {READY, "failed", "canceled"}


@dataclass(frozen=True, slots=True)
class Deployment:
    name: str
    state: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        """The tag alone is no proof, since it can be copied to another deployment: its name must follow from it."""
        return DELIVERY in self.tags and self.name.endswith(f"-{_mark(self.tags[DELIVERY])}")

    @property
    def is_ready(self) -> bool:
        return self.state == READY

    @property
    def is_changing(self) -> bool:
        return self.state not in ENDED

    @property
    def rank(self) -> str:
        return self.tags.get(RANK_TAG, "")

    @property
    def version(self) -> str:
        return self.tags.get(ASSET_TAG, self.name).rpartition(":")[2]

    @property
    def delivery(self) -> Address | None:
        """That which made it, where Fanout did."""
        return delivery_in(self.tags) if self.is_ours else None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as its workspace shows it. `traffic` in per cent by deployment, none at 0; states are Azure's, in lower case.

    `document` is Azure's own, for changing what was looked at without reading it again.
    """

    name: str
    state: str
    tags: Mapping[str, str] = field(default_factory=dict)
    traffic: Mapping[str, int] = field(default_factory=dict)
    deployments: tuple[Deployment, ...] = ()
    document: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_changing(self) -> bool:
        return self.state not in ENDED

    def find(self, deployment: str) -> Deployment | None:
        return next((each for each in self.deployments if each.name == deployment), None)

    def ours(self) -> dict[str, Deployment]:
        return {each.name: each for each in self.deployments if each.is_ours}

    def theirs(self) -> dict[str, int]:
        """The traffic of what the tenant deployed itself."""
        ours = self.ours()
        return {name: percent for name, percent in self.traffic.items() if percent and name not in ours}

    @property
    def room(self) -> int:
        """The traffic that the tenant left to Fanout, in per cent."""
        return 100 - sum(self.theirs().values())

    def share_of(self, deployment: str) -> int:
        return self.traffic.get(deployment, 0)


@dataclass(frozen=True, slots=True)
class NewDeployment:
    """What is to be deployed. `environment` is an id; None where Azure makes one for an MLflow model."""

    name: str
    model: RegistryAsset
    environment: str | None
    tags: Mapping[str, str]


def endpoint_mark(workspace: WorkspaceId, action: Action) -> str:
    """What the tag of an endpoint that Fanout made says: copied onto another endpoint, it does not fit there."""
    return key(workspace.canonical, action.route)


def deployment_name(asset: Asset, delivery: str) -> str:
    """Named from the version, for people, and from the delivery that makes it, to be the only one of its name."""
    version = re.sub(r"[^a-zA-Z0-9]+", "-", asset.version).strip("-")
    return f"v{version}"[: LONGEST_NAME - _MARK_LENGTH - 1].strip("-") + f"-{_mark(delivery)}"


def deployment_tags(row: DeliveryRow) -> dict[str, str]:
    """Whose costs these are, and what knows the deployment again. A pull has no subscription."""
    version = row.asset.version
    tags = {
        TENANT_TAG: row.tenant,
        SUBSCRIPTION_TAG: row.subscription,
        ASSET_TAG: f"{row.asset.name[: LONGEST_TAG - 1 - len(version)]}:{version}",
        DELIVERY: str(row.address),
        RANK_TAG: row.rank,
    }
    return {name: tag_value(value) for name, value in tags.items() if value}


def tag_value(value: str) -> str:
    """As much of it as Azure keeps."""
    return value[:LONGEST_TAG]


def endpoint_tags(row: DeliveryRow, action: Action) -> dict[str, str]:
    return deployment_tags(row) | {MARK_TAG: endpoint_mark(row.workspace, action)}


def _mark(delivery: str) -> str:
    return key(delivery)[:_MARK_LENGTH]
