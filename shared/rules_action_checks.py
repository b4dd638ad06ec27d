"""What a subscription's actions must be towards its assets, its workspace and the provider's limits."""

from collections.abc import Iterator

from shared.actions import Action, Endpoint, Mode, OnlineEndpoint, Register, Scoring
from shared.assets import Kind, WorkspaceId
from shared.marked_yaml import Path
from shared.objections import WITH_BYTES, exceeding_fields
from shared.rules import Limits
from shared.rules_findings import Finding
from shared.tenants import Subscription

_SPLIT = "move them into a subscription without this action"


def check_action(file: str, path: Path, action: Action, subscription: Subscription, limits: Limits | None) -> Iterator[Finding]:
    """`limits` None: they are not known."""
    if isinstance(action, Register):
        yield from _register(file, path, action, subscription)
    else:
        here = (*path, "online_endpoint" if isinstance(action, OnlineEndpoint) else "batch_endpoint")
        yield from _endpoint(file, here, action, subscription, limits)


def _register(file: str, path: Path, action: Register, subscription: Subscription) -> Iterator[Finding]:
    kinds = _kinds_beyond(WITH_BYTES, subscription)
    if action.mode is Mode.COPY and kinds:
        what = f"only models and data have bytes to copy, and the subscription's assets have kind {kinds}"
        yield Finding(file, (*path, "register", "mode"), what, _SPLIT)


def _endpoint(file: str, path: Path, action: Endpoint, subscription: Subscription, limits: Limits | None) -> Iterator[Finding]:
    kinds = _kinds_beyond(frozenset({Kind.MODEL}), subscription)
    if kinds:
        yield Finding(file, path, f"only models can be deployed, and the subscription's assets have kind {kinds}", _SPLIT)
    for field, beyond in exceeding_fields(action, limits) if limits else ():
        yield Finding(file, (*path, field), beyond, "stay within provider.yaml's limits, or have the provider raise them")
    if action.scoring:
        yield from _scoring(file, (*path, "scoring"), action.scoring, subscription)


def _scoring(file: str, path: Path, scoring: Scoring, subscription: Subscription) -> Iterator[Finding]:
    for field, asset_id in (("code", scoring.code), ("environment", scoring.environment)):
        workspace = _workspace_of(asset_id) if asset_id else None
        if workspace and workspace != subscription.into:
            what = f"a deployment in {subscription.into.name} cannot use what is in workspace {workspace.name}"
            yield Finding(file, (*path, field), what, f"name one of {subscription.into.name} or of a registry")


def _workspace_of(asset_id: str) -> WorkspaceId | None:
    """None for what is in a registry."""
    return WorkspaceId.parse(asset_id.rsplit("/", 4)[0]) if asset_id.startswith("/") else None


def _kinds_beyond(allowed: frozenset[Kind], subscription: Subscription) -> str:
    return " and ".join(sorted({pattern.kind for pattern in subscription.assets} - allowed))
