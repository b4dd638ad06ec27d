"""The command `pull`: a tenant gets an asset of a registry at its own wish, without a subscription."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from handlers.adopted_share import share_row
from handlers.asked import Asked
from handlers.fan_out import new_delivery, plan_of, shared_asset
from handlers.in_registry import find
from handlers.reopen import reopen
from handlers.turns import send_wake_up
from shared import commands, logs, planning
from shared.errors import Owner, Permanent, Transient
from shared.ports import Fanout
from shared.rows import DeliveryRow, PlanRow, ShareRow, deliveries_of
from shared.rules import Action, Register
from shared.rules_actions import action_value
from shared.states import DeliveryState, ShareState

log = logging.getLogger("fanout.pull_command")

_IN_REGISTRY = (ShareState.FANNING_OUT, ShareState.SHARED)
_CAME_TO_NOTHING = (DeliveryState.FAILED, DeliveryState.CANCELLED)


def pull(command: commands.Pull, asked: Asked, fanout: Fanout) -> None:
    """One delivery for each action; all are allowed, or none is made.

    Permanent `not_in_registry`, `origin_unknown`, `recalled`, `not_allowed` with the reason.
    """
    rules = fanout.rules.current()
    place = find(command.asset.value, command.registry, rules, fanout, shared_only=False)
    share = share_row(place, asked.correlation_id, fanout, origin_matters=True)
    if share.state not in _IN_REGISTRY:
        raise _not_there(share)
    plan = plan_of(share, fanout)
    actions = [action_value(action) for action in command.actions] if command.actions else [Register()]
    for decision in _allowed(command, share, plan, actions, fanout):
        wanted = replace(new_delivery(share, decision, fanout.clock.now()), correlation_id=asked.correlation_id, command=asked.id)
        _deliver(wanted, plan, asked, fanout)


def _allowed(
    command: commands.Pull, share: ShareRow, plan: PlanRow, actions: Sequence[Action], fanout: Fanout
) -> list[planning.Decision]:
    shared, rules = shared_asset(share, plan), fanout.rules.current()
    decisions = [planning.pull(shared, command.tenant, command.into, action, rules) for action in actions]
    if refused := next((each for each in decisions if not each.allowed), None):
        text = f"{command.tenant} may not pull {share.asset} by {refused.action.route}: {refused.reason}"
        raise Permanent("not_allowed", text, Owner.SUBSCRIBER, "ask the publisher or the provider for it, then resend")
    return decisions


def _deliver(wanted: DeliveryRow, plan: PlanRow, asked: Asked, fanout: Fanout) -> None:
    fanout.open_work.add(deliveries_of(wanted.asset))
    stands = fanout.rows.insert_delivery(plan, wanted)
    if stands.state in _CAME_TO_NOTHING and stands.command != asked.id and not stands.recall:
        stands = reopen(replace(stands, action=wanted.action, subscription=""), DeliveryState.PLANNED, fanout, command=asked.id)
    if stands.state is DeliveryState.PLANNED and not stands.claim:
        logs.event(log, "pulled", delivery_id=stands.address, tenant=stands.tenant, asset=stands.asset, command=asked.id)
        send_wake_up(stands, fanout)


def _not_there(share: ShareRow) -> Permanent | Transient:
    if share.recall:
        return Permanent("recalled", f"{share.asset} was recalled: {share.recall}", Owner.PROVIDER, "pull another version")
    if share.state is ShareState.FAILED:
        text = f"the share of {share.asset} failed: {share.reason}"
        return Permanent("not_in_registry", text, Owner.PUBLISHER, "mend and retry the share, then resend")
    return Transient(f"the share of {share.asset} is {share.state}: the pull follows it")
