"""Server-side copies, on a real blob service with two accounts, over TLS.

Azurite ends every copy at once. Copies that last or fail are listed as Azure lists them: the List Blobs page of its REST
reference, and a recording (test_component_download[command_with_code]).
"""

import logging
import tracemalloc
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import pytest
from azure.storage.blob import BlobBlock, ContainerClient, ContentSettings

from shared.azure.blob_copies import MOST_FILES, BlobCopies
from shared.copies import Folder
from shared.deadline import within
from shared.errors import NotFound, Permanent, Transient
from tests.contract.blob_service import BlobService, Identity, blob_service, folder

ETAG = '"0x8DB93351E8280BB"'  # a listing leaves the quotes out
MEGABYTE = 1024 * 1024
ODD_NAMES = ["a b.txt", "50%.txt", "50%20.txt", "c#1.txt", "a+b.txt", "größe/模型.bin", "q?x=1&y.txt", "e^{}[]'~.txt", "d//e.txt"]


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlobService]:
    directory = tmp_path_factory.mktemp("tls")
    with pytest.MonkeyPatch.context() as environment, blob_service(directory) as service:
        environment.setenv("REQUESTS_CA_BUNDLE", str(directory / "ca.pem"))
        yield service


@pytest.fixture
def copies() -> BlobCopies:
    return BlobCopies(Identity())


@pytest.fixture
def ours(storage: BlobService) -> Iterator[ContainerClient]:
    with storage.container("provider") as container:
        yield container


@pytest.fixture
def theirs(storage: BlobService) -> Iterator[ContainerClient]:
    with storage.container("tenant") as container:
        yield container


def upload(container: ContainerClient, *names: str, content: str | None = None) -> None:
    """Each blob holds its own name, or `content`."""
    for name in names:
        container.upload_blob(name, (name if content is None else content).encode())


def contents(container: ContainerClient, prefix: str) -> dict[str, bytes]:
    names = [each.name for each in container.list_blobs(prefix)]
    return {name.removeprefix(prefix): container.download_blob(name).readall() for name in names}


