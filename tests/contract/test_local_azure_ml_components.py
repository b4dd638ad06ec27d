"""Components and their code in workspaces and registries, through the unmodified SDK and on the wire."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from tests.contract.test_local_azure_ml import (
    REGISTRY,
    WORKSPACE1,
    WORKSPACE3,
    WORKSPACE4,
    AzureMl,
    Clients,
    error_text,
    registry_path,
    running_azurite,
    sdk,
)
from tests.contract.test_local_azure_ml_data import begin_import, ended, reader

# azure-ai-ml itself calls what is deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HUB_ENVIRONMENT = f"azureml://registries/{REGISTRY}/environments/hub/versions/1"


@pytest.fixture(scope="module")
def azure_ml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMl]:
    """With an environment `base` in a workspace, and `hub` in the registry."""
    with running_azurite(tmp_path_factory.mktemp("azurite")) as blobs:
        seconds = {"import": 0.3, "asset": 0.1}
        cloud = AzureMl(tmp_path_factory.mktemp("cloud"), blobs, seconds=seconds)
        for workspace in (WORKSPACE1, WORKSPACE3, WORKSPACE4):
            path = f"{workspace}/environments/base/versions/1"
            assert cloud.call("PUT", path, {"properties": {"image": "python:3"}}).status_code == 201
        ended(cloud, begin_import(cloud, WORKSPACE1, "base", "environments", destinationName="hub"))
        yield cloud
        assert cloud.stop() == 0


@pytest.fixture(scope="module")
def clients(azure_ml: AzureMl) -> Iterator[Clients]:
    with sdk(azure_ml) as found:
        yield found


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    (folder / "lib").mkdir(parents=True)
    (folder / "train.py").write_text("import lib.steps\n")
    (folder / "lib/steps.py").write_text(f"RUN = {uuid.uuid4().hex!r}\n")
    return folder


def _command(name: str, code: Path | str | None = None, environment: str = "azureml:base:1", **fields: Any) -> Any:
    from azure.ai.ml import Input, Output
    from azure.ai.ml.entities import CommandComponent

    return CommandComponent(
        **{
            "name": name,
            "version": "1",
            "command": "python train.py --rate ${{inputs.rate}}",
            "inputs": {"rate": Input(type="number", default=0.1), "rows": Input(type="uri_folder")},
            "outputs": {"model": Output(type="mlflow_model")},
            "environment": environment,
            "code": str(code) if code else None,
        }
        | fields
    )


def _wire(azure_ml: AzureMl, owner: str, name: str, version: str = "1", kind: str = "components") -> Any:
    return azure_ml.call("GET", f"{owner}/{kind}/{name}/versions/{version}").json()


def _spec(azure_ml: AzureMl, owner: str, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = _wire(azure_ml, owner, name)["properties"]["componentSpec"]
    return spec


def _put(azure_ml: AzureMl, owner: str, named: str, /, **spec: Any) -> Any:
    whole = {"type": "command", "command": "true", "environment": HUB_ENVIRONMENT} | spec
    return azure_ml.call("PUT", f"{owner}/components/{named}/versions/1", {"properties": {"componentSpec": whole}})


def _code_of(azure_ml: AzureMl, owner: str, name: str) -> Any:
    """The wire's answer for the code that a component names."""
    identity = _spec(azure_ml, owner, name)["code"]
    guid = re.search(r"/codes/([^/]+)/versions/1$", identity)
    assert guid, identity
    return _wire(azure_ml, owner, guid[1], kind="codes")


def test_a_command_component_carries_its_code_and_its_environment(azure_ml: AzureMl, clients: Clients, code: Path) -> None:
    made = clients.workspace(WORKSPACE1).components.create_or_update(
        _command("train", code, display_name="Train", description="d", tags={"a": "b"}, is_deterministic=False)
    )

    assert made.id == f"{WORKSPACE1}/components/train/versions/1"
    body = _wire(azure_ml, WORKSPACE1, "train")
    assert (body["name"], body["type"]) == ("1", "Microsoft.MachineLearningServices/workspaces/components/versions")
    assert body["properties"]["tags"] == {"a": "b"}
    spec = body["properties"]["componentSpec"]
    assert re.fullmatch(f"azureml:{WORKSPACE1}/codes/{GUID.pattern}/versions/1", spec.pop("code"))
    assert spec == {
        "name": "train",
        "version": "1",
        "type": "command",
        "display_name": "Train",
        "description": "d",
        "tags": {"a": "b"},
        "is_deterministic": "False",
        "command": "python train.py --rate ${{inputs.rate}}",
        "environment": f"azureml:{WORKSPACE1}/environments/base/versions/1",
        "inputs": {
            "rate": {"type": "number", "optional": "False", "default": "0.1"},
            "rows": {"type": "uri_folder", "optional": "False"},
        },
        "outputs": {"model": {"type": "mlflow_model"}},
        "resources": {"instance_count": "1"},
    }


