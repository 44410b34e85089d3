"""Time as a parameter, so that tests do not wait for real seconds."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the client needs of time. Budgets and waits use `monotonic`; dates in headers are compared with `time`."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def time(self) -> float:
        """Unix seconds."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Return after `seconds`."""
        ...


class SystemClock:
    """The time of the machine."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)
    sleep = staticmethod(asyncio.sleep)


class Budget:
    """Seconds that may be spent on one page, however many requests it takes."""

    __slots__ = ("_clock", "_deadline", "seconds")

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.seconds: float = seconds
        self._clock = clock
        self._deadline = clock.monotonic() + seconds

    def left(self) -> float:
        """Seconds that remain; 0 or less when the budget is used up."""
        return self._deadline - self._clock.monotonic()

    def extend(self, seconds: float) -> None:
        """Do not count `seconds` that were spent on something else."""
        self._deadline += seconds
