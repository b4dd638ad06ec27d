"""The ports of the local cloud: free ones by default, kept for as long as the cloud runs, and settable."""

import argparse
import os
import socket
from dataclasses import dataclass, fields
from typing import Self

from infra.local.processes import CannotStart

LAST_PORT = 65535


@dataclass
class Ports:
    """0 stands for a free port. The order is that of `from_base`."""

    host: int = 0
    azure_ml: int = 0
    service_bus: int = 0
    service_bus_control: int = 0
    event_grid: int = 0
    blob: int = 0
    queue: int = 0
    table: int = 0
    event_grid_tls: int = 0

    @classmethod
    def from_base(cls, base: int) -> Self:
        """Neighbouring ports, from `base` on."""
        return cls(*(base + place for place in range(len(fields(cls)))))

    def require_free(self) -> None:
        """Raises CannotStart for the first port that is taken."""
        for field in fields(self):
            if port := getattr(self, field.name):
                _require_free(port, field.name)


def port_number(text: str) -> int:
    """For argparse: 0 to 65535."""
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number up to {LAST_PORT}, or 0 for a free one")
    return int(text)


def _require_free(port: int, name: str) -> None:
    flag = f"--{name.replace('_', '-')}-port"
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except (OSError, OverflowError) as taken:
        reason = os.strerror(taken.errno) if isinstance(taken, OSError) and taken.errno else "no such port"
        raise CannotStart(f"Port {port} cannot be used ({reason}): stop what uses it, or choose another with {flag}.") from taken
