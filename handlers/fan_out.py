"""The fan-out of a share: its deliveries are planned and written in pages, each in one transaction, then woken.

The plan's cursor is the last target whose row stands. After a crash the last page is woken once more, which does no harm,
and the next follows. Rules that changed in between decide over what lies behind the cursor.
"""

import itertools
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from handlers.turns import Turn
from shared import logs, planning
from shared.assets import Asset
from shared.errors import Transient
from shared.messages import Queue, of_wake_up
from shared.ports import Fanout
from shared.rows import Address, DeliveryRow, PlanRow, RowKind, ShareRow
from shared.states import ShareState
from shared.wakeups import WakeUp

log = logging.getLogger("fanout.fan_out")

PAGE = 99  # a transaction holds 100 writes (Table Storage), one of them the cursor
LONGEST = timedelta(seconds=1)  # of one turn, before the next page is left to the next wake-up


def fan_out(turn: Turn[ShareRow]) -> ShareRow:
    """Plan and wake page after page; the share is `shared` when the last is woken."""
    fanout, row, began = turn.fanout, turn.row, turn.now
    plan = fanout.rows.plan(row.asset, row.registry) or _new_plan(turn)
    _wake(plan, fanout)
    deliveries = _deliveries(turn, plan)
    while page := list(itertools.islice(deliveries, PAGE)):
        fanout.open_work.add(deliveries_of(row.asset))  # each time: the timer forgets it when no row is open
        plan = fanout.rows.save_page(_advanced(plan, page), page)
        _wake(plan, fanout)
        if turn.now - began > LONGEST:
            return turn.again(row, 0)
    return replace(row, state=ShareState.SHARED, failures=0)


def _new_plan(turn: Turn[ShareRow]) -> PlanRow:
    row, fanout = turn.row, turn.fanout
    asset = fanout.registries.asset(row.registry, row.asset)
    if asset is None:
        raise Transient(f"{row.asset} was in registry {row.registry}, and is not found now")
    return PlanRow(asset=asset, share=row.address, origin=row.origin, origin_tenant=row.origin_tenant)


def deliveries_of(asset: Asset) -> Address:
    """Where the open deliveries of an asset are found."""
    return Address(RowKind.DELIVERY, asset.key, "")


def _advanced(plan: PlanRow, page: list[DeliveryRow]) -> PlanRow:
    return replace(plan, page_from=plan.cursor, cursor=page[-1].row, planned=plan.planned + len(page))


def _wake(plan: PlanRow, fanout: Fanout) -> None:
    """Wake the deliveries of the plan's last page; those that were woken before drop it as a duplicate, or ignore it."""
    if not plan.cursor:
        return
    rows = fanout.rows.open_deliveries(plan.asset.asset.key, plan.page_from, plan.cursor)
    wake_ups = [of_wake_up(WakeUp.of(row.address, row.rev)) for row in rows if row.rev == 1]
    if wake_ups:
        fanout.queues.send(Queue.WAKEUPS, wake_ups)


def _deliveries(turn: Turn[ShareRow], plan: PlanRow) -> Iterator[DeliveryRow]:
    """Everyone who may have it and wants it, in the order of targets, from behind the cursor on."""
    row = turn.row
    shared = planning.SharedAsset(plan.asset.asset, row.registry, row.origin, plan.asset.tags)
    decisions = planning.plan(shared, turn.fanout.rules.current())
    wanted = sorted((_delivery(turn, decision) for decision in decisions if decision.allowed), key=lambda delivery: delivery.row)
    logs.event(log, "planned", share_id=row.address, asset=row.asset, deliveries=len(wanted), of=len(decisions))
    return (delivery for delivery in wanted if delivery.row > plan.cursor)


def _delivery(turn: Turn[ShareRow], decision: planning.Decision) -> DeliveryRow:
    row = turn.row
    address = DeliveryRow.address_of(row.asset, row.registry, decision.workspace, decision.action.route)
    return DeliveryRow(
        partition=address.partition,
        row=address.row,
        created_at=turn.now,
        next_at=turn.now,
        registry=row.registry,
        asset=row.asset,
        tenant=decision.tenant,
        workspace=decision.workspace,
        action=decision.action,
        publication=decision.publication or "",
        subscription=decision.subscription,
        rules_revision=decision.revision,
        origin_tenant=row.origin_tenant,
        origin=row.origin,
        rank=row.rank,
        correlation_id=row.correlation_id,
    )
