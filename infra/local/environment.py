"""The settings that point unmodified clients, and the app, at the local cloud; and the files that hold them."""

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.local import azurite
from infra.local.processes import Ready

# MLClient leaves the name of its cloud here, and a child process that inherits it without the cloud's metadata cannot start.
SET_BY_THE_SDK = "AZUREML_CURRENT_CLOUD"

# Who Fanout is to the local Azure ML; whoever sources .local/env is the system-assigned identity, and so somebody else.
FANOUT_CLIENT_ID = "f0000000-0000-0000-0000-000000000001"


def client_settings(azurite_ready: Ready, service_bus: Ready, azure_ml: Ready) -> dict[str, str]:
    """What any client needs. azure-identity and requests read some of them by themselves."""
    # The SDK keeps, for as long as the process lives, what it first learned of a cloud of this name.
    cloud = {"name": f"LocalCloud{azure_ml['port']}", "metadata": azure_ml["cloud"]["metadata"]}
    return {
        "FANOUT_AZURE_CLOUD": json.dumps(cloud),
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "IDENTITY_ENDPOINT": azure_ml["identity_endpoint"],
        "IDENTITY_HEADER": azure_ml["identity_header"],
        "REQUESTS_CA_BUNDLE": azure_ml["ca"],  # this CA alone: the public ones besides make each call 7 ms slower
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",  # where both are set, this one counts
        "FANOUT_PRINCIPAL_ID": FANOUT_CLIENT_ID,  # here a client id is the object id too
        "ServiceBus": service_bus["connection_string"],
        "Tables": storage(azurite_ready),
    }


def storage(azurite_ready: Ready) -> str:
    """The connection string of the storage account."""
    return azurite.connection_string(azurite_ready)


def app_settings(clients: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """What the function app has in Azure besides: `more` overrides."""
    return {
        **clients,
        "AZURE_CLIENT_ID": FANOUT_CLIENT_ID,
        "AzureWebJobsStorage": clients["Tables"],
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "PYTHON_THREADPOOL_THREAD_COUNT": "32",
        "FANOUT_RECONCILE_SCHEDULE": "0 */5 * * * *",
        **more,
    }


@contextmanager
def in_environment(settings: Mapping[str, str], *without: str) -> Iterator[None]:
    """This process's environment with and without these settings, and as it was afterwards."""
    before = {name: os.environ.get(name) for name in (*settings, *without)}
    os.environ.update(settings)
    for name in without:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def write_shell(file: Path, settings: Mapping[str, str]) -> None:
    """For `. file` in a shell. Only its owner may read it: it holds the keys of the local cloud."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    _write_private(file, "\n".join(lines) + "\n")


def write_local_settings(file: Path, settings: Mapping[str, str]) -> None:
    """A local.settings.json for `func start`."""
    _write_private(file, json.dumps({"IsEncrypted": False, "Values": dict(settings)}, indent=2) + "\n")


def _write_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)
