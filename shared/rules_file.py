"""Reads the provider's rules from a folder, and tells whoever wrote them all that is wrong with them at once.

provider.yaml      registries, limits, groups
tenants/*.yaml     one file per tenant, so that each tenant can own its file
"""

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from shared.rules import Provider, Rules
from shared.rules_checks import Known, check_owners, check_provider, check_tenant, check_tenants
from shared.rules_findings import Finding
from shared.rules_match_checks import check_matches
from shared.rules_provider_shape import ProviderShape
from shared.rules_reading import Reading, RulesRead
from shared.rules_tenant_shape import TenantShape

PROVIDER_FILE = "provider.yaml"


def read_folder(folder: FilePath) -> RulesRead:
    """All rules, with the warnings. InvalidRulesError for anything that cannot be applied as it stands."""
    reading = Reading(folder)
    provider = reading.shape(PROVIDER_FILE, ProviderShape)
    files = reading.tenant_files()
    shapes = {file: shape for file in files if (shape := reading.shape(file, TenantShape))}
    tenants = {file: shape.value() for file, shape in shapes.items() if reading.has_references(file, shape)}
    known = Known(provider.value() if provider else None, frozenset(reading.stated_ids(files)))
    if known.provider:
        reading.note(check_provider(PROVIDER_FILE, known.provider, known))
        reading.note(_foreign(known.provider, shapes))
    reading.note(check_tenants(tenants, known))
    if reading.problems or known.provider is None:
        raise reading.refusal()
    reading.note(check_matches(tenants, known.provider, tenants.keys()))
    return reading.result(known.provider, tenants.values())


def read_provider(folder: FilePath) -> Provider | None:
    """The provider alone; None where its file says nothing that can be read."""
    shape = Reading(folder).shape(PROVIDER_FILE, ProviderShape)
    return shape.value() if shape else None


def read_tenant(file: FilePath, tenant_id: str, in_force: Rules) -> RulesRead:
    """One tenant's rules, to stand beside the others in force. InvalidRulesError likewise."""
    reading = Reading(file.parent)
    shape = reading.tenant(file.name)
    tenant = shape.value()
    others = {f"the rules of {other.id}": other for other in in_force.tenants.values() if other.id != tenant.id}
    together = {**others, file.name: tenant}
    known = Known(in_force.provider, frozenset(each.id for each in together.values()))
    if tenant.id != tenant_id:
        what, remedy = f"these are the rules of {tenant.id}, and not of {tenant_id}", "name the file or the tenant that is meant"
        reading.note([Finding(file.name, ("id",), what, remedy)])
    if tenant.id in in_force.provider.groups:
        reading.note([Finding(file.name, ("id",), f"{tenant.id!r} is a group too", "give the tenant another id")])
    reading.note(_foreign(in_force.provider, {file.name: shape}))
    reading.note(finding for finding in check_owners(together) if finding.file == file.name)
    reading.note(check_tenant(file.name, tenant, known))
    if not reading.problems:
        reading.note(check_matches(together, in_force.provider, {file.name}))
    return reading.result(in_force.provider, [tenant])


def _foreign(provider: Provider, tenants: Mapping[str, TenantShape]) -> Iterator[Finding]:
    """Tenants of another Entra tenant. One import carries one token, and an identity is of one Entra tenant."""
    for file, tenant in tenants.items():
        if tenant.entra_tenant is None or _same(tenant.entra_tenant, provider.entra_tenant):
            continue
        what = "Azure ML cannot share between workspaces and registries of different Entra tenants"
        remedy = f"move the workspaces to the provider's Entra tenant ({provider.entra_tenant}), or leave this tenant out"
        if provider.entra_tenant is None:
            remedy = "state the provider's own entra_tenant in provider.yaml, if this is the same one"
        yield Finding(file, ("entra_tenant",), what, remedy)


def _same(guid: str, other: str | None) -> bool:
    return other is not None and guid.lower() == other.lower()
