"""A push of the reconciler reaches the targets that are due, and no other."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from handlers.fan_out import deliverable, target_of
from handlers.push_command import narrowed
from handlers.reconcile_absent import push_absent
from handlers.reconcile_round import boundless
from shared import commands
from shared.actions import Register
from shared.messages import Queue
from shared.planning import Decision
from shared.rows import DeliveryRow
from shared.states import DeliveryState
from tests.unit.example_rows import A_DELIVERY, A_SHARE
from tests.unit.world import CARDS, a_world, workspace

ABSENT = None
CANCELLED_BY_RULES = replace(A_DELIVERY, state=DeliveryState.CANCELLED)
CANCELLED_BY_ADA = replace(CANCELLED_BY_RULES, cancelled_by="ada")
DELIVERED = replace(A_DELIVERY, state=DeliveryState.DELIVERED)
FAILED = replace(A_DELIVERY, state=DeliveryState.FAILED)

DECISIONS = [
    Decision(True, tenant, "all", action, workspace(f"{tenant}-{place}"), "all", "", 1)
    for tenant in ("adventure", "fabrikam")
    for place in ("trial", "live")
    for action in (Register(), CARDS)
]
rows_of_targets = st.lists(
    st.sampled_from([ABSENT, CANCELLED_BY_RULES, CANCELLED_BY_ADA, DELIVERED, FAILED]),
    min_size=len(DECISIONS),
    max_size=len(DECISIONS),
)
wanted_targets = st.lists(st.booleans(), min_size=len(DECISIONS), max_size=len(DECISIONS))


def reached(push: commands.Push, rows: dict[str, DeliveryRow]) -> set[str]:
    """The targets that get a row, or whose row is opened again."""
    share = narrowed(A_SHARE, push)
    meant = [each for each in DECISIONS if not share.only or each.tenant in share.only]
    targets = {target_of(A_SHARE, each) for each in deliverable(meant, share)}
    ended = (DeliveryState.FAILED, DeliveryState.CANCELLED)
    return {target for target in targets if target not in rows or (share.again and rows[target].state in ended)}


@given(rows=rows_of_targets, wanted=wanted_targets)
def test_the_pushes_reach_exactly_what_is_wanted_and_absent_or_ended_by_the_rules(
    rows: list[DeliveryRow | None], wanted: list[bool]
) -> None:
    world, share = a_world(), A_SHARE
    there = {target_of(share, each): row for each, row in zip(DECISIONS, rows, strict=True) if row}
    allowed = {target_of(share, each): each for each in DECISIONS}
    mine = {target: each for (target, each), is_wanted in zip(allowed.items(), wanted, strict=True) if is_wanted}

    round_ = boundless(world, lambda _finding: None, dry_run=False)
    push_absent(share, there, mine, allowed, round_)
    round_.send()

    pushes = [json.loads(due.message.body) for due in world.queues.due if due.queue is Queue.COMMANDS]
    parsed = [commands.parse(json.dumps(push).encode()) for push in pushes]
    got = set().union(*(reached(push, there) for push in parsed if isinstance(push, commands.Push)))
    assert got == {target for target in mine if there.get(target) in (ABSENT, CANCELLED_BY_RULES)}
    assert len(parsed) == len(pushes)
