"""What tests of endpoints share: models that say which version they are, an application that asks all the time, a tenant."""

import json
import os
import pickle
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import requests
import yaml

from infra.local.cloud import LocalCloud
from shared.assets import Asset, Kind
from shared.bootstrap import AzureFanout
from shared.rows import DeliveryRow
from shared.states import is_final
from tests.end_to_end.catalogue import IMAGE
from tests.end_to_end.support import REGISTRY

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

SAMPLE = '{"input_data": [[0.5]]}'
INSTANCE = {"instance_type": "Standard_DS3_v2", "instance_count": 1}
PAUSE = 0.02  # between two requests of an application


def online(name: str, traffic: Sequence[int] = (100,), **more: Any) -> dict[str, Any]:
    """The action, as rules have it."""
    return {"online_endpoint": {"name": name, **INSTANCE, "traffic": list(traffic), **more}}


def batch(name: str, **more: Any) -> dict[str, Any]:
    return {"batch_endpoint": {"name": name, "compute": "cpu-cluster", **more}}


# ---- a data scientist


def answering(folder: Path, answer: int, columns: int = 1) -> Path:
    """An MLflow model that answers its own number to whatever has so many columns, and refuses the rest."""
    from sklearn.tree import DecisionTreeClassifier

    folder.mkdir(parents=True, exist_ok=True)
    model = DecisionTreeClassifier().fit([[0.0] * columns], [answer])
    flavors = {"python_function": {"loader_module": "mlflow.sklearn"}, "sklearn": {"pickled_model": "model.pkl"}}
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}))
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    return folder


SCRIPT = """
import os, pathlib

def init():
    global number
    (file,) = pathlib.Path(os.environ["AZUREML_MODEL_DIR"]).rglob("number.txt")
    number = int(file.read_text())

def run(body):
    return [number]
"""


def register_custom(client: "MLClient", name: str, version: str, folder: Path, answer: int) -> None:
    """A model that is no MLflow model: SCRIPT knows what to do with it."""
    from azure.ai.ml.entities import Model

    folder.mkdir(parents=True)
    (folder / "number.txt").write_text(str(answer))
    client.models.create_or_update(Model(name=name, version=version, path=str(folder), type="custom_model"))


def scoring_of_registry(client: "MLClient", folder: Path) -> dict[str, str]:
    """SCRIPT and an environment in the registry, as a subscription names them. The code comes there with a component."""
    from azure.ai.ml.entities import CommandComponent, Environment

    folder.mkdir(parents=True)
    (folder / "score.py").write_text(SCRIPT)
    client.environments.create_or_update(Environment(name="scoring", version="1", image=IMAGE))
    environment = f"azureml://registries/{REGISTRY}/environments/scoring/versions/1"
    component = CommandComponent(name="score", version="1", command="python score.py", environment=environment, code=str(folder))
    code = str(client.components.create_or_update(component).code)
    return {"code": code, "script": "score.py", "environment": environment}


