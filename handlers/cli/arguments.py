"""What people write on the command line, as values. Wrong input ends the command with exit code 2, before anything is sent."""

from collections.abc import Callable, Sequence

from handlers.cli.terminal import INVALID, stop
from shared.assets import Asset, Kind, WorkspaceId
from shared.rules import Rules, Tenant

KINDS = ", ".join(Kind)


def asset_in(text: str) -> Asset:
    """`model:credit-card:3`."""
    kind, name, version = (*text.split(":"), "", "")[:3]
    if text.count(":") != 2 or kind not in list(Kind) or not name or not version:
        stop(INVALID, f"{text!r} is no asset: write kind:name:version, such as model:credit-card:3, where kind is one of {KINDS}.")
    return Asset(Kind(kind), name, version)


def any_version_in(text: str) -> tuple[Kind, str, str | None]:
    """`model:credit-card`, which leaves the version open, or `model:credit-card:3`."""
    kind, _, rest = text.partition(":")
    if rest and ":" not in rest and kind in list(Kind):
        return Kind(kind), rest, None
    asset = asset_in(text)
    return asset.kind, asset.name, asset.version


def workspace_in(text: str, rules: Callable[[], Rules]) -> WorkspaceId:
    """An ARM id, or the name of a workspace, where one tenant alone has one of that name. `rules` are read for a name only."""
    if text.startswith("/"):
        try:
            return WorkspaceId.parse(text)
        except ValueError as wrong:
            stop(INVALID, f"{wrong}.")
    everywhere = [workspace for tenant in rules().tenants.values() for workspace in tenant.workspaces]
    return _the_one([each for each in everywhere if each.name.lower() == text.lower()], f"called {text}")


def tenant_in(text: str, rules: Rules) -> Tenant:
    tenant = rules.tenant(text)
    if tenant is None:
        known = ", ".join(sorted(rules.tenants)[:20]) or "none"
        stop(INVALID, f"The rules have no tenant {text!r}: write one of theirs, such as {known}.")
    return tenant


def _the_one(workspaces: Sequence[WorkspaceId], which: str) -> WorkspaceId:
    if not workspaces:
        stop(INVALID, f"The rules have no workspace {which}: correct it, or write the workspace's ARM id.")
    if len(workspaces) > 1:
        stop(INVALID, f"There are {len(workspaces)} workspaces {which}: write the ARM id of one.", *map(str, workspaces))
    return workspaces[0]
