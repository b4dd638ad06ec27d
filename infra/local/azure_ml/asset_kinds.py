"""What distinguishes the kinds of versioned assets: what a version must say, where its bytes are named, what never changes.

All else (routes, containers, lists, archiving, imports) is the same for every kind. Shapes are as the SDK's own tests recorded
them from the real service.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.local.azure_ml.asset_definitions import (
    component_definition,
    component_identity,
    data_definition,
    environment_definition,
    required_uri,
)
from infra.local.azure_ml.asset_uris import canonical
from infra.local.azure_ml.assets import CODES, COMPONENTS, DATA, ENVIRONMENTS, MODELS
from infra.local.azure_ml.config import PROVIDER
from infra.local.azure_ml.state import Document


@dataclass(frozen=True, slots=True)
class AssetKind:
    """`define` gives the kind's own properties as the service keeps them (raises InvalidAsset), `fixed` those that never change."""

    plural: str
    label: str
    define: Callable[[Document], Document]
    fixed: Callable[[Document], Any]
    fixed_name: str
    registry_type: str
    """`type` of a version in a registry."""
    uri_at: tuple[str, ...] = ()
    """The way to the property that tells where the bytes lie; none for what has no bytes."""
    importable: bool = True
    updatable: tuple[str, ...] = ()
    """Own properties of which an update may change a part."""
    named_by_version: bool = True
    """A registry tells the version as `name`; of models alone it tells the name."""
    moves_uploads: bool = False
    """The service moves an upload to a place of its own."""
    rewrites_uri: bool = False
    """The service writes the uri in its own way, whatever way the client wrote it."""
    bytes_required: bool = False

    def uri(self, properties: Document) -> str | None:
        value: Any = properties if self.uri_at else None
        for field in self.uri_at:
            value = value and value.get(field)
        return str(value) if value else None

    def with_uri(self, properties: Document, uri: str) -> Document:
        return _with(properties, self.uri_at, uri)

    def properties(self, asked: Document, definition: Document) -> Document:
        """All properties of a new version."""
        own = asked.get("properties") or {}
        return {
            "description": asked.get("description"),
            "tags": asked.get("tags") or {},
            "properties": {name: value if value is None else str(value) for name, value in own.items()},
            "isArchived": bool(asked.get("isArchived", False)),
            "isAnonymous": bool(asked.get("isAnonymous", False)),
            **definition,
        }

    def is_same(self, definition: Document, *others: Document) -> bool:
        """Whether it may be called the same version as any of the others."""
        return self.fixed(definition) in map(self.fixed, others)


def _with(properties: Document, way: tuple[str, ...], value: str) -> Document:
    first, *rest = way
    return {**properties, first: _with(properties[first], tuple(rest), value) if rest else value}


def _model_definition(asked: Document) -> Document:
    definition = {
        "flavors": asked.get("flavors") or {},
        "modelType": asked.get("modelType") or "custom_model",
        "modelUri": required_uri(asked, "modelUri"),
        "jobName": asked.get("jobName"),
    }
    return {**definition, "stage": asked["stage"]} if asked.get("stage") else definition


def _code_definition(asked: Document) -> Document:
    """Recorded: sent as anonymous, answered as not."""
    return {"codeUri": required_uri(asked, "codeUri"), "isAnonymous": False, "provisioningState": "Succeeded"}


def _environment_identity(properties: Document) -> str:
    fields = ("image", "condaFile", "build", "osType", "inferenceConfig")
    return json.dumps([properties.get(field) for field in fields], sort_keys=True)


MODEL = AssetKind(
    MODELS,
    "model",
    _model_definition,
    fixed=lambda properties: canonical(properties["modelUri"]),
    fixed_name="model uri",
    registry_type=MODELS,
    uri_at=("modelUri",),
    named_by_version=False,
    moves_uploads=True,
)
DATA_ASSET = AssetKind(
    DATA,
    "data",
    data_definition,
    fixed=lambda properties: (canonical(properties["dataUri"]).rstrip("/"), properties["dataType"]),
    fixed_name="data uri",
    registry_type=DATA,
    uri_at=("dataUri",),
)
ENVIRONMENT = AssetKind(
    ENVIRONMENTS,
    "environment",
    environment_definition,
    fixed=_environment_identity,
    fixed_name="definition",
    registry_type=ENVIRONMENTS,
    uri_at=("build", "contextUri"),
    rewrites_uri=True,
)
COMPONENT = AssetKind(
    COMPONENTS,
    "component",
    component_definition,
    fixed=lambda properties: component_identity(properties["componentSpec"]),
    fixed_name="componentSpec",
    registry_type=f"{PROVIDER}/registries/components/versions",
    importable=False,
    updatable=("componentSpec",),
)
CODE = AssetKind(
    CODES,
    "code",
    _code_definition,
    fixed=lambda properties: properties["codeUri"],
    fixed_name="code uri",
    registry_type=f"{PROVIDER}/registries/codes/versions",
    uri_at=("codeUri",),
    importable=False,
    moves_uploads=True,
    bytes_required=True,
)
KINDS: dict[str, AssetKind] = {kind.plural: kind for kind in (MODEL, DATA_ASSET, ENVIRONMENT, COMPONENT, CODE)}
