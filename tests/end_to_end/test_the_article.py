"""What the article says that tenants and their provider can do with each other, each of its scenarios as a story."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local.cloud import LocalCloud
from tests.end_to_end.article import (
    OUT_OF_REACH,
    OUT_OF_REGION,
    SECOND_OF_ADVENTURE,
    DataScientist,
    article_cloud,
    write_rules,
)
from tests.end_to_end.catalogue import Author, Known, in_registry, in_workspace
from tests.end_to_end.command_line import fanout, fanout_json, refusal
from tests.end_to_end.support import REGISTRY, accepted, eventually, idle, models, registry_models, send_all

BERT = "bert-case-uncased_fine-tuned"


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules"))


@pytest.fixture(scope="module")
def cloud(rules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with article_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        fanout("apply", str(rules))
        yield cloud


@pytest.fixture
def of(cloud: LocalCloud, tmp_path: Path) -> Callable[[str], DataScientist]:
    """The data scientist of a workspace."""
    return lambda workspace: DataScientist(cloud, workspace, tmp_path)


def holders(cloud: LocalCloud, model: str) -> set[str]:
    """The workspaces that hold the model."""
    return {workspace for workspace in cloud.workspaces if model in models(cloud, workspace)}


def arrives(cloud: LocalCloud, model: str, *workspaces: str) -> None:
    eventually(f"{model} in {workspaces}", lambda: holders(cloud, model) >= set(workspaces))


def deliveries(model: str) -> dict[str, dict[str, Any]]:
    """Of the model, by tenant."""
    return {row["tenant"]: row for row in fanout_json("deliveries") if row["asset"] == f"model:{model}"}


# ---- Each tenant can have their specific models without sharing with others.


def test_a_tenant_keeps_a_model_to_itself(cloud: LocalCloud, of: Callable[[str], DataScientist]) -> None:
    salaries = of("workspace1").registers("salaries")
    eventually("its registration is heard of", lambda: "salaries:1" in log_of(cloud, "private"))

    pulled = fanout_json("pull", f"model:{salaries}", "--tenant", "fabrikam", "--wait", exits=4)

    assert pulled["outcome"] == "rejected"
    eventually("quiet", lambda: idle(cloud))
    assert salaries not in registry_models(cloud)
    assert holders(cloud, salaries) == {"workspace1"}


# ---- All tenants can share their models if they want.


def test_all_tenants_share_and_each_gets_what_the_others_shared(cloud: LocalCloud, of: Callable[[str], DataScientist]) -> None:
    homes = {"northwind": "workspace1", "fabrikam": "workspace2", "tailwind": "workspace3", "adventure": "workspace4"}

    scores = {of(home).registers(f"{tenant}-scores") for tenant, home in homes.items()}

    for each in scores:
        arrives(cloud, each, *homes.values())
    assert registry_models(cloud) >= scores
    assert {holder for each in scores for holder in holders(cloud, each)} == set(homes.values())


def test_so_it_is_with_data_environments_and_components(cloud: LocalCloud, tmp_path: Path) -> None:
    author = Author(cloud, "workspace1", tmp_path)
    environment = author.environment("shared_environment")
    similar = (author.data("shared_rows", "uri_folder"), environment, author.component("shared_step", environment))

    home = cloud.workspaces["workspace1"].id
    send_all(cloud, {f"share-{each.name}": {"type": "share", "workspace": home, "asset": each.command} for each in similar})

    for each in similar:
        eventually(f"{each} in workspace2", lambda what=each: in_workspace(cloud, "workspace2", what))  # type: ignore[misc]
        assert in_registry(cloud, REGISTRY, each)


# ---- All tenants can pull the shared models and retrain or fine-tune, then share back.


def test_a_tenant_pulls_fine_tunes_and_shares_back(cloud: LocalCloud, of: Callable[[str], DataScientist]) -> None:
    first = of("workspace3").registers(BERT, "1")
    eventually("it is in the registry", lambda: first in registry_models(cloud))

    pulled = of("workspace4").pulls(REGISTRY, BERT, "1")
    lineage = {"fine_tuned_from": pulled.id, "fine_tuned_on": "customers of Adventure"}
    second = of("workspace4").registers(BERT, "2", tags=lineage, properties=pulled.properties | {"epochs": "3"})

    arrives(cloud, second, "workspace3")
    eventually("quiet", lambda: idle(cloud))
    known = Known("model", BERT, "2")
    in_the_registry, at_tailwind = in_registry(cloud, REGISTRY, known), in_workspace(cloud, "workspace3", known)
    assert "/workspaces/" in in_the_registry["originAssetId"]
    for there in (in_the_registry, at_tailwind):
        assert there["tags"].items() >= lineage.items()
        assert there["properties"]["epochs"] == "3"
    shared = accepted(cloud, "POST", "/import")
    assert (shared[first], shared[second]) == (1, 1)  # neither the pull nor the push was shared again
    assert holders(cloud, first) == {"workspace3", "workspace4"}


def test_a_pull_that_fanout_makes_is_not_shared_back_either(cloud: LocalCloud, of: Callable[[str], DataScientist]) -> None:
    model = of("workspace3").registers(f"{BERT}-small")
    eventually("it is in the registry", lambda: model in registry_models(cloud))

    fanout("pull", f"model:{model}", "--tenant", "adventure", "--into", "workspace4", "--wait")

    eventually("its echo is heard of", lambda: model in log_of(cloud, "echo"))
    assert accepted(cloud, "POST", "/import")[model] == 1
    assert holders(cloud, model) == {"workspace3", "workspace4"}


# ---- If a tenant has multiple subscriptions, the sharing is done at subscription level, then workspace level.


def test_a_tenant_of_two_azure_subscriptions_gets_a_model_into_the_one_it_named(
    cloud: LocalCloud, of: Callable[[str], DataScientist]
) -> None:
    model = of("workspace1").registers("credit-card-default")
    arrives(cloud, model, "workspace2", "workspace5")
    assert "workspace4" not in holders(cloud, model)
    assert deliveries(model)["adventure"]["workspace"].lower() == SECOND_OF_ADVENTURE.id.lower()


def test_a_tenant_of_two_azure_subscriptions_lets_out_of_the_one_and_not_of_the_other(
    cloud: LocalCloud, of: Callable[[str], DataScientist]
) -> None:
    private = of("workspace4").registers("lab-notes")
    public = of("workspace5").registers("lab-results")
    arrives(cloud, public, "workspace2")
    eventually("the other is heard of", lambda: private in log_of(cloud, "private"))
    eventually("quiet", lambda: idle(cloud))
    assert holders(cloud, private) == {"workspace4"}


# ---- The tenants outside of the regions covered by the registry are not able to share with it.


def test_rules_for_a_workspace_out_of_region_are_refused_at_the_line_with_the_remedy(
    cloud: LocalCloud, rules: Path, tmp_path: Path
) -> None:
    before = fanout("publications", "list")
    stated = write_rules(tmp_path / "rules")
    _change(stated / "provider.yaml", lambda it: it["registries"][0].update(regions=["westeurope", "northeurope"]))
    woodgrove = stated / "tenants" / "woodgrove.yaml"
    _change(woodgrove, lambda it: it.update(workspaces=[{"id": OUT_OF_REGION.id, "region": OUT_OF_REGION.location}]))

    refused = refusal("apply", str(stated))

    line = next(n for n, text in enumerate(woodgrove.read_text().splitlines(), 1) if "registry: " in text)
    assert f"woodgrove.yaml:{line}" in refused
    assert "publications[0].registry" in refused
    assert "workspace workspace6 is in eastasia, and registry contoso-hub covers westeurope, northeurope" in refused
    assert "have the provider add the region to the registry" in refused
    assert fanout("publications", "list") == before


def test_a_share_out_of_region_fails_and_names_who_must_act(cloud: LocalCloud, of: Callable[[str], DataScientist]) -> None:
    model = of("workspace6").registers("harvest")
    told = fanout_json("share", f"model:{model}", "--from", "workspace6", "--wait", exits=4)
    (share,) = told["rows"]
    reason = share["reason"]
    assert (share["state"], reason["code"], reason["owner"]) == ("failed", "region_not_covered", "provider")
    assert "workspace6 is in eastasia; registry contoso-hub covers westeurope, northeurope" in reason["text"]
    assert reason["remedy"] == "add region eastasia to the registry"
    assert model not in registry_models(cloud)


# ---- If the registry can't access the tenant's subscription directly, it can't share or push to that tenant.


def test_out_of_reach_of_the_provider_a_push_fails_until_the_role_is_granted_and_others_get_theirs(
    cloud: LocalCloud, of: Callable[[str], DataScientist]
) -> None:
    model = of("workspace1").registers("credit-card-risk")
    arrives(cloud, model, "workspace2", "workspace5")
    eventually("Litware's has failed", lambda: deliveries(model)["litware"]["state"] == "failed")
    failed = deliveries(model)["litware"]
    assert (failed["reason"]["code"], failed["reason"]["owner"]) == ("forbidden", "provider")
    assert "assign AzureML Data Scientist on the workspace to the app's identity" in failed["reason"]["remedy"]
    assert deliveries(model)["fabrikam"]["state"] == deliveries(model)["adventure"]["state"] == "delivered"

    cloud.azure_ml.deny()
    fanout("retry", failed["id"], "--wait")

    assert model in models(cloud, OUT_OF_REACH.name)


def log_of(cloud: LocalCloud, event: str) -> str:
    """The app's log lines of an event such as `echo`."""
    lines = (cloud.directory / "logs" / "functions_host.log").read_text().splitlines()
    return "\n".join(line for line in lines if event in line)


def _change(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = yaml.safe_load(file.read_text())
    change(document)
    file.write_text(yaml.safe_dump(document, sort_keys=False))
