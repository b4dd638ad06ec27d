"""Fanout beside the plain script that one would write today, in one run and on one local cloud: `make bench`.

Figures are measured and never judged, machines being noisy. What is checked is that both delivered everything.
"""

import argparse
import tempfile
from pathlib import Path

from tests.bench import report
from tests.bench.contestants import by_fanout, by_script
from tests.bench.scene import FIRST, SECOND, Scene


def main() -> None:
    arguments = _arguments()
    scenes = [
        Scene("register", arguments.tenants, poll_ms=None),
        Scene("online_endpoint", arguments.endpoints, poll_ms=1000),
    ]
    report.introduce()
    for scene in scenes:
        if scene.tenants:
            with tempfile.TemporaryDirectory(prefix="fanout-bench-") as directory:
                _play(scene, Path(directory))


def _play(scene: Scene, directory: Path) -> None:
    with scene.cloud(directory) as cloud:
        script = by_script(cloud, scene, directory)
        cloud.start_host()
        first, second = (by_fanout(cloud, scene, model, directory) for model in (FIRST, SECOND))
        report.compare(scene, script, first, second)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--tenants", type=int, default=50, help="that have the model registered in their workspaces (50)")
    parser.add_argument("--endpoints", type=int, default=10, help="that have it deployed to an online endpoint (10)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
