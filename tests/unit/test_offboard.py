"""The end of a tenant: what is under way ends, what others have is found, and so is who names it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from handlers.offboard import cancels, delivered_elsewhere, ended, named_by, under_way
from shared.actions import Register
from shared.messages import Queue
from shared.rows import DeliveryRow, WorkRow
from shared.rules import Provider, RegistryRule, Rules
from shared.states import DeliveryState, ShareState
from shared.tenants import Approver, Publication, Subscription, Tenant, TenantState
from tests.fakes import World
from tests.unit.command_world import pull_of, put
from tests.unit.example_rows import A_DELIVERY, A_SHARE
from tests.unit.reconcile_world import with_rules
from tests.unit.world import EVERY_MODEL, PUBLISHER, a_world, credit_card, register, subscriber, workspace

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def waiting(name: str) -> Tenant:
    """It wants everything, once somebody approves."""
    wants = subscriber(name, Register())
    return replace(wants, subscriptions=(replace(wants.subscriptions[0], approval=Approver.SUBSCRIBER),))


def open_rows(world: World) -> list[WorkRow]:
    return list(world.open_work.open_rows(LONG_AGO))


def leaves(world: World, tenant: str) -> None:
    """As `fanout offboard` does it."""
    with_rules(world, ended(world.rules.rules.tenants[tenant]))
    world.queues.send(Queue.COMMANDS, cancels(under_way(tenant, open_rows(world)), "ada"))
    world.run()


def states(world: World) -> dict[str, DeliveryState]:
    return {row.tenant: row.state for row in (*world.rows.deliveries.values(), *world.rows.closed.values())}


def delivered_from(world: World, tenant: str) -> set[tuple[str, str]]:
    shares = [row for row in world.rows.shares.values() if row.origin_tenant == tenant]
    return {(row.tenant, row.asset.version) for row in delivered_elsewhere(tenant, shares, world.rows)}


def test_its_rules_become_empty_and_its_workspaces_stay() -> None:
    fabrikam = subscriber("fabrikam", Register())

    assert ended(fabrikam) == Tenant("fabrikam", TenantState.PAUSED, fabrikam.workspaces)
    assert ended(ended(fabrikam)) == ended(fabrikam)


def test_given_deliveries_that_wait_when_a_subscriber_leaves_then_its_own_end_and_others_stay() -> None:
    world = a_world(waiting("fabrikam"), waiting("tailwind"))
    register(world, credit_card())
    world.run()

    leaves(world, "fabrikam")

    assert states(world) == {"fabrikam": DeliveryState.CANCELLED, "tailwind": DeliveryState.AWAITING_APPROVAL}
    assert under_way("fabrikam", open_rows(world)) == []


def test_given_a_pull_that_is_held_when_who_asked_for_it_leaves_then_it_ends() -> None:
    world = a_world(Tenant("fabrikam", TenantState.PAUSED, (workspace("fabrikam"),)))
    register(world, credit_card())
    world.run()
    with_rules(world, replace(world.rules.rules.tenants["fabrikam"], state=TenantState.ACTIVE))
    put(world, **pull_of("fabrikam"))
    world.run(stop=lambda: bool(world.rows.deliveries))

    leaves(world, "fabrikam")

    assert states(world) == {"fabrikam": DeliveryState.CANCELLED}


def test_given_deliveries_that_wait_when_the_publisher_leaves_then_all_end() -> None:
    world = a_world(waiting("fabrikam"), waiting("tailwind"))
    register(world, credit_card())
    world.run()

    leaves(world, "northwind")

    assert set(states(world).values()) == {DeliveryState.CANCELLED}
    assert open_rows(world) == []


def test_given_who_left_when_it_registers_a_model_then_nothing_is_shared() -> None:
    world = a_world(subscriber("fabrikam", Register()))
    leaves(world, "northwind")

    register(world, credit_card())
    world.run()

    assert not world.rows.shares


def test_what_others_have_of_it_is_what_was_delivered_and_was_not_taken_back() -> None:
    world = a_world(subscriber("fabrikam", Register()), waiting("tailwind"))
    register(world, credit_card("1"))
    register(world, credit_card("2"))
    world.run()
    put(world, type="recall", asset=credit_card("1").document, reason="leaks card numbers")
    world.run()

    assert delivered_from(world, "northwind") == {("fabrikam", "2")}
    assert delivered_from(world, "fabrikam") == set()


@pytest.mark.parametrize(
    "row",
    [
        replace(A_DELIVERY, cancelled_by="ada"),
        replace(A_DELIVERY, recall="leaks card numbers", state=DeliveryState.RECALLING),
        replace(A_DELIVERY, state=DeliveryState.DELIVERED, untold=True),
        replace(A_SHARE, state=ShareState.SHARED, untold=True),
    ],
)
def test_what_ends_anyway_is_not_cancelled(row: WorkRow) -> None:
    assert cancels([row], "ada") == []


def test_a_row_is_cancelled_by_one_message_until_it_changes() -> None:
    (first,), (again,) = cancels([A_DELIVERY], "ada"), cancels([A_DELIVERY], "ada")
    (later,) = cancels([replace(A_DELIVERY, rev=A_DELIVERY.rev + 1)], "ada")

    assert first == again
    assert first.message_id != later.message_id


def test_all_that_name_it_are_told() -> None:
    provider = Provider((RegistryRule("hub", ("fabrikam",)),), groups={"banks": ("fabrikam", "northwind")})
    publication = Publication("cards", "hub", EVERY_MODEL, ("fabrikam",))
    wants = Subscription("cards", ("fabrikam",), EVERY_MODEL, PUBLISHER, (Register(),))
    northwind = Tenant("northwind", TenantState.ACTIVE, (PUBLISHER,), (publication,), (wants,))
    own = replace(northwind, id="fabrikam")

    assert list(named_by("fabrikam", Rules(provider, {each.id: each for each in (northwind, own)}, 1))) == [
        "group banks",
        "the readers of registry hub",
        "publication cards of northwind",
        "subscription cards of northwind",
    ]


def test_a_delivery_concerns_who_sent_it_and_who_gets_it() -> None:
    rows: list[WorkRow] = [A_DELIVERY, A_SHARE]

    assert under_way("fabrikam", rows) == [A_DELIVERY]
    assert under_way("northwind", rows) == rows
    assert under_way("tailwind", rows) == []
    assert isinstance(A_DELIVERY, DeliveryRow)
