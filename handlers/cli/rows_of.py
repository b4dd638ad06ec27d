"""Which rows a command is about, told from the command and the rules alone: rows that may only come to stand included."""

from collections.abc import Iterable
from dataclasses import replace

from shared import planning
from shared.commands import Command, Pull, Push, Recall, Share
from shared.rows import Address, DeliveryRow, ShareRow
from shared.rules import Rules
from shared.rules_actions import REGISTER, action_value


def rows_of(command: Command, rules: Rules) -> tuple[Address, ...]:
    """Shares, or what a pull delivers. The deliveries of a share are not named by it."""
    match command:
        case Share():
            return _shares(command, rules)
        case Push() | Recall():
            return tuple(ShareRow.address_of(registry, command.asset.value) for registry in _registries(command.registry, rules))
        case Pull():
            return _pulled(command, rules)
        case _:
            return (command.address,)


def _shares(command: Share, rules: Rules) -> tuple[Address, ...]:
    """One for each registry, and for each name that the asset gets there. Its tags are not known: some may never stand."""
    asset, owner = command.asset.value, rules.tenant_of(command.source)
    publications = planning.publications_for(asset, command.source, None, rules)
    fitting = [each for each in publications if command.registry in (None, each.registry)]
    names = dict.fromkeys((each.registry, each.name_in_registry(owner.id if owner else "", asset.name)) for each in fitting)
    return tuple(ShareRow.address_of(registry, replace(asset, name=name)) for registry, name in names)


def _pulled(command: Pull, rules: Rules) -> tuple[Address, ...]:
    routes = dict.fromkeys(action_value(action).route for action in command.actions or [REGISTER])
    return tuple(
        DeliveryRow.address_of(command.asset.value, registry, command.into, route)
        for registry in _registries(command.registry, rules)
        for route in routes
    )


def _registries(named: str | None, rules: Rules) -> Iterable[str]:
    return [named] if named else [each.name for each in rules.provider.registries]
