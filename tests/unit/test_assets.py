"""Assets, workspaces and their order: how they are told apart, and how they are named."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.assets import Asset, Kind, RegistryAsset, WorkspaceAsset, WorkspaceId
from tests.unit.random_rows import asset_names, assets, times, workspaces

NORTHWIND = "/subscriptions/4fb3e0ae/resourceGroups/rg-northwind/providers/Microsoft.MachineLearningServices/workspaces/science"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_workspace_is_read_from_its_arm_id() -> None:
    assert WorkspaceId.parse(NORTHWIND) == WorkspaceId("4fb3e0ae", "rg-northwind", "science")


@given(workspace=workspaces)
def test_a_workspace_written_as_arm_id_is_read_as_the_same(workspace: WorkspaceId) -> None:
    assert WorkspaceId.parse(str(workspace)) == workspace


@pytest.mark.parametrize("variant", [NORTHWIND.lower(), NORTHWIND.upper(), NORTHWIND + "/", NORTHWIND.replace("rG", "Rg")])
def test_ids_that_differ_in_the_case_of_letters_are_one_workspace(variant: str) -> None:
    one, other = WorkspaceId.parse(NORTHWIND), WorkspaceId.parse(variant)
    assert one == other
    assert {one: "found"}[other] == "found"
    assert one.key == other.key


def test_a_workspace_is_shown_as_it_was_written() -> None:
    assert str(WorkspaceId.parse(NORTHWIND)) == NORTHWIND


@given(one=workspaces, other=workspaces)
def test_different_workspaces_are_different_keys(one: WorkspaceId, other: WorkspaceId) -> None:
    assert (one == other) == (one.key == other.key) == (one.canonical == other.canonical)


@pytest.mark.parametrize("other", [None, NORTHWIND, 7])
def test_a_workspace_is_no_other_thing(other: object) -> None:
    assert WorkspaceId.parse(NORTHWIND) != other


@pytest.mark.parametrize(
    "text",
    [
        "",
        "science",
        NORTHWIND.removeprefix("/"),
        NORTHWIND + "/models/card",
        NORTHWIND.removesuffix("/science"),
        NORTHWIND.replace("workspaces", "registries"),
        NORTHWIND.replace("Microsoft.MachineLearningServices", "Microsoft.Storage"),
        NORTHWIND.replace("rg-northwind", ""),
        "https://management.azure.com" + NORTHWIND,
        f" {NORTHWIND}",
    ],
)
def test_what_is_no_workspaces_arm_id_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="is not the ARM id of a workspace: /subscriptions/") as refused:
        WorkspaceId.parse(text)
    assert repr(text) in str(refused.value)


def ranked(created_at: datetime, version: str) -> str:
    return WorkspaceAsset(Asset(Kind.MODEL, "credit-card", version), "azureml://x", created_at).rank


@given(one=times, other=times, versions=st.tuples(asset_names, asset_names))
def test_what_was_registered_later_ranks_higher_whatever_the_version(
    one: datetime, other: datetime, versions: tuple[str, str]
) -> None:
    assume(one != other)
    assert (ranked(one, versions[0]) < ranked(other, versions[1])) == (one < other)


@given(one=st.integers(0, 10**12 - 1), other=st.integers(0, 10**12 - 1))
def test_versions_registered_at_the_same_moment_rank_by_number(one: int, other: int) -> None:
    assert (ranked(NOON, str(one)) < ranked(NOON, str(other))) == (one < other)


def test_a_rank_is_the_same_whatever_the_time_zone_says() -> None:
    assert len({ranked(NOON.astimezone(None), "1"), ranked(NOON, "1")}) == 1


def test_a_microsecond_tells_versions_apart() -> None:
    assert ranked(NOON, "9") < ranked(NOON + timedelta(microseconds=1), "1")


@given(one=assets, other=assets)
def test_different_assets_have_different_keys(one: Asset, other: Asset) -> None:
    assert (one.key == other.key) == (one == other)


@given(asset=assets)
def test_a_key_is_safe_in_an_address_a_table_and_a_message_id(asset: Asset) -> None:
    assert len(asset.key) == 26
    assert asset.key.isalnum()
    assert asset.key == asset.key.lower()


def test_versions_are_opaque() -> None:
    assert len({Asset(Kind.MODEL, "card", version).key for version in ("1", "01", "1.0", "v1", "V1")}) == 5


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (Kind.MODEL, "azureml://registries/hub/models/card/versions/7"),
        (Kind.COMPONENT, "azureml://registries/hub/components/card/versions/7"),
        (Kind.ENVIRONMENT, "azureml://registries/hub/environments/card/versions/7"),
        (Kind.DATA, "azureml://registries/hub/data/card/versions/7"),
    ],
)
def test_a_registry_asset_is_named_by_its_path(kind: Kind, path: str) -> None:
    assert RegistryAsset(Asset(kind, "card", "7"), "hub", "https://store/x", "mlflow_model").path == path
