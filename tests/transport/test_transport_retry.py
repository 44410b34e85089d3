"""When to ask again: the policy as a pure function, and the quota that all calls of a client share."""

import asyncio
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clients import client_at
from support.clocks import ManualClock
from support.scripted_server import ScriptedServer, answer, page
from support.walk import walk_bucket

from mixpeek_async._retry import Attempts, RetryPolicy, RetryQuota
from mixpeek_async.errors import (
    ConnectionFailedError,
    InvalidArgumentError,
    MalformedResponseError,
    MixpeekError,
    NotFoundError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)
from mixpeek_async.models import Progress

BROKEN = ConnectionFailedError("broken")
POLICY = RetryPolicy()


def _ordered(seconds: float) -> RateLimitError:
    return RateLimitError("slow down", status=429, retry_after=seconds, retryable=True)


def _status(status: int) -> ServerError:
    return ServerError("no", status=status, retryable=True)


def _wait(
    failure: MixpeekError, *, own: int = 1, ordered: int = 0, left: float = 180.0, chance: float = 0.0
) -> float | None:
    malformed = own if isinstance(failure, MalformedResponseError) else 0
    return POLICY.wait(failure, Attempts(own=own, malformed=malformed, ordered=ordered), left, lambda: chance)


@pytest.mark.parametrize(
    ("failure", "own", "ceiling"),
    [
        (BROKEN, 1, 0.5),
        (BROKEN, 2, 1.0),
        (BROKEN, 3, 2.0),
        (BROKEN, 4, 4.0),
        (RequestTimeoutError("late"), 2, 1.0),
        (_status(500), 3, 2.0),
        (_status(429), 1, 1.0),
        (_status(503), 1, 1.0),
        (_status(503), 4, 8.0),
        (MalformedResponseError("cut", retryable=True), 2, 1.0),
    ],
)
def test_a_wait_is_drawn_from_zero_to_a_ceiling_that_doubles(failure: MixpeekError, own: int, ceiling: float) -> None:
    assert _wait(failure, own=own, chance=1.0) == ceiling
    assert _wait(failure, own=own, chance=0.5) == ceiling / 2
    assert _wait(failure, own=own, chance=0.0) == 0.05


@pytest.mark.parametrize(("failure", "highest"), [(BROKEN, 8.0), (_status(500), 8.0), (_status(503), 30.0)])
def test_the_ceiling_of_a_long_row_of_failures(failure: MixpeekError, highest: float) -> None:
    endless = RetryPolicy(attempts=10_000)
    assert endless.wait(failure, Attempts(own=5_000), 1e9, lambda: 1.0) == highest


@pytest.mark.parametrize(
    ("failure", "last"),
    [(BROKEN, 5), (_status(503), 5), (MalformedResponseError("cut", retryable=True), 3)],
)
def test_the_number_of_tries(failure: MixpeekError, last: int) -> None:
    assert [_wait(failure, own=own) is None for own in range(1, last + 1)] == [False] * (last - 1) + [True]


def test_other_failures_use_up_no_try_of_a_damaged_answer() -> None:
    damaged = MalformedResponseError("cut", retryable=True)
    assert POLICY.wait(damaged, Attempts(own=4, malformed=2), 180.0, lambda: 0.0) is not None
    assert POLICY.wait(damaged, Attempts(own=4, malformed=3), 180.0, lambda: 0.0) is None


def test_damaged_answers_have_no_more_tries_than_all_have() -> None:
    damaged = MalformedResponseError("cut", retryable=True)
    assert RetryPolicy(attempts=2).wait(damaged, Attempts(own=2), 180.0, lambda: 0.0) is None


@pytest.mark.parametrize(
    "failure",
    [
        NotFoundError("404", status=404),
        MalformedResponseError("a list"),
        RateLimitError("429", status=429, retry_after=1.0, retryable=False),
    ],
)
def test_what_is_not_retryable_is_the_end(failure: MixpeekError) -> None:
    assert _wait(failure) is None