def test_code_can_be_read_by_the_datastores_credential(azure_ml: AzureMl, clients: Clients, code: Path) -> None:
    clients.workspace(WORKSPACE1).components.create_or_update(_command("with_code", code))

    found = _code_of(azure_ml, WORKSPACE1, "with_code")

    assert (found["name"], found["type"]) == ("1", "Microsoft.MachineLearningServices/workspaces/codes/versions")
    assert found["properties"]["isAnonymous"] is False
    assert set(found["properties"]["properties"]) == {"hash_sha256", "hash_version"}
    with reader(azure_ml, WORKSPACE1) as container:
        place = f"{azure_ml.url}{container.container_name}/"
        assert found["properties"]["codeUri"].startswith(place)
        prefix = found["properties"]["codeUri"].removeprefix(place)
        read = {
            name.removeprefix(f"{prefix}/"): container.download_blob(name).readall()
            for name in container.list_blob_names(name_starts_with=f"{prefix}/")
        }
    assert read == {"train.py": (code / "train.py").read_bytes(), "lib/steps.py": (code / "lib/steps.py").read_bytes()}


def test_the_same_code_is_uploaded_once(azure_ml: AzureMl, clients: Clients, code: Path) -> None:
    components = clients.workspace(WORKSPACE3).components
    components.create_or_update(_command("first", code))
    uploads = len(azure_ml.requests_to("POST", "/startPendingUpload"))

    components.create_or_update(_command("second", code))

    assert _spec(azure_ml, WORKSPACE3, "first")["code"] == _spec(azure_ml, WORKSPACE3, "second")["code"]
    assert len(azure_ml.requests_to("POST", "/startPendingUpload")) == uploads


def test_code_of_a_single_file_is_kept_as_well(azure_ml: AzureMl, clients: Clients, code: Path) -> None:
    clients.workspace(WORKSPACE1).components.create_or_update(_command("one_file", code / "train.py"))

    uri = _code_of(azure_ml, WORKSPACE1, "one_file")["properties"]["codeUri"]
    with reader(azure_ml, WORKSPACE1) as container:
        prefix = uri.removeprefix(f"{azure_ml.url}{container.container_name}/").rstrip("/")
        assert list(container.list_blob_names(name_starts_with=f"{prefix}/")) == [f"{prefix}/train.py"]


def test_code_must_be_uploaded_and_never_changes(azure_ml: AzureMl, clients: Clients, code: Path) -> None:
    clients.workspace(WORKSPACE1).components.create_or_update(_command("codes", code))
    found = _code_of(azure_ml, WORKSPACE1, "codes")
    guid = found["id"].split("/")[-3]
    path = f"{WORKSPACE1}/codes/{guid}/versions/1"

    answers = [
        azure_ml.call("PUT", path, {"properties": {"codeUri": f"{azure_ml.url}{REGISTRY}-{uuid.uuid4()}/src"}}),
        azure_ml.call(
            "PUT",
            f"{WORKSPACE1}/codes/{uuid.uuid4()}/versions/1",
            {"properties": {"codeUri": f"{azure_ml.url}x-{uuid.uuid4()}/src"}},
        ),
        azure_ml.call("PUT", f"{WORKSPACE1}/codes/{uuid.uuid4()}/versions/1", {"properties": {}}),
        azure_ml.call("GET", f"{WORKSPACE1}/codes/{uuid.uuid4()}/versions/1"),
    ]

    assert [answer.status_code for answer in answers] == [409, 400, 400, 404]


