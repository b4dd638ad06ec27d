"""Folders of blobs, what is in them, and how far a copy from one to another has come: pure values and their comparison."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.errors import Owner, Permanent, Transient

_MOST_NAMED = 3  # names in a text

_PASSING = {401, 403, 404, 408, 412, 429}  # of the statuses with which Azure's text on a failed copy begins


@dataclass(frozen=True, slots=True)
class Folder:
    """Blobs under `prefix` of a container. A single file is a folder whose only blob is exactly the prefix.

    `sas`, a query string without "?", is how to get at them: a secret, never in a log, a row or a text. None: by the app's
    own identity; "": anyone may read. A prefix has no slash at its end; "" is the whole container.
    """

    container_url: str
    prefix: str
    sas: str | None = field(default=None, repr=False)

    @property
    def uri(self) -> str:
        """Its address without the secret, as Azure ML writes it: names are not encoded."""
        return f"{self.container_url}/{self.prefix}"

    @property
    def name(self) -> str:
        """The last part of the prefix. A copy has to keep it: of a single file, it is the file's name."""
        return self.prefix.rpartition("/")[2]

    def relative(self, blob: str) -> str | None:
        """A blob's name within the folder, "" where it is the folder itself. None for what lies outside, or names the folder."""
        if not self.prefix or blob == self.prefix:
            return blob.removeprefix(self.prefix)
        return blob.removeprefix(f"{self.prefix}/") or None if blob.startswith(f"{self.prefix}/") else None

    def blob(self, relative: str) -> str:
        """The name within the container of what has this name within the folder."""
        return f"{self.prefix}/{relative}" if self.prefix and relative else self.prefix or relative


@dataclass(frozen=True, slots=True)
class Progress:
    """`files` and `bytes` of the whole source, and what of it arrived; `checksum` of all names, sizes and MD5s, hexadecimal.

    `unhashed` files have no MD5, as Azure keeps none for what was uploaded in blocks: of those, names and sizes count.
    """

    files: int
    bytes: int
    arrived_files: int
    arrived_bytes: int
    checksum: str
    done: bool
    unhashed: int = 0


class CopyStatus(StrEnum):
    """How the last copy onto a blob stands, in Azure's words."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Blob:
    """What a listing says of a blob. `md5` is hexadecimal; `copy_text` is Azure's own, on a copy that failed."""

    size: int
    etag: str
    md5: str | None = None
    copy: CopyStatus | None = None
    copy_text: str = ""

    @property
    def arrived(self) -> bool:
        """One that was uploaded is there as much as one that was copied. While a copy lasts, and after it failed, it is empty."""
        return self.copy in (None, CopyStatus.SUCCESS)

    def equals(self, other: "Blob") -> bool:
        return self.size == other.size and (self.md5 == other.md5 or not (self.md5 and other.md5))


type Contents = Mapping[str, Blob]  # by their names within the folder


@dataclass(frozen=True, slots=True)
class Comparison:
    """`absent` are the names to begin a copy of. `failed` says what of them was begun before, and in Azure's words, why in vain."""

    progress: Progress
    absent: tuple[str, ...]
    failed: tuple[str, ...]


def checksum(contents: Contents) -> str:
    """The same for two folders of equal names, sizes and MD5s."""
    lines = (f"{name}\0{blob.size}\0{blob.md5 or ''}\n" for name, blob in sorted(contents.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def progress(source: Contents, arrived: Contents) -> Progress:
    return Progress(
        files=len(source),
        bytes=sum(blob.size for blob in source.values()),
        arrived_files=len(arrived),
        arrived_bytes=sum(blob.size for blob in arrived.values()),
        checksum=checksum(source),
        done=len(arrived) == len(source),
        unhashed=sum(1 for blob in source.values() if blob.md5 is None),
    )


def compare(source: Contents, target: Contents, place: str) -> Comparison:
    """What is left to do until the target, which lies at `place`, equals the source.

    Transient while the source is itself a copy that lasts. Permanent: `source_empty`; `copy_differs` where the target holds what
    did not come from this source; `copy_aborted` and `copy_failed` where beginning it anew would not help.
    """
    if not source:
        remedy = "see that the asset's files are where it says, or register it anew"
        raise Permanent("source_empty", "there are no files to copy", Owner.PUBLISHER, remedy)
    if any(blob.copy is CopyStatus.PENDING for blob in source.values()):
        raise Transient("the source's own files are being copied still")
    _require_ours(source, target, place)
    for name, blob in target.items():
        _require_hope(name, blob, place)
    failed = {name: blob.copy_text for name, blob in target.items() if blob.copy is CopyStatus.FAILED}
    return Comparison(
        progress(source, {name: blob for name, blob in target.items() if blob.arrived}),
        absent=tuple(name for name in source if name not in target or name in failed),
        failed=tuple(f"{name}: {text}" for name, text in failed.items()),
    )


def _require_ours(source: Contents, target: Contents, place: str) -> None:
    different = [name for name, blob in target.items() if name not in source or (blob.arrived and not blob.equals(source[name]))]
    if different:
        names = ", ".join(different[:_MOST_NAMED]) + (", …" if len(different) > _MOST_NAMED else "")
        text = f"{place} holds files that the source has otherwise, or not at all: {names}"
        raise Permanent("copy_differs", text, Owner.SUBSCRIBER, f"remove {place}, then retry")


def _require_hope(name: str, blob: Blob, place: str) -> None:
    remedy = f"mend what Azure names, remove {place}, then retry"
    if blob.copy is CopyStatus.ABORTED:
        raise Permanent("copy_aborted", f"someone ended the copy of {name} to {place}", Owner.SUBSCRIBER, remedy)
    if blob.copy is CopyStatus.FAILED and not _mended_by_a_new_beginning(blob.copy_text):
        raise Permanent("copy_failed", f"the copy of {name} to {place} failed: {blob.copy_text}", Owner.PROVIDER, remedy)


def _mended_by_a_new_beginning(copy_text: str) -> bool:
    """A fault of Azure's, a SAS that ended, a source that changed: what is wrong with it still, Azure says at the beginning."""
    status = re.match(r"4[0-9]{2}\b", copy_text)
    return status is None or int(status[0]) in _PASSING
