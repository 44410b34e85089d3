"""When to ask again, and after how long. Pure: time and chance are arguments.

Backoff is exponential with full jitter (a wait drawn evenly from zero to a ceiling that doubles), the form that
spreads a crowd of clients best: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from collections.abc import Callable
from typing import Any

import attrs

from mixpeek_async.errors import InvalidArgumentError, MalformedResponseError, MixpeekError, StatusError

_THROTTLING = frozenset({429, 503})


@attrs.define
class Attempts:
    """What has been tried for one page.

    `own` are failed tries, of which `malformed` brought a damaged answer; `ordered` are those after which the server
    said how long to wait; `resent` is whether the free resend is used up; `paid` are the retries that the quota was
    charged for.
    """

    own: int = 0
    malformed: int = 0
    ordered: int = 0
    resent: bool = False
    paid: int = 0

    def count(self, failure: MixpeekError) -> None:
        """One more failure."""
        if failure.retry_after is None:
            self.own += 1
            self.malformed += isinstance(failure, MalformedResponseError)
        else:
            self.ordered += 1


def _not_negative(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    kinds = int if attribute.type is int else int | float
    if isinstance(value, bool) or not isinstance(value, kinds) or not 0 <= value < float("inf"):
        what = "a whole number" if attribute.type is int else "a number"
        raise InvalidArgumentError(f"{attribute.name} must be {what} of at least 0, not {value!r:.100}")


@attrs.frozen(kw_only=True, field_transformer=lambda _, fields: [f.evolve(validator=_not_negative) for f in fields])
class RetryPolicy:
    """How often one page is asked for, and how long to wait in between. All times are seconds.

    Listing only reads, so asking again is always safe. `RetryPolicy(attempts=1)` never asks twice.

    * `attempts`: the most tries of our own for one page; a wait that the server ordered does not use one up.
    * `budget`: the most time for one page, waits included. There is no limit on a walk.
    * `backoff`, `max_backoff`: the first and the highest ceiling of a wait; the wait is drawn from zero to there.
    * `throttled_backoff`, `max_throttled_backoff`: the same for 429 and 503 that bring no advice.
    * `max_retry_after`: the longest ordered wait that is obeyed; a longer one raises at once, with `.retry_after`.
    * `max_ordered_waits`: how many ordered waits one page may take.
    * `spread`, `max_spread`: an ordered wait is stretched by up to this share, and by at most so many seconds, so
      that a crowd does not come back as one.
    * `min_wait`: no wait is shorter, whatever a server says: there is no hot loop.
    * `malformed_attempts`: tries for an answer that arrives damaged although its transfer was whole.
    """

    attempts: int = 5
    budget: float = 180.0
    backoff: float = 0.5
    max_backoff: float = 8.0
    throttled_backoff: float = 1.0
    max_throttled_backoff: float = 30.0
    max_retry_after: float = 120.0
    max_ordered_waits: int = 50
    spread: float = 0.1
    max_spread: float = 5.0
    min_wait: float = 0.05
    malformed_attempts: int = 3

    def wait(
        self, failure: MixpeekError, attempts: Attempts, time_left: float, chance: Callable[[], float]
    ) -> float | None:
        """Seconds until the next try, or None to give up.

        `attempts` counts this failure already; `time_left` is what remains of `budget`; `chance` draws from
        [0, 1).
        """
        if not failure.retryable or self.attempts <= 1:
            return None
        if failure.retry_after is not None:
            return self._ordered_wait(failure.retry_after, attempts, time_left, chance)
        damaged = isinstance(failure, MalformedResponseError)
        if attempts.own >= self.attempts or (damaged and attempts.malformed >= self.malformed_attempts):
            return None
        wait = max(self.min_wait, chance() * self._ceiling(failure, attempts.own - 1))
        return wait if wait < time_left else None

    def _ordered_wait(
        self, seconds: float, attempts: Attempts, time_left: float, chance: Callable[[], float]
    ) -> float | None:
        wait = max(self.min_wait, seconds)
        if seconds > self.max_retry_after or wait >= time_left or attempts.ordered > self.max_ordered_waits:
            return None
        stretched = wait + chance() * min(self.max_spread, self.spread * wait)
        return stretched if stretched < time_left else wait

    def _ceiling(self, failure: MixpeekError, failures_before: int) -> float:
        if isinstance(failure, StatusError) and failure.status in _THROTTLING:
            first, highest = self.throttled_backoff, self.max_throttled_backoff
        else:
            first, highest = self.backoff, self.max_backoff
        return min(highest, first * 2.0 ** min(failures_before, 64))


@attrs.define
class RetryQuota:
    """A store of tokens that all calls of a client share, so that a dead server is not asked five times by each.

    A retry takes `price` tokens; a call that succeeds gives back what it took, or one token when it took none.
    At 500 tokens and 5 a retry, a thousand calls to a dead server are at most 1,100 requests.
    """

    capacity: int = 500
    price: int = 5
    tokens: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tokens = self.capacity

    def take(self) -> bool:
        """Pay for one retry; False, and nothing taken, when there is too little left."""
        if self.tokens < self.price:
            return False
        self.tokens -= self.price
        return True

    def give_back(self, retries: int) -> None:
        """A call came through after so many paid retries."""
        self.tokens = min(self.capacity, self.tokens + max(1, retries * self.price))
