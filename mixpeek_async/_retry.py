"""When to send a request again, and after how long. Pure: time and chance are arguments.

Backoff is exponential with full jitter: a wait is drawn evenly from zero to a ceiling that doubles. This spreads many
clients best: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from collections.abc import Callable
from typing import Any

import attrs

from mixpeek_async._checks import int_between, number, valid
from mixpeek_async.errors import MalformedResponseError, MixpeekError, StatusError

_THROTTLING = frozenset({429, 503})


@attrs.define
class Attempts:
    """What has been tried for one page.

    * `own`: failures after which the client chose the wait; `malformed` of them brought a damaged answer.
    * `ordered`: failures after which the server said how long to wait.
    * `resent`: the one resend without a wait, after a dead connection, was made.
    * `paid`: retries that were paid for with tokens of the quota.
    """

    own: int = 0
    malformed: int = 0
    ordered: int = 0
    resent: bool = False
    paid: int = 0

    def count(self, failure: MixpeekError) -> None:
        """Count one more failure."""
        if failure.retry_after is None:
            self.own += 1
            self.malformed += isinstance(failure, MalformedResponseError)
        else:
            self.ordered += 1


def _at_least_zero(_: type, fields: "list[attrs.Attribute[Any]]") -> "list[attrs.Attribute[Any]]":
    return [
        field.evolve(validator=valid(int_between(0) if field.type is int else number(or_zero=True))) for field in fields
    ]


@attrs.frozen(kw_only=True, field_transformer=_at_least_zero)
class RetryPolicy:
    """How often to try a request for a page, and how long to wait between two tries. All times are seconds.

    Listing only reads, so that sending a request again is always safe. `RetryPolicy(attempts=1)` never does.

    * `attempts`: the most tries for one page. A wait that the server ordered does not use one up.
    * `budget`: the most time for one page, waits after failures included. Waiting for a rate limit does not count, and
      there is no limit for a whole walk.
    * `backoff`, `max_backoff`: the first and the highest ceiling of a wait, which is drawn from zero to the ceiling.
    * `throttled_backoff`, `max_throttled_backoff`: the same for a 429 or 503 that does not say how long to wait.
    * `max_retry_after`: the longest wait ordered by the server that is obeyed. A longer one raises the error at once,
      with `.retry_after`.
    * `max_ordered_waits`: how many waits ordered by the server one page may take.
    * `spread`, `max_spread`: an ordered wait gets longer by up to this share, and by at most so many seconds, so that
      waiting clients do not all return at once.
    * `min_wait`: no wait is shorter, whatever the server says.
    * `malformed_attempts`: the most tries for an answer that arrives complete but damaged.
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
        """Seconds to wait before the next try; None to give up and raise `failure`.

        `attempts` includes this failure; `time_left` is what remains of `budget`; `chance` draws a number from [0, 1).
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
        # A wait that fits into the time left must still fit when it is stretched.
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
    """Tokens that all walks of a client share, so that many walks do not multiply the load on a dead server.

    A retry costs `price` tokens. A call that succeeds returns what it paid, or one token when it paid nothing. With 500
    tokens and 5 a retry, a thousand calls to a dead server send at most 1,100 requests.
    """

    capacity: int = 500
    price: int = 5
    tokens: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tokens = self.capacity

    def take(self) -> bool:
        """Pay for one retry; False, and nothing is paid, when there are too few tokens."""
        if self.tokens < self.price:
            return False
        self.tokens -= self.price
        return True

    def give_back(self, retries: int) -> None:
        """Return the tokens of a call that succeeded after so many paid retries."""
        self.tokens = min(self.capacity, self.tokens + max(1, retries * self.price))
