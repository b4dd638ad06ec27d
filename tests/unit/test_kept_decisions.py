"""Every yes is kept in its row, with the rules that said it and the revision in which they did."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from shared import planning
from shared.actions import Mode, Register
from shared.errors import Transient
from shared.objections import SharedAsset
from shared.rows import DeliveryRow
from shared.rules import Rules
from shared.states import DeliveryState
from shared.tenants import Subscription
from tests.fakes import World
from tests.unit.command_world import pull_of, put, with_tenant
from tests.unit.world import CARDS, EVERY_MODEL, PUBLISHER, a_world, credit_card, register, subscriber, workspace


def yeses(world: World) -> dict[tuple[str, str], tuple[str, str, int]]:
    """The rules that brought each delivery about, by its version and its tenant."""
    rows = [*world.rows.deliveries.values(), *world.rows.closed.values()]
    return {(row.asset.version, row.tenant): (row.publication, row.subscription, row.rules_revision) for row in rows}


def the_delivery(world: World) -> DeliveryRow:
    (row,) = [*world.rows.deliveries.values(), *world.rows.closed.values()]
    return row


def wish(name: str, *actions: Register) -> Subscription:
    return Subscription(name, ("northwind",), EVERY_MODEL, workspace("adventure"), actions)


def test_shares_and_deliveries_name_their_rules_and_the_revision_of_their_own_time() -> None:
    world = a_world(subscriber("adventure", Register()))
    register(world, credit_card("1"))
    world.run()
    with_tenant(world, "adventure", subscriptions=(wish("cards", Register()),))
    register(world, credit_card("2"))
    world.run()

    shares = {row.asset.version: (row.publications, row.rules_revision) for row in world.rows.shares.values()}
    assert shares == {"1": (("all",), 1), "2": (("all",), 2)}
    assert yeses(world) == {("1", "adventure"): ("all", "all", 1), ("2", "adventure"): ("all", "cards", 2)}


def test_a_pull_names_the_publication_that_allowed_it_and_no_subscription() -> None:
    world = a_world(replace(subscriber("adventure", Register()), subscriptions=()))
    register(world, credit_card())
    world.run()
    put(world, **pull_of("adventure"))
    world.run()

    assert yeses(world) == {("1", "adventure"): ("all", "", 1)}


def test_a_delivery_that_another_rule_allows_by_now_names_that_one() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.failing["register"] = Transient("busy", retry_after=600)
    register(world, credit_card())
    world.run(stop=lambda: bool(world.rows.deliveries) and the_delivery(world).failures > 0)
    assert yeses(world) == {("1", "adventure"): ("all", "all", 1)}

    with_tenant(world, "adventure", subscriptions=(wish("another", Register()),))
    world.run()

    assert the_delivery(world).state is DeliveryState.DELIVERED
    assert yeses(world) == {("1", "adventure"): ("all", "another", 2)}


def test_a_delivery_that_its_rule_wants_otherwise_by_now_names_the_revision_that_does() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.failing["register"] = Transient("busy", retry_after=600)
    register(world, credit_card())
    world.run(stop=lambda: bool(world.rows.deliveries) and the_delivery(world).failures > 0)

    with_tenant(world, "adventure", subscriptions=(wish("all", Register(Mode.COPY)),))
    world.run()

    assert (the_delivery(world).state, the_delivery(world).action) == (DeliveryState.DELIVERED, Register(Mode.COPY))
    assert yeses(world) == {("1", "adventure"): ("all", "all", 2)}


def test_a_change_of_something_else_makes_no_other_yes() -> None:
    world = a_world(subscriber("adventure", Register()), subscriber("fabrikam", CARDS))
    world.azure.failing["register"] = Transient("busy", retry_after=600)
    register(world, credit_card())
    world.run(stop=lambda: any(row.failures for row in world.rows.deliveries.values()))

    with_tenant(world, "fabrikam", subscriptions=())
    world.run()

    assert yeses(world)["1", "adventure"] == ("all", "all", 1)


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["all", "cards", "another"]), min_size=1, max_size=4), st.integers(0, 3))
def test_whatever_changes_on_the_way_what_is_delivered_is_a_yes_of_the_revision_that_it_names(names: list[str], busy: int) -> None:
    world = a_world(subscriber("adventure", Register()))
    every_rules: dict[int, Rules] = {1: world.rules.rules}
    register(world, credit_card())
    for name in names:
        world.azure.failing["register"] = Transient("busy", retry_after=60 * busy) if busy else Transient("busy")
        seen = world.looks
        world.run(stop=lambda seen=seen: world.looks > seen + busy)  # type: ignore[misc] # mypy knows no defaults of lambdas
        with_tenant(world, "adventure", subscriptions=(wish(name, Register()),))
        every_rules[world.rules.rules.revision] = world.rules.rules
    world.run()

    row = the_delivery(world)
    assert row.state is DeliveryState.DELIVERED
    shared = SharedAsset(row.asset, row.registry, PUBLISHER, {})
    (decision,) = planning.plan(shared, every_rules[row.rules_revision])
    assert (decision.allowed, decision.publication, decision.subscription) == (True, row.publication, row.subscription)
