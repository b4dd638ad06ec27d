"""Fanout beside the plain script that one would write today; tenants beside a sick workspace; calls by route; a cold start; rules
by the hundred thousand: `make bench`.

Figures are measured and never judged, machines being noisy. What is checked is that both delivered everything.
"""

import argparse
import tempfile
from pathlib import Path

from tests.bench import calls, cold_start, fairness, planning, report
from tests.bench.contestants import by_fanout, by_script
from tests.bench.fairness_scene import FairnessScene
from tests.bench.scene import FIRST, SECOND, Scene

_PARTS = ["all", "calls", "cold_start", "script", "fairness", "planning"]


def main() -> None:
    arguments = _arguments()
    if arguments.what in ("all", "calls"):
        calls.play()
    if arguments.what != "calls":
        report.introduce()
    if arguments.what in ("all", "cold_start"):
        cold_start.play()
    if arguments.what in ("all", "planning"):
        planning.play()
    if arguments.what in ("all", "script"):
        _beside_the_script(arguments)
    if arguments.what in ("all", "fairness"):
        fairness.play(FairnessScene(arguments.well, arguments.waiting))


def _beside_the_script(arguments: argparse.Namespace) -> None:
    scenes = [
        Scene("register", arguments.tenants, poll_ms=None),
        Scene("online_endpoint", arguments.endpoints, poll_ms=1000),
    ]
    report.introduce_contestants()
    for scene in scenes:
        if scene.tenants:
            with tempfile.TemporaryDirectory(prefix="fanout-bench-") as directory:
                _play(scene, Path(directory))


def _play(scene: Scene, directory: Path) -> None:
    with scene.cloud(directory) as cloud:
        report.progress(f"The plain script: {scene.action} in {scene.tenants} workspaces …")
        script = by_script(cloud, scene, directory)
        cloud.start_host()
        report.progress("Fanout, its process cold …")
        cold = by_fanout(cloud, scene, FIRST, directory)
        report.progress("Fanout, its process warm …")
        warm = by_fanout(cloud, scene, SECOND, directory)
    report.compare(scene, script, cold, warm)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=_PARTS, default="all", help="is measured (all)")
    parser.add_argument("--tenants", type=int, default=50, help="that have the model registered in their workspaces (50)")
    parser.add_argument("--endpoints", type=int, default=8, help="that have it deployed to an online endpoint (8)")
    parser.add_argument("--well", type=int, default=10, help="tenants beside the sick one (10)")
    parser.add_argument("--waiting", type=int, default=64, help="deliveries to the sick one (64)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
