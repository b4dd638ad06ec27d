"""The fan-out of a share: its deliveries are planned and written in pages, each in one transaction, then woken.

The plan's cursor is the last target whose row stands. After a crash the last page is woken once more, which does no harm,
and the next follows. Rules that changed in between decide over what lies behind the cursor.
"""

import itertools
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from handlers.asked import Asked
from handlers.reopen import reopen
from handlers.turns import Turn, send_wake_up
from shared import logs, planning
from shared.assets import RegistryAsset
from shared.errors import Owner, Permanent, Transient
from shared.messages import Queue, of_wake_up
from shared.ports import Fanout
from shared.rows import DeliveryRow, PlanRow, ShareRow, WorkRow, deliveries_of
from shared.rules import Rules
from shared.states import DeliveryState, ShareState
from shared.wakeups import WakeUp

log = logging.getLogger("fanout.fan_out")

PAGE = 99  # a transaction holds 100 writes (Table Storage), one of them the cursor
OPENED_AGAIN = (DeliveryState.FAILED, DeliveryState.CANCELLED)  # when they are asked for once more
LONGEST = timedelta(seconds=1)  # of one turn, before the next page is left to the next wake-up


def fan_out(turn: Turn[ShareRow]) -> ShareRow:
    """Plan and wake page after page; the share is `shared` when the last is woken. Permanent `recalled` where it was taken back."""
    fanout, row, began = turn.fanout, turn.row, turn.now
    plan = plan_of(row, fanout)
    require_not_recalled(plan)
    if not (row.fan_out or row.is_narrowed):
        return replace(row, state=ShareState.SHARED, failures=0)
    wanted = _wanted(turn, plan)
    _wake(plan, row, wanted, fanout)
    ahead = (new_delivery(row, decision, turn.now) for target, decision in wanted.items() if target > plan.cursor)
    while page := list(itertools.islice(ahead, PAGE)):
        fanout.open_work.add(deliveries_of(row.asset))  # each time: the timer forgets it when no row is open
        plan = fanout.rows.save_page(_advanced(plan, page), page)
        _wake(plan, row, wanted, fanout)
        if turn.now - began > LONGEST:
            return turn.again(row, 0)
    return replace(row.unnarrowed(), state=ShareState.SHARED, failures=0)


def require_not_recalled(plan: PlanRow) -> None:
    if plan.recall:
        text = f"{plan.asset.asset} was recalled from registry {plan.asset.registry}: {plan.recall}"
        raise Permanent("recalled", text, Owner.PROVIDER, "deliver another version")


def plan_of(row: ShareRow, fanout: Fanout, seen: RegistryAsset | None = None) -> PlanRow:
    """The plan as it stands, written where there was none, or where the registry replicates to other regions by now.

    `seen` is the registry's asset, where the caller has looked.
    """
    plan, regions = fanout.rows.plan(row.asset, row.registry), fanout.registries.regions(row.registry)
    if plan:
        known = replace(plan, asset=replace(plan.asset, regions=regions))
        return plan if known == plan else fanout.rows.save_plan(known)
    asset = seen or fanout.registries.asset(row.registry, row.asset)
    if asset is None:
        raise Transient(f"{row.asset} was in registry {row.registry}, and is not found now")
    new = PlanRow(
        asset=replace(asset, regions=regions, document=None),
        share=row.address,
        origin=row.origin,
        origin_tenant=row.origin_tenant,
        environment=row.environment,
    )
    return fanout.rows.save_plan(new)


def _advanced(plan: PlanRow, page: list[DeliveryRow]) -> PlanRow:
    return replace(plan, page_from=plan.cursor, cursor=page[-1].row, planned=plan.planned + len(page))


