"""Time-outs that end early when the client is closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Timeouts:
    """The time-outs that are open in one client."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def within(self, seconds: float | None) -> AsyncIterator[None]:
        """Raise TimeoutError in the block after `seconds` (None: no limit), or when `end_all` is called."""
        async with asyncio.timeout(seconds) as timeout:
            self._open.add(timeout)
            try:
                yield
            finally:
                self._open.discard(timeout)

    def end_all(self) -> None:
        """Raise TimeoutError in every block that is running."""
        for timeout in self._open:
            # One that has just expired cannot be moved any more, and ends by itself.
            if not timeout.expired():
                timeout.reschedule(0.0)
