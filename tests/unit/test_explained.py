"""What is known of an asset before it is explained: from its rows where it was shared, else from the rules."""

from dataclasses import replace
from typing import Any

import pytest

from handlers.explained import Known, Question, UnclearError, decided_before, find
from shared.assets import Kind, RegistryAsset
from shared.errors import Owner, Reason
from shared.planning import SharedAsset
from shared.rows import PlanRow
from shared.rules import Provider, RegistryRule, Rules
from shared.states import DeliveryState, ShareState
from shared.tenants import AssetPattern, Publication, Tenant, TenantState
from tests.fakes import FakeRows
from tests.unit.example_rows import A_DELIVERY, A_SHARE
from tests.unit.world import PUBLISHER, credit_card, workspace

ANYBODY_S = Question(Kind.MODEL, "credit-card")
VERSION_1 = replace(ANYBODY_S, version="1")
TAGS = {"stage": "production"}
CARDS = (AssetPattern(Kind.MODEL, "credit-*"),)
PUBLICATION = Publication("cards", "hub", CARDS, ("*",))
NORTHWIND = Tenant("northwind", TenantState.ACTIVE, (PUBLISHER,), (PUBLICATION,))
TAILWIND = Tenant("tailwind", TenantState.ACTIVE, (workspace("tailwind"), workspace("tailwind-2")))
RENAMING = replace(NORTHWIND, publications=(replace(PUBLICATION, rename="{tenant}-{name}"),))


def rules(*tenants: Tenant) -> Rules:
    provider = Provider((RegistryRule("hub", ("*",)), RegistryRule("inner", ("*",))))
    return Rules(provider, {tenant.id: tenant for tenant in tenants or (NORTHWIND, TAILWIND)}, 3)


def shared_rows(*, renamed: bool = False) -> FakeRows:
    """Version 1 of the publisher's model is in the hub, and fabrikam has it."""
    rows = FakeRows()
    share = replace(A_SHARE, state=ShareState.SHARED)
    if renamed:
        asset = replace(credit_card(), name="northwind-credit-card")
        at = share.address_of("hub", asset)
        share = replace(share, asset=asset, renamed_from="credit-card", partition=at.partition, row=at.row)
    rows.insert_share(share)
    rows.save_plan(
        PlanRow(asset=RegistryAsset(share.asset, "hub", "https://store/x", "mlflow_model", tags=TAGS), share=share.address)
    )
    return rows


def the_one(known: list[Known]) -> Known:
    (found,) = known
    return found


def test_given_a_shared_asset_when_asked_then_origin_and_tags_are_its_rows() -> None:
    known = the_one(find(VERSION_1, rules(), shared_rows()))

    assert known.shared == SharedAsset(credit_card(), "hub", PUBLISHER, TAGS, credit_card())
    assert (known.source, known.tags_from) == (f"{A_SHARE.address}, shared", "as they were in hub when it was shared")


def test_given_a_shared_asset_and_other_tags_when_asked_then_those_count() -> None:
    known = the_one(find(replace(VERSION_1, tags={"stage": "draft"}), rules(), shared_rows()))

    assert (known.shared.tags, known.tags_from) == ({"stage": "draft"}, "as given")


@pytest.mark.parametrize("asked", [replace(VERSION_1, name="northwind-credit-card"), replace(VERSION_1, workspace=PUBLISHER)])
def test_given_a_renamed_asset_when_asked_by_either_name_then_its_rows_are_found(asked: Question) -> None:
    known = the_one(find(asked, rules(RENAMING, TAILWIND), shared_rows(renamed=True)))

    assert known.shared.asset.name == "northwind-credit-card"
    assert known.shared.named_at_origin == credit_card()
    assert known.shared.tags == TAGS


def test_given_an_asset_not_shared_when_asked_then_its_only_publisher_s_rules_say_where_it_would_go() -> None:
    known = the_one(find(replace(ANYBODY_S, tags=TAGS), rules(RENAMING, TAILWIND), FakeRows()))

    assert known.shared == SharedAsset(
        replace(credit_card(""), name="northwind-credit-card"), "hub", PUBLISHER, TAGS, credit_card("")
    )
    assert (known.source, known.share) == ("the rules alone", None)


def test_given_an_asset_that_nobody_publishes_when_asked_with_its_workspace_then_every_registry_is_looked_at() -> None:
    found = find(replace(VERSION_1, workspace=workspace("tailwind")), rules(), FakeRows())

    assert [(each.shared.registry, each.shared.origin) for each in found] == [
        ("hub", workspace("tailwind")),
        ("inner", workspace("tailwind")),
    ]


