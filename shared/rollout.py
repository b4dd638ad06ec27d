"""What an endpoint still lacks to serve a version: a pure look at what is there, and the one next thing to do.

What a tenant deployed is never touched, nor its share of the traffic.
"""

from collections.abc import Sequence
from dataclasses import replace

from shared.endpoint_moves import (
    Broken,
    Change,
    ClearAway,
    CreateDeployment,
    CreateEndpoint,
    DeleteDeployment,
    Goal,
    Move,
    Overtaken,
    Serving,
    SetTraffic,
    SmokeTest,
    Taken,
    Wait,
)
from shared.endpoints import MARK_TAG, READY, Deployment, Endpoint
from shared.removal import removal_of
from shared.rows import Rest


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


def first_move(deployments: Sequence[Deployment] | None, goal: Goal) -> Move | None:
    """The next move of a delivery that has begun nothing, by its endpoint's deployments alone; None where they do not tell.

    Where Fanout has some there, it may have another, and where none is newer than this one, none overtook it.
    """
    if deployments is None:
        return CreateEndpoint()
    ours = [each for each in deployments if each.is_ours]
    is_newest = ours and goal.rank is not None and all(each.rank <= goal.rank for each in ours)
    is_there = any(each.name == goal.deployment for each in deployments)
    return CreateDeployment() if is_newest and not is_there else None


def foreseen(endpoint: Endpoint, move: Move, goal: Goal) -> Rest | None:
    """What is left to do once Azure has ended `move` well; None where that takes another look.

    What could not be retired before is tried again after that: it may have had traffic.
    """
    match move:
        case SetTraffic(traffic):
            then = replace(endpoint, traffic=traffic)
        case DeleteDeployment(name):
            then = replace(endpoint, deployments=tuple(each for each in endpoint.deployments if each.name != name))
        case _:
            return None
    match next_move(then, replace(goal, test=False, last=None)):
        case Serving(share) if not any(each.is_changing for each in then.deployments):
            return Rest(share)
        case DeleteDeployment(name) as later:
            rest = foreseen(then, later, goal)
            return rest and replace(rest, retire=(name, *rest.retire))
    return None


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
        return ClearAway(removal_of(endpoint, own))
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
