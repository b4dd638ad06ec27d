"""Azure ML's ModelRegistered event, in both of Event Grid's schemas.

The documentation shows PascalCase data and an integer version, the SDK's types camelCase and a string: both are read
(azure-docs articles/event-grid/event-schema-machine-learning.md, and azure-rest-api-specs eventgrid MachineLearningServices).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from shared.assets import Asset, Kind, WorkspaceId
from shared.errors import Owner, Permanent

MODEL_REGISTERED = "Microsoft.MachineLearningServices.ModelRegistered"


@dataclass(frozen=True, slots=True)
class ModelRegistered:
    """A model version was registered in a workspace. A hint only: the asset itself is read from the workspace."""

    event_id: str
    workspace: WorkspaceId
    asset: Asset


def parse(event: Mapping[str, object]) -> ModelRegistered:
    """Read an event of the Event Grid schema or CloudEvents 1.0. Permanent `bad_event`, saying what is wrong, otherwise."""
    try:
        json.dumps(event, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as wrong:
        raise _refused("it holds half a surrogate pair, which is no text") from wrong
    cloud = "specversion" in event
    event_type = event.get("type" if cloud else "eventType")
    if event_type != MODEL_REGISTERED:
        raise _refused(f"its type is {event_type!r}, not {MODEL_REGISTERED}")
    name, version = _model(event)
    if not (event_id := str(event.get("id") or "")):
        raise _refused("it has no id")
    try:
        workspace = WorkspaceId.parse(str(event.get("source" if cloud else "topic")))
    except ValueError as wrong:
        raise _refused(str(wrong)) from wrong
    return ModelRegistered(event_id, workspace, Asset(Kind.MODEL, name, version))


def _model(event: Mapping[str, object]) -> tuple[str, str]:
    """Name and version from the data, checked against the subject `models/<name>:<version>`."""
    data = event.get("data")
    if not isinstance(data, dict):
        raise _refused("its data is not an object")
    fields = {str(field).lower(): value for field, value in cast(dict[object, object], data).items()}
    name, version = fields.get("modelname"), fields.get("modelversion")
    if not isinstance(name, str) or not name:
        raise _refused("its data has no ModelName")
    if isinstance(version, bool) or not isinstance(version, int | str) or version == "":
        raise _refused("its data has no ModelVersion, an integer or a string")
    subject = str(event.get("subject") or "")
    if subject.removeprefix("models/").rpartition(":")[::2] != (name, str(version)):
        raise _refused(f"its subject is {subject!r}, but its data says model {name}, version {version}")
    return name, str(version)


def _refused(text: str) -> Permanent:
    remedy = "send ModelRegistered events of Azure ML workspaces only; check the event subscription's filter"
    return Permanent("bad_event", f"the event cannot be used: {text}", Owner.PROVIDER, remedy)
