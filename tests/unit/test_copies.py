"""Folders, and what is left to copy from one to another."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.copies import Blob, CopyStatus, Folder, checksum, compare, progress
from shared.errors import Permanent, Transient

PLACE = "https://tenant.blob.core.windows.net/store/Fanout/k/m"
CARDS = Folder("https://provider.blob.core.windows.net/hub", "LocalUpload/1/cards", "sig=secret")
WEIGHTS = Blob(5, "0x1", "aa")

names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(lambda name: name[0] != "/")
blobs = st.builds(Blob, st.integers(0, 10**12), st.just("0x1"), st.none() | st.sampled_from(["aa", "bb"]))
folders = st.dictionaries(names, blobs, min_size=1, max_size=6)


def test_a_folders_secret_is_not_in_its_text() -> None:
    assert "secret" not in f"{CARDS!r} {CARDS.uri}"


@pytest.mark.parametrize(
    ("prefix", "blob", "relative"),
    [
        ("a/m", "a/m/data/x", "data/x"),
        ("a/m", "a/m", ""),
        ("a/m", "a/m//x", "/x"),
        ("a/m", "a/m/", None),
        ("a/m", "a/m2", None),
        ("a/m", "a/m-1/x", None),
        ("", "x", "x"),
    ],
)
def test_a_blob_is_named_relative_to_its_folder(prefix: str, blob: str, relative: str | None) -> None:
    assert Folder("https://a/c", prefix).relative(blob) == relative


@given(prefix=names.filter(lambda name: name[-1] != "/"), relative=names | st.just(""))
def test_a_name_within_a_folder_leads_back_to_its_blob(prefix: str, relative: str) -> None:
    folder = Folder("https://a/c", prefix)
    assert folder.relative(folder.blob(relative)) == relative


@pytest.mark.parametrize(("prefix", "name"), [("LocalUpload/1/cards", "cards"), ("model.pkl", "model.pkl"), ("", "")])
def test_a_folder_is_named_by_its_last_part(prefix: str, name: str) -> None:
    assert Folder("https://a/c", prefix).name == name


@given(folder=folders)
def test_a_checksum_does_not_depend_on_order_or_etags(folder: dict[str, Blob]) -> None:
    listed_elsewhere = {name: replace(folder[name], etag="0x2", copy=CopyStatus.SUCCESS) for name in reversed(folder)}
    assert checksum(listed_elsewhere) == checksum(folder)


@given(one=folders, other=folders)
def test_folders_that_differ_in_a_name_a_size_or_an_md5_have_other_checksums(one: dict[str, Blob], other: dict[str, Blob]) -> None:
    assert (checksum(one) == checksum(other)) == (one == other)


@given(source=folders, data=st.data())
def test_what_is_absent_is_begun_and_nothing_else(source: dict[str, Blob], data: st.DataObject) -> None:
    there = data.draw(st.sets(st.sampled_from(sorted(source))))
    found = compare(source, {name: source[name] for name in there}, PLACE)
    assert set(found.absent) == set(source) - there
    assert found.progress == progress(source, {name: source[name] for name in there})
    assert found.progress.done == (len(there) == len(source))


@given(source=folders)
def test_progress_counts_the_source_and_what_arrived(source: dict[str, Blob]) -> None:
    first = dict(list(source.items())[:1])
    stands = progress(source, first)
    assert (stands.files, stands.bytes) == (len(source), sum(blob.size for blob in source.values()))
    assert (stands.arrived_files, stands.arrived_bytes) == (1, next(iter(first.values())).size)
    assert stands.unhashed == sum(blob.md5 is None for blob in source.values())


def test_a_copy_that_lasts_has_not_arrived_and_is_not_begun_again() -> None:
    found = compare({"w": WEIGHTS}, {"w": Blob(0, "0x2", copy=CopyStatus.PENDING)}, PLACE)
    assert (found.absent, found.failed, found.progress.arrived_files, found.progress.done) == ((), (), 0, False)


@pytest.mark.parametrize(
    "there", [Blob(5, "0x2", "bb"), Blob(6, "0x2", "aa"), Blob(6, "0x2"), Blob(0, "0x2", copy=CopyStatus.SUCCESS)]
)
def test_other_bytes_under_a_name_are_another_ones(there: Blob) -> None:
    with pytest.raises(Permanent, match="copy_differs") as refused:
        compare({"w": WEIGHTS}, {"w": there}, PLACE)
    assert "w" in refused.value.reason.text
    assert PLACE in refused.value.reason.remedy


@pytest.mark.parametrize("copy", list(CopyStatus))
def test_a_file_that_the_source_has_not_is_another_ones(copy: CopyStatus) -> None:
    with pytest.raises(Permanent, match="copy_differs"):
        compare({"w": WEIGHTS}, {"w": WEIGHTS, "x": Blob(0, "0x2", copy=copy)}, PLACE)


@pytest.mark.parametrize(("source", "there"), [(replace(WEIGHTS, md5=None), WEIGHTS), (WEIGHTS, replace(WEIGHTS, md5=None))])
def test_where_one_side_has_no_md5_the_size_counts(source: Blob, there: Blob) -> None:
    assert compare({"w": source}, {"w": there}, PLACE).progress.done


@pytest.mark.parametrize(
    "text",
    [
        '500 OperationCancelled "Copy failed."',
        '403 AuthenticationFailed "Copy failed when reading the source."',
        '404 BlobNotFound "Copy failed when reading the source."',
        '412 ConditionNotMet "Copy failed when reading the source."',
        "",
    ],
)
def test_a_copy_that_failed_in_passing_is_begun_anew(text: str) -> None:
    found = compare({"w": WEIGHTS}, {"w": Blob(0, "0x2", copy=CopyStatus.FAILED, copy_text=text)}, PLACE)
    assert found.absent == ("w",)
    assert found.failed == (f"w: {text}",)
    assert not found.progress.done


@pytest.mark.parametrize(
    ("there", "code"),
    [
        (Blob(0, "0x2", copy=CopyStatus.FAILED, copy_text='400 InvalidSource "no blob"'), "copy_failed"),
        (Blob(0, "0x2", copy=CopyStatus.ABORTED), "copy_aborted"),
    ],
)
def test_a_copy_that_will_fail_again_is_permanent(there: Blob, code: str) -> None:
    with pytest.raises(Permanent) as failed:
        compare({"w": WEIGHTS}, {"w": there}, PLACE)
    assert failed.value.reason.code == code
    assert there.copy_text in failed.value.reason.text


def test_nothing_to_copy_is_permanent() -> None:
    with pytest.raises(Permanent, match="source_empty"):
        compare({}, {"w": WEIGHTS}, PLACE)


def test_a_source_that_is_being_copied_itself_is_waited_for() -> None:
    with pytest.raises(Transient, match="being copied"):
        compare({"w": Blob(0, "0x1", copy=CopyStatus.PENDING)}, {}, PLACE)
