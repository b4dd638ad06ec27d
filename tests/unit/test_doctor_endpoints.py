"""Whether endpoints can be had, and fit into limits and quota."""

from dataclasses import replace

import pytest

from shared.doctor.endpoint_names import check_compute, check_name
from shared.doctor.findings import Finding
from shared.doctor.headroom import check_cores, check_instance_type, check_limits, cores_needed
from shared.doctor.needs import EndpointNeed
from shared.doctor.seen import CoreUsage, CoreUsages, Region, VmSize
from shared.endpoints import Deployment, deployment_name
from shared.provenance import DELIVERY
from tests.unit.doctor_world import BY_NIGHT, CARDS, EMPTY, LOANS, SERVING, codes, need, placed, with_endpoints
from tests.unit.world import credit_card

SMALL = VmSize(4, "standardDSv2Family")


def names(wanted: EndpointNeed, region: Region, *others: EndpointNeed) -> list[Finding]:
    return list(check_name(wanted, "fabrikam", region, [wanted, *others]))


def ours(version: int) -> Deployment:
    delivery = f"delivery/a/{version}"
    return Deployment(deployment_name(credit_card(str(version)), delivery), "succeeded", {DELIVERY: delivery})


def test_a_name_that_nobody_has_is_free() -> None:
    assert names(need(), EMPTY) == []


def test_an_endpoint_that_fanout_made_is_its_own() -> None:
    assert names(need(), with_endpoints(placed(need()))) == []


def test_one_that_the_tenant_made_is_foreign_unless_it_is_adopted() -> None:
    there = with_endpoints(placed(need(), ours=False))
    assert codes(names(need(), there)) == ["endpoint_foreign"]
    assert names(need(replace(SERVING, adopt=True)), there) == []


def test_a_mark_that_was_copied_from_another_workspace_is_no_proof() -> None:
    copied = placed(need(workspace=LOANS)).endpoint
    there = replace(placed(need()), endpoint=copied)
    assert codes(names(need(), with_endpoints(there))) == ["endpoint_foreign"]


@pytest.mark.parametrize(
    "holder",
    [need(workspace=LOANS), need(replace(SERVING, name="CARDS"), LOANS), need(replace(BY_NIGHT, name="cards"))],
    ids=["another workspace", "in another case", "the other kind"],
)
def test_a_name_that_another_endpoint_of_the_region_has_is_taken(holder: EndpointNeed) -> None:
    (finding,) = names(need(), with_endpoints(placed(holder)), holder)
    assert finding.code == "endpoint_name_taken"
    assert "tenants/fabrikam.yaml" in finding.command


def test_two_rules_that_want_one_name_in_a_region_are_told_before_either_has_it() -> None:
    assert codes(names(need(), EMPTY, need(workspace=LOANS))) == ["endpoint_name_twice"]
    assert names(need(), EMPTY, replace(need(), subscription="another")) == []


def test_a_batch_endpoint_needs_its_compute() -> None:
    assert list(check_compute(need(BY_NIGHT), BY_NIGHT, is_there=True)) == []
    (finding,) = check_compute(need(BY_NIGHT), BY_NIGHT, is_there=False)
    assert finding.command.startswith("az ml compute create --name cpu-cluster --type AmlCompute --max-instances 1")


@pytest.mark.parametrize(("there", "fits"), [(99, True), (100, False)])
def test_a_hundred_endpoints_are_the_most(there: int, fits: bool) -> None:
    others = [placed(need(replace(SERVING, name=f"other-{number}"), LOANS)) for number in range(there)]
    assert codes(list(check_limits([need()], with_endpoints(*others)))) == ([] if fits else ["no_room_for_endpoints"])
    assert not list(check_limits([need()], with_endpoints(placed(need()), *others[1:])))


@pytest.mark.parametrize(("there", "fits"), [(499, True), (500, False)])
def test_five_hundred_deployments_are_the_most(there: int, fits: bool) -> None:
    deployments = [Deployment(f"d{number}", "succeeded") for number in range(there)]
    region = with_endpoints(placed(need(), deployments=deployments))
    assert codes(list(check_limits([need()], region))) == ([] if fits else ["no_room_for_deployments"])


def test_several_subscriptions_to_one_endpoint_are_one() -> None:
    full = with_endpoints(*(placed(need(replace(SERVING, name=f"other-{number}"), LOANS)) for number in range(99)))
    assert not list(check_limits([need(), replace(need(), subscription="another")], full))


@pytest.mark.parametrize(
    ("instances", "type_", "cores"),
    [
        (1, "Standard_DS3_v2", 8),
        (3, "Standard_DS3_v2", 16),
        (5, "Standard_DS3_v2", 24),
        (10, "Standard_DS3_v2", 48),
        (2, "Standard_NC24ads_A100_v4", 8),
    ],
)
def test_a_fifth_is_set_aside_for_upgrades_but_of_the_largest(instances: int, type_: str, cores: int) -> None:
    assert cores_needed(replace(SERVING, instance_count=instances, instance_type=type_), SMALL) == cores


def region(total: int | None, family: int | None, *there: Deployment) -> Region:
    """With so many cores left."""
    usages = CoreUsages(_left(total), {"standarddsv2family": _left(family)})
    return replace(EMPTY, usages=usages, endpoints=(placed(need(), deployments=there),) if there else ())


def _left(cores: int | None) -> CoreUsage:
    return CoreUsage(2, None if cores is None else cores + 2)


@pytest.mark.parametrize(
    ("around", "short"), [(region(8, 8), 0), (region(7, 8), 1), (region(8, 7), 1), (region(0, 0), 2), (region(None, None), 0)]
)
def test_the_quota_is_compared_of_the_family_and_of_all(around: Region, short: int) -> None:
    assert codes(list(check_cores([need()], around))) == ["quota_too_small"] * short


def test_what_is_still_to_come_is_added_up_and_of_upgrades_the_largest() -> None:
    second = need(replace(SERVING, name="loans", instance_count=5), LOANS)
    assert codes(list(check_cores([need(), second], region(100, 31)))) == ["quota_too_small"]
    assert not list(check_cores([need(), second], region(100, 32)))
    assert not list(check_cores([need(), second], region(100, 32, ours(1))))
    assert list(check_cores([need(), second], region(100, 31, ours(1))))


def test_a_family_without_a_quota_of_its_own_is_bounded_by_the_total() -> None:
    large = need(replace(SERVING, instance_type="Standard_F4s_v2"))
    assert not list(check_cores([large], region(8, 0)))


def test_the_command_asks_for_as_much_as_is_needed() -> None:
    (finding,) = check_cores([need()], region(100, 6))
    assert finding.command == (
        "az quota update --resource-name standardDSv2Family --scope /subscriptions/s1/providers/"
        "Microsoft.MachineLearningServices/locations/westeurope --limit-object value=10 --resource-type dedicated"
    )


def test_an_instance_type_must_be_offered_in_the_region() -> None:
    assert not list(check_instance_type(need(), "fabrikam", EMPTY))
    assert not list(check_instance_type(need(replace(SERVING, instance_type="STANDARD_ds3_V2")), "fabrikam", EMPTY))
    unknown = need(replace(SERVING, instance_type="Standard_NC6s_v3"))
    assert codes(list(check_instance_type(unknown, "fabrikam", EMPTY))) == ["instance_type_not_offered"]
    assert not list(check_cores([unknown], region(0, 0)))


def test_a_batch_endpoint_takes_none_of_the_quota() -> None:
    assert not list(check_cores([need(BY_NIGHT, CARDS)], region(0, 0)))