@pytest.mark.parametrize(
    ("ordered", "chance", "wait"),
    [(10.0, 0.0, 10.0), (10.0, 1.0, 11.0), (60.0, 1.0, 65.0), (120.0, 1.0, 125.0), (0.001, 0.0, 0.05)],
)
def test_an_ordered_wait_is_obeyed_and_spread_a_little(ordered: float, chance: float, wait: float) -> None:
    assert _wait(_ordered(ordered), chance=chance) == pytest.approx(wait)


@pytest.mark.parametrize(
    ("ordered", "left"), [(120.1, 1e9), (3600.0, 1e9), (10.0, 10.0), (10.0, 5.0), (0.01, 0.02), (1.0, -1.0)]
)
def test_an_ordered_wait_that_is_too_long_is_the_end(ordered: float, left: float) -> None:
    assert _wait(_ordered(ordered), left=left) is None


def test_the_spread_gives_way_where_only_the_wait_itself_fits() -> None:
    assert _wait(_ordered(10.0), left=10.5, chance=1.0) == 10.0


def test_ordered_waits_use_up_no_attempts_and_are_fifty() -> None:
    assert [_wait(_ordered(1.0), own=4, ordered=ordered) for ordered in (1, 50, 51)] == [1.0, 1.0, None]


def test_only_failures_without_advice_count_as_attempts() -> None:
    attempts = Attempts()
    for failure in (BROKEN, _ordered(1.0), _ordered(2.0), _status(500)):
        attempts.count(failure)
    assert (attempts.own, attempts.ordered) == (2, 2)


@pytest.mark.parametrize("failure", [BROKEN, _ordered(1.0), _status(503)])
def test_one_attempt_is_one_attempt_whatever_the_server_says(failure: MixpeekError) -> None:
    attempts = Attempts()
    attempts.count(failure)
    assert RetryPolicy(attempts=1).wait(failure, attempts, 180.0, lambda: 0.0) is None


seconds = st.floats(0, 1e6)
policies = st.builds(
    RetryPolicy,
    attempts=st.integers(0, 100),
    backoff=seconds,
    max_backoff=seconds,
    throttled_backoff=seconds,
    max_throttled_backoff=seconds,
    max_retry_after=seconds,
    max_ordered_waits=st.integers(0, 100),
    spread=st.floats(0, 10),
    max_spread=seconds,
    min_wait=st.floats(0, 10),
    malformed_attempts=st.integers(0, 10),
)
failures = st.one_of(
    st.sampled_from([BROKEN, _status(500), _status(429), _status(503), NotFoundError("404")]),
    st.sampled_from([MalformedResponseError("cut", retryable=True), MalformedResponseError("a list")]),
    st.builds(_ordered, st.floats(1e-9, 1e9)),
)
tried = st.builds(Attempts, own=st.integers(0, 100), ordered=st.integers(0, 100))
chances = st.floats(0, 1, exclude_max=True)


@given(policies, failures, tried, st.floats(-1e6, 1e6), chances)
def test_any_wait_is_long_enough_and_fits_into_the_time_left(
    policy: RetryPolicy, failure: MixpeekError, attempts: Attempts, left: float, chance: float
) -> None:
    wait = policy.wait(failure, attempts, left, lambda: chance)
    assert wait is None or (0 <= policy.min_wait <= wait < left and math.isfinite(wait))


@given(policies, failures, tried, chances)
def test_a_try_more_than_the_policy_allows_is_never_made(
    policy: RetryPolicy, failure: MixpeekError, attempts: Attempts, chance: float
) -> None:
    if policy.wait(failure, attempts, 1e9, lambda: chance) is not None:
        assert failure.retryable
        assert policy.attempts > 1
        if failure.retry_after is None:
            assert attempts.own < policy.attempts
        else:
            assert attempts.ordered <= policy.max_ordered_waits


@given(st.floats(0.05, 120), chances)
def test_an_ordered_wait_is_never_cut_short_nor_stretched_by_more_than_its_share(ordered: float, chance: float) -> None:
    wait = _wait(_ordered(ordered), left=1e9, chance=chance)
    assert wait is not None
    assert ordered <= wait <= ordered + min(5.0, ordered * 0.1) + 1e-9


