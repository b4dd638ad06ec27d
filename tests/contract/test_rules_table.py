"""The rules in a real table service: applied whole, announced, followed by caches, and never by two at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.data.tables import TableClient, UpdateMode
from hypothesis import given, settings

from shared.actions import Register
from shared.assets import Kind
from shared.azure.rules_apply import CLAIM
from shared.azure.rules_table import RulesTable
from shared.rules import Limits, Provider, RegistryRule, Rules
from shared.rules_cache import RELOAD_SECONDS, RulesCache
from shared.rules_change import ApplyLostError, Fate, News, Revision, RulesChange, RulesTooLargeError, TenantChange
from shared.tenants import AssetPattern, Publication, Subscription, Tenant, TenantState
from tests.contract.table_service import new_table, open_table, table_service
from tests.unit import random_rules
from tests.unit.random_rules import workspace

W1, W2, W3 = workspace("workspace1"), workspace("workspace2"), workspace("workspace3")
MODELS = (AssetPattern(Kind.MODEL, "*"),)
PROVIDER = Provider((RegistryRule("contoso-hub", ("*",)),), Limits(("Standard_DS3_v2",), 2), {"banks": ("fabrikam",)})
NORTHWIND = Tenant("northwind", TenantState.ACTIVE, (W1,), publications=(Publication("all", "contoso-hub", MODELS, ("*",)),))
FABRIKAM = Tenant(
    "fabrikam",
    TenantState.ACTIVE,
    (W2,),
    subscriptions=(Subscription("all", ("northwind",), MODELS, W2, (Register(),)),),
)
TAILWIND = Tenant("tailwind", TenantState.ACTIVE, (W3,))
PAUSED = replace(FABRIKAM, state=TenantState.PAUSED)


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@dataclass
class Requests(SansIOHTTPPolicy[Any, Any]):
    """Counts what goes out, and calls `before_write` and `after_write` with the number of the write."""

    reads: int = 0
    writes: int = 0
    before_write: Callable[[int], object] = int
    after_write: Callable[[int], object] = int

    def on_request(self, request: PipelineRequest[Any]) -> None:
        if request.http_request.method == "GET":
            self.reads += 1
        else:
            self.writes += 1
            self.before_write(self.writes)

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        if request.http_request.method != "GET":
            self.after_write(self.writes)


class Killed(BaseException):
    """The process is gone: no request leaves it any more."""


@dataclass
class Store:
    """One table, and as many clients of it as a test needs."""

    connection_string: str
    table: str
    clock: Clock
    clients: ExitStack = field(default_factory=ExitStack)

    def client(self, requests: Requests | None = None) -> TableClient:
        return self.clients.enter_context(open_table(self.connection_string, self.table, requests or Requests()))

    def open(self, requests: Requests | None = None) -> RulesTable:
        return RulesTable(self.client(requests), self.clock.now)


@dataclass
class AskedWhileItLoads:
    """The table, and somebody who asks in another thread while all of it is being read, once it was read before."""

    table: RulesTable
    ask: Callable[[], object]
    loaded: bool = False

    def load(self) -> Rules:
        if self.loaded:
            with ThreadPoolExecutor(1) as another:
                another.submit(self.ask).result(10)
        self.loaded = True
        return self.table.load()

    def revision(self) -> int:
        return self.table.revision()

    def news(self, after: int, upto: int) -> News:
        return self.table.news(after, upto)

    def provider(self) -> Provider:
        return self.table.provider()

    def tenant(self, tenant_id: str) -> Tenant | None:
        return self.table.tenant(tenant_id)


@pytest.fixture(scope="module")
def connection_string() -> Iterator[str]:
    with table_service() as found:
        yield found


@pytest.fixture
def store(connection_string: str) -> Iterator[Store]:
    opened = Store(connection_string, new_table(connection_string), Clock())
    with opened.clients:
        yield opened


def tenants_in(rules: Rules) -> dict[str, Tenant]:
    return dict(rules.tenants)


def by_id(*tenants: Tenant) -> dict[str, Tenant]:
    return {tenant.id: tenant for tenant in tenants}


# ---- what is applied is in force


def test_given_an_empty_table_when_loaded_then_there_are_no_rules(store: Store) -> None:
    table = store.open()

    assert table.load() == Rules(Provider(), {}, 0)
    assert (table.revision(), table.tenant("northwind"), table.tenant_of(W1)) == (0, None, None)


def test_given_rules_when_applied_then_loads_and_point_reads_find_them(store: Store) -> None:
    applied = store.open().apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")

    table = store.open()
    assert applied.revision == 1
    assert table.load() == Rules(PROVIDER, by_id(NORTHWIND, FABRIKAM), 1)
    assert table.tenant("fabrikam") == FABRIKAM
    assert table.tenant_of(workspace("WORKSPACE1")) == NORTHWIND
    assert table.tenant_of(W3) is None


def test_given_rules_in_force_when_applied_again_then_nothing_is_written(store: Store) -> None:
    store.open().apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")
    requests = Requests()

    applied = store.open(requests).apply(PROVIDER, [FABRIKAM, NORTHWIND], by="ada")

    assert applied.change.is_empty
    assert (applied.revision, requests.writes) == (1, 0)


def test_given_a_tenant_left_out_when_applied_then_it_and_its_workspaces_are_gone(store: Store) -> None:
    table = store.open()
    table.apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")

    table.apply(PROVIDER, [NORTHWIND], by="ada")

    assert tenants_in(table.load()) == by_id(NORTHWIND)
    assert (table.tenant("fabrikam"), table.tenant_of(W2)) == (None, None)
    assert not [row for row in store.client().list_entities() if row.get("tenant") == "fabrikam"]


def test_given_two_tenants_that_swap_workspaces_when_applied_then_each_owns_what_the_rules_say(store: Store) -> None:
    table = store.open()
    table.apply(PROVIDER, [NORTHWIND, TAILWIND], by="ada")
    northwind, tailwind = replace(NORTHWIND, workspaces=(W3,)), replace(TAILWIND, workspaces=(W1,))

    table.apply(PROVIDER, [northwind, tailwind], by="ada")

    assert (table.tenant_of(W1), table.tenant_of(W3)) == (tailwind, northwind)


def test_given_an_apply_when_it_is_announced_then_the_change_row_says_what_who_and_when(store: Store) -> None:
    table = store.open()
    table.apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")
    table.apply(PROVIDER, [NORTHWIND, PAUSED], by="grace")

    row = store.client().get_entity("changes", "000000000002")

    assert (row["by"], row["at"]) == ("grace", store.clock.time)
    assert row["document_0"] == '{"everything":false,"provider":false,"tenants":["fabrikam"]}'


def test_given_more_rules_than_a_property_holds_when_applied_then_they_are_spread_and_found_again(store: Store) -> None:
    many = tuple(Publication(f"rule-{number}", "contoso-hub", MODELS, ("*",)) for number in range(1000))
    large = replace(NORTHWIND, publications=many)

    store.open().apply(PROVIDER, [large], by="ada")

    assert store.open().tenant("northwind") == large


def test_given_more_rules_than_a_row_holds_when_applied_then_it_is_refused_and_nothing_written(store: Store) -> None:
    many = tuple(Publication(f"rule-{number}", "contoso-hub", MODELS, ("*",)) for number in range(5000))
    requests = Requests()

    with pytest.raises(RulesTooLargeError, match="tenant northwind: "):
        store.open(requests).apply(PROVIDER, [FABRIKAM, replace(NORTHWIND, publications=many)], by="ada")

    assert requests.writes == 0


def test_given_a_larger_provider_than_a_row_holds_when_applied_then_it_is_refused_and_nothing_written(store: Store) -> None:
    groups = {f"group{number}": ("fabrikam",) * 100 for number in range(500)}
    requests = Requests()

    with pytest.raises(RulesTooLargeError, match="the provider: "):
        store.open(requests).apply(replace(PROVIDER, groups=groups), [FABRIKAM], by="ada")

    assert requests.writes == 0


@settings(max_examples=8, deadline=None)
@given(random_rules.rules(), random_rules.rules())
def test_whatever_was_in_force_before_what_is_applied_is_found_by_load_cache_and_point_reads(
    connection_string: str, first: Rules, second: Rules
) -> None:
    with open_table(connection_string, new_table(connection_string)) as client:
        table = RulesTable(client)
        cache = RulesCache(table)
        for rules in (first, second):
            table.apply(rules.provider, list(rules.tenants.values()), by="ada")
            assert (table.load().provider, tenants_in(table.load())) == (rules.provider, tenants_in(rules))
            assert cache.current() == table.load()
            assert {space: table.tenant_of(space) for space in random_rules.WORKSPACES} == {
                space: rules.tenant_of(space) for space in random_rules.WORKSPACES
            }


@settings(max_examples=8, deadline=None)
@given(random_rules.rules())
def test_whatever_is_applied_twice_changes_nothing_the_second_time(connection_string: str, rules: Rules) -> None:
    with open_table(connection_string, new_table(connection_string)) as client:
        table = RulesTable(client)
        first = table.apply(rules.provider, list(rules.tenants.values()), by="ada")

        again = table.apply(rules.provider, list(rules.tenants.values()), by="ada")

        assert (again.change.is_empty, again.revision) == (True, first.revision)


# ---- one tenant's rules alone


def test_given_one_tenant_s_rules_when_applied_alone_then_the_others_stay_and_it_is_announced(store: Store) -> None:
    table = store.open()
    table.apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")
    requests = Requests()

    applied = store.open(requests).apply_tenant(PAUSED, by="grace", based_on=1)

    assert [change.details for change in applied.change.tenants] == [("now paused",)]
    assert table.load() == Rules(PROVIDER, by_id(NORTHWIND, PAUSED), 2)
    assert table.news(1, 2).tenants == {"fabrikam"}
    assert requests.writes == 3  # the claim, the tenant, the announcement


def test_given_a_new_tenant_s_rules_when_applied_alone_then_it_joins_the_others(store: Store) -> None:
    table = store.open()
    table.apply(PROVIDER, [NORTHWIND], by="ada")

    table.apply_tenant(TAILWIND, by="grace", based_on=1)

    assert tenants_in(table.load()) == by_id(NORTHWIND, TAILWIND)
    assert table.tenant_of(W3) == TAILWIND


def test_given_a_tenant_s_rules_in_force_when_applied_alone_then_nothing_is_written(store: Store) -> None:
    store.open().apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")
    requests = Requests()

    applied = store.open(requests).apply_tenant(FABRIKAM, by="grace", based_on=1)

    assert (applied.change.is_empty, applied.revision, requests.writes) == (True, 1, 0)


def test_given_rules_changed_since_a_tenant_s_were_checked_when_applied_alone_then_it_loses(store: Store) -> None:
    table = store.open()
    table.apply(PROVIDER, [NORTHWIND], by="ada")
    table.apply_tenant(FABRIKAM, by="ada", based_on=1)

    with pytest.raises(ApplyLostError, match="at revision 2 by now, and no longer at 1"):
        table.apply_tenant(TAILWIND, by="grace", based_on=1)

    assert tenants_in(table.load()) == by_id(NORTHWIND, FABRIKAM)


def test_given_many_tenants_applied_at_once_when_all_ended_then_each_that_won_is_there_whole(store: Store) -> None:
    store.open().apply(PROVIDER, [NORTHWIND], by="ada")
    joining = [Tenant(f"tenant{number}", TenantState.ACTIVE, (workspace(f"own{number}"),)) for number in range(6)]

    def apply(tenant: Tenant) -> Tenant | None:
        try:
            store.open().apply_tenant(tenant, by=tenant.id)
            return tenant
        except ApplyLostError:
            return None

    with ThreadPoolExecutor(6) as threads:
        won = [tenant for tenant in threads.map(apply, joining) if tenant is not None]

    assert won
    assert tenants_in(store.open().load()) == by_id(NORTHWIND, *won)
    assert all(store.open().tenant_of(tenant.workspaces[0]) == tenant for tenant in won)


def test_given_a_tenant_s_apply_killed_at_any_write_when_read_then_it_is_old_or_new_and_the_others_as_they_were(
    connection_string: str,
) -> None:
    moved = replace(FABRIKAM, workspaces=(W3,), subscriptions=(replace(FABRIKAM.subscriptions[0], into=W3),))
    for killed_at in range(1, 7):
        store = Store(connection_string, new_table(connection_string), Clock())
        with store.clients:
            store.open().apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")

            _killed(store, killed_at, lambda table: table.apply_tenant(moved, by="ada"))

            tenants = store.open().load().tenants
            assert tenants["northwind"] == NORTHWIND
            assert tenants["fabrikam"] in (FABRIKAM, moved)
            store.clock.time += CLAIM
            store.open().apply_tenant(moved, by="grace")
            assert tenants_in(store.open().load()) == by_id(NORTHWIND, moved)
            assert (store.open().tenant_of(W3), store.open().tenant_of(W2)) == (moved, None)


# ---- who changed what, and when


def test_given_changes_when_the_history_is_read_then_the_newest_is_first_and_says_what_who_and_when(store: Store) -> None:
    table = store.open()
    table.apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")
    began = store.clock.time
    store.clock.time += timedelta(hours=1)
    table.apply_tenant(PAUSED, by="grace")

    newest, oldest = table.history(last=5)

    paused = RulesChange(provider=False, tenants=(TenantChange("fabrikam", Fate.CHANGED, ("now paused",)),))
    assert newest == Revision(2, store.clock.time, "grace", paused, everything=False)
    assert (oldest.number, oldest.at, oldest.by, oldest.change.provider) == (1, began, "ada", True)
    assert [change.fate for change in oldest.change.tenants] == [Fate.ADDED, Fate.ADDED]


def test_given_many_changes_when_the_history_of_one_tenant_is_read_then_it_has_the_last_of_its_own(store: Store) -> None:
    table = store.open()
    table.apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")
    for tenant in (PAUSED, TAILWIND, FABRIKAM, replace(TAILWIND, state=TenantState.PAUSED)):
        table.apply_tenant(tenant, by="ada")

    assert [revision.number for revision in table.history(last=2)] == [5, 4]
    assert [revision.number for revision in table.history(last=2, tenant="fabrikam")] == [4, 2]


def test_given_applies_that_did_not_end_when_the_history_is_read_then_it_has_as_many_as_are_asked_for(store: Store) -> None:
    def interrupt(number: int) -> None:
        if number == 2:
            raise KeyboardInterrupt

    for tenants in ([NORTHWIND], [NORTHWIND, FABRIKAM]):
        store.open().apply(PROVIDER, tenants, by="ada")
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                store.open(Requests(before_write=interrupt)).apply_tenant(TAILWIND, by="grace")
    store.open().apply_tenant(TAILWIND, by="grace")

    assert [revision.by for revision in store.open().history(last=2)] == ["grace", "ada"]
    assert [revision.by for revision in store.open().history(last=3)] == ["grace", "ada", "ada"]


def test_given_a_change_that_an_older_version_announced_when_the_history_is_read_then_it_names_the_tenants(store: Store) -> None:
    store.open().apply(PROVIDER, [NORTHWIND], by="ada")
    row = store.client().get_entity("changes", "000000000001")
    del row["details"]
    store.client().update_entity(row, mode=UpdateMode.REPLACE)

    (revision,) = store.open().history(last=5)

    assert revision.change.tenants == (TenantChange("northwind", Fate.CHANGED, ()),)


def test_given_more_changed_tenants_than_a_row_describes_when_the_history_is_read_then_it_names_the_rest(store: Store) -> None:
    many = [Tenant(f"tenant{number}", TenantState.ACTIVE, (workspace("w" * 200 + str(number)),)) for number in range(140)]

    store.open().apply(PROVIDER, many, by="ada")

    (revision,) = store.open().history(last=1)
    assert {change.tenant for change in revision.change.tenants} == {tenant.id for tenant in many}
    assert len({change.details == () for change in revision.change.tenants}) == 2


# ---- two at once


def test_given_an_apply_at_work_when_another_begins_then_it_loses_and_has_changed_nothing(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def pause(number: int) -> None:
        if number == 2:
            begun.set()
            assert go_on.wait(10)

    with ThreadPoolExecutor() as threads:
        first = threads.submit(store.open(Requests(before_write=pause)).apply, PROVIDER, [NORTHWIND], "ada")
        assert begun.wait(10)
        requests = Requests()
        with pytest.raises(ApplyLostError, match="ada is applying rules now"):
            store.open(requests).apply(PROVIDER, [FABRIKAM], by="grace")
        go_on.set()

        assert first.result().revision == 1
    assert requests.writes == 0
    assert tenants_in(store.open().load()) == by_id(NORTHWIND)


def test_given_many_applies_at_once_when_all_ended_then_the_rules_are_those_of_one_that_won(store: Store) -> None:
    def apply(number: int) -> int | None:
        limits = Limits(("Standard_DS3_v2",), number)
        tenant = replace(NORTHWIND, workspaces=(workspace(f"workspace{number}"),))
        try:
            return store.open().apply(replace(PROVIDER, limits=limits), [tenant], f"writer {number}").revision
        except ApplyLostError:
            return None

    with ThreadPoolExecutor(6) as threads:
        revisions = [revision for revision in threads.map(apply, range(1, 7)) if revision is not None]

    rules = store.open().load()
    number = rules.provider.limits.max_instances
    assert len(set(revisions)) == len(revisions)
    assert rules.tenants["northwind"].workspaces == (workspace(f"workspace{number}"),)
    assert rules.revision == max(revisions)


def test_given_rules_changed_since_the_difference_was_shown_when_applied_then_it_loses(store: Store) -> None:
    table = store.open()
    table.apply(PROVIDER, [NORTHWIND], by="ada")
    table.apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")

    with pytest.raises(ApplyLostError, match="at revision 2 by now, and no longer at 1"):
        table.apply(PROVIDER, [TAILWIND], by="grace", based_on=1)


def test_given_an_apply_that_slept_through_its_claim_when_it_wakes_then_it_loses(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def sleep(number: int) -> None:
        if number == 2:
            begun.set()
            assert go_on.wait(10)

    with ThreadPoolExecutor() as threads:
        sleeper = threads.submit(store.open(Requests(before_write=sleep)).apply, PROVIDER, [NORTHWIND, TAILWIND], "ada")
        assert begun.wait(10)
        store.clock.time += CLAIM
        store.open().apply(PROVIDER, [PAUSED], by="grace")
        go_on.set()

        with pytest.raises(ApplyLostError):
            sleeper.result()
    assert store.open().load() == Rules(PROVIDER, by_id(PAUSED), 2)


def test_given_an_apply_that_takes_longer_than_its_claim_when_another_begins_then_that_one_still_loses(
    store: Store,
) -> None:
    lost: list[str] = []

    def take_long(number: int) -> None:
        store.clock.time += CLAIM / 4
        if number == 8:
            with pytest.raises(ApplyLostError) as refused:
                store.open().apply(PROVIDER, [TAILWIND], by="grace")
            lost.append(str(refused.value))

    store.open(Requests(before_write=take_long)).apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")

    assert lost
    assert store.open().load() == Rules(PROVIDER, by_id(NORTHWIND, FABRIKAM), 1)


# ---- crashes and lost answers

BEFORE = (NORTHWIND, FABRIKAM)
AFTER = (replace(NORTHWIND, workspaces=(W1, workspace("workspace4"))), PAUSED, TAILWIND)


def test_given_an_apply_killed_at_any_write_when_read_then_each_tenant_is_old_or_new_and_the_next_apply_heals(
    connection_string: str,
) -> None:
    provider = replace(PROVIDER, limits=Limits(("Standard_DS3_v2",), 4))
    killed_at = 0
    ended = False
    while not ended:
        killed_at += 1
        store = Store(connection_string, new_table(connection_string), Clock())
        with store.clients:
            store.open().apply(PROVIDER, BEFORE, by="ada")
            cache = RulesCache(store.open())
            assert tenants_in(cache.current()) == by_id(*BEFORE)

            ended = _apply_killed(store, provider, killed_at)

            for tenant_id, tenant in store.open().load().tenants.items():
                assert tenant in (by_id(*BEFORE).get(tenant_id), by_id(*AFTER).get(tenant_id))
            for space in random_rules.WORKSPACES:
                owner = store.open().tenant_of(space)
                assert owner is None or space in owner.workspaces
            store.clock.time += CLAIM
            store.open().apply(provider, AFTER, by="grace")
            rules = store.open().load()
            assert (rules.provider, tenants_in(rules)) == (provider, by_id(*AFTER))
            assert cache.current() == rules
            assert store.open().tenant_of(W3) == TAILWIND
    assert killed_at > 6


def test_given_an_apply_killed_at_any_write_when_the_old_rules_are_applied_then_every_workspace_is_with_its_tenant_again(
    connection_string: str,
) -> None:
    moved = (replace(NORTHWIND, workspaces=(workspace("workspace4"),)), replace(TAILWIND, workspaces=(W1, W2)))
    for killed_at in range(1, 12):
        store = Store(connection_string, new_table(connection_string), Clock())
        with store.clients:
            store.open().apply(PROVIDER, BEFORE, by="ada")
            _killed(store, killed_at, lambda table: table.apply(PROVIDER, moved, by="ada"))
            store.clock.time += CLAIM

            store.open().apply(PROVIDER, BEFORE, by="grace")

            assert (store.open().tenant_of(W1), store.open().tenant_of(W2)) == BEFORE
            assert {row["tenant"] for row in store.client().query_entities("PartitionKey ge 'w'")} == {"northwind", "fabrikam"}


def _apply_killed(store: Store, provider: Provider, at: int) -> bool:
    """Whether the apply was done before it could be killed."""

    return _killed(store, at, lambda table: table.apply(provider, AFTER, by="ada"))


def _killed(store: Store, at: int, apply: Callable[[RulesTable], object]) -> bool:
    def kill(number: int) -> None:
        if number >= at:
            raise Killed

    try:
        apply(store.open(Requests(before_write=kill)))
    except Killed:
        return False
    return True


def test_given_an_apply_that_failed_when_another_follows_then_it_need_not_wait(store: Store) -> None:
    def interrupt(number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.open(Requests(before_write=interrupt)).apply(PROVIDER, BEFORE, by="ada")

    store.open().apply(PROVIDER, BEFORE, by="ada")

    assert tenants_in(store.open().load()) == by_id(*BEFORE)


def test_given_every_answer_to_a_write_lost_once_when_applied_then_it_is_done_all_the_same(store: Store) -> None:
    lost: set[int] = set()

    def lose(number: int) -> None:
        if number % 2:
            lost.add(number)
            raise ServiceResponseError("the connection broke before the answer came")

    store.open(Requests(after_write=lose)).apply(PROVIDER, BEFORE, by="ada")

    assert len(lost) > 3
    assert store.open().load() == Rules(PROVIDER, by_id(*BEFORE), 1)


# ---- the cache


def test_given_nothing_new_when_the_cache_is_asked_then_it_makes_one_read(store: Store) -> None:
    store.open().apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")
    requests = Requests()
    cache = RulesCache(store.open(requests))
    first = cache.current()
    requests.reads = 0

    assert cache.current() is first
    assert requests.reads == 1


def test_given_one_tenant_changed_when_the_cache_is_asked_then_it_reads_that_tenant_alone(store: Store) -> None:
    store.open().apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")
    requests = Requests()
    cache = RulesCache(store.open(requests))
    before = cache.current()
    store.open().apply(PROVIDER, [NORTHWIND, PAUSED, TAILWIND], by="ada")
    store.open().apply(PROVIDER, [NORTHWIND, PAUSED], by="ada")
    requests.reads = 0

    rules = cache.current()

    assert rules == Rules(PROVIDER, by_id(NORTHWIND, PAUSED), 3)
    assert rules.tenants["northwind"] is before.tenants["northwind"]
    assert requests.reads == 4  # the head, the changes, fabrikam, tailwind


def test_given_fifteen_minutes_when_the_cache_is_asked_then_it_reads_everything_again(store: Store) -> None:
    store.open().apply(PROVIDER, [NORTHWIND], by="ada")
    now = [0.0]
    cache = RulesCache(store.open(), lambda: now[0])
    first = cache.current()
    now[0] = RELOAD_SECONDS - 1
    assert cache.current() is first

    now[0] = RELOAD_SECONDS

    assert cache.current() == first
    assert cache.current() is not first


def test_given_rules_read_before_when_loaded_again_then_only_what_was_written_since_is_parsed(store: Store) -> None:
    table = store.open()
    table.apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")
    before = table.load()
    store.open().apply(PROVIDER, [NORTHWIND, PAUSED], by="ada")

    after = table.load()

    assert after == Rules(PROVIDER, by_id(NORTHWIND, PAUSED), 2)
    assert after.tenants["northwind"] is before.tenants["northwind"]


def test_given_one_thread_that_reads_everything_again_when_others_ask_then_they_do_not_wait_for_it(store: Store) -> None:
    store.open().apply(PROVIDER, [NORTHWIND], by="ada")
    now, asked = [0.0], list[Rules]()
    cache = RulesCache(AskedWhileItLoads(store.open(), lambda: asked.append(cache.current())), lambda: now[0])
    first = cache.current()
    now[0] = RELOAD_SECONDS

    again = cache.current()

    assert [rules is first for rules in asked] == [True]
    assert again is not first


def test_given_many_threads_when_the_rules_change_then_each_sees_them_and_they_are_read_once(store: Store) -> None:
    table = store.open()
    table.apply(PROVIDER, [NORTHWIND, FABRIKAM], by="ada")
    requests = Requests()
    cache = RulesCache(store.open(requests))
    cache.current()
    table.apply(PROVIDER, [NORTHWIND, PAUSED], by="ada")
    requests.reads = 0

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: cache.current(), range(16)))

    assert all(rules.tenants["fabrikam"] == PAUSED for rules in found)
    assert requests.reads == 16 + 2  # a head each, then once the changes and the tenant
