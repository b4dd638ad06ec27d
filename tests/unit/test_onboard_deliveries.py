"""The second run of `fanout onboard`: where nothing comes, or not all, it says why."""

from dataclasses import replace

from handlers.cli.onboard import reasons_for_less
from handlers.offboard import ended
from shared.actions import Register
from shared.tenants import RuleState, TenantState
from tests.unit.world import subscriber

FABRIKAM = subscriber("fabrikam", Register())
IS_PAUSED = "Tenant fabrikam is paused: `fanout tenants resume fabrikam` lets it begin."
WANTS_NOTHING = "Tenant fabrikam subscribes to nothing yet."


def test_of_an_active_tenant_with_active_subscriptions_nothing_is_said() -> None:
    assert not list(reasons_for_less(FABRIKAM))


def test_a_tenant_without_subscriptions_is_told_that_it_has_none() -> None:
    assert list(reasons_for_less(replace(FABRIKAM, subscriptions=()))) == [WANTS_NOTHING]


def test_a_tenant_that_left_is_told_that_to_resume_it_is_not_enough() -> None:
    assert list(reasons_for_less(ended(FABRIKAM))) == [WANTS_NOTHING, IS_PAUSED]


def test_what_is_paused_is_told_once() -> None:
    (wish,) = FABRIKAM.subscriptions
    wishes_nothing_now = replace(FABRIKAM, subscriptions=(replace(wish, state=RuleState.PAUSED),))

    assert list(reasons_for_less(wishes_nothing_now)) == [f"Nothing comes by what is paused until it is resumed: {wish.name}."]
    assert list(reasons_for_less(replace(wishes_nothing_now, state=TenantState.PAUSED))) == [IS_PAUSED]
