"""Time that passes only in `sleep`, so that no test waits for real seconds."""

import asyncio

__all__ = ["ManualClock"]


class ManualClock:
    """A `mixpeek_async._clock.Clock` whose `sleep` advances it at once.

    The loop gets one turn per sleep, so that other tasks run and a cancellation arrives. `slept` lists every wait
    in the order in which they began. Sleeps of several tasks add up: it is one clock, moved by all of them.
    """

    def __init__(self, unix: float = 1_800_000_000.0) -> None:
        self.slept: list[float] = []
        self._unix = unix
        self._elapsed = 0.0

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._elapsed

    def time(self) -> float:
        """Unix seconds: those that the clock was made with, and what has passed since."""
        return self._unix + self._elapsed

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass without a wait."""
        self._elapsed += seconds

    async def sleep(self, seconds: float, /) -> None:
        """Record the wait, let other tasks run, and return."""
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.advance(seconds)