@pytest.mark.parametrize(
    ("reference", "status"),
    [
        ({"environment": f"azureml:{WORKSPACE1}/environments/never/versions/1"}, 404),
        ({"environment": f"azureml://registries/{REGISTRY}/environments/never/versions/1"}, 404),
        ({"environment": "azureml:never:1"}, 404),
        ({"environment": f"azureml:{WORKSPACE3}/environments/base/versions/1"}, 400),
        ({"environment": "python:3"}, 400),
        ({"code": f"azureml:{WORKSPACE1}/codes/{uuid.uuid4()}/versions/1"}, 404),
        ({"code": f"azureml:{WORKSPACE1}/environments/base/versions/1"}, 404),
        ({"type": "pipeline", "jobs": {"a": {"componentId": f"{WORKSPACE1}/components/never/versions/1"}}}, 404),
        ({"type": None}, 400),
    ],
)
def test_a_workspaces_component_names_only_what_exists(azure_ml: AzureMl, reference: dict[str, Any], status: int) -> None:
    answer = _put(azure_ml, WORKSPACE1, "naming", **reference)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, "UserError")


def test_a_short_or_labelled_reference_is_written_in_full(azure_ml: AzureMl) -> None:
    assert _put(azure_ml, WORKSPACE1, "short", environment="azureml:base:1").status_code == 201
    labelled = f"azureml://registries/{REGISTRY}/environments/hub/labels/latest"
    assert _put(azure_ml, WORKSPACE1, "labelled", environment=labelled).status_code == 201

    assert _spec(azure_ml, WORKSPACE1, "short")["environment"] == f"azureml:{WORKSPACE1}/environments/base/versions/1"
    assert _spec(azure_ml, WORKSPACE1, "labelled")["environment"] == HUB_ENVIRONMENT


def test_an_update_changes_its_words_and_not_its_work(azure_ml: AzureMl, clients: Clients, code: Path) -> None:
    components = clients.workspace(WORKSPACE1).components
    made = components.create_or_update(_command("words", code))

    made.display_name, made.description, made.tags = "New", "new", {"a": "b"}
    changed = components.create_or_update(made)

    assert (changed.display_name, changed.description, changed.tags) == ("New", "new", {"a": "b"})
    with pytest.raises(HttpResponseError, match='field "command" is immutable') as refused:
        components.create_or_update(_command("words", code, command="false"))
    assert refused.value.status_code == 400


def test_a_pipeline_component_names_other_components(azure_ml: AzureMl, clients: Clients, code: Path) -> None:
    from azure.ai.ml import Input, dsl

    workspace = clients.workspace(WORKSPACE1)
    train = workspace.components.create_or_update(_command("step", code))

    def steps(rows: Input(type="uri_folder")) -> None:  # type: ignore[valid-type]
        train(rows=rows, rate=0.2)
        _command("inline", code)(rows=rows, rate=0.3)

    component = dsl.pipeline(steps)._pipeline_builder.build()
    component.name, component.version = "pipeline", "1"
    made = workspace.components.create_or_update(component)

    assert made.type == "pipeline"
    named = [job["componentId"] for job in _spec(azure_ml, WORKSPACE1, "pipeline")["jobs"].values()]
    assert named[0] == f"{WORKSPACE1}/components/step/versions/1"
    assert re.fullmatch(f"{WORKSPACE1}/components/azureml_anonymous/versions/{GUID.pattern}", named[1])
    assert workspace.components.get("pipeline", "1").jobs.keys() == _spec(azure_ml, WORKSPACE1, "pipeline")["jobs"].keys()
    assert "azureml_anonymous" not in {found.name for found in workspace.components.list()}


def test_latest_lists_and_archiving_are_as_for_models(azure_ml: AzureMl, clients: Clients) -> None:
    components = clients.workspace(WORKSPACE4).components
    made = [components.create_or_update(_command("many", version=None)) for _ in range(3)]

    components.archive("many", "3")

    assert [component.version for component in made] == ["1", "2", "3"]
    assert components.get("many", label="latest").version == "2"
    assert components.get("many").version == "2"
    assert [found.version for found in components.list("many")] == ["2", "1"]
    assert [(found.name, found.latest_version) for found in components.list()] == [("many", "2")]
    components.restore("many", "3")
    assert components.get("many").version == "3"
    components.archive("many")
    assert list(components.list()) == []
    with pytest.raises(ResourceNotFoundError):
        components.get("many", "9")


