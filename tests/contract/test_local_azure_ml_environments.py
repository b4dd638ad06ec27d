"""Environments in workspaces and registries, through the unmodified SDK and on the wire."""

import contextlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError

from tests.contract.test_local_azure_ml import (
    LIMITED,
    REGISTRY,
    WORKSPACE1,
    WORKSPACE3,
    WORKSPACE4,
    AzureMl,
    Clients,
    eventually,
    registry_path,
    running_azurite,
    sdk,
)
from tests.contract.test_local_azure_ml_data import begin_import, ended

# azure-ai-ml itself calls what is deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
CONDA = {"name": "cards", "channels": ["conda-forge"], "dependencies": ["python=3.11", {"pip": ["scikit-learn"]}]}


@pytest.fixture(scope="module")
def azure_ml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMl]:
    with running_azurite(tmp_path_factory.mktemp("azurite")) as blobs:
        seconds = {"import": 0.3, "asset": 0.1}
        cloud = AzureMl(tmp_path_factory.mktemp("cloud"), blobs, seconds=seconds)
        yield cloud
        assert cloud.stop() == 0


@pytest.fixture(scope="module")
def clients(azure_ml: AzureMl) -> Iterator[Clients]:
    with sdk(azure_ml) as found:
        yield found


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {IMAGE}\n")
    (folder / "requirements.txt").write_text("scikit-learn\n")
    return folder


def _environment(**fields: Any) -> Any:
    from azure.ai.ml.entities import Environment

    return Environment(**{"version": "1"} | fields)


def _put(azure_ml: AzureMl, workspace: str, name: str, version: str = "1", **properties: Any) -> Any:
    return azure_ml.call(
        "PUT", f"{workspace}/environments/{name}/versions/{version}", {"properties": {"image": IMAGE} | properties}
    )


def _wire(azure_ml: AzureMl, owner: str, name: str, version: str = "1") -> Any:
    return azure_ml.call("GET", f"{owner}/environments/{name}/versions/{version}").json()


def test_an_environment_looks_as_recorded_from_the_real_service(azure_ml: AzureMl, clients: Clients) -> None:
    made = clients.workspace(WORKSPACE1).environments.create_or_update(
        _environment(name="cards", image=IMAGE, conda_file=CONDA, description="d", tags={"a": "b"})
    )

    body = _wire(azure_ml, WORKSPACE1, "cards")
    assert made.id == f"{WORKSPACE1}/environments/cards/versions/1"
    assert made.conda_file == CONDA
    assert (body["name"], body["type"]) == ("1", "Microsoft.MachineLearningServices/workspaces/environments/versions")
    assert json.loads(body["properties"].pop("condaFile")) == CONDA
    assert body["properties"] == {
        "description": "d",
        "tags": {"a": "b"},
        "properties": {},
        "isArchived": False,
        "isAnonymous": False,
        "environmentType": "UserCreated",
        "image": IMAGE,
        "osType": "Linux",
    }


def test_a_build_context_is_uploaded_and_its_address_can_be_read(azure_ml: AzureMl, clients: Clients, context: Path) -> None:
    from azure.ai.ml.entities import BuildContext

    made = clients.workspace(WORKSPACE1).environments.create_or_update(
        _environment(name="built", build=BuildContext(path=str(context)))
    )

    build = _wire(azure_ml, WORKSPACE1, "built")["properties"]["build"]
    assert build == {"contextUri": made.build.path, "dockerfilePath": "Dockerfile"}
    assert build["contextUri"].endswith("/context/")
    assert _read(azure_ml, WORKSPACE1, f"{build['contextUri']}requirements.txt") == "scikit-learn\n"


def _read(azure_ml: AzureMl, workspace: str, address: str) -> str:
    """By the credential of the workspace's datastore, which goes into the query as it is."""
    token = azure_ml.call("POST", f"{workspace}/datastores/workspaceblobstore/listSecrets", {}).json()["sasToken"]
    answer = azure_ml.call(
        "GET", f"{address.removeprefix(azure_ml.url.rstrip('/'))}?{token}", headers={"Authorization": ""}, params={}
    )
    return str(answer.text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"image": None},
        {"build": {"contextUri": "https://x/y"}},
        {"condaFile": "a: ["},
        {"image": None, "build": {"dockerfilePath": "x"}},
    ],
)
def test_what_is_no_environment_is_refused(azure_ml: AzureMl, wrong: dict[str, Any]) -> None:
    answer = _put(azure_ml, WORKSPACE1, "wrong", **wrong)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "UserError")


