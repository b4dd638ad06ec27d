"""`python -m infra.local.demo`, `make demo`: the article's example on a local cloud of its own. See README.md.

Exit codes: 0 everything came as it must, 1 something is missing, too much or broken, 2 the cloud could not start.
"""

import argparse
import logging
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from infra.local.cloud import LocalCloud
from infra.local.demo import picture
from infra.local.demo.holdings import Held, origins
from infra.local.demo.story import Story, WentWrong
from infra.local.demo.watch import NotInTime, Watch
from infra.local.processes import CannotStart, PartDied

WRONG, CANNOT_START, INTERRUPTED = 1, 2, 130
WIDTH_OF_FILES = 150
RULES = Path(__file__).parent / "rules"


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.getLogger("azure").setLevel(logging.ERROR)  # the SDK warns of what is experimental in itself
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_OF_FILES)
    directory = arguments.directory or Path(tempfile.mkdtemp(prefix="fanout-demo-"))
    code = _play(arguments, directory, console)
    if arguments.directory is None and code in (0, INTERRUPTED):
        shutil.rmtree(directory)
    elif code:
        console.print(f"The state and the logs of the demo's cloud are in {directory}.")
    return code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.demo", description="The article's example, played and checked.")
    parser.add_argument("--deadline", type=float, default=120, help="seconds until everything must be there (default: %(default)s)")
    parser.add_argument("--rules", type=Path, default=RULES, help="folder of rules (default: the article's)")
    parser.add_argument("--directory", type=Path, help="a new folder for the state, and keep it (default: a temporary one)")
    return parser.parse_args()


def _play(arguments: argparse.Namespace, directory: Path, console: Console) -> int:
    try:
        _run(arguments, directory, console)
    except KeyboardInterrupt:
        return INTERRUPTED
    except CannotStart as reason:
        console.print(f"[red]{escape(str(reason))}[/]")
        return CANNOT_START
    except (NotInTime, WentWrong, PartDied) as reason:
        console.print(f"[bold red]It did not come as it must:[/]\n{escape(str(reason))}")
        return WRONG
    return 0


def _run(arguments: argparse.Namespace, directory: Path, console: Console) -> None:
    started = time.monotonic()
    console.print("Starting the local cloud and the app …")
    with LocalCloud(directory) as cloud:
        console.print(cloud.apply_rules(arguments.rules).strip(), markup=False)
        known_origins = origins(cloud)
        console.print(f"Ready after {time.monotonic() - started:.0f} s.\n")

        def tell(seconds: float, fact: Held) -> None:
            console.print(f"[dim]{seconds:7.1f} s[/]  {escape(str(fact))}")

        with Watch(cloud, known_origins, arguments.deadline, tell) as watch:
            story = Story(cloud, watch, directory / "models", lambda step: console.print(f"\n[bold]{escape(step)}[/]"))
            try:
                story.play()
            except NotInTime as late:
                raise NotInTime("\n".join([str(late), *_rejections(cloud)])) from late
            story.check(known_origins)
            console.print()
            picture.show(watch, console)
    console.print(f"\n[bold green]Everything came as it must[/], in {time.monotonic() - started:.0f} s.")


def _rejections(cloud: LocalCloud) -> list[str]:
    """What Fanout says of messages that it could not act on."""
    reasons = [message["application_properties"] for message in cloud.service_bus.messages("rejected")]
    return [f"rejected: {each.get('fanout_code')}: {each.get('fanout_reason')}" for each in reasons]


if __name__ == "__main__":
    sys.exit(main())
