"""A fifth of the wake-ups delivered twice on purpose costs about a fifth more looks, and nothing else."""

from pathlib import Path

from infra.local.cloud import LocalCloud
from tests.end_to_end.support import QUICK, accepted, eventually, idle, mlflow_folder, models, register, rules, twice

MODELS = 15
RATE = 0.2
NOISE = 1.15  # the machine's pace decides how often an import is looked at


def test_looks_grow_with_the_duplicates_and_not_faster(tmp_path: Path) -> None:
    with LocalCloud(tmp_path / "cloud", seconds=QUICK | {"import": 3.0}) as cloud:
        there = cloud.workspaces
        subscribers = {name: (there[name], ["register"]) for name in ("workspace2", "workspace3")}
        cloud.apply_rules(rules(tmp_path / "rules", there["workspace1"], dict(subscribers)))
        _round(cloud, tmp_path, "warm-up")
        plain = _round(cloud, tmp_path, "plain")
        cloud.service_bus.duplication("wakeups", RATE)
        doubled = _round(cloud, tmp_path, "doubled")
        copies = cloud.service_bus.queues()["wakeups"]["totals"]["copies_added"]
        assert copies > 0
        assert doubled <= (plain + copies) * NOISE, f"{plain} looks and {copies} copies became {doubled} looks"
        assert twice(accepted(cloud, "POST", "/import")) == {}
        assert twice(accepted(cloud, "PUT", "/models/")) == {}


def _round(cloud: LocalCloud, tmp_path: Path, name: str) -> int:
    """How many looks it takes to bring some models to two tenants."""
    before = _looks(cloud)
    client = cloud.ml_client("workspace1")
    wanted = {f"{name}-{n}:1" for n in range(MODELS)}
    for model in sorted(wanted):
        register(client, model.removesuffix(":1"), "1", mlflow_folder(tmp_path / model, model))
    for workspace in ("workspace2", "workspace3"):
        eventually(f"all in {workspace}", lambda at=workspace: models(cloud, at) >= wanted, 90)  # type: ignore[misc]
    eventually("quiet", lambda: idle(cloud))
    return _looks(cloud) - before


def _looks(cloud: LocalCloud) -> int:
    return sum(invocation["function"] == "wakeups" for invocation in cloud.host.invocations())