def test_the_same_version_again_changes_tags_and_never_the_definition(clients: Clients) -> None:
    environments = clients.workspace(WORKSPACE1).environments
    environments.create_or_update(_environment(name="again", image=IMAGE, conda_file=CONDA))

    changed = environments.create_or_update(_environment(name="again", image=IMAGE, conda_file=CONDA, tags={"a": "2"}))

    assert changed.tags == {"a": "2"}
    with pytest.raises(ResourceExistsError, match="definition cannot be changed"):
        environments.create_or_update(_environment(name="again", image="mcr.microsoft.com/other:1", conda_file=CONDA))


def test_without_a_version_the_sdk_makes_the_next_one_where_the_definition_differs(clients: Clients) -> None:
    environments = clients.workspace(WORKSPACE3).environments

    made = [
        environments.create_or_update(_environment(name="grows", version=None, image=image)).version for image in ("a", "a", "b")
    ]

    assert made == ["1", "1", "2"]
    assert environments.get("grows", label="latest").image == "b"


def test_lists_and_archiving_are_as_for_models(azure_ml: AzureMl, clients: Clients) -> None:
    for version in ("1", "2"):
        _put(azure_ml, WORKSPACE4, "listed", version)
    _put(azure_ml, WORKSPACE4, "CliV2AnonymousEnvironment", "abc", isAnonymous=True)
    environments = clients.workspace(WORKSPACE4).environments

    environments.archive("listed", "2")

    assert [found.version for found in environments.list("listed")] == ["1"]
    assert [(found.name, found.latest_version) for found in environments.list()] == [("listed", "1")]
    environments.restore("listed", "2")
    assert environments.get("listed", label="latest").version == "2"
    environments.archive("listed")
    assert list(environments.list()) == []


def test_the_sdk_shares_an_environment_under_another_name(azure_ml: AzureMl, clients: Clients) -> None:
    workspace = clients.workspace(WORKSPACE1)
    workspace.environments.create_or_update(_environment(name="shared", image=IMAGE, conda_file=CONDA, tags={"a": "b"}))

    shared = workspace.environments.share("shared", "1", share_with_name="hub-env", share_with_version="7", registry_name=REGISTRY)

    assert shared.id == f"azureml://registries/{REGISTRY}/environments/hub-env/versions/7"
    wire, source = _wire(azure_ml, registry_path(), "hub-env", "7"), _wire(azure_ml, WORKSPACE1, "shared")
    guid = azure_ml.call("GET", WORKSPACE1).json()["properties"]["workspaceId"]
    origin = f"azureml://locations/westeurope/workspaces/{guid}/environments/shared/versions/1"
    assert wire["properties"] == source["properties"] | {"originAssetId": origin}
    assert (wire["name"], wire["type"]) == ("7", "environments")
    pulled = clients.workspace(WORKSPACE4).environments.create_or_update(clients.registry().environments.get("hub-env", "7"))
    assert (pulled.name, pulled.image, pulled.conda_file) == ("hub-env", IMAGE, CONDA)


def test_a_shared_build_context_lies_in_the_registrys_own_storage(azure_ml: AzureMl, clients: Clients, context: Path) -> None:
    from azure.ai.ml.entities import BuildContext

    workspace = clients.workspace(WORKSPACE1)
    workspace.environments.create_or_update(_environment(name="shared-build", build=BuildContext(path=str(context))))

    end = ended(azure_ml, begin_import(azure_ml, WORKSPACE1, "shared-build", "environments"))

    uri = _wire(azure_ml, registry_path(), "shared-build")["properties"]["build"]["contextUri"]
    assert end.status_code == 204
    assert uri.startswith(f"{azure_ml.url}{REGISTRY}-")
    assert uri.endswith("/context/")


def test_an_import_is_refused_where_one_of_models_is(azure_ml: AzureMl) -> None:
    _put(azure_ml, WORKSPACE1, "once")

    accepted = begin_import(azure_ml, WORKSPACE1, "once", "environments")
    meanwhile = begin_import(azure_ml, WORKSPACE1, "once", "environments")
    end = ended(azure_ml, accepted)
    answers = [
        begin_import(azure_ml, WORKSPACE1, name, kind) for name, kind in (("once", "environments"), ("never", "environments"))
    ]
    component = begin_import(azure_ml, WORKSPACE1, "once", "components")

    assert (end.status_code, end.text) == (204, "")
    assert [answer.status_code for answer in (meanwhile, *answers, component)] == [409, 409, 404, 400]


def test_the_sdk_creates_environments_in_a_registry(azure_ml: AzureMl, clients: Clients, context: Path) -> None:
    from azure.ai.ml.entities import BuildContext

    environments = clients.registry().environments

    made = environments.create_or_update(_environment(name="local", image=IMAGE, conda_file=CONDA))
    built = environments.create_or_update(_environment(name="local-build", build=BuildContext(path=str(context))))

    assert made.id == f"azureml://registries/{REGISTRY}/environments/local/versions/1"
    assert built.build.path.startswith(f"{azure_ml.url}{REGISTRY}-")
    assert {"local", "local-build"} <= {found.name for found in environments.list()}
    assert environments.get("local", label="latest").image == IMAGE


