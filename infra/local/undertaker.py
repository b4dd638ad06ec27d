"""Ends what the local cloud started once the process that started it is gone, be it by kill -9.

`python -m infra.local.undertaker` reads lines from a pipe that only that process holds open: `+PID` for a process group to
end, `-PID` for one that ended by itself. At the pipe's end it kills what is left. So it works wherever there are pipes,
and asks nothing of the parts.
"""

import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it has to outlive those whom these end
    for group in left_behind(sys.stdin):
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)  # every part's state survives that


def left_behind(lines: Iterable[str]) -> set[int]:
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


if __name__ == "__main__":
    main()
