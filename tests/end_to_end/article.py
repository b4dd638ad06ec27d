"""The article's tenants: who has which workspaces in which Azure subscription and region, and by which rules they share.

Northwind, Fabrikam, Tailwind and Adventure have the article's four workspaces, and Adventure a second one in an Azure
subscription of its own. Woodgrove's lies in a region that the registry does not cover. Litware's lies in an Azure subscription
in which Fanout's identity has no role.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.cloud import LocalCloud
from infra.local.environment import FANOUT_CLIENT_ID
from infra.local.topology import ARTICLE_WORKSPACES, Workspace
from tests.end_to_end.command_line import fanout
from tests.end_to_end.support import (
    OFTEN,
    QUICK,
    REGISTRY,
    eventually,
    idle,
    mlflow_folder,
    models,
    publication,
    registry_models,
    rules_of,
    subscription,
    tenant,
)

if TYPE_CHECKING:
    from azure.ai.ml.entities import Model

SECOND_OF_ADVENTURE = Workspace("workspace5", "55555555-5555-5555-5555-555555555555", "rg-adventure-lab")
OUT_OF_REGION = Workspace("workspace6", location="eastasia")
OUT_OF_REACH = Workspace("workspace7", "77777777-7777-7777-7777-777777777777", "rg-litware")
WORKSPACES = (*ARTICLE_WORKSPACES, SECOND_OF_ADVENTURE, OUT_OF_REGION, OUT_OF_REACH)
NO_ROLE = {"principal": FANOUT_CLIENT_ID, "scope": f"/subscriptions/{OUT_OF_REACH.azure_subscription_id}"}
SIMILAR = ("data", "environment", "component")


def write_rules(folder: Path) -> Path:
    """Everyone publishes its `*-scores` to everyone, and wants everyone's. The rest is each tenant's own."""
    one, two, three, four = ARTICLE_WORKSPACES
    cards = publication("cards", ["model"], "credit-card-*")
    bert = publication("bert", ["model"], "bert-*")
    lab = publication("lab", ["model"], "lab-*", workspaces=[SECOND_OF_ADVENTURE.id])
    adventure = _member("adventure", four, [bert, lab], [_wish("cards", SECOND_OF_ADVENTURE, "credit-card-*", "northwind")])
    adventure["workspaces"].append(SECOND_OF_ADVENTURE.id)
    return rules_of(
        folder,
        _member("northwind", one, [cards, publication("similar", SIMILAR, "shared_*")]),
        _member(
            "fabrikam",
            two,
            subscriptions=[
                _wish("cards", two, "credit-card-*", "northwind"),
                _wish("lab", two, "lab-*", "adventure"),
                subscription("similar", two, SIMILAR, ["register"], "shared_*"),
            ],
        ),
        _member("tailwind", three, [bert], [_wish("bert", three, "bert-*", "adventure")]),
        adventure,
        tenant("woodgrove", OUT_OF_REGION, publications=[publication("all", ["model"])]),
        tenant(
            "litware",
            OUT_OF_REACH,
            publications=[publication("all", ["model"])],
            subscriptions=[_wish("cards", OUT_OF_REACH, "credit-card-*", "northwind")],
        ),
    )


def _member(name: str, home: Workspace, publications: Sequence[Any] = (), subscriptions: Sequence[Any] = ()) -> dict[str, Any]:
    scores = publication("scores", ["model"], "*-scores")
    return tenant(
        name, home, publications=[scores, *publications], subscriptions=[_wish("scores", home, "*-scores", "*"), *subscriptions]
    )


def _wish(name: str, into: Workspace, models: str, publisher: str) -> dict[str, Any]:
    return subscription(name, into, ["model"], ["register"], models, **{"from": [publisher]})


@dataclass(frozen=True, slots=True)
class DataScientist:
    """Who works in one workspace, with the SDK alone. `folder` is for files."""

    cloud: LocalCloud
    workspace: str
    folder: Path

    @property
    def workspace_guid(self) -> str:
        """By which registries name the workspace."""
        return str(self.cloud.ml_client(self.workspace).workspaces.get(self.workspace)._workspace_id)

    def registers(self, name: str, version: str = "1", **more: Mapping[str, str]) -> str:
        """A model with bytes of its own, as `name:version`. `more`: its tags and properties."""
        from azure.ai.ml.entities import Model

        content = f"{name}:{version} as trained in {self.workspace}"
        path = mlflow_folder(self.folder / self.workspace / f"{name}-{version}", content)
        model = Model(name=name, version=version, path=str(path), type="mlflow_model", flavors={"sklearn": {}}, **more)
        self.cloud.ml_client(self.workspace).models.create_or_update(model)
        return f"{name}:{version}"

    def pulls(self, name: str, version: str) -> "Model":
        """Get it from the registry, register it here: the article's own lines. The model, as it then is."""
        shared = self.cloud.registry_client(REGISTRY).models.get(name, version)
        return self.cloud.ml_client(self.workspace).models.create_or_update(shared)


@dataclass(frozen=True, slots=True)
class Scene:
    """The cloud with these tenants at work in it. `folder` is for files."""

    cloud: LocalCloud
    folder: Path

    def data_scientist(self, workspace: str) -> DataScientist:
        return DataScientist(self.cloud, workspace, self.folder)

    def holders(self, model: str) -> set[str]:
        """The workspaces that hold it."""
        return {workspace for workspace in self.cloud.workspaces if model in models(self.cloud, workspace)}

    def arrives(self, model: str, *workspaces: str) -> None:
        eventually(f"{model} in {workspaces}", lambda: self.holders(model) >= set(workspaces))

    def is_shared(self, model: str) -> None:
        eventually(f"{model} in the registry", lambda: model in registry_models(self.cloud))

    def is_not_shared(self, model: str, why: str) -> None:
        """Fanout heard of it, told in its log why it leaves it where it is, and is idle."""
        log, said = self.cloud.directory / "logs" / "functions_host.log", rf": {why} workspace=\S+ asset=model {re.escape(model)} "
        eventually(f"{model} is {why}", lambda: re.search(said, log.read_text()))
        eventually("quiet", lambda: idle(self.cloud))


@contextmanager
def article_scene(factory: pytest.TempPathFactory) -> Iterator[Scene]:
    azure_ml = {"denied": [NO_ROLE]}
    with LocalCloud(factory.mktemp("cloud"), workspaces=WORKSPACES, seconds=QUICK, settings=OFTEN, azure_ml=azure_ml) as cloud:
        fanout("apply", str(write_rules(factory.mktemp("rules"))))
        yield Scene(cloud, factory.mktemp("files"))
