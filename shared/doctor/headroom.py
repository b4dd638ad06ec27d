"""Whether what the rules deploy fits into Azure's limits and the quota of cores, per Azure subscription and region.

`machine-learning/how-to-manage-quotas.md`: 100 endpoints and 500 deployments, both kinds together; 20 % more instances are set
aside for upgrades, except with some large types (`reference-managed-online-endpoints-vm-sku-list.md`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from shared.actions import OnlineEndpoint
from shared.doctor.endpoint_names import find
from shared.doctor.findings import Finding
from shared.doctor.mending import az, change_rules
from shared.doctor.needs import EndpointNeed
from shared.doctor.seen import CoreUsage, Region, VmSize

MOST_ENDPOINTS, MOST_DEPLOYMENTS = 100, 500
_WITHOUT_RESERVE = ("_a100_", "standard_nd40rs_v2", "standard_nd96asr_v4")
_TOTAL = "TotalDedicatedCores"
_LIMITS = "https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas"


def check_limits(wanted: Sequence[EndpointNeed], region: Region) -> Iterator[Finding]:
    """`wanted` is what all tenants' actions name in that region."""
    targets = _once_each(wanted)
    missing = [need for need in targets if find(need, region.endpoints) is None]
    there, more = len(region.endpoints), len(missing)
    if there + more > MOST_ENDPOINTS:
        what = f"{there} endpoints are in {region.name}, the rules want {more} more; {MOST_ENDPOINTS} are the most"
        yield _too_many("no_room_for_endpoints", region, what)
    deployed = sum(len(each.endpoint.deployments) for each in region.endpoints)
    if deployed + len(targets) > MOST_DEPLOYMENTS:
        what = (
            f"{deployed} deployments are in {region.name}, the rules want {len(targets)} more, and {MOST_DEPLOYMENTS} are the most"
        )
        yield _too_many("no_room_for_deployments", region, what)


def check_instance_type(need: EndpointNeed, tenant: str, region: Region) -> Iterator[Finding]:
    if isinstance(need.action, OnlineEndpoint) and _size(need.action, region) is None:
        wanted = need.action.instance_type
        yield Finding(
            code="instance_type_not_offered",
            scope=region.scope,
            what=f"{region.name} has no instance type {wanted}, which endpoint {need.action.name} asks for",
            why="Azure refuses the deployment",
            command=change_rules(
                f"tenants/{tenant}.yaml", f"choose another type than {wanted} for subscription {need.subscription}"
            ),
        )


def check_cores(wanted: Sequence[EndpointNeed], region: Region) -> Iterator[Finding]:
    """What is still to be deployed, all of it, and the largest upgrade of what is: the new version runs beside the old one."""
    first, upgrade = Counter[str](), Counter[str]()
    for target in _once_each(wanted):
        size = _size(target.action, region) if isinstance(target.action, OnlineEndpoint) else None
        if size is None or not isinstance(target.action, OnlineEndpoint):
            continue
        cores, there = cores_needed(target.action, size), find(target, region.endpoints)
        for quota in (size.family, _TOTAL):
            if there and there.endpoint.ours():
                upgrade[quota] = max(upgrade[quota], cores)
            else:
                first[quota] += cores
    for quota in sorted({*first, *upgrade}):
        usage = region.usages.total if quota == _TOTAL else region.usages.families.get(quota.lower())
        yield from _check_quota(quota, first[quota] + upgrade[quota], usage, region)


def cores_needed(action: OnlineEndpoint, size: VmSize) -> int:
    """What one deployment takes of the quota: ceil(1.2 × instances) × cores."""
    reserved = not any(part in action.instance_type.lower() for part in _WITHOUT_RESERVE)
    return size.cores * (-(-action.instance_count * 12 // 10) if reserved else action.instance_count)


def _check_quota(quota: str, needed: int, usage: CoreUsage | None, region: Region) -> Iterator[Finding]:
    if usage is None or usage.left is None or needed <= usage.left:
        return
    cores = "cores in all" if quota == _TOTAL else f"cores of {quota}"
    yield Finding(
        code="quota_too_small",
        scope=region.scope,
        what=f"the rules' deployments need {needed} {cores} in {region.name}; {usage.left} of {usage.limit} are left",
        why="a deployment beyond the quota fails with OutOfQuota; Azure sets 20 % aside for upgrades",
        command=az(
            "quota update",
            resource_name=quota,
            scope=region.scope,
            limit_object=f"value={usage.used + needed}",
            resource_type="dedicated",
        ),
    )


def _once_each(wanted: Iterable[EndpointNeed]) -> list[EndpointNeed]:
    """Several subscriptions may deploy to one endpoint."""
    return list({(each.workspace, each.action.route): each for each in wanted}.values())


def _size(action: OnlineEndpoint, region: Region) -> VmSize | None:
    return region.vm_sizes.get(action.instance_type.lower())


def _too_many(code: str, region: Region, what: str) -> Finding:
    query = "[].{name:name, group:resourceGroup}"
    listing = az("ml workspace list", subscription=region.azure_subscription_id, query=query, output="table")
    command = f"{listing}  # and delete there what nobody needs: az ml online-endpoint delete; or raise the limit: {_LIMITS}"
    return Finding(code, region.scope, what, "Azure refuses what is beyond its limit for an Azure subscription and region", command)
