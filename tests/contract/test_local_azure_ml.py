"""The local Azure ML as a program: starting, stopping, dying; who may call it, and how often.

Its other tests take from here what starts it (`AzureMl`), its surroundings, and clients.
"""

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.local.tls import make_certificates

ROOT = Path(__file__).parents[2]
NODE = shutil.which("node") or "node"
AZURITE = ROOT / "node_modules/azurite/dist/src/blob/main.js"
FIRST, SECOND = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
HUB_SUBSCRIPTION = "00000000-0000-0000-0000-0000000000ff"
REGISTRY = "contoso-hub"
FANOUT = "11111111-1111-1111-1111-111111111111"
REGISTRY_API = {"api-version": "2021-10-01-dataplanepreview"}


def workspace_id(subscription: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/{name}"


WORKSPACE1, WORKSPACE3 = workspace_id(FIRST, "workspace1"), workspace_id(FIRST, "workspace3")
WORKSPACE4, ASIA = workspace_id(SECOND, "workspace4"), workspace_id(SECOND, "asia")
CLOUD: dict[str, Any] = {
    "workspaces": [
        {"id": WORKSPACE1, "location": "westeurope"},
        {"id": WORKSPACE3, "location": "westeurope"},
        {"id": WORKSPACE4, "location": "northeurope"},
        {"id": ASIA, "location": "eastasia"},
    ],
    "registries": [
        {
            "name": REGISTRY,
            "subscription": HUB_SUBSCRIPTION,
            "resource_group": "rg-hub",
            "primary_region": "westeurope",
            "regions": ["westeurope", "northeurope"],
        }
    ],
    "seconds": {"import": 0.6, "endpoint": 0.15, "deployment": 0.15},
    "retry_after_ms": 50,
}


class Program:
    """A program of ours in a subprocess, ready when its JSON line came."""

    def __init__(self, *arguments: str | Path) -> None:
        command = [sys.executable, "-m", "infra.local.azure_ml", *map(str, arguments)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline())

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(10)
        assert self.process.stdout
        self.process.stdout.close()
        return code


class AzureMl:
    """The local Azure ML on files below `folder`: it can be started again on them."""

    def __init__(self, folder: Path, blob_endpoint: str, event_grid: str | None = None, **changes: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        make_certificates(folder / "tls")
        (folder / "cloud.json").write_text(json.dumps(CLOUD | changes))
        self._arguments: list[str | Path] = ["--config", folder / "cloud.json", "--state", folder / "state"]
        self._arguments += ["--tls", folder / "tls", "--blob-endpoint", blob_endpoint]
        self._arguments += ["--event-grid", event_grid] if event_grid else []
        self.ca = str(folder / "tls/ca.pem")
        self._session = requests.Session()
        self._token, self._token_at = "", 0.0
        self.start()

    def start(self) -> None:
        self.program = Program(*self._arguments)
        self.url: str = self.program.ready["url"]

    def stop(self) -> int:
        self._session.close()
        return self.program.end()

    def token(self, resource: str = "https://management.azure.com/", principal: str = FANOUT) -> str:
        query = {"resource": resource, "api-version": "2019-08-01", "client_id": principal}
        headers = {"X-IDENTITY-HEADER": self.program.ready["identity_header"]}
        answer = requests.get(self.program.ready["identity_endpoint"], params=query, headers=headers, verify=self.ca, timeout=5)
        return str(answer.json()["access_token"])

    def _fresh_token(self) -> str:
        """Younger than a second: one of the tests lets tokens expire soon."""
        if time.monotonic() - self._token_at > 1:
            self._token, self._token_at = self.token(), time.monotonic()
        return self._token

    def call(self, method: str, path: str, body: Any = None, token: str | None = None, **more: Any) -> requests.Response:
        """`path` begins with "/"; the api-version is a registry's, which every route accepts."""
        headers = {"Authorization": f"Bearer {token or self._fresh_token()}"} | more.pop("headers", {})
        return self._session.request(
            method,
            self.url + path.lstrip("/"),
            json=body,
            headers=headers,
            params=REGISTRY_API | more.pop("params", {}),
            verify=self.ca,
            timeout=30,
        )

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(method, f"{self.url}_control/{path}", json=body, verify=self.ca, timeout=5)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    @contextlib.contextmanager
    def slower(self, **seconds: float) -> Iterator[None]:
        """For what a test does while an operation runs."""
        before = self.control("GET", "seconds")
        self.control("PUT", "seconds", seconds)
        yield
        self.control("PUT", "seconds", before)

    def requests_to(self, method: str, ending: str) -> list[dict[str, Any]]:
        """From the control log."""
        log: list[dict[str, Any]] = self.control("GET", "requests")
        return [entry for entry in log if entry["method"] == method and entry["path"].endswith(ending)]

    def put_model(
        self, workspace: str, name: str, version: str = "1", uri: str | None = None, **properties: Any
    ) -> requests.Response:
        """Register by path: cheap, and without bytes."""
        model_uri = uri or f"azureml://datastores/workspaceblobstore/paths/{name}/{version}"
        body = {"properties": {"modelType": "custom_model", "modelUri": model_uri, **properties}}
        return self.call("PUT", f"{workspace}/models/{name}/versions/{version}", body)

    def begin_import(self, workspace: str, name: str, version: str = "1", **more: Any) -> requests.Response:
        found = self.call("GET", workspace).json()
        source = f"azureml://locations/{found['location']}/workspaces/{found['properties']['workspaceId']}"
        properties = {"referenceType": "Id", "destinationName": name, "destinationVersion": version}
        properties["sourceAssetId"] = f"{source}/models/{name}/versions/{version}"
        return self.call("POST", f"{registry_path()}/import", {"properties": properties | more.pop("properties", {})}, **more)


class Clients:
    """MLClients of one local cloud. A process can know several clouds, if each has a name of its own."""

    def __init__(self, cloud: AzureMl, credential: Any) -> None:
        with warnings.catch_warnings(action="ignore"):  # azure-ai-ml uses what its marshmallow deprecates
            from azure.ai.ml import MLClient

        self._client = MLClient
        self.credential = credential
        port, metadata = cloud.program.ready["port"], cloud.program.ready["cloud"]["metadata"]
        self._cloud = {"cloud": f"Local{port}", "cloud_metadata": metadata, "enable_telemetry": False, "show_progress": False}

    def workspace(self, workspace: str) -> Any:
        parts = workspace.split("/")
        return self._client(self.credential, parts[2], parts[4], parts[8], **self._cloud)

    def registry(self) -> Any:
        return self._client(self.credential, registry_name=REGISTRY, **self._cloud)


def registry_path() -> str:
    provider = "providers/Microsoft.MachineLearningServices/registries"
    return f"/mferp/managementfrontend/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/rg-hub/{provider}/{REGISTRY}"


def datastore(workspace: str, path: str) -> str:
    parts = workspace.split("/")
    return (
        f"azureml://subscriptions/{parts[2]}/resourcegroups/{parts[4]}/workspaces/{parts[8]}"
        f"/datastores/workspaceblobstore/paths/{path}"
    )


def upload(cloud: AzureMl, workspace: str, path: str, content: bytes = b"bytes") -> None:
    """As the SDK does: by the datastore's SAS, through the address that the SDK forms from the account's name."""
    from azure.storage.blob import ContainerClient

    store = cloud.call("GET", f"{workspace}/datastores/workspaceblobstore").json()["properties"]
    token = cloud.call("POST", f"{workspace}/datastores/workspaceblobstore/listSecrets", {}).json()["sasToken"]
    address = f"https://{store['accountName']}.blob.{store['endpoint']}"
    with ContainerClient(address, store["containerName"], credential=token, connection_verify=cloud.ca) as container:
        container.upload_blob(path, content, overwrite=True)


def error_text(answer: requests.Response) -> str:
    """Everything that an error says, as one text."""
    return json.dumps(answer.json()["error"]).replace("\\", "")


def eventually(question: Any, seconds: float = 10) -> Any:
    """The first answer that is not false."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, "not within the time allowed"
        time.sleep(0.05)
    return answer


@contextlib.contextmanager
def running_azurite(folder: Path) -> Iterator[str]:
    """Azurite's blob service on a free port; its address."""
    options = ["--blobPort", "0", "--location", str(folder), "--skipApiVersionCheck", "--silent", "--disableTelemetry"]
    process = subprocess.Popen([NODE, str(AZURITE), *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        for line in process.stdout:
            if "successfully listens on" in line:
                yield line.split()[-1]
                break
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@contextlib.contextmanager
def sdk(cloud: AzureMl) -> Iterator[Clients]:
    """Clients as the app makes them, by environment and settings alone."""
    from azure.identity import DefaultAzureCredential

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("IDENTITY_ENDPOINT", cloud.program.ready["identity_endpoint"])
        environment.setenv("IDENTITY_HEADER", cloud.program.ready["identity_header"])
        environment.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        environment.setenv("REQUESTS_CA_BUNDLE", cloud.ca)
        with DefaultAzureCredential(managed_identity_client_id=FANOUT) as credential:
            yield Clients(cloud, credential)


class EventGrid:
    """Takes events, or refuses them with 503 while `refusing`."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.refused = 0
        self.refusing = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.refused += outer.refusing
                if not outer.refusing and self.path == "/events":
                    outer.events += body
                self.send_response(503 if outer.refusing else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_azurite(tmp_path_factory.mktemp("azurite")) as url:
        yield url


LIMITED = "22222222-2222-2222-2222-222222222222"
NEWCOMER = "33333333-3333-3333-3333-333333333333"
DENIED = [
    {"principal": LIMITED, "scope": WORKSPACE1, "actions": "write"},
    {"principal": LIMITED, "scope": f"registry:{REGISTRY}", "actions": "all"},
]


@pytest.fixture(scope="module")
def azure_ml(azurite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMl]:
    """With short-lived tokens, few deletions, and principals that may not do everything."""
    limits = {"deletes": {"size": 2, "refill": 0.5}}
    changes: dict[str, Any] = {"limits": limits, "denied": DENIED, "token_seconds": 2, "retry_after_ms": None}
    cloud = AzureMl(tmp_path_factory.mktemp("cloud"), azurite, **changes)
    yield cloud
    assert cloud.stop() == 0


def test_the_ready_line_says_how_to_reach_everything(azure_ml: AzureMl) -> None:
    ready = azure_ml.program.ready

    assert ready["part"] == "azure_ml"
    assert ready["url"] == f"https://localhost:{ready['port']}/"
    assert Path(ready["ca"]).exists()
    assert ready["cloud"]["metadata"]["registry_discovery_endpoint"] == ready["url"]


@pytest.mark.parametrize("missing", ["cloud.json", "tls"])
def test_a_missing_file_gets_a_sentence_and_exit_code_2(tmp_path: Path, missing: str) -> None:
    if missing != "cloud.json":
        (tmp_path / "cloud.json").write_text("{}")

    said = _fails_to_start(tmp_path, "0")

    assert said.count("\n") == 1
    assert missing in said


def test_a_taken_port_gets_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "cloud.json").write_text("{}")
    make_certificates(tmp_path / "tls")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = _fails_to_start(tmp_path, port)

    assert said.count("\n") == 1
    assert f"Port {port} is taken" in said


def _fails_to_start(folder: Path, port: str) -> str:
    options: list[str | Path] = ["--config", folder / "cloud.json", "--state", folder / "state", "--tls", folder / "tls"]
    options += ["--blob-endpoint", "http://127.0.0.1:1", "--port", port]
    command = [sys.executable, "-m", "infra.local.azure_ml", *map(str, options)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    return ended.stderr


def test_certificates_stay_as_they_are_once_made(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    before = (tmp_path / "ca.pem").read_bytes()

    make_certificates(tmp_path)

    assert (tmp_path / "ca.pem").read_bytes() == before


def test_the_unmodified_azure_identity_gets_a_token_in_its_clients_name(azure_ml: AzureMl) -> None:
    with sdk(azure_ml) as clients:
        token = clients.credential.get_token("https://management.azure.com/.default").token

    made = azure_ml.call("PUT", f"{WORKSPACE3}/models/by-identity", {"properties": {}}, token=token)

    assert made.json()["systemData"]["createdBy"] == FANOUT


def test_the_identity_endpoint_wants_its_header(azure_ml: AzureMl) -> None:
    query = {"resource": "https://management.azure.com/", "api-version": "2019-08-01"}
    answer = requests.get(azure_ml.program.ready["identity_endpoint"], params=query, verify=azure_ml.ca, timeout=5)

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "AuthenticationFailed"),
        ("Bearer nonsense", "InvalidAuthenticationToken"),
    ],
)
def test_a_request_without_a_token_of_ours_is_refused(azure_ml: AzureMl, token: str, code: str) -> None:
    for path in (WORKSPACE1, f"{registry_path()}/models", f"/registrymanagement/v1.0/registries/{REGISTRY}/discovery"):
        answer = azure_ml.call("GET", path, headers={"Authorization": token})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


def test_a_token_for_another_audience_is_refused(azure_ml: AzureMl) -> None:
    storage, machine_learning = azure_ml.token("https://storage.azure.com/"), azure_ml.token("https://ml.azure.com/")

    refused = azure_ml.call("GET", WORKSPACE1, token=storage)

    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")
    assert azure_ml.call("GET", WORKSPACE1, token=machine_learning).status_code == 401
    assert azure_ml.call("GET", f"{registry_path()}/models", token=machine_learning).status_code == 200


def test_an_expired_token_is_refused(azure_ml: AzureMl) -> None:
    token = azure_ml.token()
    assert azure_ml.call("GET", WORKSPACE1, token=token).ok

    time.sleep(2.1)

    refused = azure_ml.call("GET", WORKSPACE1, token=token)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "ExpiredAuthenticationToken")


def test_what_a_principal_was_denied_answers_403(azure_ml: AzureMl) -> None:
    body: dict[str, Any] = {"properties": {}}

    write = azure_ml.call("PUT", f"{WORKSPACE1}/models/m", body, token=azure_ml.token(principal=LIMITED))
    registry = azure_ml.call("GET", f"{registry_path()}/models", token=azure_ml.token(principal=LIMITED))

    assert (write.status_code, write.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert "workspaces/models/write" in error_text(write)
    assert registry.status_code == 403
    assert azure_ml.call("GET", WORKSPACE1, token=azure_ml.token(principal=LIMITED)).ok
    assert azure_ml.call("PUT", f"{WORKSPACE3}/models/m", body, token=azure_ml.token(principal=LIMITED)).ok


def test_a_role_that_is_missing_counts_until_it_is_granted(azure_ml: AzureMl) -> None:
    token = azure_ml.token(principal=NEWCOMER)

    azure_ml.control("PUT", "denied", [*DENIED, {"principal": NEWCOMER, "scope": WORKSPACE1}])
    refused = azure_ml.call("GET", WORKSPACE1, token=token)
    azure_ml.control("PUT", "denied", DENIED)

    assert refused.status_code == 403
    assert azure_ml.call("GET", WORKSPACE1, token=token).ok


def test_an_empty_token_bucket_answers_429_until_it_refills(azure_ml: AzureMl) -> None:
    """Buckets are per region, Azure subscription, principal and kind of operation."""
    path = f"{WORKSPACE1}/onlineEndpoints/absent"
    header = "x-ms-ratelimit-remaining-subscription-deletes"
    left = [azure_ml.call("DELETE", path, token=azure_ml.token(principal="busy")).headers[header] for _ in range(2)]

    throttled = azure_ml.call("DELETE", path, token=azure_ml.token(principal="busy"))

    assert left == ["1", "0"]
    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "2")
    assert azure_ml.call("DELETE", path, token=azure_ml.token(principal="another")).status_code == 204
    assert azure_ml.call("DELETE", f"{WORKSPACE4}/onlineEndpoints/absent", token=azure_ml.token(principal="busy")).ok
    assert azure_ml.call("GET", WORKSPACE1, token=azure_ml.token(principal="busy")).ok
    time.sleep(2)
    assert azure_ml.call("DELETE", path, token=azure_ml.token(principal="busy")).status_code == 204


def test_every_answer_has_the_ids_and_budgets_that_azure_gives(azure_ml: AzureMl) -> None:
    read = azure_ml.call("GET", WORKSPACE1)
    missing = azure_ml.call("GET", f"{registry_path()}/models/absent/versions/1")

    assert {"x-ms-request-id", "x-ms-correlation-request-id"} <= set(read.headers)
    assert int(read.headers["x-ms-ratelimit-remaining-subscription-reads"]) > 200
    assert "x-ms-request-id" in missing.headers
    assert "x-ms-ratelimit-remaining-subscription-reads" not in missing.headers  # the registry's front end is not ARM


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (workspace_id(FIRST, "absent"), "ResourceNotFound"),
        (WORKSPACE1.replace("/rg/", "/absent/"), "ResourceGroupNotFound"),
        (workspace_id("00000000-0000-0000-0000-000000000009", "workspace1"), "SubscriptionNotFound"),
    ],
)
def test_what_does_not_exist_answers_404_with_arms_code(azure_ml: AzureMl, path: str, code: str) -> None:
    answer = azure_ml.call("GET", path)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


def test_a_body_that_is_no_json_object_answers_400(azure_ml: AzureMl) -> None:
    assert azure_ml.call("PUT", f"{WORKSPACE3}/models/m", ["no object"]).status_code == 400
    assert azure_ml.call("PUT", f"{WORKSPACE3}/models/m").status_code == 400


def test_what_is_not_served_says_so(azure_ml: AzureMl) -> None:
    answer = azure_ml.call("GET", f"{WORKSPACE1}/jobs")

    assert answer.status_code == 404
    assert "does not serve GET" in error_text(answer)


def test_durations_can_be_changed_while_it_runs(azure_ml: AzureMl) -> None:
    before = azure_ml.control("GET", "seconds")

    changed = azure_ml.control("PUT", "seconds", {"import": 90})

    assert changed == before | {"import": 90}
    azure_ml.control("PUT", "seconds", before)


def test_kill_9_loses_nothing_and_running_operations_end_by_the_clock(azurite: str, tmp_path: Path) -> None:
    event_grid = EventGrid()
    event_grid.refusing = True
    cloud = AzureMl(tmp_path, azurite, event_grid.url, seconds={"import": 2.5, "endpoint": 0.1, "deployment": 0.1})
    try:
        # given a model, its event not yet taken, an endpoint, and an import that runs
        upload(cloud, WORKSPACE1, "folder/model.pkl")
        cloud.put_model(WORKSPACE1, "cards", "7", uri=datastore(WORKSPACE1, "folder"))
        cloud.call("PUT", f"{WORKSPACE1}/onlineEndpoints/cards-live", {"properties": {"authMode": "Key"}})
        accepted = cloud.begin_import(WORKSPACE1, "cards", "7")
        assert accepted.status_code == 202
        eventually(lambda: event_grid.refused)

        # when it is killed, and started again
        port = cloud.program.ready["port"]
        cloud.program.end(signal.SIGKILL)
        event_grid.refusing = False
        cloud.start()

        # then the address is the same, the import ends when it was due, the event arrives, the endpoint is ready
        assert cloud.program.ready["port"] == port
        operation = accepted.headers["Location"].removeprefix(cloud.url)
        assert cloud.call("GET", operation).status_code == 202
        assert cloud.begin_import(WORKSPACE1, "cards", "7").status_code == 409
        assert [running["work"] for running in cloud.control("GET", "state")["operations"]] == ["import"]
        eventually(lambda: cloud.call("GET", operation).status_code == 204)
        assert cloud.call("GET", f"{registry_path()}/models/cards/versions/7").status_code == 200
        [event] = eventually(lambda: event_grid.events)
        assert event["subject"] == "models/cards:7"
        endpoint = cloud.call("GET", f"{WORKSPACE1}/onlineEndpoints/cards-live").json()
        assert endpoint["properties"]["provisioningState"] == "Succeeded"
    finally:
        assert cloud.stop() == 0
        event_grid.close()
