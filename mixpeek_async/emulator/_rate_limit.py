"""A rate limit with a fixed window, and the headers that are published for it."""

import itertools
import math
from collections.abc import Callable

import attrs

from mixpeek_async.emulator._errors import ApiError

WINDOW = 60
"""Seconds, counted from the first request of a window."""


@attrs.frozen
class Allowance:
    """The rate-limit headers for one request. `refusal` is set if the request exceeds the limit."""

    headers: dict[str, str] = attrs.field(factory=dict)
    refusal: ApiError | None = None

    def check(self) -> None:
        """Raise the refusal, if there is one."""
        if self.refusal is not None:
            raise self.refusal


class RateLimit:
    """At most `limit` requests a window, by `clock` (Unix seconds). None: no limit, and no headers."""

    def __init__(self, limit: int | None, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._starts = -math.inf
        self._used = 0

    def take(self) -> Allowance:
        """Count one request."""
        return Allowance() if self._limit is None else self._count(self._limit, self._clock())

    def _count(self, limit: int, now: float) -> Allowance:
        # After the clock was set back, no client must wait longer than a window.
        if not self._starts <= now < self._starts + WINDOW:
            self._starts, self._used = now, 0
        self._used += 1
        refusal = self._refusal(limit, now) if self._used > limit else None
        return Allowance(self._headers(limit), refusal)

    def _headers(self, limit: int) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - self._used)),
            "X-RateLimit-Reset": str(math.ceil(self._starts + WINDOW)),
            "X-RateLimit-Window": str(WINDOW),
        }

    def _refusal(self, limit: int, now: float) -> ApiError:
        # Uses the comparison that ends a window, because ceil(end - now) can round to one second too few.
        wait = next(s for s in itertools.count(1) if now + s >= self._starts + WINDOW)
        return ApiError(
            429,
            f"Rate limit exceeded: {limit} requests in {WINDOW} seconds",
            details={"limit": limit, "window": WINDOW, "retry_after": wait},
            headers={"Retry-After": str(wait)},
        )
