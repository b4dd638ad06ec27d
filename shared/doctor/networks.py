"""Private storage, which shuts registries out unless it names them.

MicrosoftDocs/azure-ai-docs `how-to-registry-network-isolation.md`, "Share assets from workspace to registry".
"""

import re
from collections.abc import Iterable, Iterator

from shared.assets import WorkspaceId
from shared.doctor.findings import Finding
from shared.doctor.mending import az, name_of, place_of
from shared.doctor.seen import Registry, StorageAccount, same


def check_sharing_from(
    workspace: WorkspaceId, storage: StorageAccount, registries: Iterable[Registry], entra_tenant: str
) -> Iterator[Finding]:
    """`registries` are those that the workspace shares through."""
    for registry in registries:
        if storage.is_open or (not storage.is_shut and _lets_in(storage, registry, entra_tenant)):
            continue
        name, place = name_of(storage.arm_id), place_of(storage.arm_id)
        rule = {"resource_id": registry.arm_id, "tenant_id": entra_tenant}
        commands = [az("storage account network-rule add", account_name=name, **place, **rule)]
        if storage.is_shut:
            selected = az("storage account update", name=name, **place, public_network_access="Enabled", default_action="Deny")
            commands.insert(0, selected)
        yield Finding(
            code="storage_shuts_registry_out",
            scope=storage.arm_id,
            what=f"storage account {name} of workspace {workspace.name} is private, and does not let registry {registry.name} in",
            why="the registry reads what is shared from that storage: Azure refuses every share",
            command=" && ".join(commands),
        )


def _lets_in(storage: StorageAccount, registry: Registry, entra_tenant: str) -> bool:
    return any(same(rule.entra_tenant, entra_tenant) and _fits(rule.resource, registry.arm_id) for rule in storage.lets_in)


def _fits(pattern: str, arm_id: str) -> bool:
    """`*` stands for any name, as in `/subscriptions/S/resourceGroups/*/providers/P/registries/*`."""
    return re.fullmatch("[^/]*".join(map(re.escape, pattern.rstrip("/").split("*"))), arm_id, re.IGNORECASE) is not None
