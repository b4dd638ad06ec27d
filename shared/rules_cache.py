"""The rules in a worker's memory, never more than one announced revision behind the table.

Each look costs one point read. What changed is read again tenant by tenant; every 15 minutes all is, so that no mistake in
following the changes lasts; that is one thread's work, and the others go on with what was followed.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from shared.rules import Provider, Rules
from shared.rules_change import News
from shared.tenants import Tenant

RELOAD_SECONDS = 15 * 60
MOST_SINGLE_READS = 200  # above this many changed tenants, reading all of them takes fewer requests


class FollowedRules(Protocol):
    """What the cache reads from."""

    def revision(self) -> int: ...

    def load(self) -> Rules: ...

    def news(self, after: int, upto: int) -> News: ...

    def provider(self) -> Provider: ...

    def tenant(self, tenant_id: str) -> Tenant | None: ...


class RulesCache:
    """Thread-safe. While one thread reads what changed, others that need it wait for it."""

    def __init__(self, table: FollowedRules, seconds: Callable[[], float] = time.monotonic) -> None:
        self._table = table
        self._seconds = seconds
        self._refreshing = threading.Lock()
        self._kept: tuple[Rules, float] | None = None  # with the time of the last whole load

    def current(self) -> Rules:
        """All rules in force. Transient where the table cannot be reached: old rules are never passed off as today's."""
        revision = self._table.revision()
        kept = self._kept
        if kept is not None and self._suffices(kept, revision):
            return kept[0]
        behind = kept is None or kept[0].revision < revision
        if not self._refreshing.acquire(blocking=behind) and kept is not None:
            return kept[0]  # another thread reads everything again, only because it is time to
        try:
            self._kept = kept = self._refreshed(revision)
        finally:
            self._refreshing.release()
        return kept[0]

    def news(self, after: int, upto: int) -> News:
        """What the revisions after the first and up to the second changed."""
        return self._table.news(after, upto)

    def _suffices(self, kept: tuple[Rules, float], revision: int) -> bool:
        rules, loaded_at = kept
        return rules.revision >= revision and self._seconds() - loaded_at < RELOAD_SECONDS

    def _refreshed(self, revision: int) -> tuple[Rules, float]:
        kept = self._kept
        if kept is not None and self._suffices(kept, revision):  # another thread did it while this one waited
            return kept
        if kept is None or self._seconds() - kept[1] >= RELOAD_SECONDS:
            return self._loaded()
        news = self._table.news(kept[0].revision, revision)
        if news.everything or len(news.tenants) > MOST_SINGLE_READS:
            return self._loaded()
        return self._followed(kept[0], news, revision), kept[1]

    def _loaded(self) -> tuple[Rules, float]:
        started = self._seconds()
        return self._table.load(), started

    def _followed(self, rules: Rules, news: News, revision: int) -> Rules:
        changed = {tenant_id: self._table.tenant(tenant_id) for tenant_id in news.tenants}
        provider = self._table.provider() if news.provider else rules.provider
        return rules.changed(provider, changed, revision)
