"""On a domain each tenant's outcome events go to a topic of its own, and no tenant learns there of another."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from tests.end_to_end.catalogue import Author, Known
from tests.end_to_end.support import OFTEN, QUICK, eventually, publication, rules_of, send, subscription, tenant

TENANTS = {"northwind": "workspace1", "fabrikam": "workspace2", "tailwind": "workspace3"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud(tmp_path_factory.mktemp("cloud"), seconds=QUICK, settings=OFTEN, outcomes="domain") as cloud:
        there = cloud.workspaces
        subscribers = [
            tenant(name, there[at], subscriptions=[subscription("all", there[at], ["data"], ["register"])])
            for name, at in TENANTS.items()
            if name != "northwind"
        ]
        northwind = tenant("northwind", there["workspace1"], publications=[publication("all", ["data"])])
        cloud.apply_rules(rules_of(tmp_path_factory.mktemp("rules"), northwind, *subscribers))
        yield cloud


@pytest.fixture(scope="module")
def rows(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Known:
    """Shared, delivered to both, and recalled."""
    rows = Author(cloud, "workspace1", tmp_path_factory.mktemp("files")).data("rows", "uri_file")
    send(cloud, "share", {"type": "share", "workspace": cloud.workspaces["workspace1"].id, "asset": rows.command})
    eventually("both have it", lambda: len(told(cloud, "AssetDelivered")) == 2)
    send(cloud, "recall", {"type": "recall", "asset": rows.command, "reason": "leaks card numbers"})
    eventually("all know of the recall", lambda: len(told(cloud, "AssetRecalled")) == 3)
    return rows


def told(cloud: LocalCloud, event_type: str) -> Mapping[str, dict[str, Any]]:
    """By topic."""
    return {event["source"]: event for event in cloud.outcomes() if event["type"] == f"Fanout.{event_type}"}


@pytest.mark.usefixtures("rows")
def test_each_tenant_is_told_of_its_own(cloud: LocalCloud) -> None:
    assert set(told(cloud, "AssetShared")) == {"northwind"}
    assert set(told(cloud, "AssetDelivered")) == {"fabrikam", "tailwind"}
    assert set(told(cloud, "AssetRecalled")) == {"provider", "fabrikam", "tailwind"}


@pytest.mark.usefixtures("rows")
def test_no_tenant_is_told_of_another(cloud: LocalCloud) -> None:
    for event in cloud.outcomes():
        others = [word for tenant, workspace in TENANTS.items() if tenant != event["source"] for word in (tenant, workspace)]
        if event["source"] != "provider":
            assert not [word for word in others if word in json.dumps(event)]


@pytest.mark.usefixtures("rows")
def test_the_provider_is_told_of_every_workspace(cloud: LocalCloud) -> None:
    undone = told(cloud, "AssetRecalled")["provider"]["data"]["workspaces"]
    assert {each["workspace"] for each in undone} == {cloud.workspaces[name].id for name in ("workspace2", "workspace3")}
    assert {each["done"] for each in undone} == {"archived"}
