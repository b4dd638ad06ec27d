"""What tenants share by the article, each of its scenarios as a story: keep it private, share it, pull it and share it back."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.article import Scene, article_scene
from tests.end_to_end.catalogue import Author, Known, in_registry, in_workspace
from tests.end_to_end.command_line import fanout, fanout_json
from tests.end_to_end.support import REGISTRY, accepted, eventually, idle, registry_models, send_all

BERT = "bert-case-uncased_fine-tuned"
HOMES = {"northwind": "workspace1", "fabrikam": "workspace2", "tailwind": "workspace3", "adventure": "workspace4"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with article_scene(tmp_path_factory) as scene:
        yield scene


# ---- "Each tenant can have their specific models without sharing with others."


def test_a_tenant_keeps_a_model_to_itself(scene: Scene) -> None:
    salaries = scene.data_scientist("workspace1").registers("salaries")

    scene.is_not_shared(salaries, "private")

    assert salaries not in registry_models(scene.cloud)
    assert scene.holders(salaries) == {"workspace1"}


def test_a_model_that_a_tenant_keeps_to_itself_is_nobodys_to_pull(scene: Scene) -> None:
    wages = scene.data_scientist("workspace1").registers("wages")

    pulled = fanout_json("pull", f"model:{wages}", "--tenant", "fabrikam", "--wait", exits=4)

    assert (pulled["outcome"], pulled["rejection"]["code"]) == ("rejected", "not_in_registry")
    assert scene.holders(wages) == {"workspace1"}


def test_everyone_can_ask_why_a_model_stays_private(scene: Scene) -> None:
    (explained,) = fanout_json("explain", "model:bonuses", "--workspace", "workspace1")["explained"]
    assert {each["answer"] for each in explained["tenants"]} == {"no"}
    (fabrikam,) = [each for each in explained["tenants"] if each["tenant"] == "fabrikam"]
    assert not fabrikam["publisher"]["yes"]
    assert "northwind" in fabrikam["reason"]


# ---- "All tenants can share their models if they want."


def test_all_tenants_share_and_each_gets_what_the_others_shared(scene: Scene) -> None:
    scores = {scene.data_scientist(home).registers(f"{tenant}-scores") for tenant, home in HOMES.items()}

    for each in scores:
        scene.arrives(each, *HOMES.values())
    assert registry_models(scene.cloud) >= scores
    assert {holder for each in scores for holder in scene.holders(each)} == set(HOMES.values())


def test_similar_scenarios_apply_to_data_environments_and_components(scene: Scene) -> None:
    author = Author(scene.cloud, "workspace1", scene.folder)
    environment = author.environment("shared_environment")
    similar = (author.data("shared_rows", "uri_folder"), environment, author.component("shared_step", environment))

    home = scene.cloud.workspaces["workspace1"].id
    send_all(scene.cloud, {f"share-{each.name}": {"type": "share", "workspace": home, "asset": each.command} for each in similar})

    for each in similar:
        eventually(f"{each} at Fabrikam", lambda what=each: in_workspace(scene.cloud, "workspace2", what))  # type: ignore[misc]
        assert in_registry(scene.cloud, REGISTRY, each)


# ---- "All tenants can pull the shared models and retrain or fine-tune, then share back the retrained or fine-tuned models."


def test_a_tenant_pulls_by_hand_fine_tunes_and_shares_back(scene: Scene) -> None:
    first = scene.data_scientist("workspace3").registers(BERT, "1")
    scene.is_shared(first)

    adventure = scene.data_scientist("workspace4")
    pulled = adventure.pulls(BERT, "1")
    scene.is_not_shared(first, "echo")
    lineage = {"fine_tuned_from": str(pulled.id), "fine_tuned_on": "customers of Adventure"}
    second = adventure.registers(BERT, "2", tags=lineage, properties={**pulled.properties, "epochs": "3"})

    scene.arrives(second, "workspace3")
    eventually("quiet", lambda: idle(scene.cloud))
    known = Known("model", BERT, "2")
    shared_back = in_registry(scene.cloud, REGISTRY, known)
    assert f"/workspaces/{adventure.workspace_guid}/models/{BERT}/versions/2" in shared_back["originAssetId"]
    for holding in (shared_back, in_workspace(scene.cloud, "workspace3", known)):
        assert holding["tags"].items() >= lineage.items()
        assert holding["properties"]["epochs"] == "3"
    imports = accepted(scene.cloud, "POST", "/import")
    assert (imports[first], imports[second]) == (1, 1)
    assert scene.holders(first) == scene.holders(second) == {"workspace3", "workspace4"}


def test_a_tenant_pulls_by_fanout_retrains_and_shares_back(scene: Scene) -> None:
    small, tiny = f"{BERT}-small", f"{BERT}-tiny"
    original = scene.data_scientist("workspace3").registers(small)
    scene.is_shared(original)

    fanout("pull", f"model:{original}", "--tenant", "adventure", "--into", "workspace4", "--wait")
    scene.is_not_shared(original, "echo")
    retrained = scene.data_scientist("workspace4").registers(tiny, tags={"retrained_from": original})

    scene.arrives(retrained, "workspace3")
    assert in_workspace(scene.cloud, "workspace3", Known("model", tiny))["tags"]["retrained_from"] == original
    assert accepted(scene.cloud, "POST", "/import")[original] == 1
