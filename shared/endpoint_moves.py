"""What an endpoint still lacks: a pure look at what is there, and the one next thing to do.

`next_move` leads to a version that serves, `next_removal` away from one that shall not. Neither touches what a tenant deployed, nor
its share of the traffic, save that what Fanout gives back goes to the tenant's where there is nobody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.endpoints import MARK_TAG, READY, Deployment, Endpoint


class Change(StrEnum):
    """What a delivery may have begun at Azure: its row's `step` starts with it."""

    CREATE_ENDPOINT = "create endpoint"
    CREATE_DEPLOYMENT = "create deployment"
    TRAFFIC = "traffic"
    RETIRE = "retire"
    LEAVE = "leave"  # what could not be retired
    CLEAR_AWAY = "clear away"  # what an earlier try left behind
    UNDO = "undo"
    TAKE_BACK = "take back"


def change_of(step: str) -> Change | None:
    return next((change for change in Change if step.startswith(change)), None)


@dataclass(frozen=True, slots=True)
class Goal:
    """What a delivery wants: that `deployment` serves all of our share of the traffic, reached in `steps` of per cent.

    `mark` is what an endpoint that Fanout made bears, `keep` how many of our earlier deployments stay, `test` whether the
    deployment has still to be tried. `last` is what this try began last: what had failed before it is no failure of its own.
    What serves and has a higher `rank` is not replaced, unless that is None.
    """

    deployment: str
    mark: str
    rank: str | None = None
    steps: tuple[int, ...] = (100,)
    keep: int = 1
    adopt: bool = False
    test: bool = False
    last: Change | None = None


@dataclass(frozen=True, slots=True)
class CreateEndpoint:
    pass


@dataclass(frozen=True, slots=True)
class CreateDeployment:
    pass


@dataclass(frozen=True, slots=True)
class SmokeTest:
    pass


@dataclass(frozen=True, slots=True)
class SetTraffic:
    traffic: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ClearAway:
    """A deployment of the wanted name that failed in an earlier try."""

    change: "SetTraffic | DeleteDeployment"


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
class Overtaken:
    """A newer version serves."""

    by: Deployment


@dataclass(frozen=True, slots=True)
class Broken:
    """Azure gave up on it."""

    what: str


@dataclass(frozen=True, slots=True)
class Serving:
    """All is as it shall be. `share` may be nothing: where the tenant keeps all traffic for itself."""

    share: int


@dataclass(frozen=True, slots=True)
class Gone:
    """Nothing of it is left."""


type Move = (
    CreateEndpoint
    | CreateDeployment
    | SmokeTest
    | SetTraffic
    | ClearAway
    | DeleteDeployment
    | Wait
    | Taken
    | Overtaken
    | Broken
    | Serving
)
type Removal = SetTraffic | DeleteDeployment | Wait | Gone


def next_move(endpoint: Endpoint | None, goal: Goal) -> Move:
    """What to do next so that the goal's deployment serves."""
    if endpoint is None:
        return CreateEndpoint()
    is_ours = endpoint.tags.get(MARK_TAG) == goal.mark
    if not is_ours and not goal.adopt:
        return Taken(f"endpoint {endpoint.name}")
    if endpoint.is_changing:
        return Wait()
    if endpoint.state != READY and goal.last in (Change.CREATE_ENDPOINT, Change.TRAFFIC):
        return Broken(f"endpoint {endpoint.name}")
    if endpoint.state != READY and is_ours and not endpoint.deployments:
        return CreateEndpoint()
    return (
        _overtaken(endpoint, goal)
        or _bring_up(endpoint, goal)
        or _shift(endpoint, goal)
        or _retire(endpoint, goal)
        or Serving(endpoint.share_of(goal.deployment))
    )


def _overtaken(endpoint: Endpoint, goal: Goal) -> Overtaken | None:
    serving = [each for each in endpoint.ours().values() if endpoint.share_of(each.name) and each.name != goal.deployment]
    newest = max(serving, key=lambda each: each.rank, default=None)
    return Overtaken(newest) if newest and goal.rank is not None and newest.rank > goal.rank else None