def _wake(plan: PlanRow, row: ShareRow, wanted: Mapping[str, planning.Decision], fanout: Fanout) -> None:
    """Wake the deliveries of the plan's last page; those that were woken before drop it as a duplicate, or ignore it."""
    if not plan.cursor:
        return
    if row.again:
        _open_again(plan, row, wanted, fanout)
    rows = fanout.rows.open_deliveries(plan.asset.asset.key, plan.page_from, plan.cursor)
    wake_ups = [of_wake_up(WakeUp.of(each.address, each.rev)) for each in rows if each.rev == 1]
    if wake_ups:
        fanout.queues.send(Queue.WAKEUPS, wake_ups)


def _open_again(plan: PlanRow, row: ShareRow, wanted: Mapping[str, planning.Decision], fanout: Fanout) -> None:
    """Those of the page that came to nothing before, as they are decided now."""
    asked = Asked(row.commands[-1] if row.commands else "", correlation_id=row.correlation_id)
    for closed in fanout.rows.closed_deliveries(plan.asset.asset.key, plan.page_from, plan.cursor):
        decision = wanted.get(closed.row)
        if decision and closed.state in OPENED_AGAIN and not closed.recall and not closed.was_asked_by(asked.id):
            new = new_delivery(row, decision, fanout.clock.now())
            send_wake_up(reopen(as_decided(closed, new), DeliveryState.PLANNED, asked, fanout), fanout)


def as_decided(closed: DeliveryRow, new: DeliveryRow) -> DeliveryRow:
    """What once came to nothing, by the decision that brings it back: to who has the workspace now."""
    return replace(
        closed,
        tenant=new.tenant,
        action=new.action,
        publication=new.publication,
        subscription=new.subscription,
        rules_revision=new.rules_revision,
        approved_by=None,
    )


def _wanted(turn: Turn[ShareRow], plan: PlanRow) -> dict[str, planning.Decision]:
    """For everyone who may have it and wants it, from the last page on, in the order of targets."""
    row = turn.row
    decisions = decided(row, plan, turn.fanout.rules.current(), under_way=() if row.is_narrowed else row.publications)
    wanted = deliverable(decisions, row)
    logs.event(log, "planned", share_id=row.address, asset=row.asset, deliveries=len(wanted), of=len(decisions))
    by_target = {target_of(row, decision): decision for decision in wanted}
    return {target: by_target[target] for target in sorted(by_target) if target > plan.page_from}


def decided(row: ShareRow, plan: PlanRow, rules: Rules, under_way: Collection[str] = ()) -> tuple[planning.Decision, ...]:
    """What is decided about those whom the push may be for; `under_way` are the publications that had let it out before a pause."""
    owners = {owner.id for workspace in row.into if (owner := rules.tenant_of(workspace))}
    return planning.plan(shared_asset(row, plan.asset), rules, row.only or owners or None, under_way=under_way)


def deliverable(decisions: Iterable[planning.Decision], row: ShareRow) -> list[planning.Decision]:
    """Those that allow a delivery, to a target that the push is for: to any where it names none."""
    return [
        each
        for each in decisions
        if each.allowed and (not row.into or each.workspace in row.into) and (not row.routes or each.action.route in row.routes)
    ]


def shared_asset(row: WorkRow, kept: RegistryAsset) -> planning.SharedAsset:
    """What is decided about: the asset as its plan keeps it, from where the row has it."""
    return planning.SharedAsset(row.asset, row.registry, row.origin, kept.tags, row.source, kept.regions)


def target_of(row: ShareRow, decision: planning.Decision) -> str:
    """The key of the row that is the decision's delivery."""
    return DeliveryRow.target_key(row.registry, decision.workspace, decision.action.route)


def new_delivery(row: ShareRow, decision: planning.Decision, now: datetime) -> DeliveryRow:
    """A delivery of the share's asset, as it was decided."""
    address = DeliveryRow.address_of(row.asset, row.registry, decision.workspace, decision.action.route)
    return DeliveryRow(
        partition=address.partition,
        row=address.row,
        created_at=now,
        next_at=now,
        registry=row.registry,
        asset=row.asset,
        renamed_from=row.renamed_from,
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