# ---- an application


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is 0 where no answer came; `text` then says why."""

    status: int
    text: str
    deployment: str = ""

    @property
    def number(self) -> int:
        return int(json.loads(self.text)[0])


class Application:
    """Asks an endpoint all the time, as its callers do: with its key, without the SDK, and without a second try."""

    def __init__(self, cloud: LocalCloud, workspace: str, name: str) -> None:
        operations = cloud.ml_client(workspace).online_endpoints
        self._address = str(operations.get(name).scoring_uri)
        self._headers = {"Authorization": f"Bearer {operations.get_keys(name).primary_key}", "Content-Type": "application/json"}
        self._ca = os.environ["REQUESTS_CA_BUNDLE"]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask_until_over, name="application")
        self.answers: list[Answer] = []

    def __enter__(self) -> "Application":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    @property
    def failed(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status != 200]

    @property
    def numbers(self) -> list[int]:
        """What the models answered, each only where it differs from the one before."""
        found = [answer.number for answer in self.answers if answer.status == 200]
        return [number for place, number in enumerate(found) if place == 0 or number != found[place - 1]]

    def ask(self, deployment: str = "", session: requests.Session | None = None) -> Answer:
        """Once; `deployment` is reached whether it has traffic or not."""
        headers = self._headers | ({"azureml-model-deployment": deployment} if deployment else {})
        try:
            with (session or requests).post(self._address, SAMPLE, headers=headers, verify=self._ca, timeout=60) as said:
                return Answer(said.status_code, said.text, said.headers.get("azureml-model-deployment", ""))
        except requests.RequestException as broken:
            return Answer(0, repr(broken))

    def _ask_until_over(self) -> None:
        with requests.Session() as session:
            while not self._over.wait(PAUSE):
                self.answers.append(self.ask(session=session))


# ---- a tenant


def make_endpoint(client: "MLClient", name: str) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    own = ManagedOnlineEndpoint(name=name, auth_mode="key", tags={"team": "risk"})
    client.online_endpoints.begin_create_or_update(own).result()


def deploy_by_hand(client: "MLClient", name: str, deployment: str, model: str) -> None:
    from azure.ai.ml.entities import ManagedOnlineDeployment

    new = ManagedOnlineDeployment(name=deployment, endpoint_name=name, model=model, **INSTANCE)
    client.online_deployments.begin_create_or_update(new).result()


def set_traffic(client: "MLClient", name: str, traffic: Mapping[str, int]) -> None:
    there = client.online_endpoints.get(name)
    there.traffic = dict(traffic)
    client.online_endpoints.begin_create_or_update(there).result()


# ---- what there is


def batch_endpoint(cloud: LocalCloud, workspace: str, name: str) -> dict[str, Any]:
    """As `support.endpoint`; its `default` names a deployment."""
    found = cloud.azure_ml.state()["workspaces"][cloud.workspaces[workspace].id]["batch_endpoints"]
    return next((dict(each) for each in found if each["name"] == name), {})


def deployments(there: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Those of an endpoint: Fanout's by the version that they serve, the tenant's own by their names."""
    return {_label(deployment): deployment for deployment in there.get("deployments", [])}


def traffic(there: Mapping[str, Any]) -> dict[str, int]:
    """In per cent by what `deployments` calls them."""
    shares: Mapping[str, int] = there.get("traffic") or {}
    labels = {deployment["name"]: label for label, deployment in deployments(there).items()}
    return {labels[name]: percent for name, percent in shares.items() if percent}


def _label(deployment: Mapping[str, Any]) -> str:
    tags: Mapping[str, str] = deployment["tags"] or {}
    return tags["fanout_asset"].rpartition(":")[2] if "fanout_asset" in tags else str(deployment["name"])


# ---- what Fanout knows, and what it told


def deliveries(model: str, *versions: str) -> dict[tuple[str, str], DeliveryRow]:
    """By version and endpoint, open or closed. Reads the cloud's settings in this process's environment, as it is open."""
    rows = AzureFanout().rows
    assets = [Asset(Kind.MODEL, model, version) for version in versions]
    found = [row for asset in assets for row in (*rows.open_deliveries(asset.key), *rows.closed_deliveries(asset.key))]
    return {(row.asset.version, row.action.route.rpartition("/")[2]): row for row in found}


def ended(model: str, version: str, *endpoints: str) -> bool:
    """Whether the version's deliveries to these endpoints have all come to an end, whichever."""
    found = deliveries(model, version)
    return all((version, name) in found and is_final(found[version, name].state) for name in endpoints)


def told(cloud: LocalCloud, kind: str, **details: object) -> list[dict[str, Any]]:
    """The data of the outcome events of a kind, such as DeliveryFailed, that have these fields."""
    found = [event["data"] for event in cloud.outcomes() if event["type"] == f"Fanout.{kind}"]
    return [each for each in found if details.items() <= each.items()]
