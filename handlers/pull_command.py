"""The command `pull`: a tenant gets an asset of a registry at its own wish, without a subscription."""

import logging
from collections.abc import Sequence

from handlers.adopted_share import share_row
from handlers.asked import Asked
from handlers.fan_out import OPENED_AGAIN, as_decided, new_delivery, plan_of, require_not_recalled, shared_asset
from handlers.in_registry import find
from handlers.reopen import reopen
from handlers.turns import require_told, send_wake_up
from shared import commands, logs, planning
from shared.actions import Action
from shared.errors import Owner, Permanent, Transient
from shared.ports import Fanout
from shared.rows import DeliveryRow, PlanRow, ShareRow, deliveries_of
from shared.rules import Rules
from shared.rules_actions import REGISTER, action_value
from shared.states import DeliveryState, ShareState

log = logging.getLogger("fanout.pull_command")

_IN_REGISTRY = (ShareState.FANNING_OUT, ShareState.SHARED)


def pull(command: commands.Pull, asked: Asked, fanout: Fanout) -> None:
    """One delivery for each action; all are allowed, or none is made.

    Permanent `not_in_registry`, `origin_unknown`, `recalled`, `not_allowed` with the reason; `delivered_already`, after the others,
    where it stands there by the same route in another mode or size.
    """
    rules = fanout.rules.current()
    place = find(command.asset.value, command.registry, rules, fanout, shared_only=False)
    share = share_row(place, asked.correlation_id, fanout, origin_matters=True)
    if share.state not in _IN_REGISTRY:
        raise _not_there(share)
    plan = plan_of(share, fanout)
    require_not_recalled(plan)
    by_route = {action.route: action for action in map(action_value, command.actions or [REGISTER])}
    decisions = _allowed(command, share, plan, list(by_route.values()), rules)
    wanted = [new_delivery(share, decision, fanout.clock.now()).asked_by(asked.id, asked.correlation_id) for decision in decisions]
    fanout.open_work.add(deliveries_of(share.asset))
    both = list(zip(wanted, fanout.rows.insert_deliveries(plan, wanted), strict=True))
    for new, stands in both:
        _deliver(new, stands, asked, fanout)
    _require_as_asked(both)


def _require_as_asked(both: Sequence[tuple[DeliveryRow, DeliveryRow]]) -> None:
    """`both`: each delivery as it is asked for, and as it stands."""
    for new, stands in both:
        if stands.state is DeliveryState.DELIVERED and stands.action != new.action:
            where = f"{stands.workspace.name} by {stands.action.route}"
            text = f"{stands.asset} was delivered to {where} before, and otherwise than it is asked for now"
            remedy = "it stays as it is; pull another version, or ask for a recall first"
            raise Permanent("delivered_already", text, Owner.SUBSCRIBER, remedy)


def _allowed(
    command: commands.Pull, share: ShareRow, plan: PlanRow, actions: Sequence[Action], rules: Rules
) -> list[planning.Decision]:
    shared = shared_asset(share, plan.asset)
    decisions = [planning.pull(shared, command.tenant, command.into, action, rules) for action in actions]
    if refused := next((each for each in decisions if not each.allowed), None):
        text = f"{command.tenant} may not pull {share.asset} by {refused.action.route}: {refused.reason}"
        raise Permanent("not_allowed", text, Owner.SUBSCRIBER, "ask the publisher or the provider for it, then resend")
    return decisions


def _deliver(wanted: DeliveryRow, stands: DeliveryRow, asked: Asked, fanout: Fanout) -> None:
    if stands.state in OPENED_AGAIN and not stands.was_asked_by(asked.id) and not stands.recall:
        require_told(stands, fanout)
        stands = reopen(as_decided(stands, wanted), DeliveryState.PLANNED, asked, fanout)
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
