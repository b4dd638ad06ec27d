"""The command `push`: the fan-out of a shared asset once more, to all subscribers or to some of them."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from handlers.asked import Asked
from handlers.fan_out import deliverable, plan_of, require_not_recalled, shared_asset
from handlers.in_registry import find
from handlers.turns import one_at_a_time, require_told, send_wake_up
from shared import commands, logs, planning
from shared.errors import Owner, Permanent, Transient
from shared.ports import Fanout
from shared.rows import PlanRow, ShareRow
from shared.rules import Rules
from shared.rules_actions import action_value
from shared.states import ShareState

log = logging.getLogger("fanout.push_command")


def push(command: commands.Push, asked: Asked, fanout: Fanout) -> None:
    """Permanent `not_in_registry`, `recalled`, or `not_subscribed`, naming those who get nothing; all others get it."""
    rules = fanout.rules.current()
    share = find(command.asset.value, command.registry, rules, fanout, shared_only=True).share
    if share is None or share.origin is None or share.recall or share.state is ShareState.FAILED:
        raise _not_shared(share)
    if share.was_asked_by(asked.id):
        _again(share, fanout)
        return
    if share.state is not ShareState.SHARED:
        raise Transient(f"the share of {share.asset} is {share.state}: the push follows it")
    require_told(share, fanout)
    plan = plan_of(share, fanout)
    require_not_recalled(plan)
    only = () if command.to == "subscribers" else tuple(command.to)
    routes = tuple(action_value(action).route for action in command.actions or ())
    left_out = _left_out(share, plan, only, routes, rules)
    known = replace(asked, id=f"{asked.id} in part") if left_out else asked  # sent again once the rules are mended, it is not done
    send_wake_up(_fan_out(share, plan, only, routes, known, fanout, again=command.again), fanout)
    if left_out and not asked.by_event:  # rules that changed since are no news to the reconciler
        text = f"{share.asset} is not for {', '.join(left_out)}"
        remedy = "see each one's publications, subscriptions and limits; a tenant without a subscription can pull"
        raise Permanent("not_subscribed", text, Owner.PROVIDER, remedy)


def _again(share: ShareRow, fanout: Fanout) -> None:
    """The same command once more: its wake-up may never have been sent."""
    if share.state is ShareState.FANNING_OUT:
        send_wake_up(share, fanout)


def _fan_out(
    share: ShareRow,
    plan: PlanRow,
    only: tuple[str, ...],
    routes: tuple[str, ...],
    asked: Asked,
    fanout: Fanout,
    *,
    again: bool,
) -> ShareRow:
    """From the first target on again. Rows that stand are left alone, but, with `again`, for those that came to nothing."""
    fanout.open_work.add(share.address)
    fanout.rows.save_plan(replace(plan, cursor="", page_from=""))
    fresh = replace(
        share.asked_by(asked.id, asked.correlation_id),
        state=ShareState.FANNING_OUT,
        fan_out=True,
        again=again,
        only=only,
        routes=routes,
        rev=share.rev + 1,
        next_at=fanout.clock.now(),
    )
    logs.event(log, "pushed", share_id=share.address, asset=share.asset, to=only or "subscribers", command=asked.id)
    with one_at_a_time():
        return fanout.rows.replace(fresh)


def _left_out(share: ShareRow, plan: PlanRow, only: Sequence[str], routes: Sequence[str], rules: Rules) -> list[str]:
    """The tenants of `only` that get nothing, each with the reason in brackets."""
    decisions = planning.plan(shared_asset(share, plan), rules, only) if only else ()
    served = {each.tenant for each in deliverable(decisions, routes)}
    return [f"{tenant} ({_why(tenant, decisions)})" for tenant in only if tenant not in served]


def _why(tenant: str, decisions: Sequence[planning.Decision]) -> str:
    return next((each.reason for each in decisions if each.tenant == tenant and not each.allowed), "no subscription asks for it")


def _not_shared(share: ShareRow | None) -> Permanent:
    if share and share.recall:
        return Permanent("recalled", f"{share.asset} was recalled: {share.recall}", Owner.PROVIDER, "push another version")
    text = f"{share.asset} was not shared by a tenant" if share else "it was not shared"
    return Permanent("not_shared", text, Owner.PROVIDER, "share it first; what was made in a registry can be pulled")
