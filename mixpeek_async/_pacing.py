"""Whose turn it is to ask: one limit, shared by all walks of a client.

The server counts requests in windows and says with each answer what is left of one, and when it ends. A client that
reads it waits for the next window instead of being refused; those who wait take their turns in the order in which they
came.
"""

import asyncio
from collections import deque

from mixpeek_async._clock import Clock
from mixpeek_async._wire import Allowance

_MINUTE = 60.0
# The published windows are a minute; what ends later than this is no window of requests.
_LONGEST_WINDOW = 3_600.0


class Pacer:
    """Hands out turns. `per_minute` is a limit of the caller's own, None for the server's alone.

    `take()` a turn, after `wait()` when one `must_wait`, and say `done()` when the answer is there or will not come.
    """

    __slots__ = ("_clock", "_left", "_limit", "_lock", "_per_minute", "_sent", "_under_way", "_until")

    def __init__(self, clock: Clock, per_minute: int | None = None) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._sent: deque[float] = deque()
        self._limit: int | None = None
        self._left: int | None = None
        self._until = 0.0
        self._under_way = 0
        self._lock = asyncio.Lock()

    @property
    def ordered_wait(self) -> float:
        """Seconds until the server serves anybody again, by its own word; 0 while it does."""
        now = self._clock.monotonic()
        return self._until - now if self._left is not None and self._left <= 0 and now < self._until else 0.0

    @property
    def must_wait(self) -> bool:
        """Whether there is no turn now, or somebody is before you."""
        return self._lock.locked() or self._wait() > 0

    async def wait(self) -> float:
        """Come back when it is your turn; the seconds that it took."""
        waited = 0.0
        # A lock serves in the order of arrival, so that no walk is overtaken.
        async with self._lock:
            while (seconds := self._wait()) > 0:
                waited += seconds
                await self._clock.sleep(seconds)
        return waited

    def take(self) -> None:
        """Take the turn."""
        self._under_way += 1
        if self._left is not None:
            self._left -= 1
        if self._per_minute is not None:
            self._sent.append(self._clock.monotonic())

    def done(self, allowance: Allowance | None = None) -> None:
        """A request is over, and this is what its answer said."""
        self._under_way -= 1
        if allowance is not None and 0 < allowance.seconds <= _LONGEST_WINDOW:
            self._until = self._clock.monotonic() + allowance.seconds
            self._limit = allowance.limit or self._limit
            # What is under way may have been counted by the server already, or not yet.
            self._left = allowance.remaining - self._under_way

    def _wait(self) -> float:
        """Seconds until there is a turn."""
        now = self._clock.monotonic()
        if now >= self._until:
            self._left = self._limit
        return max(self.ordered_wait, self._own_wait(now))

    def _own_wait(self, now: float) -> float:
        while self._sent and self._sent[0] <= now - _MINUTE:
            self._sent.popleft()
        if self._per_minute is None or len(self._sent) < self._per_minute:
            return 0.0
        return self._sent[0] + _MINUTE - now
