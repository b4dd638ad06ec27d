"""What end-to-end tests do as Azure's users do: rules in a folder, models registered, a look at what each workspace holds."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from infra.local.cloud import LocalCloud
from infra.local.topology import Workspace

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

REGISTRY = "contoso-hub"
QUICK = {"import": 0.2, "asset": 0.2, "endpoint": 0.2, "deployment": 0.3}
OFTEN = {"FANOUT_RECONCILE_SCHEDULE": "*/3 * * * * *", "FANOUT_OVERDUE_SECONDS": "6"}


@contextmanager
def unreconciled(cloud: LocalCloud) -> Iterator[None]:
    """Meanwhile the timer wakes overdue rows and finds nothing: another run of the reconciler seems to be at work."""
    from azure.data.tables import TableClient, UpdateMode

    at = {"PartitionKey": "cursor", "RowKey": "cursor"}
    with TableClient.from_connection_string(cloud.app_settings["Tables"], "reconcile") as table:
        table.upsert_entity(at | {"until": datetime.now(UTC) + timedelta(hours=1)}, mode=UpdateMode.MERGE)
        try:
            yield
        finally:
            table.upsert_entity(at | {"until": datetime.now(UTC)}, mode=UpdateMode.MERGE)


def eventually(what: str, found: Callable[[], object], seconds: float = 60) -> None:
    """Fail, saying what, unless `found` answers something true in time."""
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def mlflow_folder(folder: Path, content: str = "weights") -> Path:
    """A small model in MLflow's folder layout; `content` makes its bytes differ from another's."""
    folder.mkdir(parents=True, exist_ok=True)
    flavors = {"python_function": {"loader_module": "mlflow.sklearn"}, "sklearn": {"pickled_model": "model.pkl"}}
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}))
    (folder / "model.pkl").write_bytes(content.encode())
    return folder


def register(client: "MLClient", name: str, version: str, folder: Path) -> None:
    """What a data scientist does."""
    from azure.ai.ml.entities import Model

    flavors = {"python_function": {"loader_module": "mlflow.sklearn"}}
    model = Model(name=name, version=version, path=str(folder), type="mlflow_model", flavors=flavors)
    client.models.create_or_update(model)


def endpoint_action(name: str) -> dict[str, Any]:
    return {"online_endpoint": {"name": name, "instance_type": "Standard_DS3_v2", "instance_count": 1, "traffic": [100]}}


def rules(folder: Path, publisher: Workspace, subscribers: dict[str, tuple[Workspace, Sequence[Any]]]) -> Path:
    """A rules folder: `northwind` publishes all its models to all, each subscriber wants all of them by its actions."""
    subscribing = [
        tenant(name, workspace, subscriptions=[subscription("all", workspace, ["model"], actions)])
        for name, (workspace, actions) in subscribers.items()
    ]
    return rules_of(folder, tenant("northwind", publisher, publications=[publication("all", ["model"])]), *subscribing)


def rules_of(folder: Path, *tenants: Mapping[str, Any]) -> Path:
    """A rules folder of these tenants, and a provider with one registry for all of them."""
    (folder / "tenants").mkdir(parents=True, exist_ok=True)
    limits = {"instance_types": ["Standard_DS3_v2"], "max_instances": 4}
    _write(folder / "provider.yaml", {"registries": [{"name": REGISTRY, "readers": "*"}], "limits": limits})
    for each in tenants:
        _write(folder / "tenants" / f"{each['id']}.yaml", each)
    return folder


def tenant(name: str, workspace: Workspace, **more: Any) -> dict[str, Any]:
    """`more`: its publications and subscriptions."""
    return {"id": name, "state": "active", "workspaces": [workspace.id], **more}


def publication(name: str, kinds: Sequence[str], assets: str = "*", **more: Any) -> dict[str, Any]:
    """Of all assets of these kinds whose names fit, to everyone."""
    patterns = [{"kind": kind, "name": assets} for kind in kinds]
    return {"name": name, "registry": REGISTRY, "assets": patterns, "to": ["*"], **more}


def subscription(
    name: str, into: Workspace, kinds: Sequence[str], actions: Sequence[Any], assets: str = "*", **more: Any
) -> dict[str, Any]:
    """To all assets of these kinds of `northwind` whose names fit."""
    patterns = [{"kind": kind, "name": assets} for kind in kinds]
    return {"name": name, "from": ["northwind"], "assets": patterns, "into": into.id, "actions": list(actions), **more}


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def models(cloud: LocalCloud, workspace: str) -> set[str]:
    """`name:version` of every model that the workspace holds."""
    return {f"{model['name']}:{model['version']}" for model in _of_workspace(cloud, workspace)["models"]}


def registry_models(cloud: LocalCloud) -> set[str]:
    return {f"{model['name']}:{model['version']}" for model in cloud.azure_ml.state()["registries"][REGISTRY]["models"]}


def endpoint(cloud: LocalCloud, workspace: str, name: str) -> dict[str, Any]:
    """The endpoint as the workspace has it, {} while there is none."""
    found = [each for each in _of_workspace(cloud, workspace)["endpoints"] if each["name"] == name]
    return dict(found[0]) if found else {}


def serves(cloud: LocalCloud, workspace: str, name: str) -> str | None:
    """The deployment that has all of the endpoint's traffic."""
    traffic: dict[str, int] = endpoint(cloud, workspace, name).get("traffic") or {}
    return next((deployment for deployment, percent in traffic.items() if percent == 100), None)


