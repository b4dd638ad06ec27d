"""What is held until a window opens, as the timer sees it.

No wake-up is sent for what lies beyond the horizon, and nobody looks at such a row again and again. The timer's last run before
the opening, and those shortly before, send the one that it lacks: it comes as the window opens, however short that is and however
rarely the timer runs. Sooner it wakes the row only where today's rules would let it go sooner.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property

from shared import backoff, windows
from shared.matching import any_matches_name
from shared.rows import DeliveryRow, WorkRow
from shared.rules import Rules
from shared.states import DeliveryState
from shared.tenants import Subscription, Window


class HeldRows:
    """What one run of the timer asks of held rows. The rules are not read where there is none. `next_run`: where it is known."""

    def __init__(self, current_rules: Callable[[], Rules], now: datetime, next_run: datetime | None = None) -> None:
        self._current_rules = current_rules
        self._now = now
        self._horizon = now + timedelta(seconds=backoff.HORIZON)
        self._ahead = max(now, next_run or now) + timedelta(seconds=backoff.HORIZON)
        self._releases: dict[Window, datetime] = {}

    def is_due(self, row: WorkRow) -> bool:
        """Not what waits for a paused tenant within the horizon, its wake-up is on its way; nor what failed and is tried again."""
        if not isinstance(row, DeliveryRow) or row.state is not DeliveryState.HELD or row.failures:
            return False
        window = self._window_of(row)
        if row.next_at <= self._horizon:
            return window is not None
        return row.next_at <= self._ahead or self._goes_sooner(row)

    def wake_at(self, row: WorkRow) -> datetime | None:
        """When a due row's wake-up is to come; None for at once."""
        when_it_opens = row.next_at <= self._horizon or (row.next_at <= self._ahead and not self._goes_sooner(row))
        return row.next_at if when_it_opens and row.next_at > self._now else None

    def _goes_sooner(self, row: WorkRow) -> bool:
        window = self._window_of(row) if isinstance(row, DeliveryRow) else None
        return window is None or self._release(window) < row.next_at

    @cached_property
    def _rules(self) -> Rules:
        return self._current_rules()

    def _window_of(self, row: DeliveryRow) -> Window | None:
        """Today's window of the subscription that held it; None where it holds it no more: then its next look tells."""
        tenant = self._rules.tenant(row.tenant)
        subscriptions = tenant.subscriptions if tenant else ()
        return next((each.window for each in subscriptions if each.name == row.subscription and self._wants(each, row)), None)

    def _wants(self, subscription: Subscription, row: DeliveryRow) -> bool:
        """Whether it is in force and about the asset, whatever its tags are: another may be the one that wants it by now."""
        publisher = self._rules.tenant_of(row.origin) if row.origin else None
        about_it = any_matches_name(subscription.assets, row.asset.kind, row.asset.name)
        from_it = publisher is not None and self._rules.provider.includes(subscription.from_tenants, publisher.id)
        return subscription.active and subscription.into == row.workspace and from_it and about_it

    def _release(self, window: Window) -> datetime:
        if window not in self._releases:
            self._releases[window] = windows.release(window, self._now)
        return self._releases[window]
