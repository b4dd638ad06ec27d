"""`python -m infra.local`, `make cloud`: the local cloud and the app in the foreground, until Ctrl-C. See README.md.

Exit codes: 0 ended by Ctrl-C or SIGTERM, 1 a part ended by itself, 2 it could not start.
"""

import argparse
import signal
import sys
import time
from dataclasses import fields
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from infra.local import environment
from infra.local.cloud import LocalCloud
from infra.local.ports import Ports, port_number
from infra.local.processes import CannotStart, PartDied
from infra.local.signpost import show

DIED, CANNOT_START = 1, 2
SECONDS_BETWEEN_LOOKS = 0.3


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    complaints = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return 0
    except (CannotStart, PartDied) as reason:
        complaints.print(f"[red]{escape(str(reason))}[/]")
        return CANNOT_START if isinstance(reason, CannotStart) else DIED


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description="The local cloud and the app, until Ctrl-C.")
    parser.add_argument("--directory", type=Path, default=Path(".local"), help="folder of all state (default: %(default)s)")
    parser.add_argument("--rules", type=Path, help="folder of rules to apply at the start")
    parser.add_argument(
        "--outcomes", choices=("topic", "domain", "none"), default="topic", help="where outcome events go (default: %(default)s)"
    )
    parser.add_argument("--no-host", action="store_true", help="everything but the Functions host: for `func start`")
    parser.add_argument("--port-base", type=port_number, metavar="N", help="neighbouring ports from N on (default: free ones)")
    for field in fields(Ports):
        parser.add_argument(f"--{field.name.replace('_', '-')}-port", type=port_number, metavar="N", help=argparse.SUPPRESS)
    parser.epilog = "Each port by itself: " + ", ".join(f"--{field.name.replace('_', '-')}-port" for field in fields(Ports)) + "."
    return parser.parse_args()


def _ports(arguments: argparse.Namespace) -> Ports:
    ports = Ports.from_base(arguments.port_base) if arguments.port_base else Ports()
    for field in fields(Ports):
        chosen = getattr(arguments, f"{field.name}_port")
        if chosen is not None:
            setattr(ports, field.name, chosen)
    return ports


def _run(arguments: argparse.Namespace) -> int:
    console = Console(soft_wrap=True, highlight=False)
    console.print("Starting the local cloud …")
    with LocalCloud(
        arguments.directory,
        ports=_ports(arguments),
        with_host=not arguments.no_host,
        events_by="queue" if arguments.no_host else "webhook",
        outcomes=None if arguments.outcomes == "none" else arguments.outcomes,
    ) as cloud:
        if arguments.rules:
            console.print(cloud.apply_rules(arguments.rules).strip(), markup=False)
        environment.write_shell(cloud.directory / "env", cloud.environment | cloud.addresses())
        environment.write_local_settings(cloud.directory / "local.settings.json", cloud.app_settings)
        show(cloud, console)
        while True:
            cloud.require_running()
            time.sleep(SECONDS_BETWEEN_LOOKS)


if __name__ == "__main__":
    sys.exit(main())
