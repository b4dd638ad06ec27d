"""Copies that the storage services make between themselves (Copy Blob): begun here, looked at again later, never waited for.

`azure.storage.blob` is imported on first use, as azure-ai-ml is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError

from shared.azure.arm import CONNECT_SECONDS, READ_SECONDS, USER_AGENT, KeepDeadline
from shared.azure.errors import translated
from shared.clock import local_now
from shared.copies import Blob, Contents, CopyStatus, Folder, Progress, compare, progress
from shared.deadline import remaining
from shared.errors import Owner, Permanent, Transient
from shared.secrets import without_secrets

if TYPE_CHECKING:
    from azure.storage.blob import BlobProperties, ContainerClient

PAGE = 1_000  # blobs; the SDK makes some 5 KB of each
MOST_FILES = 10_000  # to list more takes a message's time; Azure ML itself ends at 1,500 for a model
LEFT_FOR_LOOKING = 15.0  # seconds, when the last copy is begun
READ_LONG = timedelta(hours=24)  # from the beginning of a copy
CLOCKS_DIFFER = timedelta(minutes=15)
FASTER = {"BlobAlreadyExists", "PendingCopyOperation", "ConditionNotMet", "SourceConditionNotMet", "TargetConditionNotMet"}


class BlobCopies:
    """Copies as `credential` where a folder has no SAS: it needs Storage Blob Data Contributor on the target's container.

    Copy Blob itself takes a source by SAS only (azure-storage-blob: `source_authorization` is for synchronous copies, and those
    end at 256 MB). So a source without one is read by a user delegation SAS, for which `credential` needs Storage Blob Data
    Reader on the whole account.
    """

    def __init__(self, credential: TokenCredential, *, page: int = PAGE) -> None:
        self._credential = credential
        self._page = page

    def advance(self, source: Folder, target: Folder) -> Progress:
        """List both, compare, begin what is absent within the time that is left, and look what of it is there at once.

        Permanent as `shared.copies.compare` says. Transient where copies had failed in passing: they are begun anew.
        """
        with self._open(source) as from_there, self._open(target) as to_here:
            held, there = self._contents(from_there, source), self._contents(to_here, target)
            before = compare(held, there, target.uri)
            if not before.absent:
                return before.progress
            with self._open(self._delegated(source) if source.sas is None else source) as origin:
                for name in before.absent:
                    if not _time_is_left():
                        break
                    with _storage(f"copy {name} to {target.uri}"):
                        url = origin.get_blob_client(source.blob(name)).url
                        _begin(to_here, url, held[name], target.blob(name), there.get(name))
            now = compare(held, self._contents(to_here, target), target.uri).progress
        if before.failed and not now.done:
            raise Transient(without_secrets(f"copies to {target.uri} failed, and were begun anew: {'; '.join(before.failed)}"))
        return now

    def checksum(self, folder: Folder) -> Progress:
        """What a folder holds."""
        with self._open(folder) as client:
            contents = self._contents(client, folder)
        return progress(contents, contents)

    @contextmanager
    def _open(self, folder: Folder) -> Iterator["ContainerClient"]:
        from azure.storage.blob import ContainerClient

        credential = self._credential if folder.sas is None else folder.sas or None
        with translated(f"reach {folder.uri}"):
            client = ContainerClient.from_container_url(folder.container_url, credential, **blob_options())
        with client:
            yield client

    def _contents(self, client: "ContainerClient", folder: Folder) -> Contents:
        """What is in the folder, directories left out. Permanent `too_many_files`."""
        found: dict[str, Blob] = {}
        with _storage(f"list {folder.uri}"):
            for each in client.list_blobs(folder.prefix or None, include=["metadata", "copy"], results_per_page=self._page):
                if folder.prefix and each.name.removeprefix(folder.prefix)[:1] > "/":
                    break  # in order of their names, the folder's own are all behind us
                name = folder.relative(each.name)
                if name is not None and not _is_directory(each):
                    found[name] = _blob(each)
                if len(found) > MOST_FILES:
                    remedy = "register it as fewer, larger files, or let the subscription refer to it instead of copying"
                    text = f"{folder.uri} holds more than {MOST_FILES} files"
                    raise Permanent("too_many_files", text, Owner.PUBLISHER, remedy)
        return found

    def _delegated(self, folder: Folder) -> Folder:
        """The folder, with a SAS to read it in the name of `credential`."""
        from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

        account_url, _, container = folder.container_url.rpartition("/")
        start, end = local_now() - CLOCKS_DIFFER, local_now() + READ_LONG
        with (
            _storage(f"get a key to delegate the reading of {folder.uri}"),
            BlobServiceClient(account_url, self._credential, **blob_options()) as service,
        ):
            sas = generate_container_sas(
                str(service.account_name),
                container,
                user_delegation_key=service.get_user_delegation_key(start, end),
                permission=ContainerSasPermissions(read=True),
                start=start,
                expiry=end,
            )
        return replace(folder, sas=sas)


def blob_options() -> dict[str, Any]:
    return {
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "retry_total": 0,  # a wake-up is the retry
        "raw_request_hook": KeepDeadline().on_request,
        "user_agent": USER_AGENT,
    }


def _is_directory(blob: "BlobProperties") -> bool:
    """Accounts with a hierarchical namespace show their directories as empty blobs with this mark, as some tools do elsewhere."""
    marks = {name.lower(): value.lower() for name, value in (blob.metadata or {}).items()}
    return marks.get("hdi_isfolder") == "true"


def _blob(listed: "BlobProperties") -> Blob:
    """`copy.source` is left out: it shows the SAS."""
    md5, copy = listed.content_settings.content_md5, listed.copy
    return Blob(
        size=listed.size,
        etag=listed.etag.strip('"'),
        md5=md5.hex() if md5 else None,
        copy=CopyStatus(copy.status) if copy.status else None,
        copy_text=copy.status_description or "",
    )


def _begin(target: "ContainerClient", source_url: str, source: Blob, name: str, remains: Blob | None) -> None:
    """Begin one copy of just the blob that was listed, onto nothing, or onto what a copy that failed has left."""
    onto: dict[str, Any] = {"match_condition": MatchConditions.IfMissing}
    if remains:
        onto = {"etag": f'"{remains.etag}"', "match_condition": MatchConditions.IfNotModified}
    try:
        target.get_blob_client(name).start_copy_from_url(
            source_url, source_etag=f'"{source.etag}"', source_match_condition=MatchConditions.IfNotModified, **onto
        )
    except HttpResponseError as refused:
        if refused.status_code not in (409, 412) or _code(refused) not in FASTER:
            raise  # else another invocation was faster, or the source changed: the next look tells


def _time_is_left() -> bool:
    left = remaining()
    return left is None or left > LEFT_FOR_LOOKING


def _code(error: HttpResponseError) -> str:
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code))


@contextmanager
def _storage(doing: str) -> Iterator[None]:
    """Azure's errors as verdicts. What storage refuses is another's to mend than what Azure ML refuses."""
    with translated(doing):
        try:
            yield
        except HttpResponseError as refused:
            if refused.status_code not in (401, 403):
                raise
            text = without_secrets(f"{doing}: {_code(refused)}: {refused.message}")
            remedy = (
                "assign Storage Blob Data Contributor on the target's storage account, Storage Blob Data Reader on the source's, "
                "to the app's identity, and let their network rules admit it"
            )
            raise Permanent("storage_forbidden", text, Owner.PROVIDER, remedy) from refused
