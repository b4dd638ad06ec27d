"""The route `online_endpoint` from the share to the end, in memory: what serves, what stays, and what a failure leaves behind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.actions import Endpoint as Action
from shared.actions import OnlineEndpoint, Scoring
from shared.assets import WorkspaceId
from shared.azure_ml_ports import OperationState
from shared.endpoints import MARK_TAG, RANK_TAG, Deployment, NewDeployment
from shared.errors import Transient
from shared.provenance import DELIVERY
from shared.states import DeliveryState
from shared.tenants import Approver, TenantState
from tests.fake_azure import FakeAzure
from tests.fake_endpoints import OUT_OF_QUOTA
from tests.fakes import World, refusal
from tests.unit.command_world import asking, before_call
from tests.unit.endpoint_world import (
    FABRIKAM,
    a_subscriber_of,
    command,
    deliveries,
    deploy_by_hand,
    deployment_of,
    publish,
    publish_until,
    send,
    serving,
    states,
    the_endpoint,
    traffic_on_the_way,
    versions_of,
)
from tests.unit.world import CARDS, a_world, credit_card, register, rules, subscriber

IN_STEPS = replace(CARDS, traffic=(10, 100))
SAMPLE = replace(CARDS, sample_request='{"input_data": [[1, 2]]}')


# ---- what arrives


def test_the_first_version_makes_the_endpoint_and_serves_all_of_it() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1")
    assert serving(the_endpoint(world)) == {"1": 100}
    assert deliveries(world)["1"].traffic == 100


def test_endpoint_and_deployment_say_whose_costs_they_are() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1")
    endpoint, delivery = the_endpoint(world), deliveries(world)["1"]
    costs = {
        "fanout_tenant": "fabrikam",
        "fanout_subscription": "all",
        "fanout_asset": "credit-card:1",
        DELIVERY: str(delivery.address),
        RANK_TAG: delivery.rank,
    }
    assert endpoint.deployments[0].tags == costs
    assert {**endpoint.tags, MARK_TAG: ""} == {**costs, MARK_TAG: ""}


def test_a_new_version_takes_over_step_by_step_and_the_old_one_is_kept() -> None:
    world = a_subscriber_of(IN_STEPS)
    publish(world, "1", "2")
    old, new = deployment_of("1"), deployment_of("2")
    steps = [{old: 100}, {old: 90, new: 10}, {new: 100}]
    assert traffic_on_the_way(world) == [f"traffic {step} in fabrikam" for step in steps]
    assert versions_of(the_endpoint(world)) == {"1", "2"}


@pytest.mark.parametrize(("keep", "left"), [(0, {"4"}), (1, {"3", "4"}), (2, {"2", "3", "4"})])
def test_as_many_old_ones_are_kept_as_the_subscription_says(keep: int, left: set[str]) -> None:
    world = a_subscriber_of(replace(CARDS, keep=keep))
    publish(world, "1", "2", "3", "4")
    assert versions_of(the_endpoint(world)) == left
    assert serving(the_endpoint(world)) == {"4": 100}


@given(order=st.permutations(["1", "2", "3", "4", "5"]), seconds=st.sampled_from([0, 2, 30]), chance=st.randoms())
@settings(max_examples=25, deadline=None)
def test_of_many_versions_the_newest_serves_in_the_end_whatever_their_order(order: list[str], seconds: int, chance: Random) -> None:
    world = a_world(subscriber("fabrikam", IN_STEPS), duplicate=lambda: chance.random() < 0.2)
    for version in order:
        register(world, credit_card(version))
        world.run(until=timedelta(seconds=seconds))
    world.run()
    assert serving(the_endpoint(world)) == {"5": 100}
    assert len(the_endpoint(world).deployments) <= 2
    assert states(world)["5"] is DeliveryState.DELIVERED
    assert set(states(world).values()) <= {DeliveryState.DELIVERED, DeliveryState.SUPERSEDED}


def test_a_version_that_arrives_while_the_one_before_is_being_deployed_serves_in_the_end() -> None:
    world = a_subscriber_of(CARDS)
    world.azure.seconds = 120
    publish_until(world, "2", lambda: any("deploy v2" in effect for effect in world.azure.effects))
    publish(world, "3")
    assert serving(the_endpoint(world)) == {"3": 100}
    assert states(world) == {"2": DeliveryState.DELIVERED, "3": DeliveryState.DELIVERED}
    assert versions_of(the_endpoint(world)) == {"2", "3"}


# ---- the sample request


def test_a_new_version_is_tried_out_once_before_it_gets_traffic() -> None:
    world = a_subscriber_of(replace(SAMPLE, traffic=(10, 50, 100)))
    publish(world, "1", "2")
    assert world.azure.tried_out == [deployment_of("1"), deployment_of("2")]


def test_a_version_that_refuses_the_sample_is_removed_and_the_old_one_serves_on() -> None:
    world = a_subscriber_of(SAMPLE)
    world.azure.dull_versions = {"2"}
    publish(world, "1", "2")
    assert serving(the_endpoint(world)) == {"1": 100}
    assert versions_of(the_endpoint(world)) == {"1"}
    assert len(traffic_on_the_way(world)) == 1
    reason = deliveries(world)["2"].reason
    assert reason
    assert reason.code == "smoke_test_failed"
    assert "column age is missing" in reason.text


def test_a_version_that_never_answers_does_not_hold_up_the_next_one() -> None:
    world = a_subscriber_of(SAMPLE)
    world.azure.mute_versions = {"2"}
    for version in "123":
        register(world, credit_card(version))
        world.run(until=timedelta(seconds=30))
    world.run(until=timedelta(hours=6))
    assert serving(the_endpoint(world)) == {"3": 100}
    assert states(world)["2"] is DeliveryState.FAILED


# ---- what fails


def test_a_version_that_cannot_be_deployed_is_removed_and_the_old_one_serves_on_untouched() -> None:
    world = a_subscriber_of(CARDS)
    world.azure.failing_versions = {"2"}
    publish(world, "1", "2")
    assert serving(the_endpoint(world)) == {"1": 100}
    assert versions_of(the_endpoint(world)) == {"1"}
    assert len(traffic_on_the_way(world)) == 1
    failed = deliveries(world)["2"]
    assert (failed.state, failed.reason, failed.failing) == (DeliveryState.FAILED, OUT_OF_QUOTA.reason, None)


@pytest.mark.parametrize("refused", ["create endpoint", "deploy", "traffic"])
def test_what_azure_refuses_fails_with_its_own_words_and_leaves_nothing_behind(refused: str) -> None:
    world = a_subscriber_of(CARDS)
    world.azure.failing[refused] = refusal("denied_by_policy")
    publish(world, "1")
    failed = deliveries(world)["1"]
    assert failed.reason
    assert failed.reason.code == "denied_by_policy"
    assert all(not there.deployments for there in world.azure.endpoints.values())


def test_traffic_that_fails_half_way_goes_back_before_the_new_one_is_removed() -> None:
    world = a_subscriber_of(IN_STEPS)
    publish(world, "1")
    publish_until(world, "2", lambda: len(traffic_on_the_way(world)) == 2)
    world.azure.failing["traffic"] = refusal("denied_by_policy")
    world.run()
    old, new = deployment_of("1"), deployment_of("2")
    steps = [{old: 100}, {old: 90, new: 10}, {old: 100}]
    assert traffic_on_the_way(world) == [f"traffic {step} in fabrikam" for step in steps]
    assert versions_of(the_endpoint(world)) == {"1"}
    assert states(world)["2"] is DeliveryState.FAILED


def test_an_old_one_that_cannot_be_removed_is_no_failure() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1", "2")
    world.azure.failing["delete"] = refusal("forbidden")
    publish(world, "3")
    assert states(world)["3"] is DeliveryState.DELIVERED
    assert versions_of(the_endpoint(world)) == {"1", "2", "3"}
    publish(world, "4")
    assert versions_of(the_endpoint(world)) == {"3", "4"}


def test_a_failed_delivery_that_is_retried_serves() -> None:
    world = a_subscriber_of(CARDS)
    world.azure.failing_versions = {"2"}
    publish(world, "1", "2")
    world.azure.failing_versions = set()
    command(world, "retry", "2")
    world.run()
    assert serving(the_endpoint(world)) == {"2": 100}
    assert states(world)["2"] is DeliveryState.DELIVERED


def test_one_that_is_retried_long_after_does_not_wait_long_for_another() -> None:
    world = a_subscriber_of(CARDS)
    world.azure.failing_versions = {"1"}
    publish(world, "1")
    world.clock.time += timedelta(days=3)
    world.azure.seconds = 20
    publish_until(world, "2", lambda: any("deploy v2" in effect for effect in world.azure.effects))
    began = world.clock.now()
    command(world, "retry", "1")
    world.run(stop=lambda: states(world)["1"] is DeliveryState.SUPERSEDED)
    assert world.clock.now() - began < timedelta(seconds=90)


def test_what_a_failure_left_behind_is_removed_and_made_anew_by_a_retry() -> None:
    world = a_subscriber_of(CARDS)
    world.azure.failing_versions = {"2"}
    world.azure.failing["delete"] = refusal("forbidden")
    publish(world, "1", "2")
    assert states(world)["2"] is DeliveryState.FAILED
    left = the_endpoint(world).find(deployment_of("2"))
    assert left
    assert left.state == "failed"
    world.azure.failing_versions = set()
    command(world, "retry", "2")
    world.run()
    assert serving(the_endpoint(world)) == {"2": 100}


def test_a_newer_version_that_fails_leaves_the_endpoint_to_one_in_between() -> None:
    world = a_subscriber_of(CARDS)
    world.azure.failing_versions = {"3"}
    for version in "123":
        register(world, credit_card(version))
    world.run()
    assert serving(the_endpoint(world)) == {"2": 100}
    assert "3" not in versions_of(the_endpoint(world))


def test_a_version_older_than_the_one_that_serves_is_superseded_though_the_newest_failed() -> None:
    world = a_subscriber_of(CARDS)
    world.azure.failing_versions = {"4"}
    publish(world, "1", "3", "4", "2")
    assert states(world)["2"] is DeliveryState.SUPERSEDED
    assert serving(the_endpoint(world)) == {"3": 100}


def test_a_version_waits_for_a_newer_one_that_was_held_half_way() -> None:
    world = a_subscriber_of(IN_STEPS)
    publish(world, "1")
    publish_until(world, "3", lambda: len(traffic_on_the_way(world)) == 2)
    active = world.rules.rules
    world.rules.rules = rules(subscriber("fabrikam", IN_STEPS, state=TenantState.PAUSED))
    world.run(until=timedelta(minutes=2))
    assert states(world)["3"] is DeliveryState.HELD
    world.rules.rules = active
    publish(world, "2")
    assert states(world) == {"1": DeliveryState.DELIVERED, "2": DeliveryState.SUPERSEDED, "3": DeliveryState.DELIVERED}
    assert serving(the_endpoint(world)) == {"3": 100}


# ---- what is the tenant's own


def test_a_tenants_own_share_stays_through_an_upgrade_and_one_that_fails() -> None:
    world = a_subscriber_of(IN_STEPS)
    publish(world, "1")
    deploy_by_hand(world, "champion", 30)
    publish(world, "2")
    assert serving(the_endpoint(world)) == {"champion": 30, "2": 70}
    assert deliveries(world)["2"].traffic == 70
    world.azure.failing_versions = {"3"}
    publish(world, "3")
    assert serving(the_endpoint(world)) == {"champion": 30, "2": 70}


def test_a_tenants_endpoint_of_the_same_name_is_left_alone() -> None:
    world = a_subscriber_of(CARDS)
    deploy_by_hand(world, "champion", 100)
    before = the_endpoint(world)
    publish(world, "1")
    assert the_endpoint(world) == before
    reason = deliveries(world)["1"].reason
    assert reason
    assert reason.code == "endpoint_taken"


@pytest.mark.parametrize(("theirs", "ours"), [(100, 0), (0, 100)])
def test_an_endpoint_that_is_adopted_gets_our_deployment_and_what_the_tenant_left_of_the_traffic(theirs: int, ours: int) -> None:
    world = a_subscriber_of(replace(CARDS, adopt=True))
    deploy_by_hand(world, "champion", theirs)
    publish(world, "1", "2", "3")
    endpoint = the_endpoint(world)
    assert endpoint.tags == {"team": "risk"}
    assert endpoint.share_of("champion") == theirs
    assert endpoint.share_of(deployment_of("3")) == ours
    assert {version: row.traffic for version, row in deliveries(world).items()} == dict.fromkeys("123", ours)
    assert versions_of(endpoint) == {"2", "3"}


def test_a_deployment_of_the_wanted_name_that_is_not_ours_is_left_alone() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1")
    deploy_by_hand(world, deployment_of("2"), 0)
    publish(world, "2")
    assert serving(the_endpoint(world)) == {"1": 100}
    assert the_endpoint(world).find(deployment_of("2")) == Deployment(deployment_of("2"), "succeeded")
    assert states(world)["2"] is DeliveryState.FAILED


# ---- models that are no MLflow models


def custom(action: OnlineEndpoint) -> World:
    """A world in which version 1 came into the registry as a custom model, its delivery not begun."""
    world = a_subscriber_of(action)
    publish_custom(world, "1")
    return world


def publish_custom(world: World, version: str) -> None:
    publish_until(world, version, lambda: bool(world.rows.deliveries))
    at = (credit_card(version).key, "hub")
    plan = world.rows.plans[at]
    world.rows.plans[at] = replace(plan, asset=replace(plan.asset, type="custom_model"))


CODE = "azureml://registries/hub/codes/score/versions/1"


def test_a_model_that_is_no_mlflow_model_needs_scoring_code() -> None:
    world = custom(CARDS)
    world.run()
    reason = deliveries(world)["1"].reason
    assert reason
    assert reason.code == "not_deployable"
    assert world.azure.endpoints == {}


@pytest.mark.parametrize(
    ("named", "along", "used"),
    [("azureml:own:1", "azureml:along:1", "azureml:own:1"), (None, "azureml:along:1", "azureml:along:1")],
)
def test_a_model_with_scoring_code_is_deployed_in_the_environment_named_or_the_one_that_came_along(
    named: str | None, along: str, used: str
) -> None:
    world = custom(replace(CARDS, scoring=Scoring(CODE, "score.py", named)))
    at, plan = next(iter(world.rows.plans.items()))
    world.rows.plans[at] = replace(plan, environment=along)
    world.run()
    assert states(world) == {"1": DeliveryState.DELIVERED}
    _action, new = world.azure.new[deployment_of("1")]
    assert new.environment == used


def test_scoring_code_without_any_environment_is_refused_before_anything_is_made() -> None:
    world = custom(replace(CARDS, scoring=Scoring(CODE, "score.py")))
    world.run()
    assert states(world) == {"1": DeliveryState.FAILED}
    assert world.azure.endpoints == {}


def test_a_model_that_serves_by_scoring_code_stays_though_the_subscription_names_it_no_more() -> None:
    scored = replace(CARDS, scoring=Scoring(CODE, "score.py", "azureml:own:1"), keep=0)
    world = a_subscriber_of(scored)
    publish(world, "1")
    publish_custom(world, "2")
    world.run(stop=lambda: any(effect.startswith("delete") for effect in world.azure.effects))
    world.rules.rules = rules(subscriber("fabrikam", replace(scored, scoring=None)))
    world.run()
    assert states(world)["2"] is DeliveryState.DELIVERED
    assert serving(the_endpoint(world)) == {"2": 100}


# ---- what is called off


@pytest.mark.parametrize("begun", ["deploy v2", f"traffic {{'{deployment_of('1')}': 90"])
def test_a_delivery_that_is_cancelled_on_its_way_leaves_the_old_one_serving_and_nothing_of_its_own(begun: str) -> None:
    world = a_subscriber_of(IN_STEPS)
    publish(world, "1")
    publish_until(world, "2", lambda: any(effect.startswith(begun) for effect in world.azure.effects))
    command(world, "cancel", "2")
    world.run()
    assert states(world)["2"] is DeliveryState.CANCELLED
    assert serving(the_endpoint(world)) == {"1": 100}
    assert versions_of(the_endpoint(world)) == {"1"}


class Late(FakeAzure):
    """Azure accepts version 2's deployment after ten seconds, when its caller has given up waiting for the answer."""

    def begin_deployment(self, workspace: WorkspaceId, action: Action, new: NewDeployment) -> str | None:
        if new.model.asset.version != "2":
            return super().begin_deployment(workspace, action, new)
        at = self.clock.now() + timedelta(seconds=10)
        self.pending.append((at, lambda: vars(self).update(late=super(Late, self).begin_deployment(workspace, action, new))))
        raise Transient("the read timed out", uncertain=True)


