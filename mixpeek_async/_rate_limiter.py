"""Client-side rate limiting, shared by all walks of a client.

The server counts requests in windows of time. Each answer says how many requests are left in the window and when it
ends, so that a client can wait for the next window instead of being refused. Waiting requests are sent in the order
in which they arrived.
"""

import asyncio
import copy
from collections import deque
from typing import Self

import attrs

from mixpeek_async._clock import Clock
from mixpeek_async._wire import Response, status_error, unix_seconds
from mixpeek_async.errors import RateLimitError

_MINUTE = 60.0
# The published windows are a minute long. A reset that is further away than this is no window of requests.
_LONGEST_WINDOW = 3_600.0


@attrs.frozen(kw_only=True)
class RateLimit:
    """A window of requests: `remaining` of `limit` (None: not sent) may be sent in the next `seconds`."""

    remaining: int
    seconds: float
    limit: int | None = None

    @classmethod
    def from_headers(cls, response: Response) -> Self | None:
        """Read a 429's own wait, else X-RateLimit-Limit, -Remaining and -Reset; None where they make no sense."""
        limit = _count(response, "x-ratelimit-limit")
        if response.status == 429 and (wait := status_error(response).retry_after) is not None:
            return cls(remaining=0, seconds=wait, limit=limit)
        remaining, reset = _count(response, "x-ratelimit-remaining"), _count(response, "x-ratelimit-reset")
        if remaining is None or reset is None:
            return None
        # The reset is a date by the server's clock, and may differ from ours: prefer the date of the answer.
        now = unix_seconds(response.headers.get("date", ""))
        return cls(remaining=remaining, seconds=reset - (response.received_at if now is None else now), limit=limit)


def _count(response: Response, header: str) -> int | None:
    text = response.headers.get(header, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


class RateLimiter:
    """Decides when a request may be sent: `acquire()` before each, `release()` after its answer or its failure.

    `per_minute` is a limit set by the caller; None for the server's limit alone.
    """

    __slots__ = ("_clock", "_in_flight", "_limit", "_lock", "_per_minute", "_remaining", "_reset_at", "_sent_at")

    def __init__(self, clock: Clock, per_minute: int | None = None) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._sent_at: deque[float] = deque()
        self._limit: int | None = None
        self._remaining: int | None = None
        self._reset_at = 0.0
        self._in_flight = 0
        self._lock = asyncio.Lock()

    def detached(self) -> "RateLimiter":
        """A limiter for another event loop, which knows what was sent and answered so far."""
        limiter = copy.copy(self)
        limiter._sent_at, limiter._in_flight, limiter._lock = self._sent_at.copy(), 0, asyncio.Lock()
        return limiter

    @property
    def server_wait(self) -> float:
        """Seconds until the server accepts requests again, as it said itself; 0 when it accepts them now."""
        is_used_up = self._remaining is not None and self._remaining <= 0
        return max(0.0, self._reset_at - self._clock.monotonic()) if is_used_up else 0.0

    @property
    def is_throttled(self) -> bool:
        """Whether a request would have to wait now, for the limit or behind other requests."""
        return self._lock.locked() or self._wait() > 0

    @property
    def expected_wait(self) -> float:
        """Seconds until the limit allows a request; others may be waiting in front of it."""
        return self._wait()

    async def acquire(self, longest_wait: float) -> None:
        """Wait until a request may be sent, and count it.

        RateLimitError when the server asks for a wait of more than `longest_wait` seconds.
        """
        # The lock is fair: no walk is overtaken. The wait is checked again after each sleep, because answers to other
        # requests may have changed it meanwhile.
        async with self._lock:
            while (seconds := self._wait()) > 0:
                if self.server_wait > longest_wait:
                    raise RateLimitError(
                        f"429: the server asked the client to send nothing for {self.server_wait:.0f} more seconds",
                        status=429,
                        retry_after=self.server_wait,
                        retryable=True,
                    )
                await self._clock.sleep(seconds)
            self._in_flight += 1
            if self._remaining is not None:
                self._remaining -= 1
            if self._per_minute is not None:
                self._sent_at.append(self._clock.monotonic())

    def release(self, limit: RateLimit | None = None) -> None:
        """Note that a request is over, and the `limit` that its answer reported."""
        self._in_flight -= 1
        if limit is not None and 0 < limit.seconds <= _LONGEST_WINDOW:
            self._reset_at = self._clock.monotonic() + limit.seconds
            self._limit = limit.limit or self._limit
            # The server may have counted requests in flight already, or not yet. Assume that it has not.
            self._remaining = limit.remaining - self._in_flight

    def _wait(self) -> float:
        """Seconds until a request may be sent."""
        now = self._clock.monotonic()
        if now >= self._reset_at:
            self._remaining = self._limit
        return max(self.server_wait, self._own_wait(now))

    def _own_wait(self, now: float) -> float:
        while self._sent_at and self._sent_at[0] <= now - _MINUTE:
            self._sent_at.popleft()
        if self._per_minute is None or len(self._sent_at) < self._per_minute:
            return 0.0
        return self._sent_at[0] + _MINUTE - now
