"""One tenant's file in a folder of rules: where it is, how it begins, and how it ends."""

import textwrap
from pathlib import Path

from shared.assets import Kind
from shared.marked_yaml import UnreadableYamlError, read_yaml
from shared.rules import EVERYONE, Provider
from shared.rules_document import Document, to_document
from shared.rules_export import yaml_text
from shared.rules_reading import TENANTS_FOLDER, Reading
from shared.rules_region_checks import covers
from shared.rules_tenant_shape import TenantShape
from shared.tenants import Tenant

_ANY_REGISTRY = "contoso-hub"
_NEW = """\
# {tenant}: what it lets out of its workspaces, and what it wants from others.
# To begin, take the # away before the lines of an example below, and change what is not so.
"""
_PUBLISHING = """\
# What may leave its workspaces, through which registry, and to whom (tenants, groups, "*" for all).
# Without a publication all stays private.
"""
_SUBSCRIBING = """\
# What it wants, from whom, into which of its workspaces, and what is done with it there.
"""
_LEFT = """\
# {tenant} has left: nothing goes out of its workspaces, and nothing comes in. They stand here until Azure's part is removed;
# `fanout offboard {tenant}` shows what is left of it. Then delete this file, and apply the folder.
"""


def file_of(tenant_id: str, folder: Path) -> Path:
    """The file that states this id, whatever its name; otherwise the one that is named by it, which may not be there yet."""
    files = sorted((folder / TENANTS_FOLDER).glob("*.yaml"))
    return next((file for file in files if _id_in(file) == tenant_id), folder / TENANTS_FOLDER / f"{tenant_id}.yaml")


def own_file(tenant_id: str, folder: Path) -> Path | None:
    """The file that is this tenant's, if one is: named by it, also where it cannot be read; but none with another's rules."""
    file = file_of(tenant_id, folder)
    return file if file.exists() and _id_in(file) in (tenant_id, None) else None


def shape_in(file: Path) -> TenantShape:
    """What stands there. InvalidRulesError where it is no tenant's file; what it says may yet not fit the rules of others."""
    return Reading(file.parent).tenant(file.name)


def new_file(tenant: Tenant, provider: Provider | None) -> str:
    """Its workspaces, and a commented publication and subscription that are valid as they stand, under this provider's rules."""
    head = {name: to_document(tenant)[name] for name in ("id", "state", "workspaces")}
    return "\n".join(
        [
            _NEW.format(tenant=tenant.id) + yaml_text(head),
            _PUBLISHING + _commented({"publications": [_publication(tenant, provider)]}),
            _SUBSCRIBING + _commented({"subscriptions": [_subscription(tenant, provider)]}),
        ]
    )


def file_of_who_left(tenant: Tenant) -> str:
    return _LEFT.format(tenant=tenant.id) + yaml_text(to_document(tenant))


def _publication(tenant: Tenant, provider: Provider | None) -> Document:
    document = {"name": "cards", "registry": _registry(tenant, provider), "assets": _assets(provider)}
    return document | {"to": [EVERYONE]}


def _subscription(tenant: Tenant, provider: Provider | None) -> Document:
    document = {"name": "cards", "from": [EVERYONE], "assets": _assets(provider)}
    return document | {"into": str(tenant.workspaces[0]), "actions": ["register"]}


def _registry(tenant: Tenant, provider: Provider | None) -> str:
    """One that covers its workspaces, if there is one."""
    known = provider.registries if provider else ()
    near = [each for each in known if all(covers(each, tenant, workspace) for workspace in tenant.workspaces)]
    return next((each.name for each in (*near, *known)), _ANY_REGISTRY)


def _assets(provider: Provider | None) -> list[Document]:
    kinds = (provider.limits.kinds if provider else None) or (Kind.MODEL,)
    return [{"kind": (Kind.MODEL if Kind.MODEL in kinds else kinds[0]).value, "name": "cards-*"}]


def _commented(document: Document) -> str:
    return textwrap.indent(yaml_text(document), "# ")


def _id_in(file: Path) -> object:
    """What it states; None where it states nothing."""
    try:
        content = read_yaml(file.read_bytes()).content
    except (OSError, UnreadableYamlError):
        return None
    return content.get("id") if isinstance(content, dict) else None