def test_a_deployment_whose_answer_was_lost_is_removed_when_it_shows_after_the_cancel() -> None:
    world = a_subscriber_of(CARDS)
    world.use(Late(world.clock))
    publish(world, "1")
    publish_until(world, "2", lambda: deliveries(world)["2"].failures == 1 if "2" in deliveries(world) else False)
    command(world, "cancel", "2")
    world.run()
    assert states(world)["2"] is DeliveryState.CANCELLED
    assert versions_of(the_endpoint(world)) == {"1"}


def test_a_cancel_lets_a_later_version_at_the_endpoint() -> None:
    world = a_subscriber_of(CARDS)
    publish_until(world, "1", lambda: any("deploy v1" in effect for effect in world.azure.effects))
    command(world, "cancel", "1")
    publish(world, "2")
    assert states(world) == {"1": DeliveryState.CANCELLED, "2": DeliveryState.DELIVERED}
    assert versions_of(the_endpoint(world)) == {"2"}


def test_a_subscription_that_ends_on_the_way_leaves_nothing_behind() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1")
    publish_until(world, "2", lambda: any("deploy v2" in effect for effect in world.azure.effects))
    world.rules.rules = rules(subscriber("fabrikam"))
    world.run()
    assert states(world)["2"] is DeliveryState.CANCELLED
    assert versions_of(the_endpoint(world)) == {"1"}


