"""Whether each endpoint that an action names can be had: its name is free, or it is there and ours to deploy to.

Azure has no call that tells whether a name is free: `Microsoft.MachineLearningServices` has none in azure-rest-api-specs. So what
is looked at is what can be seen: all endpoints of the region in the Azure subscription, of both kinds, since they share names, and
what the rules want in the others.
"""

from collections.abc import Iterator, Sequence

from shared.actions import BatchEndpoint, Endpoint, OnlineEndpoint
from shared.doctor.findings import Finding
from shared.doctor.mending import az, change_rules, place_of
from shared.doctor.needs import EndpointNeed
from shared.doctor.seen import EndpointKind, PlacedEndpoint, Region, same
from shared.endpoints import MARK_TAG, endpoint_mark


def kind_of(action: Endpoint) -> EndpointKind:
    return EndpointKind.ONLINE if isinstance(action, OnlineEndpoint) else EndpointKind.BATCH


def find(need: EndpointNeed, endpoints: Sequence[PlacedEndpoint]) -> PlacedEndpoint | None:
    """The endpoint that the action names, where it is there."""
    return next((each for each in endpoints if _is_it(each, need)), None)


def check_name(need: EndpointNeed, tenant: str, region: Region, wanted: Sequence[EndpointNeed]) -> Iterator[Finding]:
    """`wanted` is what else the rules want in a region of that name, in whatever Azure subscription."""
    name, scope = need.action.name, f"{need.workspace}/{kind_of(need.action)}Endpoints/{need.action.name}"
    rename = change_rules(f"tenants/{tenant}.yaml", f"give the endpoint of subscription {need.subscription} another name")
    there = find(need, region.endpoints)
    if there and not need.action.adopt and there.endpoint.tags.get(MARK_TAG) != endpoint_mark(need.workspace, need.action):
        adopt = change_rules(f"tenants/{tenant}.yaml", f"write `adopt: true` for endpoint {name}, or give it another name")
        what = f"endpoint {name} is in workspace {need.workspace.name}, and the tenant made it itself"
        yield Finding("endpoint_foreign", scope, what, "Fanout deploys only to endpoints of its own, unless told to adopt", adopt)
    holder = next((each for each in region.endpoints if same(each.endpoint.name, name) and not _is_it(each, need)), None)
    if there is None and holder:
        what = f"the name {name} is taken in {region.name}, by the {holder.kind} endpoint of workspace {holder.workspace.name}"
        yield Finding("endpoint_name_taken", scope, what, "an endpoint's name is unique in its region, over both kinds", rename)
    rival = next((each for each in wanted if same(each.action.name, name) and not _are_one(each, need)), None)
    if rival and not holder:
        what = f"the rules want an endpoint {name} in {region.name} twice: here, and in workspace {rival.workspace.name}"
        yield Finding("endpoint_name_twice", scope, what, "an endpoint's name is unique in its region, over both kinds", rename)


def check_compute(need: EndpointNeed, action: BatchEndpoint, *, is_there: bool) -> Iterator[Finding]:
    if not is_there:
        place = {**place_of(str(need.workspace)), "workspace_name": need.workspace.name}
        yield Finding(
            code="compute_missing",
            scope=f"{need.workspace}/computes/{action.compute}",
            what=f"workspace {need.workspace.name} has no compute {action.compute} for batch endpoint {action.name}",
            why="Azure refuses the deployment",
            command=az(
                "ml compute create", name=action.compute, type="AmlCompute", max_instances=str(action.instance_count), **place
            ),
        )


def _is_it(placed: PlacedEndpoint, need: EndpointNeed) -> bool:
    where = placed.workspace == need.workspace and placed.kind is kind_of(need.action)
    return where and same(placed.endpoint.name, need.action.name)


def _are_one(some: EndpointNeed, other: EndpointNeed) -> bool:
    """Several subscriptions may deploy to one endpoint."""
    return some.workspace == other.workspace and kind_of(some.action) is kind_of(other.action)
