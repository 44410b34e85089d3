"""An event loop whose time jumps to the next timer when nothing else is to be done.

All I/O of a walk is on Unix sockets within the process, where what is written can be read at once: nothing is under way
that could still arrive when no socket is ready.
"""

import asyncio
import selectors
from typing import Any

_A_LONG_TIME = 24 * 3600.0


class Deadlock(Exception):
    """Nothing will ever happen again: no task waits for a timer, or timers alone have passed a day."""


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.alive_until = _A_LONG_TIME

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None or self.now > self.alive_until:
            raise Deadlock
        self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that starts at zero seconds."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds since the start. No real time has passed."""
        return self._jumping.now

    def keep_alive(self) -> None:
        """Something has happened: a day without anything begins now."""
        self._jumping.alive_until = self._jumping.now + _A_LONG_TIME

    def restart(self) -> None:
        """Begin at zero again. No timer may be left."""
        self._jumping.now = 0.0
        self.keep_alive()


class VirtualClock:
    """The clock of the running loop, for a client."""

    def monotonic(self) -> float:
        """Seconds since the loop began."""
        return asyncio.get_running_loop().time()

    def time(self) -> float:
        """Unix seconds."""
        return 1_800_000_000.0 + self.monotonic()

    async def sleep(self, seconds: float, /) -> None:
        """Wait, in virtual time."""
        await asyncio.sleep(seconds)
