"""The templates as they are, and with something wrong in them: what a check must find."""

from collections.abc import Mapping
from typing import Any

from tests.bicep.deployment import Deployment, deploy
from tests.bicep.needs import ROOT
from tests.bicep.reading import read_folder

SOURCES = read_folder(ROOT / "infra" / "azure")
PROVIDER = {"environmentName": "prod", "location": "westeurope"}
EVERYTHING: Mapping[str, Any] = PROVIDER | {
    "privateNetwork": True,
    "outcomes": "domain",
    "operatorPrincipalId": "operator",
    "alertEmail": "ops@contoso.com",
    "alwaysReadyInstanceCount": 1,
}
TENANT = {"workspaceName": "cards", "fanoutPrincipalId": "fanout"}


def provider(sources: Mapping[str, str] = SOURCES, /, **params: object) -> Deployment:
    return deploy(sources, "main.bicep", **PROVIDER | params)


def tenant(sources: Mapping[str, str] = SOURCES, /, **params: object) -> Deployment:
    return deploy(sources, "tenant/main.bicep", **TENANT | params)


def with_change(path: str, old: str, new: str) -> dict[str, str]:
    """The templates with every `old` in one of them replaced."""
    if old not in SOURCES[path]:
        raise ValueError(f"{path} has no {old!r} that could be changed")
    return {**SOURCES, path: SOURCES[path].replace(old, new)}