def test_creating_in_a_registry_is_accepted_and_ends_empty(azure_ml: AzureMl) -> None:
    accepted = _put(azure_ml, registry_path(), "by-hand")
    meanwhile = _put(azure_ml, registry_path(), "by-hand")
    end = ended(azure_ml, accepted)

    assert (accepted.text, accepted.headers["x-ms-async-operation-timeout"]) == ("null", "PT1H")
    assert (meanwhile.status_code, end.status_code, end.text) == (409, 200, "")


def test_a_registrys_version_changes_tags_description_and_archiving_only(azure_ml: AzureMl, clients: Clients) -> None:
    ended(azure_ml, _put(azure_ml, registry_path(), "fixed", properties={"made": "here"}))
    before = _wire(azure_ml, registry_path(), "fixed")["properties"]
    path = f"{registry_path()}/environments/fixed/versions/1"

    other = azure_ml.call("PUT", path, {"properties": before | {"image": "other"}})
    tagged = azure_ml.call("PUT", path, {"properties": before | {"tags": {"a": "b"}, "properties": {"made": "elsewhere"}}})

    assert (other.status_code, ended(azure_ml, tagged).status_code) == (409, 204)
    assert _wire(azure_ml, registry_path(), "fixed")["properties"] == before | {"tags": {"a": "b"}}
    clients.registry().environments.archive("fixed", "1")
    assert _wire(azure_ml, registry_path(), "fixed")["properties"]["isArchived"] is True
    assert list(clients.registry().environments.list("fixed")) == []
    clients.registry().environments.archive("fixed")
    assert "fixed" not in {found.name for found in clients.registry().environments.list()}


@contextlib.contextmanager
def _without_storage(folder: Path, **changes: Any) -> Iterator[AzureMl]:
    cloud = AzureMl(folder, "http://127.0.0.1:1", **changes)
    try:
        yield cloud
    finally:
        assert cloud.stop() == 0


def test_what_is_being_created_outlives_the_death_of_the_process(tmp_path: Path) -> None:
    with _without_storage(tmp_path, seconds={"asset": 1.0}) as cloud:
        path = f"{registry_path()}/environments/survivor/versions/1"
        assert _put(cloud, registry_path(), "survivor").status_code == 202

        cloud.program.end(signal.SIGKILL)
        cloud.start()

        assert eventually(lambda: cloud.call("GET", path).ok)


def test_who_may_not_write_or_read_is_refused(tmp_path: Path) -> None:
    denied = [
        {"principal": LIMITED, "scope": WORKSPACE1, "actions": "write"},
        {"principal": LIMITED, "scope": f"registry:{REGISTRY}", "actions": "all"},
    ]
    names_the_registry = {"type": "command", "environment": f"azureml://registries/{REGISTRY}/environments/x/versions/1"}
    with _without_storage(tmp_path, denied=denied) as cloud:
        version, limited, body = "environments/theirs/versions/1", cloud.token(principal=LIMITED), {"properties": {"image": IMAGE}}
        _put(cloud, WORKSPACE1, "theirs")

        answers = [
            cloud.call("GET", f"{WORKSPACE1}/{version}", token=limited),
            cloud.call("PUT", f"{WORKSPACE1}/{version}", body, limited),
            cloud.call("POST", f"{WORKSPACE1}/codes/x/versions/1/startPendingUpload", {}, limited),
            cloud.call("GET", f"{registry_path()}/{version}", token=limited),
            cloud.call("PUT", f"{registry_path()}/{version}", body, limited),
            cloud.call("PUT", f"{registry_path()}/tempdatarefs/theirs/versions/1", {}, limited),
            cloud.call(
                "PUT", f"{WORKSPACE3}/components/x/versions/1", {"properties": {"componentSpec": names_the_registry}}, limited
            ),
        ]

    assert [answer.status_code for answer in answers] == [200, 403, 403, 403, 403, 403, 403]


def test_the_state_tells_tests_what_everybody_holds(azure_ml: AzureMl) -> None:
    _put(azure_ml, WORKSPACE3, "held", tags={"a": "b"})

    state = azure_ml.control("GET", "state")

    [held] = [found for found in state["workspaces"][WORKSPACE3]["environments"] if found["name"] == "held"]
    assert (held["version"], held["image"], held["osType"], held["tags"]) == ("1", IMAGE, "Linux", {"a": "b"})
