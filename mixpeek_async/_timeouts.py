"""Time-outs that end early when the client is closed."""

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType


class Timeouts:
    """The time-outs that are open in one client."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: set[asyncio.Timeout] = set()

    def within(self, seconds: float | None) -> AbstractAsyncContextManager[None]:
        """Raise TimeoutError in the block after `seconds` (None: no limit), or when `end_all` is called."""
        return _Within(self._open, seconds)

    def end_all(self) -> None:
        """Raise TimeoutError in every block that is running."""
        for timeout in self._open:
            # One that has just expired cannot be moved any more, and ends by itself.
            if not timeout.expired():
                timeout.reschedule(0.0)


class _Within(AbstractAsyncContextManager[None]):
    """`asyncio.timeout`, noted in `opened` while its block runs."""

    # A class, since `asynccontextmanager` takes as long as the time-out itself.
    __slots__ = ("_opened", "_timeout")

    def __init__(self, opened: set[asyncio.Timeout], seconds: float | None) -> None:
        self._opened = opened
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._opened.add(self._timeout)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._opened.discard(self._timeout)
        await self._timeout.__aexit__(kind, error, traceback)
