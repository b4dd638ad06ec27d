"""The end of a tenant: nothing leaves its workspaces any more, and nothing arrives there.

Its part of the rules is emptied rather than removed: the rules of others may name it, and until its event subscriptions are gone
events still come from its workspaces. What is under way is cancelled. What others have of it stays theirs: to take that back
is a decision, `recall`.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from shared.keys import key
from shared.messages import Outgoing
from shared.ports import Rows
from shared.rows import DeliveryRow, ShareRow, WorkRow
from shared.rules import Rules
from shared.states import DeliveryState, is_final
from shared.tenants import Tenant, TenantState


def ended(tenant: Tenant) -> Tenant:
    """Its rules from now on."""
    return replace(tenant, state=TenantState.PAUSED, publications=(), subscriptions=())


def named_by(tenant: str, rules: Rules) -> Iterator[str]:
    """Where the rules of others name it: as long as they do, it cannot be taken out of the rules."""
    provider = rules.provider
    yield from (f"group {name}" for name, members in provider.groups.items() if tenant in members)
    yield from (f"the readers of registry {each.name}" for each in provider.registries if tenant in each.readers)
    for other in (each for each in rules.tenants.values() if each.id != tenant):
        yield from (f"publication {each.name} of {other.id}" for each in other.publications if tenant in each.to)
        yield from (f"subscription {each.name} of {other.id}" for each in other.subscriptions if tenant in each.from_tenants)


def under_way(tenant: str, open_rows: Iterable[WorkRow]) -> list[WorkRow]:
    """Whatever is on its way to the tenant, or from it."""
    return [row for row in open_rows if _concerns(row, tenant)]


def cancels(rows: Iterable[WorkRow], by: str) -> list[Outgoing]:
    """Of what can be cancelled still. The same messages whoever sends them, until a row changes."""
    return [_cancel(row, by) for row in rows if not (row.cancelled_by or row.recall or is_final(row.state))]


def delivered_elsewhere(tenant: str, shares: Iterable[ShareRow], rows: Rows) -> Iterator[DeliveryRow]:
    """What others have of it, asset by asset. `shares` are all that there ever were from it."""
    partitions = dict.fromkeys(share.asset.key for share in shares)
    for row in (row for partition in partitions for row in rows.closed_deliveries(partition)):
        if row.origin_tenant == tenant != row.tenant and row.state is DeliveryState.DELIVERED:
            yield row


def _concerns(row: WorkRow, tenant: str) -> bool:
    return row.origin_tenant == tenant or (isinstance(row, DeliveryRow) and row.tenant == tenant)


def _cancel(row: WorkRow, by: str) -> Outgoing:
    command = {"type": "cancel", row.address.kind.value: str(row.address), "by": by}
    return Outgoing(json.dumps(command).encode(), f"offboard-{key(str(row.address), str(row.rev))}")