def test_a_folder_is_copied_into_another_account(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    upload(ours, "m/MLmodel", "m/data/model.pkl")
    done = copies.advance(folder(ours, "m", "rl"), folder(theirs, "Fanout/k/m"))
    assert done.done
    assert contents(theirs, "Fanout/k/m/") == {"MLmodel": b"m/MLmodel", "data/model.pkl": b"m/data/model.pkl"}
    assert (done.files, done.bytes, done.arrived_files, done.arrived_bytes) == (2, 25, 2, 25)


def test_the_checksum_of_a_copy_is_that_of_its_source(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    upload(ours, "m/a", "m/b/c")
    source, target = folder(ours, "m", "rl"), folder(theirs, "elsewhere")
    done = copies.advance(source, target)
    assert done.checksum == copies.checksum(source).checksum == copies.checksum(target).checksum


def test_a_second_look_begins_nothing(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    upload(ours, "m/a")
    source, target = folder(ours, "m", "rl"), folder(theirs, "t")
    first = copies.advance(source, target)
    before = theirs.get_blob_client("t/a").get_blob_properties().etag
    assert copies.advance(source, target) == first
    assert theirs.get_blob_client("t/a").get_blob_properties().etag == before


def test_what_is_there_already_is_not_copied_again(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    upload(ours, "m/a", "m/b")
    theirs.upload_blob("t/a", b"m/a")
    before = theirs.get_blob_client("t/a").get_blob_properties().etag
    assert copies.advance(folder(ours, "m", "rl"), folder(theirs, "t")).done
    assert theirs.get_blob_client("t/a").get_blob_properties().etag == before


@pytest.mark.parametrize("name", ODD_NAMES)
def test_every_name_arrives_as_it_is(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient, name: str) -> None:
    upload(ours, f"a folder/{name}")
    assert copies.advance(folder(ours, "a folder", "rl"), folder(theirs, "50% größe")).done
    assert contents(theirs, "50% größe/") == {name: f"a folder/{name}".encode()}


def test_a_single_file_is_copied_to_the_very_name(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    upload(ours, "u/model.pkl")
    assert copies.advance(folder(ours, "u/model.pkl", "rl"), folder(theirs, "k/model.pkl")).files == 1
    assert contents(theirs, "k/") == {"model.pkl": b"u/model.pkl"}


def test_a_whole_container_is_a_folder(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    upload(ours, "run.py", "lib/x.py")
    copies.advance(folder(ours, "", "rl"), folder(theirs, "code"))
    assert contents(theirs, "code/") == {"run.py": b"run.py", "lib/x.py": b"lib/x.py"}


def test_neighbours_with_longer_names_are_left_out(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    upload(ours, "m/a", "m-2/a", "m.old/a", "m1/a", "m2")
    copies.advance(folder(ours, "m", "rl"), folder(theirs, "t"))
    assert contents(theirs, "") == {"t/a": b"m/a"}


def test_directories_of_a_hierarchical_namespace_are_left_out(
    copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient
) -> None:
    upload(ours, "m/sub/a")
    for directory in ("m", "m/sub"):
        ours.upload_blob(directory, b"", metadata={"hdi_isfolder": "true"})
    theirs.upload_blob("t", b"", metadata={"Hdi_isfolder": "True"})
    assert copies.advance(folder(ours, "m", "rl"), folder(theirs, "t")).files == 1
    assert contents(theirs, "t/") == {"sub/a": b"m/sub/a"}


def test_what_the_sdk_wrote_on_a_blob_comes_along(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    uploaded = {"upload_status": "completed", "name": "cards", "version": "1"}
    ours.upload_blob("m/a", b"a", metadata=uploaded, content_settings=ContentSettings(content_type="text/x-python"))
    copies.advance(folder(ours, "m", "rl"), folder(theirs, "t"))
    copied = theirs.get_blob_client("t/a").get_blob_properties()
    assert copied.metadata == uploaded
    assert copied.content_settings.content_type == "text/x-python"


def test_files_without_an_md5_are_compared_by_size_and_counted(
    copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient
) -> None:
    in_blocks = ours.get_blob_client("m/big")
    in_blocks.stage_block("1", b"in blocks")
    in_blocks.commit_block_list([BlobBlock("1")])
    done = copies.advance(folder(ours, "m", "rl"), folder(theirs, "t"))
    assert done.done
    assert done.unhashed == 1


def test_two_that_copy_the_same_at_once_do_no_harm(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    upload(ours, *(f"m/{number}" for number in range(20)))
    source, target = folder(ours, "m", "rl"), folder(theirs, "t")
    with ThreadPoolExecutor() as threads:
        ends = [each.result() for each in [threads.submit(copies.advance, source, target) for _ in range(3)]]
    assert all(progress.done for progress in ends)


@pytest.mark.parametrize(("there", "why"), [("t/a", "another content"), ("t/b", "a file that the source does not have")])
def test_another_ones_files_are_not_overwritten(
    copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient, there: str, why: str
) -> None:
    upload(ours, "m/a")
    upload(theirs, there, content="xyz")
    with pytest.raises(Permanent) as refused:
        copies.advance(folder(ours, "m", "rl"), folder(theirs, "t"))
    assert refused.value.reason.code == "copy_differs"
    assert refused.value.reason.owner == "subscriber"
    assert contents(theirs, "") == {there: b"xyz"}


def test_an_asset_without_files_is_the_publishers_to_mend(
    copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient
) -> None:
    with pytest.raises(Permanent) as refused:
        copies.advance(folder(ours, "m", "rl"), folder(theirs, "t"))
    assert (refused.value.reason.code, refused.value.reason.owner) == ("source_empty", "publisher")


def test_nothing_is_begun_when_little_time_is_left(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    upload(ours, "m/a")
    with within(10):
        stands = copies.advance(folder(ours, "m", "rl"), folder(theirs, "t"))
    assert not stands.done
    assert (stands.files, stands.arrived_files) == (1, 0)
    assert contents(theirs, "") == {}


def test_no_call_is_made_when_the_time_is_over(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    with within(0), pytest.raises(Transient, match="no time is left"):
        copies.advance(folder(ours, "m", "rl"), folder(theirs, "t"))


def test_many_files_arrive_over_several_pages(ours: ContainerClient, theirs: ContainerClient) -> None:
    upload(ours, *(f"m/{number}" for number in range(10)))
    done = BlobCopies(Identity(), page=3).advance(folder(ours, "m", "rl"), folder(theirs, "t"))
    assert done.done
    assert contents(theirs, "t/") == {str(number): f"m/{number}".encode() for number in range(10)}


def test_the_bytes_do_not_pass_through_this_process(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    ours.upload_blob("m/weights", bytes(64 * MEGABYTE), max_concurrency=2)
    copies.checksum(folder(ours, "m", "rl"))  # what is imported is there now
    tracemalloc.start()
    try:
        assert copies.advance(folder(ours, "m", "rl"), folder(theirs, "t")).bytes == 64 * MEGABYTE
        assert tracemalloc.get_traced_memory()[1] < 4 * MEGABYTE
    finally:
        tracemalloc.stop()


def test_without_a_sas_both_ends_are_reached_as_the_app(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    upload(ours, "m/a b", "m/c")
    done = copies.advance(Folder(ours.url, "m"), Folder(theirs.url, "t"))
    assert done.done
    assert contents(theirs, "t/") == {"a b": b"m/a b", "c": b"m/c"}


def test_a_public_source_is_read_as_anyone(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    ours.set_container_access_policy({}, public_access="container")
    upload(ours, "m/a")
    assert copies.advance(Folder(ours.url, "m", ""), folder(theirs, "t")).done


@pytest.mark.parametrize(("of_source", "of_target"), [("l", "rcwl"), ("r", "rcwl"), ("rl", "l")])
def test_what_storage_does_not_allow_is_permanent(
    copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient, of_source: str, of_target: str
) -> None:
    upload(ours, "m/a")
    with pytest.raises(Permanent) as refused:
        copies.advance(folder(ours, "m", of_source), folder(theirs, "t", of_target))
    assert (refused.value.reason.code, refused.value.reason.owner) == ("storage_forbidden", "provider")


def test_a_container_that_is_not_there_is_not_there_yet(copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient) -> None:
    upload(ours, "m/a")
    target = folder(theirs, "t")
    theirs.delete_container()
    with pytest.raises(NotFound):
        copies.advance(folder(ours, "m", "rl"), target)


def test_no_secret_gets_into_a_text_or_a_log(
    copies: BlobCopies, ours: ContainerClient, theirs: ContainerClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    upload(ours, "m/a")
    source, target = folder(ours, "m", "rl", expiry=datetime.now(UTC) - timedelta(hours=1)), folder(theirs, "t")
    with pytest.raises(Permanent) as refused:
        copies.advance(source, target)
    assert source.sas
    assert target.sas
    texts = f"{refused.value} {refused.value.reason} {source!r} {target!r} {caplog.text}"
    for sas in (source.sas, target.sas):
        assert parse_qs(sas)["sig"][0] not in texts
        assert sas.partition("sig=")[2] not in texts


class Recorded:
    """A blob service that lists as Azure does (List Blobs in its REST reference), and takes every copy that is begun."""

    def __init__(self, pages: dict[str, str]) -> None:
        self.begun: list[str] = []
        self.conditions: list[dict[str, str]] = []
        recorded = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                container = urlsplit(self.path).path.strip("/")
                body = f"<?xml version='1.0' encoding='utf-8'?><EnumerationResults><Blobs>{pages[container]}</Blobs><NextMarker />"
                self.answer(200, f"{body}</EnumerationResults>".encode())

            def do_PUT(self) -> None:
                recorded.begun.append(urlsplit(self.path).path)
                recorded.conditions.append({name: value for name, value in self.headers.items() if "match" in name.lower()})
                self.answer(202, b"", {"x-ms-copy-id": "1", "x-ms-copy-status": "pending"})

            def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in {"Content-Type": "application/xml", "Content-Length": str(len(body)), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator["Recorded"]:
        thread = Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def listed(name: str, content: bytes, copy: str = "") -> str:
    """One blob of a listing, `copy` the properties of the last copy onto it."""
    digest = b64encode(md5(content, usedforsecurity=False).digest()).decode()
    held = f"<Content-Length>{len(content)}</Content-Length><Content-MD5>{digest}</Content-MD5><BlobType>BlockBlob</BlobType>"
    return f"<Blob><Name>{name}</Name><Properties><Etag>{ETAG[1:-1]}</Etag>{held}{copy}</Properties><Metadata /></Blob>"


def copied(status: str, description: str = "") -> str:
    text = f"<CopyStatusDescription>{escape(description)}</CopyStatusDescription>" if description else ""
    return f"<CopyId>1</CopyId><CopySource>https://a/b?sig=x</CopySource><CopyStatus>{status}</CopyStatus>{text}"


@contextmanager
def azure(target: str) -> Iterator[tuple[Recorded, Folder, Folder]]:
    """A source of one file of five bytes, and a target as listed."""
    with Recorded({"from": listed("m/a", b"12345"), "to": target}).running() as service:
        yield service, Folder(f"{service.url}/from", "m", "sig=1"), Folder(f"{service.url}/to", "t", "sig=2")


def test_a_copy_that_lasts_is_left_alone(copies: BlobCopies) -> None:
    lasting = copied("pending", '502 BadGateway "Encountered a retryable error when reading the source. Will retry."')
    with azure(listed("t/a", b"", lasting)) as (service, source, target):
        stands = copies.advance(source, target)
    assert (stands.done, stands.arrived_files, stands.arrived_bytes) == (False, 0, 0)
    assert service.begun == []


@pytest.mark.parametrize(
    "text",
    ['500 OperationCancelled "Copy failed."', '403 AuthenticationFailed "Copy failed when reading the source."', ""],
)
def test_a_copy_that_failed_in_passing_is_begun_anew_and_says_why(copies: BlobCopies, text: str) -> None:
    begun_anew = pytest.raises(Transient, match=text.partition('"')[0] or "begun anew")
    with azure(listed("t/a", b"", copied("failed", text))) as (service, source, target), begun_anew:
        copies.advance(source, target)
    assert service.begun == ["/to/t/a"]
    assert service.conditions == [{"If-Match": ETAG, "x-ms-source-if-match": ETAG}]


@pytest.mark.parametrize(
    ("copy", "code", "owner"),
    [
        (copied("failed", '400 InvalidSource "The source is no blob."'), "copy_failed", "provider"),
        (copied("aborted"), "copy_aborted", "subscriber"),
    ],
)
def test_a_copy_that_will_not_work_is_permanent_with_azures_text(copies: BlobCopies, copy: str, code: str, owner: str) -> None:
    with azure(listed("t/a", b"", copy)) as (service, source, target), pytest.raises(Permanent) as failed:
        copies.advance(source, target)
    assert (failed.value.reason.code, failed.value.reason.owner) == (code, owner)
    assert service.begun == []


def test_a_copy_begun_is_not_done_until_it_is_there(copies: BlobCopies) -> None:
    with azure("") as (service, source, target):
        assert not copies.advance(source, target).done
    assert service.begun == ["/to/t/a"]


def test_a_copy_is_begun_of_just_what_was_listed_and_onto_nothing(copies: BlobCopies) -> None:
    with azure("") as (service, source, target):
        copies.advance(source, target)
    assert service.conditions == [{"If-None-Match": "*", "x-ms-source-if-match": ETAG}]


def test_more_files_than_can_be_listed_are_refused(copies: BlobCopies) -> None:
    many = "".join(listed(f"m/{number}", b"") for number in range(MOST_FILES + 1))
    with Recorded({"from": many, "to": ""}).running() as service, pytest.raises(Permanent) as refused:
        copies.advance(Folder(f"{service.url}/from", "m", "sig=1"), Folder(f"{service.url}/to", "t", "sig=2"))
    assert (refused.value.reason.code, refused.value.reason.owner) == ("too_many_files", "publisher")