def test_one_that_was_held_and_overtaken_is_superseded_and_leaves_nothing_behind() -> None:
    world = a_subscriber_of(replace(CARDS, keep=2))
    publish(world, "1")
    publish_until(world, "2", lambda: any("deploy v2" in effect for effect in world.azure.effects))
    active = world.rules.rules
    world.rules.rules = rules(subscriber("fabrikam", replace(CARDS, keep=2), state=TenantState.PAUSED))
    world.run(until=timedelta(minutes=5))
    assert states(world)["2"] is DeliveryState.HELD
    world.rules.rules = active
    due, world.queues.due = world.queues.due, []
    register(world, credit_card("3"))
    world.run(until=timedelta(minutes=4))
    world.queues.due.extend(due)
    world.run()
    assert states(world) == {"1": DeliveryState.DELIVERED, "2": DeliveryState.SUPERSEDED, "3": DeliveryState.DELIVERED}
    assert versions_of(the_endpoint(world)) == {"1", "3"}


def rejected(world: World) -> None:
    send(world, type="reject", delivery=str(deliveries(world)["2"].address), by="jo@fabrikam")


def cancelled(world: World) -> None:
    command(world, "cancel", "2")


def unsubscribed(world: World) -> None:
    world.rules.rules = rules(subscriber("fabrikam"))


