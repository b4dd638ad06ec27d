"""Who has which version, told from the rows: the newest that is there, and what is newer and is not."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from handlers.cli.holdings import cell_text, in_several_workspaces, nobody_has, standing
from shared.rows import DeliveryRow
from shared.states import DeliveryState, ShareState
from tests.unit.example_rows import A_DELIVERY, A_SHARE, NOON
from tests.unit.world import credit_card, workspace


def delivery(version: int, state: DeliveryState) -> DeliveryRow:
    address = DeliveryRow.address_of(credit_card(str(version)), "hub", A_DELIVERY.workspace, A_DELIVERY.action.route)
    asset, rank = credit_card(str(version)), f"{version:012}"
    return replace(A_DELIVERY, partition=address.partition, asset=asset, rank=rank, state=state)


def cells(*rows: DeliveryRow) -> list[str]:
    return [cell_text(each, NOON + timedelta(days=2)) for each in standing(rows)]


def test_the_newest_delivered_version_counts_and_what_is_newer_is_marked() -> None:
    rows = (
        delivery(1, DeliveryState.DELIVERED),
        delivery(2, DeliveryState.DELIVERED),
        delivery(3, DeliveryState.FAILED),
        delivery(4, DeliveryState.AWAITING_APPROVAL),
    )

    assert cells(*rows) == ["4 register awaiting approval 2d", "3 register failed 2d", "2 register 2d"]


def test_what_came_to_nothing_or_was_taken_back_is_not_there() -> None:
    over = (DeliveryState.SUPERSEDED, DeliveryState.CANCELLED, DeliveryState.RECALLED)

    assert cells(*(delivery(number, state) for number, state in enumerate(over))) == []


def test_two_workspaces_of_one_tenant_are_told_apart() -> None:
    here = delivery(1, DeliveryState.DELIVERED)
    there = replace(delivery(2, DeliveryState.DELIVERED), workspace=workspace("second"))

    both = standing([here, there])

    assert in_several_workspaces(both) == {"fabrikam"}
    texts = {cell_text(each, NOON, with_workspace=True) for each in both}
    assert texts == {"1 register fabrikam 0s", "2 register second 0s"}


def test_the_tenant_that_it_came_from_has_it() -> None:
    (origin,) = standing([A_SHARE])

    assert (origin.tenant, origin.route, origin.has_it) == ("northwind", "origin", True)


def test_nobody_has_what_is_in_the_registry_alone() -> None:
    share = replace(A_SHARE, state=ShareState.SHARED)

    assert nobody_has(standing([share])) == ["model:credit-card:1"]
    assert nobody_has(standing([share, delivery(1, DeliveryState.FAILED)])) == ["model:credit-card:1"]
    assert nobody_has(standing([share, delivery(2, DeliveryState.FAILED), delivery(1, DeliveryState.DELIVERED)])) == []
    assert nobody_has(standing([share, delivery(1, DeliveryState.HELD)])) == []
    assert nobody_has(standing([replace(share, state=ShareState.IMPORTING)])) == []


@given(st.lists(st.sampled_from(DeliveryState), max_size=12))
def test_at_most_one_version_is_there_by_each_route_and_none_behind_it_is_shown(states: list[DeliveryState]) -> None:
    shown = standing(delivery(number, state) for number, state in enumerate(states))

    assert [each.has_it for each in shown[:-1]] == [False] * (len(shown) - 1 if shown else 0)
    delivered = [str(number) for number, state in enumerate(states) if state is DeliveryState.DELIVERED]
    assert [each.version for each in shown if each.has_it] == delivered[-1:]
