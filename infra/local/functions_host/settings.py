"""App settings: the process environment, as the real host sees it, and how bindings refer to it."""

import json
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.functions_host.errors import HostError

_REFERENCE = re.compile(r"%([^%]+)%")


@dataclass(frozen=True, slots=True)
class ConnectionString:
    value: str


@dataclass(frozen=True, slots=True)
class IdentityConnection:
    """A namespace reached with Entra ID; `managed`: by a managed identity, user-assigned where `client_id` is set."""

    fully_qualified_namespace: str
    managed: bool
    client_id: str | None


type Connection = ConnectionString | IdentityConnection


def load_local_settings(app: Path, environment: MutableMapping[str, str]) -> None:
    """Add the `Values` of APP/local.settings.json, where it exists. The environment wins, as with `func start`."""
    path = app / "local.settings.json"
    if not path.exists():
        return
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        values = document.get("Values", {})
        if document.get("IsEncrypted") or not all(isinstance(value, str) for value in values.values()):
            raise HostError(f"{path} must hold `Values` that are strings, not encrypted")
    except (ValueError, AttributeError) as malformed:
        raise HostError(f'{path} is not valid JSON of the form {{"Values": {{…}}}}: {malformed}') from None
    for name, value in values.items():
        environment.setdefault(name, value)


class Settings:
    """Resolves what bindings say. Each method raises HostError that names the function and the missing setting."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def expand(self, text: str, function: str) -> str:
        """Replace each %SETTING% by its value."""

        def value_of(match: re.Match[str]) -> str:
            if match[1] not in self._environment:
                raise HostError(f"function {function}: the app setting {match[1]}, named by {text!r}, is missing")
            return self._environment[match[1]]

        return _REFERENCE.sub(value_of, text)

    def connection(self, name: str, function: str) -> Connection:
        """The connection that a binding names `name`: AzureWebJobs<name> first, then <name>, as the real host looks."""
        for setting in (f"AzureWebJobs{name}", name):
            if value := self._environment.get(setting):
                return ConnectionString(value)
            if namespace := self._environment.get(f"{setting}__fullyQualifiedNamespace"):
                return IdentityConnection(
                    namespace,
                    managed=self._environment.get(f"{setting}__credential", "").lower() == "managedidentity",
                    client_id=self._environment.get(f"{setting}__clientId"),
                )
        raise HostError(
            f"function {function}: the connection {name} is missing; set the app setting {name} to a connection "
            f"string, or {name}__fullyQualifiedNamespace to the namespace's host name"
        )
