"""Where sharing ends by the article, each as a story: tenants of several Azure subscriptions, regions, and the provider's reach."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.article import NO_ROLE, OUT_OF_REGION, SECOND_OF_ADVENTURE, Scene, article_scene, write_rules
from tests.end_to_end.command_line import fanout, fanout_json, refusal
from tests.end_to_end.support import eventually, models, registry_models

COVERED = ["westeurope", "northeurope"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with article_scene(tmp_path_factory) as scene:
        yield scene


def deliveries(model: str) -> dict[str, dict[str, Any]]:
    """Of the model, by tenant."""
    return {row["tenant"]: row for row in fanout_json("deliveries") if row["asset"] == f"model:{model}"}


# ---- "If a tenant has multiple subscriptions, then the sharing is done at subscription level then workspace level."


def test_a_tenant_of_two_azure_subscriptions_gets_a_model_where_it_asked_for_it(scene: Scene) -> None:
    model = scene.data_scientist("workspace1").registers("credit-card-default")

    scene.arrives(model, "workspace5")

    assert "workspace4" not in scene.holders(model)
    assert deliveries(model)["adventure"]["workspace"].lower() == SECOND_OF_ADVENTURE.id.lower()


def test_a_tenant_of_two_azure_subscriptions_shares_from_the_one_and_not_from_the_other(scene: Scene) -> None:
    notes = scene.data_scientist("workspace4").registers("lab-notes")
    results = scene.data_scientist("workspace5").registers("lab-results")

    scene.arrives(results, "workspace2")
    scene.is_not_shared(notes, "private")

    assert scene.holders(notes) == {"workspace4"}


# ---- "The tenants outside of the regions covered by the registry are not able to share with the registry."


def test_rules_for_a_workspace_out_of_region_are_refused_at_their_line_with_the_remedy(scene: Scene, tmp_path: Path) -> None:
    before = _rules_in_force(tmp_path / "before")
    folder = write_rules(tmp_path / "rules")
    _change(folder / "provider.yaml", lambda provider: provider["registries"][0].update(regions=COVERED))
    woodgrove = folder / "tenants" / "woodgrove.yaml"
    placed = {"id": OUT_OF_REGION.id, "region": OUT_OF_REGION.location}
    _change(woodgrove, lambda tenant: tenant.update(workspaces=[placed]))

    refused = refusal("apply", str(folder))

    line = next(n for n, text in enumerate(woodgrove.read_text().splitlines(), 1) if "registry: " in text)
    assert f"tenants/woodgrove.yaml:{line}: publications[0].registry: " in refused
    assert "workspace workspace6 is in eastasia, and registry contoso-hub covers westeurope, northeurope" in refused
    assert "have the provider add the region to the registry" in refused
    assert _rules_in_force(tmp_path / "after") == before


def test_a_share_out_of_region_fails_and_says_that_the_provider_must_act(scene: Scene) -> None:
    """The rules do not state where this workspace lies, so that nothing was refused before."""
    harvest = scene.data_scientist("workspace6").registers("harvest")

    reason = _failed_share(harvest, "workspace6")

    assert (reason["code"], reason["owner"]) == ("region_not_covered", "provider")
    assert "workspace6 is in eastasia; registry contoso-hub covers westeurope, northeurope" in reason["text"]
    assert reason["remedy"] == "add region eastasia to the registry"
    assert harvest not in registry_models(scene.cloud)


@pytest.fixture
def region_given_up(scene: Scene) -> Iterator[str]:
    """By the registry, since Fanout read which ones it covers: what Azure answers to each import."""
    message = "The workspace's region westeurope is not among the regions of registry contoso-hub: northeurope."
    scene.cloud.azure_ml.arm("POST .*/import", status=400, code="UserError", message=message, times=None)
    yield message
    scene.cloud.azure_ml.disarm()


def test_a_share_that_azure_itself_refuses_for_its_region_fails_and_says_the_same(scene: Scene, region_given_up: str) -> None:
    moved = scene.data_scientist("workspace1").registers("credit-card-moved")

    reason = _failed_share(moved, "workspace1")

    assert (reason["code"], reason["owner"]) == ("region_not_covered", "provider")
    assert region_given_up in reason["text"]
    assert "add the workspace's region to the registry" in reason["remedy"]


# ---- "If the ML registry can't access the tenant's subscription directly, then it can't share/push entities to that tenant."


@pytest.fixture
def grant(scene: Scene) -> Iterator[Callable[[], None]]:
    """Gives Fanout's identity the role that it lacks; until the test ends."""
    yield scene.cloud.azure_ml.deny
    scene.cloud.azure_ml.deny(NO_ROLE)


def test_a_push_out_of_reach_fails_alone_and_is_retried_when_the_role_is_granted(scene: Scene, grant: Callable[[], None]) -> None:
    risk = scene.data_scientist("workspace1").registers("credit-card-risk")
    eventually("all have ended", lambda: {row["state"] for row in deliveries(risk).values()} == {"delivered", "failed"})
    ended = deliveries(risk)
    assert {tenant: row["state"] for tenant, row in ended.items()} == {
        "fabrikam": "delivered",
        "adventure": "delivered",
        "litware": "failed",
    }
    reason = ended["litware"]["reason"]
    assert (reason["code"], reason["owner"]) == ("forbidden", "provider")
    assert "assign AzureML Data Scientist on the workspace to the app's identity" in reason["remedy"]
    assert risk not in models(scene.cloud, "workspace7")

    grant()
    retried = fanout("retry", ended["litware"]["id"], "--wait")

    assert "delivered" in retried
    assert risk in models(scene.cloud, "workspace7")


def test_a_share_out_of_reach_is_rejected_and_says_who_must_assign_which_role(scene: Scene) -> None:
    ledger = scene.data_scientist("workspace7").registers("ledger")

    told = fanout_json("share", f"model:{ledger}", "--from", "workspace7", "--wait", exits=4)

    assert (told["outcome"], told["rejection"]["code"]) == ("rejected", "forbidden")
    assert "assign AzureML Data Scientist on the workspace" in told["rejection"]["remedy"]
    assert ledger not in registry_models(scene.cloud)


def _failed_share(model: str, workspace: str) -> dict[str, Any]:
    """The reason that whoever asked for the share is told."""
    told = fanout_json("share", f"model:{model}", "--from", workspace, "--wait", exits=4)
    (share,) = told["rows"]
    assert share["state"] == "failed"
    reason: dict[str, Any] = share["reason"]
    return reason


def _rules_in_force(folder: Path) -> dict[str, str]:
    fanout("export", str(folder))
    return {file.name: file.read_text() for file in folder.rglob("*.yaml")}


def _change(file: Path, by: Callable[[dict[str, Any]], None]) -> None:
    document = yaml.safe_load(file.read_text())
    by(document)
    file.write_text(yaml.safe_dump(document, sort_keys=False))
