"""Looks at what the rules in force need of Azure, at many places at once, before anything fails.

A place that cannot be reached is a finding, and holds up no other: it takes LONGEST_PLACE at most, of one of MOST_AT_ONCE threads.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial

from handlers.doctor_looks import Looks
from handlers.doctor_registries import examine_registry
from handlers.doctor_workspaces import examine_workspace
from shared.deadline import within
from shared.doctor.findings import Finding
from shared.doctor.needs import registry_needs, workspace_needs
from shared.tenants import Tenant

MOST_AT_ONCE = 16
LONGEST_PLACE = 120.0  # seconds; Azure may ask for patience


@dataclass(frozen=True, slots=True)
class Examined:
    """A workspace of a tenant's, or a registry, whose tenant is None. `findings` is empty where it is sound."""

    tenant: str | None
    place: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Examination:
    """`places` is how many there are; they come as they are done."""

    places: int
    examined: Iterator[Examined]


def examine(tenants: Sequence[Tenant], looks: Looks) -> Examination:
    """These tenants' workspaces, and the registries that they use."""
    workspaces = list(workspace_needs(tenants, looks.rules))
    used = {name for each in workspaces for name in each.registries}
    registries = list(registry_needs(used, looks.rules))
    jobs = [partial(_examined, None, each.name, partial(examine_registry, each, looks)) for each in registries]
    jobs += [partial(_examined, each.tenant, each.workspace.name, partial(examine_workspace, each, looks)) for each in workspaces]
    return Examination(len(jobs), _done(jobs))


def _done(jobs: Sequence[Callable[[], Examined]]) -> Iterator[Examined]:
    pool = ThreadPoolExecutor(MOST_AT_ONCE)
    try:
        for future in as_completed([pool.submit(job) for job in jobs]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _examined(tenant: str | None, place: str, findings: Callable[[], Iterable[Finding]]) -> Examined:
    with within(LONGEST_PLACE):
        found = [finding if finding.tenant else replace(finding, tenant=tenant) for finding in findings()]
    return Examined(tenant, place, tuple(dict.fromkeys(found)))
