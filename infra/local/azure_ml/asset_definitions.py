"""What each kind of asset must say of itself, checked, and written as the service writes it."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from infra.local.azure_ml.assets import CODES, COMPONENTS, ENVIRONMENTS
from infra.local.azure_ml.state import Document

DATA_TYPES = ("uri_file", "uri_folder", "mltable")
# Written by the SDK for itself (the ids are left over from the component that it was made of); the service drops them.
NOT_KEPT = ("_source", "id", "creation_context", "sourceJobId")
# Recorded: an update of these is accepted, any other is refused.
FREE = ("display_name", "description", "tags", "$schema")
NAMES_KIND = {"code": CODES, "environment": ENVIRONMENTS, "componentId": COMPONENTS}
# Their keys are names that the author chose.
PORTS = ("inputs", "outputs")


class InvalidAsset(Exception):
    """What an asset lacks or says wrongly: a 400's message."""


def required_uri(asked: Document, field: str) -> str:
    uri = asked.get(field)
    if not isinstance(uri, str) or not uri:
        raise InvalidAsset(f"The {field} field is required.")
    return uri


def data_definition(asked: Document) -> Document:
    data_type = asked.get("dataType")
    if data_type not in DATA_TYPES:
        raise InvalidAsset(f"The dataType {data_type!r} is not one of {', '.join(DATA_TYPES)}.")
    uri = required_uri(asked, "dataUri")
    if data_type != "uri_file" and uri.startswith("azureml://datastores/") and not uri.endswith("/"):
        uri = f"{uri}/"
    more = {name: asked[name] for name in ("referencedUris", "autoDeleteSetting") if asked.get(name) is not None}
    return {"dataUri": uri, "dataType": data_type, **more}


def environment_definition(asked: Document) -> Document:
    image, build = asked.get("image"), asked.get("build")
    if bool(image) == bool(build):
        raise InvalidAsset("An environment needs either an image or a build context, and not both.")
    definition: Document = {"environmentType": "UserCreated", "condaFile": _conda(asked.get("condaFile"))}
    definition |= {"image": image} if image else {"build": _build_context(build)}
    definition["osType"] = asked.get("osType") or "Linux"
    more = {name: asked[name] for name in ("inferenceConfig", "stage") if asked.get(name) is not None}
    return {**definition, **more}


def component_definition(asked: Document) -> Document:
    """As recorded: booleans and numbers become text, defaults are filled in. The jobs of a pipeline stay as they are."""
    spec = asked.get("componentSpec")
    if not isinstance(spec, dict) or not isinstance(spec.get("type"), str):
        raise InvalidAsset("The componentSpec field is required, with a type.")
    kept = {field: value for field, value in spec.items() if field not in NOT_KEPT}
    jobs = kept.pop("jobs", None)
    defaults: dict[str, Any] = {"is_deterministic": "False" if spec["type"] == "pipeline" else "True"}
    if spec["type"] == "command":
        defaults["resources"] = {"instance_count": "1"}
    described = {**defaults, **_as_text(kept)}
    if described.get("inputs"):
        described["inputs"] = {port: {"optional": "False", **declared} for port, declared in described["inputs"].items()}
    return {"componentSpec": described if jobs is None else {**described, "jobs": _without_source(jobs)}}


def component_identity(spec: Document) -> Document:
    return {field: value for field, value in spec.items() if field not in FREE}


def named_assets(spec: Document) -> Iterator[tuple[Document, str, str]]:
    """Every place in a component's specification that names another asset: the mapping, its key, and the asset's kind (plural)."""
    for field, value in spec.items():
        if field in PORTS:
            continue
        if field in NAMES_KIND and isinstance(value, str):
            yield spec, field, NAMES_KIND[field]
        elif isinstance(value, dict):
            yield from named_assets(value)


def _conda(text: str | None) -> str:
    """The service answers with JSON whatever YAML it was given, and with an empty text for nothing."""
    if not text:
        return ""
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        raise InvalidAsset(f"The condaFile is not YAML: {wrong}") from wrong
    if not isinstance(parsed, dict):
        raise InvalidAsset("The condaFile is not a mapping.")
    return json.dumps(parsed, indent=2)


def _build_context(build: Any) -> Document:
    if not isinstance(build, dict) or not build.get("contextUri"):
        raise InvalidAsset("A build needs a contextUri.")
    return {"contextUri": build["contextUri"], "dockerfilePath": build.get("dockerfilePath") or "Dockerfile"}


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(inner) for inner in value]
    return value if value is None or isinstance(value, str) else str(value)


def _without_source(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_source(inner) for name, inner in value.items() if name != "_source"}
    return value