@pytest.mark.parametrize("ended", [rejected, cancelled, unsubscribed])
def test_one_that_is_ended_while_it_awaits_approval_half_way_leaves_nothing_behind(ended: Callable[[World], None]) -> None:
    world = a_subscriber_of(IN_STEPS)
    publish(world, "1")
    publish_until(world, "2", lambda: len(traffic_on_the_way(world)) == 2)
    world.rules.rules = rules(asking(Approver.SUBSCRIBER, subscriber("fabrikam", IN_STEPS)))
    world.run()
    assert states(world)["2"] is DeliveryState.AWAITING_APPROVAL
    ended(world)
    world.run()
    assert states(world)["2"] is DeliveryState.CANCELLED
    assert serving(the_endpoint(world)) == {"1": 100}
    assert versions_of(the_endpoint(world)) == {"1"}


# ---- rules that change on the way


def test_as_many_are_kept_as_the_subscription_says_in_the_end() -> None:
    """It said to keep one when the last look foresaw that nothing would be left to do."""
    world = a_subscriber_of(CARDS)
    publish(world, "1")
    publish_until(world, "2", lambda: len(traffic_on_the_way(world)) == 2)
    world.rules.rules = rules(subscriber("fabrikam", replace(CARDS, keep=0)))
    world.run()
    assert versions_of(the_endpoint(world)) == {"2"}
    assert states(world)["2"] is DeliveryState.DELIVERED


