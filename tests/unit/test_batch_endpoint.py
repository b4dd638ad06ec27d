"""The route `batch_endpoint` from the share to the end, in memory: whose deployment is the default, and what stays."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.actions import BatchEndpoint
from shared.states import DeliveryState
from tests.unit.endpoint_world import (
    a_subscriber_of,
    command,
    deliveries,
    deploy_by_hand,
    deployment_of,
    publish,
    publish_until,
    serving,
    states,
    the_endpoint,
    versions_of,
)
from tests.unit.world import CARDS, a_world, credit_card, register, subscriber

NIGHTLY = BatchEndpoint("nightly", "cpu-cluster", instance_count=2)


def test_the_first_version_makes_the_endpoint_and_is_its_default() -> None:
    world = a_subscriber_of(NIGHTLY)
    publish(world, "1")
    assert serving(the_endpoint(world, NIGHTLY)) == {"1": 100}
    assert deliveries(world)["1"].traffic == 100


def test_a_new_version_becomes_the_default_and_the_old_one_is_kept() -> None:
    world = a_subscriber_of(NIGHTLY)
    publish(world, "1", "2", "3")
    assert serving(the_endpoint(world, NIGHTLY)) == {"3": 100}
    assert versions_of(the_endpoint(world, NIGHTLY)) == {"2", "3"}


def test_a_version_that_cannot_be_deployed_is_removed_and_the_old_one_stays_the_default() -> None:
    world = a_subscriber_of(NIGHTLY)
    world.azure.failing_versions = {"2"}
    publish(world, "1", "2")
    assert serving(the_endpoint(world, NIGHTLY)) == {"1": 100}
    assert versions_of(the_endpoint(world, NIGHTLY)) == {"1"}
    assert states(world)["2"] is DeliveryState.FAILED


@pytest.mark.parametrize("percent", [100, 0])
def test_a_default_of_the_tenants_own_stays_the_default_of_an_endpoint_that_is_adopted(percent: int) -> None:
    adopting = replace(NIGHTLY, adopt=True)
    world = a_subscriber_of(adopting)
    deploy_by_hand(world, "by-hand", percent, adopting)
    publish(world, "1")
    assert serving(the_endpoint(world, adopting)) == ({"by-hand": 100} if percent else {"1": 100})
    assert deliveries(world)["1"].traffic == 100 - percent
    assert versions_of(the_endpoint(world, adopting)) == {"1"}


def test_a_default_that_the_tenant_chose_on_our_endpoint_stays() -> None:
    world = a_subscriber_of(NIGHTLY)
    publish(world, "1")
    deploy_by_hand(world, "by-hand", 100, NIGHTLY)
    publish(world, "2")
    assert serving(the_endpoint(world, NIGHTLY)) == {"by-hand": 100}
    assert deliveries(world)["2"].traffic == 0


def test_a_delivery_that_is_cancelled_on_its_way_leaves_nothing_behind() -> None:
    world = a_subscriber_of(NIGHTLY)
    publish(world, "1")
    publish_until(world, "2", lambda: any("deploy v2" in effect for effect in world.azure.effects))
    command(world, "cancel", "2")
    world.run()
    assert states(world)["2"] is DeliveryState.CANCELLED
    assert versions_of(the_endpoint(world, NIGHTLY)) == {"1"}


def test_it_is_deployed_to_the_compute_that_the_subscription_names() -> None:
    world = a_subscriber_of(NIGHTLY)
    publish(world, "1")
    action, new = world.azure.new[deployment_of("1", NIGHTLY)]
    assert action == NIGHTLY
    assert new.model.asset == credit_card("1")


@given(order=st.permutations(["1", "2", "3", "4"]), seconds=st.sampled_from([0, 2, 30]))
@settings(max_examples=15, deadline=None)
def test_of_many_versions_the_newest_is_the_default_in_the_end_whatever_their_order(order: list[str], seconds: int) -> None:
    world = a_subscriber_of(NIGHTLY)
    for version in order:
        register(world, credit_card(version))
        world.run(until=timedelta(seconds=seconds))
    world.run()
    assert serving(the_endpoint(world, NIGHTLY)) == {"4": 100}
    assert len(the_endpoint(world, NIGHTLY).deployments) <= 2


def test_one_subscription_serves_an_online_and_a_batch_endpoint() -> None:
    world = a_world(subscriber("fabrikam", CARDS, NIGHTLY))
    publish(world, "1", "2")
    assert serving(the_endpoint(world, CARDS)) == {"2": 100}
    assert serving(the_endpoint(world, NIGHTLY)) == {"2": 100}
