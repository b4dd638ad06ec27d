"""What the stated regions of workspaces and registries must be towards each other. What is not stated is not checked."""

from collections.abc import Iterator

from shared.assets import WorkspaceId
from shared.marked_yaml import Path
from shared.rules import RegistryRule
from shared.rules_findings import Finding
from shared.tenants import Publication, Tenant


def check_regions(file: str, path: Path, publication: Publication, registry: RegistryRule, tenant: Tenant) -> Iterator[Finding]:
    """`registry` is the publication's."""
    if forbidden := publication.forbidden(registry.regions):
        what = f"registry {registry.name} replicates to {' and '.join(forbidden)} too, so that nothing would be shared"
        remedy = "publish through a registry that stays within these regions, or add the others to them"
        yield Finding(file, (*path, "regions"), what, remedy)
    for place, workspace in enumerate(publication.workspaces):
        if not covers(registry, tenant, workspace):
            remedy = "take it out, or have the provider add its region to the registry"
            yield Finding(file, (*path, "workspaces", place), _uncovered(registry, tenant, workspace), remedy)
    if not publication.workspaces:
        outside = next((workspace for workspace in tenant.workspaces if not covers(registry, tenant, workspace)), None)
        if outside:
            remedy = "list under `workspaces` those that it covers, or have the provider add the region to the registry"
            yield Finding(file, (*path, "registry"), _uncovered(registry, tenant, outside), remedy)


def covers(registry: RegistryRule, tenant: Tenant, workspace: WorkspaceId) -> bool:
    """Whether assets can go between the two, as far as is stated."""
    region = tenant.regions.get(workspace)
    return region is None or not registry.regions or region in registry.regions


def _uncovered(registry: RegistryRule, tenant: Tenant, workspace: WorkspaceId) -> str:
    covered = ", ".join(registry.regions)
    return f"workspace {workspace.name} is in {tenant.regions[workspace]}, and registry {registry.name} covers {covered}"
