"""Options whose values the shell offers where Tab is pressed: names of the rules in force, in time or not at all."""

from collections.abc import Callable, Iterable
from typing import Any

import typer

from handlers.cli.connection import connect
from handlers.cli.patience import answered
from shared.errors import Permanent, Transient
from shared.rules import Rules

SECONDS = 2.0


def registry(name: str, text: str) -> Any:
    return typer.Option(name, help=text, autocompletion=_offering(lambda rules: [each.name for each in rules.provider.registries]))


def tenant(name: str, text: str) -> Any:
    return typer.Option(name, help=text, autocompletion=_offering(lambda rules: rules.tenants))


def subscription(name: str, text: str) -> Any:
    return typer.Option(name, help=text, autocompletion=_offering(_subscriptions))


def workspace(name: str, text: str) -> Any:
    return typer.Option(name, help=text, autocompletion=_offering(_workspaces))


def _subscriptions(rules: Rules) -> Iterable[str]:
    return (f"{tenant.id}/{each.name}" for tenant in rules.tenants.values() for each in tenant.subscriptions)


def _workspaces(rules: Rules) -> Iterable[str]:
    return (workspace.name for tenant in rules.tenants.values() for workspace in tenant.workspaces)


def _offering(names: Callable[[Rules], Iterable[str]]) -> Callable[[str], list[str]]:
    def offered(incomplete: str) -> list[str]:
        try:
            rules = answered("the tables", lambda: connect().rules.current(), SECONDS)
        except (Transient, Permanent):
            return []
        return sorted({name for name in names(rules) if name.startswith(incomplete)})

    return offered