@given(st.integers(1, 4), st.sampled_from([BROKEN, _status(500), _status(503)]), chances)
def test_a_backoff_stays_under_its_ceiling(own: int, failure: MixpeekError, chance: float) -> None:
    base = 1.0 if failure is not BROKEN and getattr(failure, "status", 0) == 503 else 0.5
    wait = _wait(failure, own=own, chance=chance)
    assert wait is not None
    assert 0.05 <= wait <= base * 2 ** (own - 1)


NUMBERS = [
    "budget", "backoff", "max_backoff", "throttled_backoff", "max_throttled_backoff", "max_retry_after", "spread",
    "max_spread", "min_wait",
]  # fmt: skip
COUNTS = ["attempts", "max_ordered_waits", "malformed_attempts"]


@pytest.mark.parametrize("value", [-1, -0.001, math.nan, math.inf, True, "1", None])
@pytest.mark.parametrize("name", [*NUMBERS, *COUNTS])
def test_a_setting_that_is_no_number_of_at_least_zero_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"^{name} must be a (whole )?number of at least 0"):
        RetryPolicy(**{name: value})


@pytest.mark.parametrize("name", COUNTS)
def test_a_count_is_a_whole_number(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match="a whole number"):
        RetryPolicy(**{name: 1.5})  # type: ignore[arg-type]  # wrong on purpose


def test_the_quota_is_used_up_and_never_below_zero() -> None:
    quota = RetryQuota(capacity=12, price=5)
    assert [quota.take() for _ in range(4)] == [True, True, False, False]
    assert quota.tokens == 2


def test_a_success_gives_back_what_it_took_or_one_token() -> None:
    quota = RetryQuota(capacity=20, price=5)
    for _ in range(4):
        quota.take()
    quota.give_back(2)
    assert quota.tokens == 10
    quota.give_back(0)
    assert quota.tokens == 11


@given(st.lists(st.one_of(st.none(), st.integers(0, 5))))
def test_the_quota_stays_between_nothing_and_its_capacity(steps: list[int | None]) -> None:
    quota = RetryQuota(capacity=20, price=5)
    for step in steps:
        if step is None:
            quota.take()
        else:
            quota.give_back(step)
        assert 0 <= quota.tokens <= 20


async def test_a_server_that_fails_every_other_time_never_uses_the_quota_up() -> None:
    script = [part for n in range(200) for part in (answer(status=500), page(f"obj_{n}", next_cursor=f"c{n}"))]
    async with ScriptedServer(*script, page("last")) as server:
        outcome = await walk_bucket(server.url)
    assert (outcome.error, outcome.progress.retries) == (None, 200)


async def test_ordered_waits_cost_nothing_of_the_quota() -> None:
    limited = answer(status=429, headers={"Retry-After": "1"})
    async with ScriptedServer(limited) as server, client_at(server.url, clock=ManualClock()) as client:
        for _ in range(4):
            with pytest.raises(RateLimitError):
                await client.objects.list("bkt", page_size=1)
    assert len(server.requests) == 4 * 51


async def test_a_thousand_calls_to_a_dead_server_are_at_most_1100_requests() -> None:
    async with ScriptedServer() as server:
        url = server.url
    total = Progress()
    async with client_at(url, clock=ManualClock()) as client:
        for _ in range(1_000):
            pager = client.objects.list("bkt", page_size=1)
            with pytest.raises(ConnectionFailedError):
                await pager
            total.requests += pager.progress.requests
    assert 1_000 < total.requests <= 1_100


async def test_the_quota_is_shared_by_calls_side_by_side() -> None:
    async with ScriptedServer() as server:
        url = server.url
    async with client_at(url, clock=ManualClock()) as client:
        pagers = [client.objects.list("bkt", page_size=1) for _ in range(200)]
        failures = await asyncio.gather(*pagers, return_exceptions=True)
    assert {type(failure) for failure in failures} == {ConnectionFailedError}
    assert sum(pager.progress.retries for pager in pagers) == 100