def test_the_sdk_creates_a_component_with_its_code_in_a_registry(azure_ml: AzureMl, clients: Clients, code: Path) -> None:
    registry = clients.registry()

    made = registry.components.create_or_update(_command("hub_train", code, environment=HUB_ENVIRONMENT, tags={"a": "b"}))

    assert made.id == f"azureml://registries/{REGISTRY}/components/hub_train/versions/1"
    body, found = _wire(azure_ml, registry_path(), "hub_train"), _code_of(azure_ml, registry_path(), "hub_train")
    assert (body["name"], body["type"]) == ("1", "Microsoft.MachineLearningServices/registries/components/versions")
    assert (found["name"], found["type"]) == ("1", "Microsoft.MachineLearningServices/registries/codes/versions")
    assert _blobs(azure_ml, found) == {"train.py", "lib/steps.py"}
    assert "hub_train" in {component.name for component in registry.components.list()}
    pulled = clients.workspace(WORKSPACE4).components.create_or_update(registry.components.get("hub_train", "1"))
    assert pulled.id == f"{WORKSPACE4}/components/hub_train/versions/1"
    assert _spec(azure_ml, WORKSPACE4, "hub_train")["code"] == found["id"]


def _blobs(azure_ml: AzureMl, code: Any) -> set[str]:
    """The names of a registry's code, by the SAS of a data reference."""
    uri, identity = code["properties"]["codeUri"], code["id"]
    path = f"{registry_path()}/datarefs/{identity.split('/')[-3]}/versions/1"
    answer = azure_ml.call("POST", path, {"assetId": identity, "blobUri": uri}).json()
    sas_uri = answer["blobReferenceForConsumption"]["credential"]["sasUri"]
    prefix = uri.removeprefix(sas_uri.partition("?")[0]).lstrip("/")
    with ContainerClient.from_container_url(sas_uri, connection_verify=azure_ml.ca) as container:
        return {name.removeprefix(f"{prefix}/") for name in container.list_blob_names(name_starts_with=prefix)}


def test_a_workspaces_component_cannot_be_made_in_a_registry_as_it_is(azure_ml: AzureMl, clients: Clients, code: Path) -> None:
    component = clients.workspace(WORKSPACE1).components.create_or_update(_command("stays", code))

    with pytest.raises(HttpResponseError) as refused:
        clients.registry().components.create_or_update(component)

    assert refused.value.status_code == 400
    assert azure_ml.call("GET", f"{registry_path()}/components/stays/versions/1").status_code == 404


def test_code_is_copied_into_a_registry_inside_the_storage(azure_ml: AzureMl, clients: Clients, code: Path) -> None:
    """The way of a component to a registry, without its bytes passing through the client."""
    clients.workspace(WORKSPACE1).components.create_or_update(_command("travels", code))
    found, guid = _code_of(azure_ml, WORKSPACE1, "travels"), str(uuid.uuid4())
    identity = f"azureml://registries/{REGISTRY}/codes/{guid}/versions/1"
    asked = {"assetId": identity, "temporaryDataReferenceType": "TemporaryBlobReference"}
    place = azure_ml.call("PUT", f"{registry_path()}/tempdatarefs/{guid}/versions/1", asked).json()["blobReferenceForConsumption"]

    with reader(azure_ml, WORKSPACE1) as source:
        prefix = found["properties"]["codeUri"].removeprefix(f"{azure_ml.url}{source.container_name}/")
        with ContainerClient.from_container_url(place["credential"]["sasUri"], connection_verify=azure_ml.ca) as target:
            for name in source.list_blob_names(name_starts_with=f"{prefix}/"):
                copied = target.get_blob_client(f"src{name.removeprefix(prefix)}")
                copied.start_copy_from_url(source.get_blob_client(name).url)
    body = {"codeUri": f"{place['blobUri']}/src", "properties": found["properties"]["properties"]}
    code_end = ended(azure_ml, azure_ml.call("PUT", f"{registry_path()}/codes/{guid}/versions/1", {"properties": body}))
    spec = _spec(azure_ml, WORKSPACE1, "travels") | {"code": identity, "environment": HUB_ENVIRONMENT}
    accepted = _put(azure_ml, registry_path(), "travels", **spec)
    end = ended(azure_ml, accepted)

    assert (code_end.status_code, code_end.json()) == (200, {"assetId": identity})
    assert (end.status_code, end.json()["assetId"]) == (200, f"azureml://registries/{REGISTRY}/components/travels/versions/1")
    assert _spec(azure_ml, registry_path(), "travels") == spec
    assert _blobs(azure_ml, _wire(azure_ml, registry_path(), guid, kind="codes")) == {"train.py", "lib/steps.py"}


