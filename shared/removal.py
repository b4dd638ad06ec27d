"""The way back: a pure look at an endpoint, and the one next thing to do so that nothing is left of one deployment.

A tenant's deployments stay, and so does their share of the traffic; where nobody else is left, what Fanout gives back goes to them.
"""

from collections.abc import Mapping

from shared.endpoint_moves import DeleteDeployment, Gone, Removal, SetTraffic, Wait
from shared.endpoints import Deployment, Endpoint


def next_removal(endpoint: Endpoint | None, deployment: str) -> Removal:
    """What to do next so that nothing is left of our deployment, and whoever served before it serves."""
    if endpoint is None:
        return Gone()
    if endpoint.is_changing:
        return Wait()
    own = endpoint.find(deployment)
    if own is None or not own.is_ours:
        return Gone()
    return Wait() if own.is_changing else removal_of(endpoint, own)


def removal_of(endpoint: Endpoint, own: Deployment) -> SetTraffic | DeleteDeployment:
    """What comes first of removing a deployment that is there: its traffic, if it has any, then itself."""
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
