"""What a connection has to say, held back until it may be said: after the commit, and after the latency of a test."""

import asyncio
from collections import deque


class Outlet:
    """Keeps the order: what has no latency of its own waits for what was said before."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._said = bytearray()
        self._acknowledges = False
        self._close = False
        self._delayed: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def say(self, frame: bytes, acknowledges: bool) -> None:
        self._said += frame
        self._acknowledges |= acknowledges

    def close_after(self) -> None:
        """Closes the connection when everything said so far is out."""
        self._close = True

    def flush(self, latency: float) -> None:
        """Lets out what was said; deliveries and acknowledgements after `latency` seconds."""
        if self._said:
            said, self._said = bytes(self._said), bytearray()
            delay = latency if self._acknowledges else 0.0
            self._acknowledges = False
            if delay or self._delayed:
                self._delayed.append((self._loop.time() + delay, said))
            elif not self._transport.is_closing():
                self._transport.write(said)
        self._drain()

    def discard(self) -> None:
        """The connection is gone."""
        self._said.clear()
        self._delayed.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _drain(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._loop.time()
        while self._delayed and self._delayed[0][0] <= now:
            self._transport.write(self._delayed.popleft()[1])
        if self._delayed:
            self._timer = self._loop.call_at(self._delayed[0][0], self._drain)
        elif self._close:
            self._transport.close()
