"""The command `push`: the fan-out of a shared asset once more, to all subscribers or to some of them."""

import logging
from collections.abc import Iterable
from dataclasses import replace

from handlers.asked import Asked
from handlers.fan_out import decided, deliverable, plan_of, require_not_recalled
from handlers.in_registry import find
from handlers.turns import one_at_a_time, require_told, send_wake_up
from shared import commands, logs, planning
from shared.errors import Owner, Permanent, Transient
from shared.ports import Fanout
from shared.rows import PlanRow, ShareRow
from shared.rules import Rules
from shared.states import ShareState

log = logging.getLogger("fanout.push_command")


def push(command: commands.Push, asked: Asked, fanout: Fanout) -> None:
    """Permanent `not_in_registry`, `recalled`, or `not_subscribed`, naming those that get nothing; all others get it."""
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
    wanted = narrowed(share, command)
    left_out = _left_out(wanted, plan, rules)
    known = replace(asked, id=f"{asked.id} in part") if left_out else asked  # sent again once the rules are mended, it is not done
    send_wake_up(_fan_out(wanted, plan, known, fanout), fanout)
    if left_out and not asked.by_event:  # rules that changed since are no news to the reconciler
        text = f"{share.asset} is not for {', '.join(left_out)}"
        remedy = "see each one's publications, subscriptions and limits; a tenant without a subscription can pull"
        raise Permanent("not_subscribed", text, Owner.PROVIDER, remedy)


def _again(share: ShareRow, fanout: Fanout) -> None:
    """The same command once more: its wake-up may never have been sent."""
    if share.state is ShareState.FANNING_OUT:
        send_wake_up(share, fanout)


def narrowed(share: ShareRow, command: commands.Push) -> ShareRow:
    """As the command wants it. What was shared for nobody is shared for all by a push to all, and by no other."""
    wanted = replace(
        share,
        again=command.again,
        only=() if command.to == "subscribers" else tuple(command.to),
        into=command.workspaces,
        routes=command.routes,
    )
    return replace(wanted, fan_out=share.fan_out or not wanted.is_narrowed)


def _fan_out(share: ShareRow, plan: PlanRow, asked: Asked, fanout: Fanout) -> ShareRow:
    """From the first target on again. Rows that stand are left alone, but, with `again`, for those that came to nothing."""
    fanout.open_work.add(share.address)
    fanout.rows.save_plan(replace(plan, cursor="", page_from=""))
    fresh = replace(
        share.asked_by(asked.id, asked.correlation_id),
        state=ShareState.FANNING_OUT,
        rev=share.rev + 1,
        next_at=fanout.clock.now(),
    )
    logs.event(log, "pushed", share_id=share.address, asset=share.asset, to=share.only or "subscribers", command=asked.id)
    with one_at_a_time():
        return fanout.rows.replace(fresh)


def _left_out(share: ShareRow, plan: PlanRow, rules: Rules) -> list[str]:
    """The tenants and the workspaces that it is narrowed to and that get nothing, each with the reason in brackets."""
    if not (share.only or share.into):
        return []
    there = [each for each in decided(share, plan, rules) if not share.into or each.workspace in share.into]
    served = deliverable(there, share)
    tenants, workspaces = {each.tenant for each in served}, {each.workspace for each in served}
    return [
        *(f"{tenant} ({_why(each for each in there if each.tenant == tenant)})" for tenant in share.only if tenant not in tenants),
        *(f"{at.name} ({_why(each for each in there if each.workspace == at)})" for at in share.into if at not in workspaces),
    ]


def _why(decisions: Iterable[planning.Decision]) -> str:
    return next((each.reason for each in decisions if not each.allowed), "no subscription asks for it")


def _not_shared(share: ShareRow | None) -> Permanent:
    if share and share.recall:
        return Permanent("recalled", f"{share.asset} was recalled: {share.recall}", Owner.PROVIDER, "push another version")
    text = f"{share.asset} was not shared by a tenant" if share else "it was not shared"
    return Permanent("not_shared", text, Owner.PROVIDER, "share it first; what was made in a registry can be pulled")
