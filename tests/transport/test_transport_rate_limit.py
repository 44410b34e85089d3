"""One rate limit for all walks of a client: they slow down before they are refused. The clock is the test's own."""

import asyncio
from typing import Any

import pytest
from support.clients import connect
from support.clocks import ManualClock

from mixpeek_async import AsyncMixpeek, ClientClosedError, InvalidArgumentError, RateLimitError
from mixpeek_async._rate_limiter import RateLimit, RateLimiter
from mixpeek_async._wire import Response
from mixpeek_async.emulator import Emulator, Fault


class ClockOfAQuietNetwork(ManualClock):
    """Time that does not jump while requests are on their way."""

    async def sleep(self, seconds: float, /) -> None:
        await asyncio.sleep(0.02)
        await super().sleep(seconds)


@pytest.mark.parametrize("options", [{}, {"requests_per_minute": 60}], ids=["by the headers", "by a limit of our own"])
async def test_8_walkers_under_60_requests_a_minute_meet_at_most_one_refusal(options: dict[str, Any]) -> None:
    clock = ClockOfAQuietNetwork()
    async with (
        Emulator(objects=300, requests_per_minute=60, clock=clock.time) as emulator,
        connect(emulator, clock=clock, **options) as client,
    ):
        pagers = [client.objects.list(emulator.bucket, page_size=10) for _ in range(8)]
        walked = await asyncio.gather(*(pager.to_list() for pager in pagers))

        assert [len(objects) for objects in walked] == [300] * 8
        assert sum(pager.progress.retries for pager in pagers) <= 1
        assert sum(pager.progress.waited for pager in pagers) >= 180


async def test_walkers_take_turns() -> None:
    clock = ManualClock()
    async with Emulator(objects=300) as emulator, connect(emulator, clock=clock, requests_per_minute=6) as client:
        pagers = [client.objects.list(emulator.bucket, page_size=10, prefetch=0) for _ in range(3)]

        async def walk_a_while(pager: Any) -> None:
            async for _ in pager:
                if sum(p.progress.requests for p in pagers) > 30:
                    break

        await asyncio.gather(*map(walk_a_while, pagers))
        counts = [pager.progress.requests for pager in pagers]
        assert max(counts) - min(counts) <= 2


async def test_a_limit_of_our_own_holds_for_any_minute() -> None:
    clock = ManualClock()
    async with Emulator(objects=100) as emulator, connect(emulator, clock=clock, requests_per_minute=10) as client:
        pager = client.objects.list(emulator.bucket, page_size=4)
        assert len(await pager.to_list()) == 100
        # 25 requests: ten at once, ten a minute later, and the rest after another.
        assert clock.monotonic() == pytest.approx(120)
        assert pager.progress.waited == pytest.approx(120)


async def test_a_small_walk_under_a_limit_does_not_wait() -> None:
    clock = ManualClock()
    async with Emulator(objects=100) as emulator, connect(emulator, clock=clock, requests_per_minute=10) as client:
        pager = client.objects.list(emulator.bucket, page_size=10)
        await pager.to_list()
        assert pager.progress.waited == 0


async def test_a_wait_longer_than_the_policy_allows_is_an_error_at_once() -> None:
    clock = ManualClock()
    faults = {1: Fault.rate_limited(3600)}
    async with Emulator(objects=3, faults=faults) as emulator, connect(emulator, clock=clock) as client:
        for _ in range(3):
            with pytest.raises(RateLimitError) as caught:
                await client.objects.list(emulator.bucket).to_list()
            assert caught.value.retry_after == pytest.approx(3600)
        assert len(emulator.requests) == 1
        assert clock.slept == []

        await clock.sleep(3600)
        assert len(await client.objects.list(emulator.bucket).to_list()) == 3