def test_given_another_tenant_s_asset_of_the_name_when_asked_with_a_workspace_then_it_is_not_taken_for_it() -> None:
    found = find(replace(VERSION_1, registry="hub", workspace=workspace("tailwind")), rules(), shared_rows())

    assert the_one(found).share is None


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        (
            {"state": ShareState.FAILED, "reason": Reason("gone", "it is gone", Owner.PUBLISHER, "mend it")},
            "Its share failed: gone",
        ),
        ({"fan_out": False}, "It was shared for nobody: who gets it is for a push to say."),
    ],
    ids=["failed", "no fan-out"],
)
def test_given_what_keeps_a_shared_asset_from_its_tenants_when_asked_then_it_is_noted(changes: dict[str, Any], note: str) -> None:
    rows = FakeRows()
    rows.insert_share(replace(A_SHARE, **changes))

    (said,) = the_one(find(VERSION_1, rules(), rows)).notes

    assert said.startswith(note)


def test_given_an_asset_shared_under_its_name_when_asked_then_the_other_name_that_it_is_published_under_is_found_too() -> None:
    both = replace(NORTHWIND, publications=(PUBLICATION, replace(PUBLICATION, name="renamed", rename="{tenant}-{name}")))

    found = find(replace(VERSION_1, workspace=PUBLISHER), rules(both, TAILWIND), shared_rows())

    assert [(each.shared.asset.name, each.share is not None) for each in found] == [
        ("credit-card", True),
        ("northwind-credit-card", False),
    ]


@pytest.mark.parametrize("by", ["share", "plan"])
def test_given_a_recalled_asset_when_asked_then_its_recall_is_known_by_either_row(by: str) -> None:
    rows = shared_rows()
    plan = rows.plan(credit_card(), "hub")
    assert plan is not None
    if by == "share":
        rows.shares[A_SHARE.address] = replace(A_SHARE, recall="it was wrong")
    else:
        rows.save_plan(replace(plan, recall="it was wrong"))

    assert the_one(find(VERSION_1, rules(), rows)).recall == "it was wrong"


def test_given_a_workspace_that_fanout_delivered_it_to_when_asked_then_it_is_noted_that_it_is_not_shared_from_there() -> None:
    rows = shared_rows()
    plan = rows.plan(credit_card(), "hub")
    assert plan is not None
    at = A_DELIVERY.address_of(credit_card(), "hub", workspace("tailwind"), "register")
    delivered = replace(A_DELIVERY, workspace=workspace("tailwind"), row=at.row, state=DeliveryState.DELIVERED)
    rows.insert_deliveries(plan, [delivered])

    known = the_one(find(replace(VERSION_1, registry="hub", workspace=workspace("tailwind")), rules(), rows))

    assert known.notes == ("Fanout delivered it to tailwind from registry hub: it is not shared from there.",)


@pytest.mark.parametrize(
    ("asked", "tenants", "said"),
    [
        (replace(ANYBODY_S, registry="huub"), (NORTHWIND,), "registry huub is not in provider.yaml, which has hub, inner"),
        (ANYBODY_S, (TAILWIND,), "no publication is about it: say with --workspace where it is"),
        (replace(ANYBODY_S, workspace=workspace("gone")), (NORTHWIND,), "/workspaces/gone belongs to no tenant"),
        (
            ANYBODY_S,
            (NORTHWIND, replace(TAILWIND, publications=(PUBLICATION,))),
            "from 3 workspaces: say with --workspace which one (publisher of northwind, tailwind of tailwind, tailwind-2 of",
        ),
    ],
    ids=["registry", "nobody", "workspace", "several"],
)
def test_given_what_leaves_the_asset_open_when_asked_then_it_says_what_to_add(
    asked: Question, tenants: tuple[Tenant, ...], said: str
) -> None:
    with pytest.raises(UnclearError) as unclear:
        find(asked, rules(*tenants), FakeRows())

    assert said in str(unclear.value)


def test_given_open_and_closed_deliveries_when_asked_for_what_was_decided_then_all_of_that_registry_are_found() -> None:
    rows = shared_rows()
    plan = rows.plan(credit_card(), "hub")
    assert plan is not None
    elsewhere = replace(A_DELIVERY, registry="inner", row=A_DELIVERY.address_of(credit_card(), "inner", PUBLISHER, "register").row)
    at = A_DELIVERY.address_of(credit_card(), "hub", workspace("tailwind"), "register")
    other = replace(A_DELIVERY, tenant="tailwind", workspace=workspace("tailwind"), row=at.row)
    rows.insert_deliveries(plan, [other, A_DELIVERY, elsewhere])
    opened = rows.get(A_DELIVERY.address)
    rows.close(replace(opened, state=DeliveryState.DELIVERED))  # type: ignore[arg-type,type-var]
    known = the_one(find(VERSION_1, rules(), rows))

    assert [(row.tenant, row.state) for row in decided_before(known, rows)] == [
        ("fabrikam", DeliveryState.DELIVERED),
        ("tailwind", DeliveryState.RUNNING),
    ]
    assert [row.tenant for row in decided_before(known, rows, {"tailwind"})] == ["tailwind"]
