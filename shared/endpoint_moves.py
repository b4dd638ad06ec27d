"""What can be done next at an endpoint, as values; and what a delivery wants there. See shared.rollout and shared.removal."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.endpoints import Deployment


class Change(StrEnum):
    """What a delivery may have begun at Azure: its row's `step` starts with it."""

    CREATE_ENDPOINT = "create endpoint"
    CREATE_FIRST = "create first deployment"  # right after its endpoint
    CREATE_DEPLOYMENT = "create deployment"
    TRAFFIC = "traffic"
    RETIRE = "retire"
    LEAVE = "leave"  # what could not be retired
    CLEAR_AWAY = "clear away"  # what an earlier try left behind
    UNDO = "undo"
    TAKE_BACK = "take back"


def change_of(step: str) -> Change | None:
    """The change that a row's `step` names; None for "", and for a step that is none."""
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
    """There is none, or the one that Fanout began to make failed, and holds nothing."""


@dataclass(frozen=True, slots=True)
class CreateDeployment:
    """`first`: of an endpoint that was made just now."""

    first: bool = False


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """The deployment is ready, has no traffic yet, and has to be tried out first."""


@dataclass(frozen=True, slots=True)
class SetTraffic:
    """`traffic` is all of the endpoint's, in per cent by deployment."""

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
