"""Which registry a command means, and which version there: what it leaves open is found, or it is told what to say."""

from dataclasses import dataclass

from handlers.asked import Asked
from shared.assets import Asset
from shared.commands import LATEST
from shared.errors import Owner, Permanent
from shared.ports import Fanout
from shared.rows import ShareRow
from shared.rules import Rules


@dataclass(frozen=True, slots=True)
class Place:
    """An asset in a registry. `share` is its row, where Fanout brought it there or has delivered it before."""

    registry: str
    asset: Asset
    share: ShareRow | None


def find(asset: Asset, registry: str | None, rules: Rules, fanout: Fanout, *, shared_only: bool) -> Place:
    """Permanent `unknown_registry`, `not_in_registry`, or `registry_needed` where it is in several."""
    places = [place for name in _registries(registry, rules) if (place := _place(asset, name, fanout, shared_only=shared_only))]
    if not places:
        where = f"registry {registry}" if registry else "any registry"
        shared = "was shared to" if shared_only else "is in"
        text = f"no {asset} {shared} {where}"
        raise Permanent("not_in_registry", text, Owner.PROVIDER, "share it first, or correct name, version and registry")
    if len(places) > 1:
        text = f"{asset} is in several registries: {', '.join(place.registry for place in places)}"
        raise Permanent("registry_needed", text, Owner.PROVIDER, 'say which one: "registry": "…"')
    return places[0]


def recalled_before(asset: Asset, registry: str | None, rules: Rules, asked: Asked, fanout: Fanout) -> ShareRow | None:
    """The version that a message took for the latest when it first came, and recalled; None where it did not."""
    partitions = [ShareRow.address_of(name, asset).partition for name in _registries(registry, rules)]
    versions = (share for partition in partitions for share in fanout.rows.shares_in(partition))
    return next((share for share in versions if share.recall and share.was_asked_by(asked.id)), None)


def _registries(registry: str | None, rules: Rules) -> list[str]:
    known = [each.name for each in rules.provider.registries]
    if registry is None:
        return known
    if registry not in known:
        text = f"registry {registry} is not in provider.yaml, which has {', '.join(known) or 'none'}"
        raise Permanent("unknown_registry", text, Owner.PROVIDER, "correct the registry's name, or add it to provider.yaml")
    return [registry]


def _place(asset: Asset, registry: str, fanout: Fanout, *, shared_only: bool) -> Place | None:
    if asset.version == LATEST:
        latest = fanout.registries.latest(registry, asset.kind, asset.name)
        return _place(latest, registry, fanout, shared_only=shared_only) if latest else None
    share = fanout.rows.get(ShareRow.address_of(registry, asset))
    if isinstance(share, ShareRow):
        return Place(registry, asset, share)
    if shared_only or fanout.registries.asset(registry, asset) is None:
        return None
    return Place(registry, asset, None)
