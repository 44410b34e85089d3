"""Time as a parameter: whoever passes another clock waits as long as that clock says."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the client needs of time. Budgets and waits are judged by `monotonic`, dates in headers by `time`."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def time(self) -> float:
        """Unix seconds."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Come back after `seconds`."""
        ...


class SystemClock:
    """The machine's own time."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)
    sleep = staticmethod(asyncio.sleep)
