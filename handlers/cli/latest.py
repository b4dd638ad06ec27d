"""Which version `latest` is, found out before the command is sent, so that its outcome can be followed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from handlers.cli.terminal import INVALID, err, stop
from shared.assets import Asset
from shared.azure_ml_ports import Registries, Workspaces
from shared.commands import LATEST, Command, Pull, Push, Recall, Share
from shared.ports import RulesSource


class Places(Protocol):
    @property
    def rules(self) -> RulesSource: ...
    @property
    def registries(self) -> Registries: ...
    @property
    def workspaces(self) -> Workspaces: ...


def with_version(document: Mapping[str, Any], command: Command, places: Places) -> dict[str, Any]:
    """The same command, about the very version."""
    if not isinstance(command, Share | Push | Pull | Recall) or command.asset.version != LATEST:
        return dict(document)
    asset = command.asset.value
    version = _in_workspace(command, asset, places) if isinstance(command, Share) else _in_registry(command, asset, places)
    err.print(f"The latest version of {asset.kind} {asset.name} is {version}.", markup=False)
    return {**document, "asset": {**document["asset"], "version": version}}


def _in_workspace(command: Share, asset: Asset, places: Places) -> str:
    latest = places.workspaces.latest(command.source, asset.kind, asset.name)
    if latest is None:
        stop(INVALID, f"Not sent: workspace {command.source.name} has no {asset.kind} {asset.name}.")
    return latest.version


def _in_registry(command: Push | Pull | Recall, asset: Asset, places: Places) -> str:
    names = [command.registry] if command.registry else [each.name for each in places.rules.current().provider.registries]
    found = {name: latest.version for name in names if (latest := places.registries.latest(name, asset.kind, asset.name))}
    if not found:
        where = command.registry or "any registry"
        stop(INVALID, f"Not sent: {replace(asset, version=LATEST)} is not in {where}.")
    if len(found) > 1:
        stop(INVALID, f"Not sent: {asset.kind} {asset.name} is in {', '.join(found)}: say with --registry which one is meant.")
    return next(iter(found.values()))
