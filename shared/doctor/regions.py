"""Where workspaces and registries lie, really, and whether assets can go between them."""

from collections.abc import Iterable, Iterator

from shared.doctor.findings import Finding, Severity
from shared.doctor.mending import Shell, az, change_rules, place_of
from shared.doctor.needs import RegistryNeeds, WorkspaceNeeds
from shared.doctor.seen import Registry, Workspace, region_name


def check_workspace_region(needs: WorkspaceNeeds, workspace: Workspace, registries: Iterable[Registry]) -> Iterator[Finding]:
    """`registries` are those that it shares through or takes from."""
    for registry in registries:
        if workspace.region not in registry.regions:
            yield Finding(
                code="region_not_covered",
                scope=str(needs.workspace),
                what=f"workspace {needs.workspace.name} is in {workspace.region}; registry {registry.name} covers {_all(registry)}",
                why="assets go between a workspace and a registry only where the registry replicates to the workspace's region",
                command=_add_region(registry, workspace.region),
            )
    if needs.stated_region and region_name(needs.stated_region) != workspace.region:
        yield Finding(
            code="region_misstated",
            scope=str(needs.workspace),
            what=f"the rules say that workspace {needs.workspace.name} is in {needs.stated_region}; it is in {workspace.region}",
            why="`fanout apply` checks regions by what the rules state",
            command=change_rules(f"tenants/{needs.tenant}.yaml", "correct the region"),
            severity=Severity.WARNING,
        )


def check_registry_regions(needs: RegistryNeeds, registry: Registry) -> Iterator[Finding]:
    for tenant, publication in needs.bounded:
        if beyond := publication.forbidden(registry.regions):
            yield Finding(
                code="registry_beyond_regions",
                scope=registry.arm_id,
                what=f"registry {registry.name} replicates to {', '.join(beyond)} too; publication {publication.name} forbids that",
                why="a registry replicates everything to all its regions: so nothing is shared by this publication",
                command=change_rules(f"tenants/{tenant}.yaml", "widen `regions`, or name another registry"),
                tenant=tenant,
            )
    stated = {region_name(each) for each in needs.rule.regions}
    if stated and stated != set(registry.regions):
        yield Finding(
            code="registry_regions_misstated",
            scope=registry.arm_id,
            what=f"the rules say that registry {registry.name} covers {', '.join(sorted(stated))}; it covers {_all(registry)}",
            why="`fanout apply` checks regions by what the rules state",
            command=change_rules("provider.yaml", "correct `regions`"),
            severity=Severity.WARNING,
        )


def _all(registry: Registry) -> str:
    return ", ".join(registry.regions)


def _add_region(registry: Registry, region: str) -> str:
    place = place_of(registry.arm_id)
    return az("ml registry update", name=registry.name, **place, add=Shell(f"replication_locations location={region}"))
