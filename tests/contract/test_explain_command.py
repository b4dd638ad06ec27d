"""`python -m handlers.cli explain`, as a provider runs it, over real tables: who gets an asset, who does not, and why."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from shared.actions import Register
from shared.assets import Asset, Kind, RegistryAsset
from shared.azure.ledger import Ledger
from shared.azure.rules_table import RulesTable
from shared.azure.tables import create_tables, open_tables
from shared.clock import CorrectedClock
from shared.rows import PlanRow
from shared.rules import Provider, RegistryRule
from shared.states import DeliveryState, ShareState
from shared.tenants import Approver, AssetPattern, Publication, Subscription, TagCondition, Tenant, TenantState
from tests.contract.table_service import ROOT, table_service
from tests.unit.example_rows import A_DELIVERY, A_SHARE
from tests.unit.world import PUBLISHER, workspace

PRODUCTION = {"stage": "production"}
CARDS = (AssetPattern(Kind.MODEL, "credit-card", tags=(TagCondition("stage", ("production",)),)),)
NORTHWIND = Tenant(
    "northwind",
    TenantState.ACTIVE,
    (PUBLISHER,),
    publications=(Publication("cards", "hub", CARDS, ("fabrikam", "tailwind"), rename="{tenant}-{name}"),),
)
WANTED = (AssetPattern(Kind.MODEL, "northwind-*"),)
IN_REGISTRY = Asset(Kind.MODEL, "northwind-credit-card", "1")


def subscriber(name: str, **changes: object) -> Tenant:
    into = workspace(name)
    subscription = Subscription("cards-live", ("northwind",), WANTED, into, (Register(),))
    return Tenant(name, TenantState.ACTIVE, (into,), subscriptions=(replace(subscription, **changes),))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Operator:
    """Someone with the app's settings."""

    connection_string: str

    def explain(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "handlers.cli", "explain", *arguments]
        settings = {
            "Tables": self.connection_string,
            "ServiceBus": "Endpoint=sb://localhost/;SharedAccessKeyName=a;SharedAccessKey=b",
        }
        return subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | settings | {"COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def explained(self, *arguments: str) -> dict[str, Any]:
        ended = self.explain(*arguments, "--json")
        assert ended.returncode == 0, ended.stderr
        (explained,) = json.loads(ended.stdout)["explained"]
        found: dict[str, Any] = explained
        return found


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    """Revision 1 brought version 1 to fabrikam and adventure; by revision 2 adventure may not have it any more."""
    with table_service() as connection_string, open_tables(connection_string, None, NotImplemented, CorrectedClock()) as tables:
        create_tables(tables)
        everyone = [NORTHWIND, subscriber("fabrikam"), subscriber("tailwind", approval=Approver.PROVIDER), subscriber("adventure")]
        rules = RulesTable(tables.get_table_client("tenants"))
        for to in (("*",), NORTHWIND.publications[0].to):
            published = replace(NORTHWIND, publications=(replace(NORTHWIND.publications[0], to=to),))
            rules.apply(Provider((RegistryRule("hub", ("*",)),)), [published, *everyone[1:]], by="ada")
        _deliver(Ledger(tables))
        yield Operator(connection_string)


def _deliver(ledger: Ledger) -> None:
    at = A_SHARE.address_of("hub", IN_REGISTRY)
    renamed = {"asset": IN_REGISTRY, "renamed_from": "credit-card", "partition": at.partition, "row": at.row}
    share = ledger.insert_share(replace(A_SHARE, state=ShareState.SHARED, **renamed))  # type: ignore[arg-type]
    asset = RegistryAsset(IN_REGISTRY, "hub", "https://store/x", "mlflow_model", tags=PRODUCTION)
    plan = ledger.save_plan(PlanRow(asset=asset, share=share.address, origin=PUBLISHER))
    for tenant in ("adventure", "fabrikam"):
        to = A_DELIVERY.address_of(IN_REGISTRY, "hub", workspace(tenant), "register")
        named = {**renamed, "partition": to.partition, "row": to.row, "publication": "cards", "subscription": "cards-live"}
        wanted = replace(A_DELIVERY, tenant=tenant, workspace=workspace(tenant), **named)  # type: ignore[arg-type]
        (row,) = ledger.insert_deliveries(plan, [wanted])
        ledger.close(replace(row, state=DeliveryState.DELIVERED))
        found = ledger.plan(IN_REGISTRY, "hub")
        assert found is not None
        plan = found


def answers(explained: dict[str, Any]) -> dict[str, str]:
    return {each["tenant"]: each["answer"] for each in explained["tenants"]}


def test_given_a_delivered_asset_when_explained_then_past_yeses_and_today_s_answers_stand_beside_each_other(
    operator: Operator,
) -> None:
    explained = operator.explained("model:northwind-credit-card:1")

    assert answers(explained) == {"adventure": "no", "fabrikam": "yes", "northwind": "no", "tailwind": "waits"}
    assert explained["name_at_origin"] == "credit-card"
    assert explained["tags"] == PRODUCTION
    before = {each["tenant"]: each for each in explained["decided_before"]}
    assert [(name, each["state"], each["rules_revision"]) for name, each in before.items()] == [
        ("adventure", "delivered", 1),
        ("fabrikam", "delivered", 1),
    ]
    assert before["adventure"]["today"] == {"yes": False, "text": "no publication lets it out to adventure through registry hub"}
    assert before["fabrikam"]["today"] == {"yes": True, "text": "subscription cards-live wants it"}


def test_given_a_delivered_asset_when_explained_to_people_then_it_says_which_noes_are_today_s(operator: Operator) -> None:
    said = operator.explain("model:northwind-credit-card:1", "--tenant", "adventure").stdout

    assert "model northwind-credit-card:1 in registry hub, from workspace publisher of northwind, credit-card there" in said
    assert "Tags: stage=production (as they were in hub when it was shared)" in said
    assert "no publication lets it out to adventure through registry hub (cards: not to adventure)" in said
    assert "revision 1: publication cards, subscription cards-live" in said
    assert "A no is not: each no above is today's, by revision 2." in said
    assert "fabrikam" not in said


def test_given_an_asset_that_does_not_exist_when_explained_with_its_tags_then_it_says_who_would_get_it(operator: Operator) -> None:
    explained = operator.explained("model:credit-card", "--tag", "stage=production")

    assert answers(explained) == {"adventure": "no", "fabrikam": "yes", "northwind": "no", "tailwind": "waits"}
    assert explained["asset"] == {"kind": "model", "name": "northwind-credit-card", "version": None}
    assert explained["known_from"] == {"asset": "the rules alone", "tags": "as given"}


def test_given_an_asset_that_does_not_exist_when_explained_without_tags_then_they_are_what_it_lacks(operator: Operator) -> None:
    explained = operator.explained("model:credit-card:2", "--workspace", "publisher", "--tenant", "fabrikam")

    assert explained["known_from"]["tags"] == "not known: none were given"
    assert explained["tenants"][0]["publisher"]["text"] == (
        "no publication of northwind lets it out to fabrikam (cards: not about it with these tags)"
    )


def test_given_a_private_asset_when_explained_then_nobody_gets_it(operator: Operator) -> None:
    explained = operator.explained("model:secret:1", "--workspace", str(PUBLISHER))

    assert set(answers(explained).values()) == {"no"}
    assert "(cards: not about model secret)" in explained["tenants"][0]["publisher"]["text"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["credit-card"], "is no asset: write kind:name:version"),
        (["model:fraud:1"], "no publication is about it: say with --workspace where it is"),
        (["model:credit-card", "--tag", "stage"], "--tag 'stage': write name=value."),
        (["model:credit-card:latest"], "write the version, or leave it out"),
        (["model:credit-card", "--tenant", "contoso"], "The rules have no tenant 'contoso'"),
    ],
    ids=["asset", "unknown", "tag", "latest", "tenant"],
)
def test_given_what_cannot_be_told_when_explained_then_it_says_what_to_write_and_the_exit_code_is_2(
    arguments: list[str], said: str, operator: Operator
) -> None:
    refused = operator.explain(*arguments)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert said in refused.stderr
