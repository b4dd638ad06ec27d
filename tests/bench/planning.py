"""What 1,000, 10,000 and 100,000 subscriptions cost a worker: `python -m tests.bench planning`.

To load them, from Azurite, and to hold them; to decide who gets one asset, by a look at every tenant and as the app does it;
and to follow one tenant's change. What leaves the machine in Azure does not here: the table's part of a load is Azurite's.
"""

import gc
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from shared.azure.rules_table import RulesTable
from shared.planning import SharedAsset, plan
from shared.rules import Rules
from shared.rules_cache import RulesCache
from shared.rules_document import provider_from_document, tenant_from_document
from shared.rules_index import RulesIndex
from shared.rules_sharing import EqualParts
from shared.tenants import Tenant
from tests.bench import planning_scene as scene
from tests.bench import report
from tests.bench.planning_store import RulesOnAzurite
from tests.brute_force import look_at_every_tenant

SIZES = (1_000, 10_000, 100_000)  # subscriptions
TIMES = 5  # each figure is the median of so many


@dataclass(frozen=True, slots=True)
class Loaded:
    """Seconds, and megabytes that are held. `load_cpu` is the worker's own part of `load`, `parse` and `index` are parts of that.

    `follow` is CPU's too: the rest of it is the time of three requests.
    """

    subscriptions: int
    document_megabytes: float
    load: float
    load_cpu: float
    reload: float
    parse: float
    index: float
    megabytes: float
    index_megabytes: float
    follow: float


@dataclass(frozen=True, slots=True)
class Planned:
    """Seconds of CPU to decide who gets one asset. `wanted` is by how many deliveries it is answered."""

    subscriptions: int
    asset: str
    wanted: int
    every_tenant: float
    as_the_app: float


def play(sizes: Sequence[int] = SIZES) -> None:
    loaded, planned = [], []
    for size in sizes:
        report.progress(f"{size} subscriptions …")
        documents = list(scene.tenant_documents(size))
        loaded.append(_loaded(size, documents))
        planned += _planned(size, documents)
    _show(loaded, planned)


def _loaded(size: int, documents: Sequence[scene.Document]) -> Loaded:
    texts = [json.dumps(document, separators=(",", ":")) for document in documents]
    rules, parse, megabytes, index_megabytes = _held(texts)
    with RulesOnAzurite(scene.PROVIDER, documents) as store:
        table = RulesTable(store.table)
        cache = RulesCache(table)
        load_cpu, load = _seconds_of_cpu_and_all(cache.current)
        return Loaded(
            subscriptions=size,
            document_megabytes=sum(map(len, texts)) / 1e6,
            load=load,
            load_cpu=load_cpu,
            reload=_seconds(table.load),
            parse=parse,
            index=_cpu(lambda: RulesIndex.of(rules.tenants.values())),
            megabytes=megabytes,
            index_megabytes=index_megabytes,
            follow=_follow(store, cache, documents[len(documents) // 2]),
        )


def _held(texts: Sequence[str]) -> tuple[Rules, float, float, float]:
    """The rules, the seconds that parsing took, and the megabytes that tenants and index take."""
    parse = _seconds(lambda: _tenants(map(json.loads, texts)), time.thread_time)
    gc.collect()
    tracemalloc.start()
    tenants = _tenants(map(json.loads, texts))
    of_tenants = _megabytes()
    rules = _in_force(tenants)
    of_all = _megabytes()
    tracemalloc.stop()
    return rules, parse, of_tenants, of_all - of_tenants


def _megabytes() -> float:
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1e6


def _follow(store: RulesOnAzurite, cache: RulesCache, document: scene.Document) -> float:
    taken = []
    for number in range(TIMES):
        store.change(scene.renamed(document, number))
        taken.append(_seconds(cache.current, time.thread_time))
    return statistics.median(taken)


def _planned(size: int, documents: Sequence[scene.Document]) -> list[Planned]:
    by_publisher = _rules(documents)
    assets = [_plan_of(size, "that nine tenants follow, by its publisher", scene.for_few(), by_publisher)]
    by_name = _rules(map(scene.by_name_alone, documents))
    assets.append(_plan_of(size, "that one tenant wants, by its name, whoever publishes it", scene.for_one_by_name(), by_name))
    assets.append(_plan_of(size, "that all tenants get", scene.for_all(), by_publisher))
    return assets


def _plan_of(size: int, name: str, asset: SharedAsset, rules: Rules) -> Planned:
    by_all, by_app = look_at_every_tenant(asset, rules), plan(asset, rules)
    assert by_all == by_app, f"{name}: the two do not decide alike"
    every_tenant = _cpu(lambda: look_at_every_tenant(asset, rules))
    return Planned(size, name, sum(each.allowed for each in by_app), every_tenant, _cpu(lambda: plan(asset, rules)))


def _rules(documents: Iterable[scene.Document]) -> Rules:
    return _in_force(_tenants(documents))


def _tenants(documents: Iterable[scene.Document]) -> dict[str, Tenant]:
    """As the table has them from its rows."""
    parts = EqualParts()
    return {tenant.id: tenant for tenant in (parts.shared(tenant_from_document(each)) for each in documents)}


def _in_force(tenants: dict[str, Tenant]) -> Rules:
    return Rules(provider_from_document(scene.PROVIDER), tenants, 1)


def _seconds(what: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    what()
    return clock() - started


def _seconds_of_cpu_and_all(what: Callable[[], object]) -> tuple[float, float]:
    started = time.perf_counter()
    return _seconds(what, time.thread_time), time.perf_counter() - started


def _cpu(what: Callable[[], object]) -> float:
    """Seconds that do not depend on what else the machine does."""
    return statistics.median(_seconds(what, time.thread_time) for _ in range(TIMES))


def _show(loaded: Sequence[Loaded], planned: Sequence[Planned]) -> None:
    columns = (
        "subscriptions",
        "documents, MB",
        "load, s",
        "CPU, s",
        "parse, s",
        "index, s",
        "again, s",
        "tenants, MB",
        "index, MB",
        "a change, ms",
    )
    report.show(
        f"The rules in a worker, {scene.PER_TENANT} subscriptions a tenant, from Azurite",
        columns,
        [
            (
                f"{each.subscriptions:,}",
                f"{each.document_megabytes:.1f}",
                *(f"{seconds:.2f}" for seconds in (each.load, each.load_cpu, each.parse, each.index, each.reload)),
                *(f"{megabytes:.1f}" for megabytes in (each.megabytes, each.index_megabytes)),
                f"{each.follow * 1000:.1f}",
            )
            for each in loaded
        ],
    )
    report.tell(
        "CPU is the worker's own part of a load, parse and index are parts of that. Again: the whole load of every 15 minutes. "
        "A change: the CPU to follow that of one tenant, beside three requests."
    )
    report.show(
        "To decide who gets one asset",
        ("an asset", "subscriptions", "deliveries", "every tenant, CPU ms", "Fanout, CPU ms"),
        [
            (
                each.asset,
                f"{each.subscriptions:,}",
                f"{each.wanted:,}",
                f"{each.every_tenant * 1000:.2f}",
                f"{each.as_the_app * 1000:.2f}",
            )
            for each in sorted(planned, key=lambda each: each.asset)
        ],
    )
