"""All four kinds on their way from workspace1 into the registry, and into the workspaces of two subscribers.

Fabrikam has everything registered by reference to the registry; Tailwind has models and data copied into its own storage.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from shared.provenance import CHECKSUM, DELIVERY, ORIGIN, REGISTRY_ID, SHARE
from tests.end_to_end.catalogue import CONDA, TAGS, Author, Known, conda_of, definition, found, in_registry, in_workspace
from tests.end_to_end.stored_bytes import checksums, opened, place
from tests.end_to_end.support import (
    OFTEN,
    QUICK,
    REGISTRY,
    accepted,
    eventually,
    idle,
    publication,
    rejected,
    rules_of,
    send,
    send_all,
    subscription,
    tenant,
    twice,
    unreconciled,
)

EVERY_KIND = ("model", "data", "environment", "component")
SCORING = "scoring"  # the environment that goes along with models
NAMES = {
    "model": Known("model", "cards"),
    "file": Known("data", "rows_file"),
    "other file": Known("data", "rows_other"),  # of the same file name
    "folder": Known("data", "rows_folder"),
    "table": Known("data", "rows_table"),
    "image": Known("environment", "image"),
    "conda": Known("environment", "conda"),
    "step": Known("component", "train"),
    "pipeline": Known("component", "train_twice"),
}
WITH_BYTES = ("model", "file", "other file", "folder", "table")
DEFINED = ("image", "conda", "step", "pipeline")


@dataclass(frozen=True, slots=True)
class Scene:
    cloud: LocalCloud

    def registry(self, name: str) -> dict[str, Any]:
        return in_registry(self.cloud, REGISTRY, NAMES[name])

    def workspace(self, workspace: str, name: str) -> dict[str, Any]:
        return in_workspace(self.cloud, workspace, NAMES[name])

    def source_id(self, asset: Known) -> str:
        """The asset's id in workspace1, as registries tell it."""
        home = self.cloud.ml_client("workspace1").workspaces.get("workspace1")
        return f"azureml://locations/{home.location}/workspaces/{home._workspace_id}/{asset.plural}/{asset.name}/versions/{asset.version}"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Everything is registered, shared by command (models by their events), and has arrived."""
    with LocalCloud(tmp_path_factory.mktemp("cloud"), seconds=QUICK | {"asset": 0.1}, settings=OFTEN) as cloud:
        cloud.apply_rules(_rules(cloud, tmp_path_factory.mktemp("rules")))
        _register_all(Author(cloud, "workspace1", tmp_path_factory.mktemp("files")))
        shared = [known for known in NAMES.values() if known.kind != "model"]
        send_all(cloud, {f"share-{known.name}": share(cloud, known) for known in shared})
        arriving = [*NAMES.values(), Known("model", "northwind-renamed")]
        for known in arriving:
            for workspace in ("workspace2", "workspace3"):
                eventually(f"{known} in {workspace}", lambda at=workspace, what=known: in_workspace(cloud, at, what))  # type: ignore[misc]
        eventually("quiet", lambda: idle(cloud))
        yield Scene(cloud)


def _rules(cloud: LocalCloud, folder: Path) -> Path:
    there = cloud.workspaces
    copies = subscription("copies", there["workspace3"], ["model", "data"], [{"register": {"mode": "copy"}}])
    definitions = subscription("definitions", there["workspace3"], ["environment", "component"], ["register"])
    publications = [
        publication("data", ["data"], "rows_*"),
        publication("components", ["component"], "train*"),
        publication("conda", ["environment"], "conda"),
        publication("image", ["environment"], "image"),
        publication("cards", ["model"], "cards", environment=f"{SCORING}:1"),
        publication("renamed", ["model"], "renamed", **{"as": "{tenant}-{name}"}),
    ]
    return rules_of(
        folder,
        tenant("northwind", there["workspace1"], publications=publications),
        tenant("fabrikam", there["workspace2"], subscriptions=[subscription("all", there["workspace2"], EVERY_KIND, ["register"])]),
        tenant("tailwind", there["workspace3"], subscriptions=[copies, definitions]),
    )


def _register_all(author: Author) -> None:
    author.environment(SCORING)
    author.environment("private")
    author.environment("image")
    conda = author.environment("conda", CONDA)
    author.model("cards")
    author.model("renamed")
    author.data("rows_file", "uri_file")
    author.data("rows_other", "uri_file")
    author.data("rows_folder", "uri_folder")
    author.data("rows_table", "mltable")
    step = author.component("train", conda)
    author.pipeline("train_twice", step, conda)
    author.component("train_privately", Known("environment", "private"))


def share(cloud: LocalCloud, asset: Known) -> dict[str, Any]:
    return {"type": "share", "workspace": cloud.workspaces["workspace1"].id, "asset": asset.command}


# ---- in the registry


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_holds_it_under_its_name_and_version_with_its_tags(scene: Scene, name: str) -> None:
    there = found(scene.cloud.registry_client(REGISTRY), NAMES[name])
    assert (there.name, there.version) == (NAMES[name].name, "1")
    assert there.tags.items() >= TAGS.items()


@pytest.mark.parametrize("name", NAMES)
def test_the_registrys_says_where_it_came_from(scene: Scene, name: str) -> None:
    there, source = scene.registry(name), scene.source_id(NAMES[name])
    labels = {**there["tags"], **there["properties"]}
    assert labels[ORIGIN] == source
    assert labels[REGISTRY_ID] == NAMES[name].path(REGISTRY)
    assert labels[SHARE].startswith("share/")
    made_anew = NAMES[name].kind == "component"
    assert there["originAssetId"] == (None if made_anew else source)


@pytest.mark.parametrize("name", WITH_BYTES)
def test_the_registry_holds_the_bytes_that_were_registered(scene: Scene, name: str) -> None:
    client = scene.cloud.ml_client("workspace1")
    registered = checksums(scene.cloud, str(found(client, NAMES[name]).path))
    shared = checksums(scene.cloud, str(found(scene.cloud.registry_client(REGISTRY), NAMES[name]).path))
    assert registered
    assert shared == registered


@pytest.mark.parametrize("name", ["image", "conda"])
def test_the_registry_holds_the_environment_to_the_letter(scene: Scene, name: str) -> None:
    assert definition(scene.registry(name)) == definition(scene.workspace("workspace1", name))
    assert conda_of(scene.registry("conda")) == CONDA


def test_a_component_names_its_environment_and_its_code_in_the_registry(scene: Scene) -> None:
    spec = scene.registry("step")["componentSpec"]
    assert spec["environment"] == NAMES["conda"].path(REGISTRY)
    assert spec["code"].startswith(f"azureml://registries/{REGISTRY}/codes/")
    original = scene.workspace("workspace1", "step")["componentSpec"]
    own = ("environment", "code")
    assert {k: v for k, v in spec.items() if k not in own} == {k: v for k, v in original.items() if k not in own}


def test_a_components_code_came_along_byte_by_byte(scene: Scene) -> None:
    code_name = scene.registry("step")["componentSpec"]["code"].split("/")[-3]
    state = scene.cloud.azure_ml.state()
    home = scene.cloud.workspaces["workspace1"].id
    original_name = scene.workspace("workspace1", "step")["componentSpec"]["code"].split("/")[-3]
    uris = {
        code["name"]: code["codeUri"]
        for place in (state["workspaces"][home], state["registries"][REGISTRY])
        for code in place["codes"]
    }
    assert set(checksums(scene.cloud, uris[code_name])) == {"train.py", "lib/steps.py"}
    assert checksums(scene.cloud, uris[code_name]) == checksums(scene.cloud, uris[original_name])


def test_a_pipeline_names_its_steps_in_the_registry_those_defined_within_it_too(scene: Scene) -> None:
    jobs = scene.registry("pipeline")["componentSpec"]["jobs"]
    named = {name: job["componentId"] for name, job in jobs.items()}
    assert named["train"] == NAMES["step"].path(REGISTRY)
    within = named["train_twice_inline"].removeprefix(f"azureml://registries/{REGISTRY}/components/").split("/versions/")
    step = in_registry(scene.cloud, REGISTRY, Known("component", *within))
    assert step["componentSpec"]["environment"] == NAMES["conda"].path(REGISTRY)


def test_a_models_environment_went_along(scene: Scene) -> None:
    assert in_registry(scene.cloud, REGISTRY, Known("environment", SCORING))["originAssetId"]


def test_each_was_imported_or_made_once(scene: Scene) -> None:
    assert twice(accepted(scene.cloud, "POST", "/import")) == {}
    made = accepted(scene.cloud, "PUT", "/components/") + accepted(scene.cloud, "PUT", "/codes/")
    assert twice(made) == {}


# ---- in the workspaces


@pytest.mark.parametrize("workspace", ["workspace2", "workspace3"])
@pytest.mark.parametrize("name", NAMES)
def test_a_workspace_holds_it_and_says_how_it_came(scene: Scene, workspace: str, name: str) -> None:
    there = found(scene.cloud.ml_client(workspace), NAMES[name])
    assert (there.name, there.version) == (NAMES[name].name, "1")
    assert there.tags.items() >= TAGS.items()
    properties = scene.workspace(workspace, name)["properties"]
    assert properties[DELIVERY].startswith("delivery/")
    assert properties[REGISTRY_ID] == NAMES[name].path(REGISTRY)
    assert properties[SHARE] == {**scene.registry(name)["tags"], **scene.registry(name)["properties"]}[SHARE]


@pytest.mark.parametrize("name", WITH_BYTES)
def test_by_reference_the_bytes_are_the_registrys(scene: Scene, name: str) -> None:
    there = found(scene.cloud.ml_client("workspace2"), NAMES[name])
    assert there.path == found(scene.cloud.registry_client(REGISTRY), NAMES[name]).path
    assert there.type == found(scene.cloud.ml_client("workspace1"), NAMES[name]).type


@pytest.mark.parametrize("name", WITH_BYTES)
def test_a_copy_is_the_same_in_the_tenants_own_storage(scene: Scene, name: str) -> None:
    client = scene.cloud.ml_client("workspace3")
    there = found(client, NAMES[name])
    container, _ = place(scene.cloud, str(there.path))
    assert container == client.datastores.get("workspaceblobstore").container_name
    assert checksums(scene.cloud, str(there.path)) == checksums(
        scene.cloud, str(found(scene.cloud.ml_client("workspace1"), NAMES[name]).path)
    )
    assert len(scene.workspace("workspace3", name)["properties"][CHECKSUM]) == 64


@pytest.mark.parametrize("workspace", ["workspace2", "workspace3"])
@pytest.mark.parametrize("name", DEFINED)
def test_a_definition_arrives_to_the_letter(scene: Scene, workspace: str, name: str) -> None:
    assert definition(scene.workspace(workspace, name)) == definition(scene.registry(name))


def test_a_table_still_says_what_it_refers_to(scene: Scene) -> None:
    bodies = [
        request["body"]["properties"]
        for request in scene.cloud.azure_ml.requests()
        if request["method"] == "PUT"
        and request["path"].endswith("/data/rows_table/versions/1")
        and "workspace1" not in request["path"]
    ]
    assert {tuple(body["referencedUris"]) for body in bodies if "/registries/" not in body["dataUri"]} == {("./rows.csv",)}


def test_a_renamed_model_keeps_its_origin(scene: Scene) -> None:
    renamed = Known("model", "northwind-renamed")
    there = in_registry(scene.cloud, REGISTRY, renamed)
    assert there["originAssetId"] == there["tags"][ORIGIN] == scene.source_id(Known("model", "renamed"))
    assert in_workspace(scene.cloud, "workspace3", renamed)["properties"][REGISTRY_ID] == renamed.path(REGISTRY)
    assert in_registry(scene.cloud, REGISTRY, Known("model", "renamed")) == {}


# ---- what happens later


def test_a_component_whose_environment_is_private_stops_before_anything_is_written(scene: Scene) -> None:
    before = scene.cloud.azure_ml.state()["registries"][REGISTRY]
    private = Known("component", "train_privately")
    eventually("quiet", lambda: idle(scene.cloud))
    send(scene.cloud, "share-privately", share(scene.cloud, private))
    eventually("its failure in the log", lambda: "dependency_private" in _log(scene.cloud))
    eventually("quiet", lambda: idle(scene.cloud))
    assert "train_privately:1 needs environment private:1" in _log(scene.cloud)
    assert scene.cloud.azure_ml.state()["registries"][REGISTRY] == before
    assert rejected(scene.cloud) == []


def test_the_latest_version_is_the_one_registered_last(scene: Scene, tmp_path: Path) -> None:
    author = Author(scene.cloud, "workspace1", tmp_path)
    last = Known("data", "rows_versions", "3")
    with unreconciled(scene.cloud):
        for version in ("9", "10", "3"):
            author.data("rows_versions", "uri_file", version)
        send(scene.cloud, "share-latest", share(scene.cloud, Known("data", "rows_versions", "latest")))
        eventually("the last one", lambda: in_workspace(scene.cloud, "workspace3", last))
        held = {
            each["version"] for each in scene.cloud.azure_ml.state()["registries"][REGISTRY]["data"] if each["name"] == last.name
        }
    assert held == {"3"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # azure-ai-ml itself downloads by what is deprecated
def test_a_copy_survives_the_registry(scene: Scene, tmp_path: Path) -> None:
    cards, client = NAMES["model"], scene.cloud.ml_client("workspace3")
    container, _ = place(scene.cloud, str(found(scene.cloud.registry_client(REGISTRY), cards).path))
    with opened(scene.cloud, container) as registrys:
        registrys.delete_container()
    client.models.download(cards.name, cards.version, str(tmp_path))
    assert [file.read_text() for file in tmp_path.rglob("model.pkl")] == ["weights of cards:1"]


def _log(cloud: LocalCloud) -> str:
    return (cloud.directory / "logs" / "functions_host.log").read_text()