def test_one_whose_rule_asks_for_approval_in_the_middle_of_a_turn_lets_others_at_the_endpoint() -> None:
    world = a_subscriber_of(CARDS)

    def asks() -> None:
        world.rules.rules = rules(asking(Approver.SUBSCRIBER, subscriber("fabrikam", CARDS)))

    before_call(world, "save_target", asks)
    publish(world, "1")
    assert states(world) == {"1": DeliveryState.AWAITING_APPROVAL}
    (target,) = world.rows.targets.values()
    assert target.claimant is None


def test_one_that_was_held_looks_again_at_what_became_of_its_endpoint() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1")
    publish_until(world, "2", lambda: len(traffic_on_the_way(world)) == 2)
    active = world.rules.rules
    world.rules.rules = rules(subscriber("fabrikam", CARDS, state=TenantState.PAUSED))
    world.run(until=timedelta(minutes=5))
    assert states(world)["2"] is DeliveryState.HELD
    world.azure.put(FABRIKAM, replace(the_endpoint(world), traffic={deployment_of("1"): 100}))
    world.rules.rules = active
    world.run()
    assert serving(the_endpoint(world)) == {"2": 100}
    assert deliveries(world)["2"].traffic == 100


# ---- what is taken for done


class Forgetful(FakeAzure):
    """It says that an operation is over, and does not know any more how it ended."""

    def operation(self, address: str) -> OperationState:
        state = super().operation(address)
        return OperationState.ENDED if state is OperationState.SUCCEEDED else state