def _of_workspace(cloud: LocalCloud, workspace: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.azure_ml.state()["workspaces"][cloud.workspaces[workspace].id]
    return found


def accepted(cloud: LocalCloud, method: str, path_part: str) -> "Counter[str]":
    """How often Azure ML accepted a change, by what was changed; from its request log."""
    changes = [
        request
        for request in cloud.azure_ml.requests()
        if request["method"] == method and path_part in request["path"] and (request["status"] or 500) < 300
    ]
    return Counter(_subject(request) for request in changes)


def _subject(request: dict[str, Any]) -> str:
    properties = (request["body"] or {}).get("properties", {})
    if "destinationName" in properties:
        return f"{properties['destinationName']}:{properties['destinationVersion']}"
    path = str(request["path"])
    return path.partition("/workspaces/")[2] or path.partition("/registries/")[2]


def twice(counts: "Counter[str]") -> dict[str, int]:
    return {what: times for what, times in counts.items() if times > 1}


def send(cloud: LocalCloud, message_id: str, body: Mapping[str, Any], correlation_id: str | None = None) -> None:
    """A command, as another of the provider's systems puts it on the queue."""
    send_all(cloud, {message_id: body}, correlation_id)


def send_all(cloud: LocalCloud, bodies: Mapping[str, Mapping[str, Any]], correlation_id: str | None = None) -> None:
    """Commands by the ids of their messages, through one sender: to open one takes a second."""
    from azure.servicebus import ServiceBusMessage

    messages = [
        ServiceBusMessage(json.dumps(body), message_id=name, correlation_id=correlation_id) for name, body in bodies.items()
    ]
    with cloud.service_bus_client() as client, client.get_queue_sender("commands") as sender:
        sender.send_messages(messages)


def rejected(cloud: LocalCloud) -> list[dict[str, Any]]:
    """The messages that an operator finds in queue `rejected`, each with the reason in its properties."""
    return cloud.service_bus.messages("rejected")


def idle(cloud: LocalCloud) -> bool:
    """No message waits, is scheduled or is being worked on."""
    queues = cloud.service_bus.queues()
    states = ("active", "scheduled", "locked")
    return not cloud.event_grid.pending() and not any(queues[name][state] for name in ("commands", "wakeups") for state in states)
