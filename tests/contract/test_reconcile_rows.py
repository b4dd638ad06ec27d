"""What the reconciler keeps, held by the real tables (Azurite) and by the fake that the unit tests run on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.assets import Asset, Kind, WorkspaceId
from shared.azure.reconcile_rows import ReconcileTable
from shared.errors import Lost
from shared.ports import Reconciling
from shared.reconciling import Cursor, Place
from shared.watching import Mark, Reached, Since, Waiting, Watch
from tests.fake_reconciling import FakeReconciling

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
HERE = WorkspaceId("11111111-1111-1111-1111-111111111111", "rg-tenants", "Cards")
IN_OTHER_CASE = WorkspaceId("11111111-1111-1111-1111-111111111111", "RG-Tenants", "cards")


@pytest.fixture(params=["fake", "tables"])
def reconciling(request: pytest.FixtureRequest) -> Reconciling:
    return FakeReconciling() if request.param == "fake" else ReconcileTable(request.getfixturevalue("tables"))


def a_mark(name: str = "credit/card", kind: Kind = Kind.MODEL) -> Mark:
    waiting = (Waiting("3", "print"), Waiting("2024-a", "other"))
    return Mark(
        workspace=HERE,
        kind=kind,
        name=name,
        stamp="3 2026",
        looked_at=NOW + timedelta(hours=1),
        reached=(Reached("cards", "print", NOW, NOW + timedelta(hours=1)), Reached("all", "other", NOW - timedelta(days=1), NOW)),
        waiting=waiting,
        asked=("2",),
    )


def test_the_cursor_comes_back_as_it_was_saved(reconciling: Reconciling) -> None:
    assert reconciling.cursor() == Cursor()
    place = Place("1|/subscriptions/…|model", "token=/+", "a name")
    walks = Cursor(revision=7, is_behind=True, changed=("a", "b"), rotation=place, until=NOW)
    saved = reconciling.save_cursor(replace(walks, current_at=NOW - timedelta(hours=1), came_after=NOW - timedelta(days=1)))

    found = reconciling.cursor()

    assert found == saved
    assert found.etag == saved.etag


def test_a_cursor_that_another_wrote_first_is_refused(reconciling: Reconciling) -> None:
    first = reconciling.save_cursor(Cursor())
    reconciling.save_cursor(replace(first, revision=1))

    with pytest.raises(Lost):
        reconciling.save_cursor(replace(first, revision=2))
    with pytest.raises(Lost):
        reconciling.save_cursor(Cursor())

    assert reconciling.cursor().revision == 1


def test_what_was_seen_is_found_by_workspace_and_kind_whatever_the_case_of_the_workspace(reconciling: Reconciling) -> None:
    watch = reconciling.save_watch(Watch(workspace=HERE, kind=Kind.MODEL, since=(Since("cards", "print", NOW),)))
    marks = [reconciling.save_mark(a_mark(name)) for name in ("credit/card", "Credit/card", "fraud")]
    reconciling.save_mark(a_mark(kind=Kind.DATA))

    found = reconciling.seen(IN_OTHER_CASE, Kind.MODEL)

    assert found == (watch, {mark.name: mark for mark in marks})


def test_a_mark_that_another_wrote_first_is_refused(reconciling: Reconciling) -> None:
    first = reconciling.save_mark(a_mark())
    second = reconciling.save_mark(replace(first, stamp="4"))

    with pytest.raises(Lost):
        reconciling.save_mark(replace(first, stamp="5"))

    assert reconciling.seen(HERE, Kind.MODEL)[1] == {"credit/card": second}


def test_nothing_was_seen_of_a_workspace_before_the_first_look(reconciling: Reconciling) -> None:
    assert reconciling.seen(HERE, Kind.MODEL) == (Watch(workspace=HERE, kind=Kind.MODEL), {})


def test_what_was_recalled_is_found_by_where_it_came_from(reconciling: Reconciling) -> None:
    for name, version in (("credit/card", "1"), ("credit/card", "1"), ("credit/card", "2/b"), ("Credit/card", "3")):
        reconciling.note_recall(HERE, Asset(Kind.MODEL, name, version))

    assert reconciling.recalled(IN_OTHER_CASE, Kind.MODEL, "credit/card") == {"1", "2/b"}
    assert reconciling.recalled(HERE, Kind.DATA, "credit/card") == set()
    assert reconciling.seen(HERE, Kind.MODEL)[1] == {}


def test_where_a_tenant_has_publications_is_found_for_as_long_as_it_has(reconciling: Reconciling) -> None:
    since = (Since("cards", "print", NOW),)
    watch = reconciling.save_watch(Watch(workspace=HERE, kind=Kind.MODEL, tenant="northwind", since=since))
    reconciling.save_watch(Watch(workspace=HERE, kind=Kind.DATA, tenant="tailwind", since=since))
    of_northwind = [("northwind", HERE, Kind.MODEL)]

    assert list(reconciling.watched({"northwind", "fabrikam"})) == of_northwind
    assert list(reconciling.watched({"northwind", *map(str, range(100))})) == of_northwind
    assert list(reconciling.watched(set())) == []
    assert len(list(reconciling.watched(None))) == 2

    reconciling.save_watch(replace(watch, since=()))

    assert list(reconciling.watched({"northwind"})) == []
