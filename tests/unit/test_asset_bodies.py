"""Assets as Azure ML's REST API shows them."""

import pytest

from shared.assets import Asset, Kind
from shared.azure.asset_bodies import latest_version, path_of


@pytest.mark.parametrize("name", ["../../workspaces/other", "a/b", "a?b", "a#b", "a%2fb", "a b"])
def test_no_name_leads_to_another_resource(name: str) -> None:
    path = path_of(Asset(Kind.MODEL, name, "1"))
    assert path.count("/") == 3
    assert not set("?# ") & set(path)


def test_the_latest_version_is_read_off_the_id_whatever_the_name_says() -> None:
    in_registry = {"value": [{"id": "azureml://registries/hub/models/card/versions/7", "name": "card"}]}
    assert latest_version(in_registry) == "7"
    assert latest_version({"value": []}) is None