def _bring_up(endpoint: Endpoint, goal: Goal) -> Move | None:
    """What the deployment lacks to be given traffic."""
    own = endpoint.find(goal.deployment)
    if own is None:
        return CreateDeployment()
    if not own.is_ours:
        return Taken(f"deployment {own.name}")
    if own.is_changing:
        return Wait()
    if not own.is_ready and goal.last in (None, Change.CLEAR_AWAY):
        return ClearAway(_remove(endpoint, own))
    if not own.is_ready:
        return Broken(f"deployment {own.name}")
    return SmokeTest() if goal.test and not endpoint.share_of(own.name) else None


def _shift(endpoint: Endpoint, goal: Goal) -> SetTraffic | None:
    """The next step of our traffic towards the deployment; what the tenant gave to its own deployments stays as it is."""
    ours, room = endpoint.ours(), endpoint.room
    now = endpoint.share_of(goal.deployment)
    before = {name: percent for name, percent in endpoint.traffic.items() if percent and name in ours and name != goal.deployment}
    reached = [room * step // 100 for step in (*goal.steps, 100)] if before else [room]
    share = next((each for each in reached if each > now), None)
    if share is None:
        return None
    rest = {max(before, key=lambda name: before[name]): room - share} if before and share < room else {}
    return SetTraffic({**endpoint.theirs(), **rest, goal.deployment: share})


def _retire(endpoint: Endpoint, goal: Goal) -> DeleteDeployment | None:
    """The one of ours without traffic that is worth least, where there are more of them than shall be kept."""
    if goal.last is Change.LEAVE:
        return None
    others = [each for each in endpoint.ours().values() if each.name != goal.deployment and not endpoint.share_of(each.name)]
    idle = sorted((each for each in others if not each.is_changing), key=lambda each: (each.is_ready, each.rank))
    return DeleteDeployment(idle[0].name) if len(idle) > goal.keep else None


def next_removal(endpoint: Endpoint | None, deployment: str) -> Removal:
    """What to do next so that nothing is left of our deployment, and whoever served before it serves."""
    if endpoint is None:
        return Gone()
    if endpoint.is_changing:
        return Wait()
    own = endpoint.find(deployment)
    if own is None or not own.is_ours:
        return Gone()
    return Wait() if own.is_changing else _remove(endpoint, own)


def _remove(endpoint: Endpoint, own: Deployment) -> SetTraffic | DeleteDeployment:
    if endpoint.share_of(own.name):
        return SetTraffic(_without(endpoint, own))
    return DeleteDeployment(own.name)


def _without(endpoint: Endpoint, own: Deployment) -> dict[str, int]:
    """The traffic where another of ours has that of `own`: one that serves beside it, or the last one that served before it.

    Where there is none the tenant's own get it, each in proportion to what it has; where there is none of these, nobody.
    """
    rest = {name: percent for name, percent in endpoint.traffic.items() if percent and name != own.name}
    share = endpoint.share_of(own.name)
    if heir := _heir_of(endpoint, own):
        return rest | {heir.name: rest.get(heir.name, 0) + share}
    return _scaled(rest)


def _heir_of(endpoint: Endpoint, own: Deployment) -> Deployment | None:
    others = [each for each in endpoint.ours().values() if each.name != own.name]
    serving = [each for each in others if endpoint.share_of(each.name)]
    earlier = [each for each in others if each.is_ready and each.rank < own.rank]
    return max(serving or earlier, key=lambda each: each.rank, default=None)


def _scaled(traffic: Mapping[str, int]) -> dict[str, int]:
    """In the same proportions, 100 in all; what rounding leaves over goes to the largest."""
    total = sum(traffic.values())
    if not total:
        return {}
    scaled = {name: percent * 100 // total for name, percent in traffic.items()}
    largest = max(scaled, key=lambda name: scaled[name])
    return scaled | {largest: scaled[largest] + 100 - sum(scaled.values())}
