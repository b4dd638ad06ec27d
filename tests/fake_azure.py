"""An Azure ML in memory: workspaces and registries with all four kinds of asset, storage and endpoints."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.assets import Asset, Kind, RegistryAsset, WorkspaceAsset, WorkspaceId, registry_path
from shared.azure_ml_ports import OperationState
from shared.copies import Folder, Progress
from shared.errors import Conflict
from shared.listings import Listed, Listing
from tests.fake_endpoints import FakeEndpoints


@dataclass
class FakeAzure(FakeEndpoints):
    """What there is, and what arrives once its operation has ended. `effects` names all changes."""

    assets: dict[tuple[WorkspaceId, Asset], WorkspaceAsset] = field(default_factory=dict)
    registry: dict[tuple[str, Asset], RegistryAsset] = field(default_factory=dict)
    arriving: dict[tuple[str, Asset], tuple[datetime, RegistryAsset]] = field(default_factory=dict)
    codes: dict[tuple[str, str], str] = field(default_factory=dict)
    copied: dict[str, datetime] = field(default_factory=dict)
    regions: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.registries = FakeRegistries(self)
        self.workspaces = FakeWorkspaces(self)
        self.copies = FakeCopies(self)

    def arrive(self, asset: RegistryAsset, effect: str) -> str:
        operation = self.begin(effect)
        self.arriving[asset.registry, asset.asset] = (self.operations[operation], asset)
        return operation

    def settle(self) -> None:
        for at, (ready, asset) in list(self.arriving.items()):
            if ready <= self.clock.now():
                self.registry[at] = asset
                del self.arriving[at]


class FakeRegistries:
    """`shared.ports.Registries`."""

    def __init__(self, azure: FakeAzure) -> None:
        self._azure = azure

    def asset(self, registry: str, asset: Asset) -> RegistryAsset | None:
        self._azure.settle()
        self._azure.maybe_fail("asset")
        return self._azure.registry.get((registry, asset))

    def latest(self, registry: str, kind: Kind, name: str) -> Asset | None:
        self._azure.settle()
        found = [asset for (where, asset), there in self._azure.registry.items() if where == registry and not there.archived]
        versions = [asset for asset in found if (asset.kind, asset.name) == (kind, name)]
        return versions[-1] if versions else None

    def names(self, registry: str, kind: Kind, page: str = "") -> Listing:
        self._azure.settle()
        self._azure.maybe_fail("names")
        stamps = {asset.name: asset.version for where, asset in self._azure.registry if where == registry and asset.kind is kind}
        return page_of(stamps, page)

    def newest(self, registry: str, kind: Kind, name: str, most: int) -> Sequence[RegistryAsset]:
        self._azure.maybe_fail("newest")
        found = [there for (where, asset), there in self._azure.registry.items() if where == registry and asset.kind is kind]
        return [there for there in found if there.asset.name == name and not there.archived][::-1][:most]

    def regions(self, registry: str) -> tuple[str, ...]:
        return self._azure.regions.get(registry, ("westeurope",))

    def source_id(self, workspace: WorkspaceId, asset: Asset) -> str:
        return f"azureml://{workspace.name}/{asset}"

    def begin_import(self, registry: str, asset: Asset, source: WorkspaceId, source_asset: Asset) -> str | None:
        self._azure.maybe_fail("import")
        if self._is_there(registry, asset):
            return None
        there = self._azure.assets[source, source_asset]
        uri = f"https://store/{registry}-00000000-0000-0000-0000-000000000000/{asset.name}/{asset.version}" if there.uri else ""
        origin = self.source_id(source, source_asset)
        copy = RegistryAsset(asset, registry, uri, "mlflow_model", origin, tags=there.tags, definition=there.definition)
        return self._azure.arrive(copy, f"import {asset}")

    def begin_component(self, registry: str, component: RegistryAsset) -> str | None:
        self._azure.maybe_fail("component")
        if self._is_there(registry, component.asset):
            return None
        self._check_references(component)
        return self._azure.arrive(component, f"make {component.asset}")

    def has_code(self, registry: str, name: str) -> bool:
        return (registry, name) in self._azure.codes

    def begin_code(self, registry: str, name: str, place: Folder) -> str | None:
        self._azure.maybe_fail("code")
        self._azure.codes[registry, name] = place.container_url
        return self._azure.begin(f"code {name}")

    def begin_update(
        self, seen: RegistryAsset, tags: Mapping[str, str], *, without: Collection[str] = (), archive: bool = False
    ) -> str | None:
        self._azure.maybe_fail("update")
        kept = {name: value for name, value in seen.tags.items() if name not in without}
        changed = replace(seen, tags={**kept, **tags}, archived=archive or seen.archived)
        self._azure.registry[seen.registry, seen.asset] = changed
        return self._azure.begin(f"archive {seen.asset}" if archive else f"label {seen.asset}")

    def operation(self, address: str) -> OperationState:
        return self._azure.operation(address)

    def _is_there(self, registry: str, asset: Asset) -> bool:
        return (registry, asset) in self._azure.registry or (registry, asset) in self._azure.arriving

    def _check_references(self, component: RegistryAsset) -> None:
        """As the real one: what a component names has to be in the registry."""
        spec = component.definition["componentSpec"]
        assert isinstance(spec, Mapping)
        known = {registry_path(registry, asset) for registry, asset in self._azure.registry}
        known |= {f"azureml://registries/{registry}/codes/{name}/versions/1" for registry, name in self._azure.codes}
        for name in ("environment", "code"):
            assert spec.get(name) is None or spec[name] in known, f"{name} {spec[name]} is not in the registry"


class FakeWorkspaces:
    """`shared.ports.Workspaces`."""

    def __init__(self, azure: FakeAzure) -> None:
        self._azure = azure

    def asset(self, workspace: WorkspaceId, asset: Asset) -> WorkspaceAsset | None:
        self._azure.maybe_fail("look")
        return self._azure.assets.get((workspace, asset))

    def latest(self, workspace: WorkspaceId, kind: Kind, name: str) -> Asset | None:
        found = [there for (where, _), there in self._azure.assets.items() if where == workspace]
        versions = [there for there in found if (there.asset.kind, there.asset.name) == (kind, name)]
        return max(versions, key=lambda there: there.created_at).asset if versions else None

    def names(self, workspace: WorkspaceId, kind: Kind, page: str = "") -> Listing:
        self._azure.maybe_fail("names")
        stamps = {asset.name: asset.version for where, asset in self._azure.assets if where == workspace and asset.kind is kind}
        return page_of(stamps, page)

    def newest(self, workspace: WorkspaceId, kind: Kind, name: str, most: int) -> Sequence[WorkspaceAsset]:
        self._azure.maybe_fail("newest")
        found = [there for (where, asset), there in self._azure.assets.items() if where == workspace and asset.kind is kind]
        versions = [there for there in found if there.asset.name == name and not there.archived]
        return sorted(versions, key=lambda there: there.created_at, reverse=True)[:most]

    def register(self, workspace: WorkspaceId, asset: RegistryAsset, properties: Mapping[str, str]) -> None:
        self._azure.maybe_fail("register")
        if (workspace, asset.asset) in self._azure.assets:
            raise Conflict("it is there")
        self._azure.effects.append(f"register {asset.asset} in {workspace.name}")
        there = WorkspaceAsset(asset.asset, asset.uri, self._azure.clock.now(), asset.tags, properties, definition=asset.definition)
        self._azure.assets[workspace, asset.asset] = there

    def archive(self, workspace: WorkspaceId, asset: Asset) -> None:
        self._azure.maybe_fail("archive")
        self._azure.effects.append(f"archive {asset} in {workspace.name}")
        self._azure.assets[workspace, asset] = replace(self._azure.assets[workspace, asset], archived=True)


def page_of(stamps: Mapping[str, str], page: str) -> Listing:
    """Two names a page."""
    start = int(page or 0)
    names = [Listed(name, stamp) for name, stamp in stamps.items()]
    return Listing(tuple(names[start : start + 2]), str(start + 2) if len(names) > start + 2 else "")


class FakeCopies:
    """`shared.ports.Copies`: a folder's bytes are its url; a copy takes as long as any operation."""

    def __init__(self, azure: FakeAzure) -> None:
        self._azure = azure

    def of_registry_asset(self, asset: RegistryAsset) -> Folder:
        return Folder(asset.uri, "", "sig=secret")

    def in_workspace(self, workspace: WorkspaceId, name: str) -> tuple[Folder, str]:
        return Folder(f"https://{workspace.name}/blobs", name, "sig=secret"), f"azureml://{workspace.name}/{name}"

    def of_code(self, workspace: WorkspaceId, code: str) -> Folder:
        return Folder(f"https://{workspace.name}/code", code, "sig=secret")

    def for_code(self, registry: str, name: str) -> Folder:
        return Folder(f"https://{registry}/code", name, "sig=secret")

    def advance(self, source: Folder, target: Folder) -> Progress:
        self._azure.maybe_fail("copy")
        place = f"{target.container_url}/{target.prefix}"
        if place not in self._azure.copied:
            operation = self._azure.begin(f"copy to {place}")
            self._azure.copied[place] = self._azure.operations[operation]
        done = self._azure.copied[place] <= self._azure.clock.now()
        return Progress(2, 2_000, 2 if done else 0, 2_000 if done else 0, "checksum", done)