@pytest.mark.parametrize(
    ("reference", "status"),
    [
        ({"environment": f"azureml:{WORKSPACE1}/environments/base/versions/1"}, 400),
        ({"environment": "azureml:base:1"}, 400),
        ({"environment": f"azureml://registries/{REGISTRY}/environments/never/versions/1"}, 404),
        ({"environment": "azureml://registries/never/environments/hub/versions/1"}, 404),
        ({"code": f"azureml://registries/{REGISTRY}/codes/{uuid.uuid4()}/versions/1"}, 404),
        ({"code": HUB_ENVIRONMENT}, 400),
        ({"type": "pipeline", "jobs": {"a": {"componentId": f"{WORKSPACE1}/components/step/versions/1"}}}, 400),
        ({"type": "pipeline", "jobs": {"a": {"componentId": f"azureml://registries/{REGISTRY}/components/x/versions/1"}}}, 404),
    ],
)
def test_a_registrys_component_names_only_what_registries_hold(azure_ml: AzureMl, reference: dict[str, Any], status: int) -> None:
    answer = _put(azure_ml, registry_path(), "naming", **reference)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, "UserError")
    assert azure_ml.call("GET", f"{registry_path()}/components/naming/versions/1").status_code == 404


def test_a_registrys_pipeline_names_the_registrys_components(azure_ml: AzureMl) -> None:
    ended(azure_ml, _put(azure_ml, registry_path(), "hub_step"))
    jobs = {"a": {"type": "command", "componentId": f"azureml://registries/{REGISTRY}/components/hub_step/versions/1"}}

    end = ended(azure_ml, _put(azure_ml, registry_path(), "hub_pipeline", type="pipeline", jobs=jobs))

    assert end.status_code == 200
    assert _spec(azure_ml, registry_path(), "hub_pipeline")["jobs"] == jobs


def test_a_registrys_version_changes_its_words_only(azure_ml: AzureMl, clients: Clients) -> None:
    ended(azure_ml, _put(azure_ml, registry_path(), "fixed"))
    before = _wire(azure_ml, registry_path(), "fixed")["properties"]
    path = f"{registry_path()}/components/fixed/versions/1"

    other_spec = before["componentSpec"] | {"command": "false"}
    other = azure_ml.call("PUT", path, {"properties": before | {"componentSpec": other_spec}})
    tagged = azure_ml.call("PUT", path, {"properties": before | {"tags": {"a": "b"}, "description": "d", "properties": {"x": "y"}}})

    assert (other.status_code, ended(azure_ml, tagged).status_code) == (409, 204)
    assert _wire(azure_ml, registry_path(), "fixed")["properties"] == before | {"tags": {"a": "b"}, "description": "d"}
    clients.registry().components.archive("fixed", "1")
    assert _wire(azure_ml, registry_path(), "fixed")["properties"]["isArchived"] is True
    latest = azure_ml.call(
        "GET", f"{registry_path()}/components/fixed/versions", params={"$orderBy": "createdtime desc", "$top": "1"}
    )
    assert latest.json()["value"] == []


def test_components_are_not_imported(azure_ml: AzureMl) -> None:
    _put(azure_ml, WORKSPACE1, "not_imported")

    answer = begin_import(azure_ml, WORKSPACE1, "not_imported", "components")

    assert answer.status_code == 400
    assert "not supported" in error_text(answer)


def test_the_state_tells_tests_what_everybody_holds(azure_ml: AzureMl, clients: Clients, code: Path) -> None:
    clients.workspace(WORKSPACE3).components.create_or_update(_command("held", code))

    there = azure_ml.control("GET", "state")["workspaces"][WORKSPACE3]

    [held] = [component for component in there["components"] if component["name"] == "held"]
    assert (held["type"], held["componentSpec"]["name"]) == ("command", "held")
    assert held["componentSpec"]["code"].split("/")[-3] in {found["name"] for found in there["codes"]}