@pytest.mark.parametrize("prefetch", [0, 1])
async def test_closing_the_client_ends_the_waiting(prefetch: int) -> None:
    async with Emulator(objects=100) as emulator:
        client = connect(emulator, requests_per_minute=1)
        walking = asyncio.create_task(client.objects.list(emulator.bucket, page_size=10, prefetch=prefetch).to_list())
        while not client._transport._rate_limiter._lock.locked():
            await asyncio.sleep(0.001)
        async with asyncio.timeout(20):
            await client.aclose()
            with pytest.raises(ClientClosedError):
                await walking


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "60"])
def test_a_limit_that_is_no_number_of_requests_is_refused(limit: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="requests_per_minute"):
        AsyncMixpeek("sk_test", namespace="test", requests_per_minute=limit)


def answer(status: int = 200, **headers: str) -> Response:
    return Response(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        received_at=1_000_000_000.0,
    )


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (answer(), None),
        (answer(x_ratelimit_remaining="5"), None),
        (answer(x_ratelimit_remaining="five", x_ratelimit_reset="1000000030"), None),
        (answer(x_ratelimit_remaining="-5", x_ratelimit_reset="1000000030"), None),
        (answer(x_ratelimit_remaining="9" * 99, x_ratelimit_reset="1000000030"), None),
        (
            answer(x_ratelimit_remaining="5", x_ratelimit_reset="1000000030"),
            RateLimit(remaining=5, seconds=30.0),
        ),
        (
            answer(x_ratelimit_remaining="5", x_ratelimit_reset="1000000030", x_ratelimit_limit="60"),
            RateLimit(remaining=5, seconds=30.0, limit=60),
        ),
        (
            answer(x_ratelimit_remaining="5", x_ratelimit_reset="1000000030", date="Sun, 09 Sep 2001 01:46:50 GMT"),
            RateLimit(remaining=5, seconds=20.0),
        ),
        (answer(429), None),
        (
            answer(429, x_ratelimit_remaining="0", x_ratelimit_reset="1000000030"),
            RateLimit(remaining=0, seconds=30.0),
        ),
        (answer(429, retry_after="7"), RateLimit(remaining=0, seconds=7.0)),
    ],
)
def test_what_headers_say_of_a_limit(response: Response, said: RateLimit | None) -> None:
    assert RateLimit.from_headers(response) == said


@pytest.mark.parametrize("seconds", [-5.0, 0.0, 1e9])
async def test_a_window_that_makes_no_sense_is_ignored(seconds: float) -> None:
    limiter = RateLimiter(ManualClock())
    await limiter.acquire(120.0)
    limiter.release(RateLimit(remaining=0, seconds=seconds))
    assert not limiter.is_throttled


async def test_the_next_window_is_as_large_as_the_last() -> None:
    clock = ManualClock()
    limiter = RateLimiter(clock)
    await limiter.acquire(120.0)
    limiter.release(RateLimit(remaining=0, seconds=10.0, limit=2))
    for _ in range(2):
        await limiter.acquire(120.0)
    assert clock.slept == [10.0]


async def test_waiting_for_the_rate_limit_is_no_part_of_a_pages_budget() -> None:
    clock = ManualClock()
    async with Emulator(objects=3) as emulator, connect(emulator, clock=clock, requests_per_minute=1) as client:
        pagers = [client.objects.list(emulator.bucket) for _ in range(6)]
        walked = await asyncio.gather(*(pager.to_list() for pager in pagers))
        assert [len(objects) for objects in walked] == [3] * 6
        # The budget of a page is 180 seconds; the last walk waited for longer than that before it could ask.
        assert sorted(pager.progress.waited for pager in pagers) == pytest.approx([0, 60, 120, 180, 240, 300])


async def test_a_wait_that_becomes_too_long_in_the_queue_is_raised() -> None:
    clock = ManualClock()
    limiter = RateLimiter(clock)
    await limiter.acquire(120.0)
    await limiter.acquire(120.0)
    limiter.release(RateLimit(remaining=0, seconds=60.0))
    waiting = asyncio.create_task(limiter.acquire(120.0))
    await asyncio.sleep(0)
    limiter.release(RateLimit(remaining=0, seconds=3_000.0))
    with pytest.raises(RateLimitError) as caught:
        await waiting
    assert caught.value.retry_after == pytest.approx(2_940)
