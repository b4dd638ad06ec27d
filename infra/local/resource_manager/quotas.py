"""Cores: what is used of the quota, and the instance types (machinelearningservices 2024-04-01, `examples/Usage/list.json`)."""

import re
from typing import Any

from aiohttp import web

from infra.local.azure_ml.cloud import Cloud
from infra.local.azure_ml.config import PROVIDER
from infra.local.azure_ml.endpoint_checks import RegionLimits
from infra.local.azure_ml.vm_sizes import CORES, family
from infra.local.resource_manager.requests import demand_version, known_subscription

API = "2024-04-01"
LOCATION = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}"


class Quotas:
    """Batch endpoints run on clusters of the workspace: they count for nothing here."""

    def __init__(self, cloud: Cloud, limits: RegionLimits) -> None:
        self._cloud = cloud
        self._limits = limits

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{LOCATION}/usages", self._usages), web.get(f"{LOCATION}/vmSizes", self._vm_sizes)]

    async def _usages(self, request: web.Request) -> web.Response:
        demand_version(request, API)
        subscription = known_subscription(request, self._cloud)
        used = self._limits.cores_used(subscription, request.match_info["location"])
        total = self._cloud.config.limits.cores
        entries = [_entry(subscription, "dedicatedCores", "Total Cluster Dedicated Regional vCPUs", used.total(), total)]
        for each in sorted({family(name) for name in CORES}):
            name, quota = f"{_spaced(each)} Cluster Dedicated vCPUs", self._limits.core_quota(subscription, each)
            entries.append(_entry(subscription, "vmFamily", name, used[each], quota))
            entries.append(_entry(subscription, "vmFamily", f"{_spaced(each)} Cluster LowPriority vCPUs", 0, -1))
        return web.json_response({"value": entries})

    async def _vm_sizes(self, request: web.Request) -> web.Response:
        demand_version(request, API)
        known_subscription(request, self._cloud)
        return web.json_response({"value": [_size(name, cores) for name, cores in CORES.items()]})


def _entry(subscription: str, kind: str, name: str, used: int, limit: int) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription}/usages" + (f"/{name.replace(' ', '_')}" if kind == "vmFamily" else ""),
        "type": f"{PROVIDER}/{kind}/usages",
        "currentValue": used,
        "limit": limit,
        "name": {"localizedValue": name, "value": name},
        "unit": "Count",
    }


def _size(name: str, cores: int) -> dict[str, Any]:
    return {"name": name, "family": family(name), "vCPUs": cores, "gpus": 0, "supportedComputeTypes": ["AmlCompute", "MIR"]}


def _spaced(vm_family: str) -> str:
    """`standardDSv2Family` is `Standard DSv2 Family` among the usages."""
    return re.sub(r"^standard(.*)Family$", r"Standard \1 Family", vm_family)
