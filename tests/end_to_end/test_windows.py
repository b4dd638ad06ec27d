"""Deliveries that wait for their subscriptions' windows, by the machine's own clock. Nobody registers anything again."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableServiceClient

from infra.local.cloud import LocalCloud
from tests.end_to_end.support import (
    OFTEN,
    QUICK,
    eventually,
    mlflow_folder,
    models,
    publication,
    register,
    rules_of,
    subscription,
    tenant,
)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud(tmp_path_factory.mktemp("cloud"), seconds=QUICK, settings=OFTEN) as cloud:
        yield cloud


def apply(cloud: LocalCloud, folder: Path, windows: dict[str, dict[str, str]]) -> None:
    """Northwind publishes; in each of these workspaces a tenant wants everything, within its window."""
    there = cloud.workspaces
    subscribers = [
        tenant(
            f"tenant-{name}",
            there[name],
            subscriptions=[subscription("all", there[name], ["model"], ["register"], release=window)],
        )
        for name, window in windows.items()
    ]
    northwind = tenant("northwind", there["workspace1"], publications=[publication("all", ["model"])])
    cloud.apply_rules(rules_of(folder, northwind, *subscribers))


def daily(opening: datetime, open_for: str = "1h") -> dict[str, str]:
    return {"window": f"{opening.minute} {opening.hour} * * *", "for": open_for, "timezone": "UTC"}


def tonight() -> dict[str, str]:
    """Beyond what is scheduled ahead, whenever this test runs."""
    return daily(datetime.now(UTC) + timedelta(hours=12))


def deliveries(cloud: LocalCloud, asset: str) -> dict[str, dict[str, Any]]:
    """By tenant, the rows of a model's deliveries, as an operator sees them in the table."""
    with TableServiceClient.from_connection_string(cloud.environment["Tables"]) as service:
        found = [dict(each) for each in service.get_table_client("deliveries").list_entities() if "state" in each]
    return {row["tenant"]: row for row in found if json.loads(row["asset_json"])["name"] == asset}


def states(cloud: LocalCloud, asset: str) -> list[str]:
    return [row["state"] for row in deliveries(cloud, asset).values()]


def publish(cloud: LocalCloud, name: str, folder: Path) -> None:
    register(cloud.ml_client("workspace1"), name, "1", mlflow_folder(folder / name, name))


def test_a_window_that_is_changed_to_be_open_lets_go_what_it_held(cloud: LocalCloud, tmp_path: Path) -> None:
    apply(cloud, tmp_path / "closed", {"workspace4": tonight()})
    publish(cloud, "bert", tmp_path)
    eventually("it is held", lambda: states(cloud, "bert") == ["held"], 20)
    every_minute = {"window": "* * * * *", "for": "1h", "timezone": "Europe/Berlin"}
    apply(cloud, tmp_path / "open", {"workspace4": every_minute})
    eventually("it is there", lambda: "bert:1" in models(cloud, "workspace4"), 30)


def test_a_delivery_begins_as_its_window_opens(cloud: LocalCloud, tmp_path: Path) -> None:
    opening = (datetime.now(UTC) + timedelta(seconds=75)).replace(second=0, microsecond=0)
    apply(cloud, tmp_path / "rules", {"workspace2": daily(opening), "workspace3": tonight()})
    publish(cloud, "card", tmp_path)
    eventually("both are held", lambda: states(cloud, "card") == ["held", "held"], 20)
    assert "held until" in deliveries(cloud, "card")["tenant-workspace2"]["attempts_json"]
    eventually("it is there", lambda: "card:1" in models(cloud, "workspace2"), 100)
    assert timedelta(0) <= datetime.now(UTC) - opening < timedelta(seconds=15)
    assert models(cloud, "workspace3") == set()
