"""What an online endpoint still lacks to serve a version: a pure look at what is there, and the one next thing to do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.assets import Asset
from shared.keys import key

DELIVERY_TAG = "fanout_delivery"  # on every endpoint and deployment that Fanout makes
RANK_TAG = "fanout_rank"
KEPT_WITHOUT_TRAFFIC = 1  # earlier deployments of ours, for a quick way back
MAX_DEPLOYMENT_NAME = 32  # characters, Azure ML

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
        return DELIVERY_TAG in self.tags and self.name.endswith(f"-{_mark(self.tags[DELIVERY_TAG])}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as its workspace shows it. `traffic` in percent by deployment; states are Azure's provisioning states.

    `entity` is the adapter's own, for changing what was looked at without reading it again.
    """

    name: str
    state: str
    tags: Mapping[str, str] = field(default_factory=dict)
    traffic: Mapping[str, int] = field(default_factory=dict)
    deployments: tuple[Deployment, ...] = ()
    entity: object = field(default=None, compare=False, repr=False)

    @property
    def is_ours(self) -> bool:
        return DELIVERY_TAG in self.tags


@dataclass(frozen=True, slots=True)
class CreateEndpoint:
    pass


@dataclass(frozen=True, slots=True)
class CreateDeployment:
    pass


@dataclass(frozen=True, slots=True)
class SetTraffic:
    endpoint: Endpoint
    traffic: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DeleteDeployment:
    name: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Azure is at work on it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The name belongs to someone else."""

    what: str


@dataclass(frozen=True, slots=True)
class Broken:
    """Azure gave up on it."""

    what: str


@dataclass(frozen=True, slots=True)
class Serving:
    """All is as it shall be."""


type Move = CreateEndpoint | CreateDeployment | SetTraffic | DeleteDeployment | Wait | Taken | Broken | Serving


def _mark(delivery: str) -> str:
    return key(delivery)[:6]


def deployment_name(asset: Asset, delivery: str) -> str:
    """Named from the version, for people, and from the delivery that makes it, to be the only one of its name."""
    version = re.sub(r"[^a-zA-Z0-9]+", "-", asset.version).strip("-")
    return f"v{version}"[: MAX_DEPLOYMENT_NAME - 7].strip("-") + f"-{_mark(delivery)}"


def next_move(endpoint: Endpoint | None, deployment: str, steps: tuple[int, ...]) -> Move:
    """What to do next so that `deployment` serves all of our share of the traffic, reached in `steps` of percent."""
    if endpoint is None:
        return CreateEndpoint()
    if not endpoint.is_ours:
        return Taken(f"endpoint {endpoint.name}")
    if endpoint.state not in ENDED:
        return Wait()
    if endpoint.state != READY:
        return Broken(f"endpoint {endpoint.name}")
    ours = next((each for each in endpoint.deployments if each.name == deployment), None)
    if ours is None:
        return CreateDeployment()
    if not ours.is_ours:
        return Taken(f"deployment {deployment}")
    if ours.state not in ENDED:
        return Wait()
    if ours.state != READY:
        return Broken(f"deployment {deployment}")
    return _shift(endpoint, deployment, steps) or _retire(endpoint, deployment) or Serving()


def _shift(endpoint: Endpoint, deployment: str, steps: tuple[int, ...]) -> SetTraffic | None:
    """The next step of our traffic towards `deployment`; what the tenant gave to its own deployments stays as it is."""
    serving = {name: percent for name, percent in endpoint.traffic.items() if percent > 0}
    ours = {each.name for each in endpoint.deployments if each.is_ours}
    theirs = {name: percent for name, percent in serving.items() if name not in ours}
    room = 100 - sum(theirs.values())
    before = {name: percent for name, percent in serving.items() if name in ours and name != deployment}
    reached = [room * step // 100 for step in (*steps, 100)] if before else [room]
    now = serving.get(deployment, 0)
    share = next((each for each in reached if each > now), None)
    if share is None:
        return None
    rest = {max(before, key=lambda name: before[name]): room - share} if before and share < room else {}
    return SetTraffic(endpoint, {**theirs, **rest, deployment: share})


def _retire(endpoint: Endpoint, deployment: str) -> DeleteDeployment | None:
    idle = [
        each
        for each in endpoint.deployments
        if each.is_ours and each.name != deployment and not endpoint.traffic.get(each.name) and each.state in ENDED
    ]
    idle.sort(key=lambda each: (each.state == READY, each.tags.get(RANK_TAG, "")), reverse=True)
    return DeleteDeployment(idle[-1].name) if len(idle) > KEPT_WITHOUT_TRAFFIC else None
