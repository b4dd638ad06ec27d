"""An import that takes 90 seconds holds nothing up."""

import time
from pathlib import Path

from infra.local.cloud import LocalCloud
from tests.end_to_end.support import QUICK, accepted, eventually, mlflow_folder, models, register, rules

SLOW = 90.0
LONGEST_INVOCATION = 2.0  # seconds


def test_nothing_waits_for_a_slow_import_and_another_model_overtakes_it(tmp_path: Path) -> None:
    with LocalCloud(tmp_path / "cloud", seconds=QUICK) as cloud:
        there = cloud.workspaces
        cloud.apply_rules(rules(tmp_path / "rules", there["workspace1"], {"fabrikam": (there["workspace2"], ["register"])}))
        client = cloud.ml_client("workspace1")
        register(client, "warm-up", "1", mlflow_folder(tmp_path / "warm-up"))
        eventually("the host has loaded the SDK", lambda: "warm-up:1" in models(cloud, "workspace2"))
        warm = len(cloud.host.invocations())

        cloud.azure_ml.seconds(**{"import": SLOW})
        register(client, "slow", "1", mlflow_folder(tmp_path / "slow"))
        eventually("the slow import accepted", lambda: accepted(cloud, "POST", "/import")["slow:1"])
        began = time.monotonic()
        cloud.azure_ml.seconds(**QUICK)
        register(client, "swift", "1", mlflow_folder(tmp_path / "swift"))
        eventually("the swift model through", lambda: "swift:1" in models(cloud, "workspace2"), 30)
        assert time.monotonic() - began < SLOW / 2
        assert "slow:1" not in models(cloud, "workspace2")

        eventually("the slow model through", lambda: "slow:1" in models(cloud, "workspace2"), SLOW * 1.5)
        longest = max(cloud.host.invocations()[warm:], key=lambda invocation: invocation["seconds"] or 0)
        assert longest["seconds"] < LONGEST_INVOCATION, longest
        assert accepted(cloud, "POST", "/import")["slow:1"] == 1
