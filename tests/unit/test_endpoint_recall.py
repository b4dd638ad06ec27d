"""A recall at an endpoint: the version is gone, the one before it serves again, and the tenant is left what is its own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.actions import BatchEndpoint, Endpoint
from shared.states import DeliveryState
from tests.fakes import World, refusal
from tests.unit.endpoint_world import (
    a_subscriber_of,
    command,
    deliveries,
    deploy_by_hand,
    publish,
    publish_until,
    recall,
    serving,
    states,
    the_endpoint,
    traffic_on_the_way,
    versions_of,
)
from tests.unit.world import CARDS, credit_card, register

NIGHTLY = BatchEndpoint("cards", "cpu-cluster")


def recalled(world: World, version: str) -> str | None:
    recall(world, version)
    world.run()
    assert states(world)[version] is DeliveryState.RECALLED
    return deliveries(world)[version].done


@pytest.mark.parametrize("action", [CARDS, NIGHTLY], ids=["online", "batch"])
def test_the_version_before_serves_again(action: Endpoint) -> None:
    world = a_subscriber_of(action)
    publish(world, "1", "2")
    assert recalled(world, "2") == "removed from endpoint cards; version 1 serves again"
    assert serving(the_endpoint(world, action)) == {"1": 100}
    assert versions_of(the_endpoint(world, action)) == {"1"}


@pytest.mark.parametrize("action", [CARDS, NIGHTLY], ids=["online", "batch"])
def test_where_there_was_no_other_nobody_serves(action: Endpoint) -> None:
    world = a_subscriber_of(action)
    publish(world, "1")
    assert recalled(world, "1") == "removed from endpoint cards; no other version of Fanout's serves there"
    assert serving(the_endpoint(world, action)) == {}
    assert versions_of(the_endpoint(world, action)) == set()


def test_where_there_was_no_other_the_tenants_own_serves_all() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1")
    deploy_by_hand(world, "champion", 30)
    recalled(world, "1")
    assert serving(the_endpoint(world)) == {"champion": 100}


def test_the_tenants_own_share_stays_where_there_is_a_version_before() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1", "2")
    deploy_by_hand(world, "champion", 30)
    recalled(world, "2")
    assert serving(the_endpoint(world)) == {"champion": 30, "1": 70}


def test_a_version_that_is_kept_without_traffic_goes_and_the_one_that_serves_serves_on() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1", "2")
    before = len(traffic_on_the_way(world))
    assert recalled(world, "1") == "removed from endpoint cards; version 2 still serves"
    assert versions_of(the_endpoint(world)) == {"2"}
    assert len(traffic_on_the_way(world)) == before


def test_a_version_that_was_retired_already_is_not_there() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1", "2", "3")
    assert recalled(world, "1") == "nothing was there"
    assert serving(the_endpoint(world)) == {"3": 100}


def test_a_delivery_that_failed_is_recalled_too() -> None:
    world = a_subscriber_of(CARDS)
    world.azure.failing_versions = {"1"}
    publish(world, "1")
    assert recalled(world, "1") == "nothing was there"


@pytest.mark.parametrize("begun", ["endpoint cards", "deploy v2", "traffic {'v1"])
def test_a_delivery_in_flight_loses_to_its_recall(begun: str) -> None:
    world = a_subscriber_of(replace(CARDS, traffic=(10, 100)))
    if begun != "endpoint cards":
        publish(world, "1")
        world.azure.effects.clear()
    publish_until(world, "2", lambda: any(effect.startswith(begun) for effect in world.azure.effects))
    recalled(world, "2")
    assert "2" not in versions_of(the_endpoint(world))
    assert serving(the_endpoint(world)) == ({} if begun == "endpoint cards" else {"1": 100})


def test_a_newer_version_that_is_being_deployed_is_left_alone() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1", "2")
    world.azure.seconds = 60
    publish_until(world, "3", lambda: any("deploy v3" in effect for effect in world.azure.effects))
    recalled(world, "2")
    assert states(world)["3"] is DeliveryState.DELIVERED
    assert serving(the_endpoint(world)) == {"3": 100}
    assert "2" not in versions_of(the_endpoint(world))


def test_after_a_recall_an_older_version_may_serve_the_endpoint() -> None:
    """Given version 2 failed, version 3 served and is recalled."""
    world = a_subscriber_of(CARDS)
    publish(world, "1")
    world.azure.failing_versions = {"2"}
    publish(world, "2", "3")
    recalled(world, "3")
    assert serving(the_endpoint(world)) == {"1": 100}
    world.azure.failing_versions = set()
    command(world, "retry", "2")
    world.run()
    assert states(world)["2"] is DeliveryState.DELIVERED
    assert serving(the_endpoint(world)) == {"2": 100}


def test_a_version_older_than_the_one_restored_stays_superseded() -> None:
    world = a_subscriber_of(CARDS)
    world.azure.failing_versions = {"1"}
    publish(world, "1", "2", "3")
    recalled(world, "3")
    world.azure.failing_versions = set()
    command(world, "retry", "1")
    world.run()
    assert states(world)["1"] is DeliveryState.SUPERSEDED
    assert serving(the_endpoint(world)) == {"2": 100}


def test_a_recall_that_azure_refuses_fails_and_can_be_retried() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1", "2")
    world.azure.failing["delete"] = refusal("forbidden")
    recall(world, "2")
    world.run()
    assert states(world)["2"] is DeliveryState.FAILED
    assert serving(the_endpoint(world)) == {"1": 100}
    command(world, "retry", "2")
    world.run()
    assert states(world)["2"] is DeliveryState.RECALLED
    assert versions_of(the_endpoint(world)) == {"1"}


def test_versions_that_arrive_while_another_is_recalled_serve_in_the_end() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1", "2")
    recall(world, "2")
    for version in "34":
        register(world, credit_card(version))
        world.run(until=timedelta(seconds=7))
    world.run()
    assert serving(the_endpoint(world)) == {"4": 100}
    assert "2" not in versions_of(the_endpoint(world))
    assert states(world)["2"] is DeliveryState.RECALLED