def test_a_change_of_which_azure_does_not_know_how_it_ended_is_looked_at() -> None:
    world = a_subscriber_of(CARDS)
    world.use(Forgetful(world.clock))
    publish(world, "1")
    publish_until(world, "2", lambda: len(traffic_on_the_way(world)) == 2)
    came_to_nothing = replace(the_endpoint(world), traffic={deployment_of("1"): 100})
    world.azure.put(FABRIKAM, came_to_nothing)
    world.run()
    assert serving(the_endpoint(world)) == {"2": 100}
    assert states(world)["2"] is DeliveryState.DELIVERED


def test_a_first_deployment_that_is_deleted_while_it_does_not_answer_is_made_anew() -> None:
    world = a_subscriber_of(SAMPLE)
    world.azure.mute_versions = {"1"}
    publish_until(world, "1", lambda: bool(world.azure.tried_out))
    world.azure.put(FABRIKAM, replace(the_endpoint(world), deployments=()))
    world.azure.mute_versions = set()
    world.run()
    assert states(world)["1"] is DeliveryState.DELIVERED
    assert serving(the_endpoint(world)) == {"1": 100}


def test_a_change_of_which_azure_could_not_be_asked_for_a_while_is_looked_at() -> None:
    """By then the tenant deployed something of its own."""
    world = a_subscriber_of(CARDS)
    publish(world, "1")
    publish_until(world, "2", lambda: len(traffic_on_the_way(world)) == 2)
    world.azure.failing["operation"] = Transient("503: the service is unavailable")
    world.run(stop=lambda: deliveries(world)["2"].failures == 1)
    the_endpoint(world)
    deploy_by_hand(world, "champion", 30)
    world.run()
    assert serving(the_endpoint(world)) == {"champion": 30, "2": 70}
    assert deliveries(world)["2"].traffic == 70


def test_an_old_one_that_got_its_traffic_back_meanwhile_is_retired_once_it_has_none() -> None:
    world = a_subscriber_of(replace(CARDS, keep=0))
    publish(world, "1")
    publish_until(world, "2", lambda: len(traffic_on_the_way(world)) == 2)
    world.azure.put(FABRIKAM, replace(the_endpoint(world), traffic={deployment_of("1"): 100}))
    world.azure.failing["delete"] = refusal("has_traffic")
    world.run()
    assert serving(the_endpoint(world)) == {"2": 100}
    assert versions_of(the_endpoint(world)) == {"2"}
