"""A model of 2 GB is copied into a tenant's storage, and none of its bytes passes through the app."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from azure.storage.blob import BlobBlock

from infra.local.cloud import LocalCloud
from tests.end_to_end.catalogue import Known, in_workspace
from tests.end_to_end.stored_bytes import opened, place
from tests.end_to_end.support import OFTEN, QUICK, eventually, publication, rules_of, subscription, tenant

GIGABYTES = 2
BLOCK = 64 * 2**20
MOST_MEMORY = 150 * 10**6
LARGE = Known("model", "large")
PATH = "large/weights.bin"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud(tmp_path_factory.mktemp("cloud"), seconds=QUICK, settings=OFTEN) as cloud:
        there = cloud.workspaces
        copies = subscription("copies", there["workspace3"], ["model"], [{"register": {"mode": "copy"}}])
        tenants = (
            tenant("northwind", there["workspace1"], publications=[publication("all", ["model"])]),
            tenant("tailwind", there["workspace3"], subscriptions=[copies]),
        )
        cloud.apply_rules(rules_of(tmp_path_factory.mktemp("rules"), *tenants))
        yield cloud


def test_two_gigabytes_are_copied_in_little_memory(cloud: LocalCloud) -> None:
    _upload(cloud)
    with memory_of(_app()) as peak:
        _register(cloud)
        eventually("the copy", lambda: in_workspace(cloud, "workspace3", LARGE), 120)
    uri = in_workspace(cloud, "workspace3", LARGE)["modelUri"]
    assert "/workspaces/workspace3/datastores/workspaceblobstore/" in uri
    assert _size(cloud, uri) == GIGABYTES * 2**30
    assert peak.bytes < MOST_MEMORY, f"{peak.bytes / 10**6:.0f} MB"


class Peak:
    bytes = 0


@contextmanager
def memory_of(process: psutil.Process) -> Iterator[Peak]:
    """The most memory that the process has had at any time meanwhile."""
    peak, ended = Peak(), threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            peak.bytes = max(peak.bytes, process.memory_info().rss)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield peak
    finally:
        ended.set()
        looking.join()


def _app() -> psutil.Process:
    """The Functions host, with the app's worker in it."""
    return next(process for process in psutil.Process().children() if "infra.local.functions_host" in process.cmdline())


def _upload(cloud: LocalCloud) -> None:
    """Straight to the workspace's own storage, one block over and over: so the test needs little time and memory itself."""
    with opened(cloud, _datastore(cloud)) as container, container.get_blob_client(PATH) as blob:
        container.create_container()
        name = base64.b64encode(b"zeros").decode()
        blob.stage_block(name, bytes(BLOCK))
        blob.commit_block_list([BlobBlock(name)] * (GIGABYTES * 2**30 // BLOCK))


def _register(cloud: LocalCloud) -> None:
    from azure.ai.ml.entities import Model

    path = f"azureml://datastores/workspaceblobstore/paths/{PATH}"
    cloud.ml_client("workspace1").models.create_or_update(Model(name=LARGE.name, version=LARGE.version, path=path))


def _datastore(cloud: LocalCloud) -> str:
    return str(cloud.ml_client("workspace1").datastores.get("workspaceblobstore").container_name)


def _size(cloud: LocalCloud, uri: str) -> int:
    container, path = place(cloud, uri)
    with opened(cloud, container) as client:
        return sum(blob.size for blob in client.list_blobs(path))
