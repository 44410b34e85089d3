"""The fixed window of 60 seconds."""

import asyncio
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mixpeek_async.emulator import Emulator
from mixpeek_async.emulator._rate_limit import RateLimit


async def _statuses(post: Any, emulator: Emulator, count: int) -> list[int]:
    return [(await post(emulator)).status for _ in range(count)]


async def test_without_a_limit_there_are_no_headers(post: Any) -> None:
    async with Emulator() as emulator:
        assert not [name for name in (await post(emulator)).headers if name.startswith("X-RateLimit")]


async def test_requests_over_the_limit_are_refused(post: Any, clock: Any) -> None:
    async with Emulator(requests_per_minute=2, clock=clock) as emulator:
        assert await _statuses(post, emulator, 4) == [200, 200, 429, 429]


async def test_every_answer_tells_what_is_left(post: Any, clock: Any) -> None:
    async with Emulator(requests_per_minute=2, clock=clock) as emulator:
        replies = [await post(emulator), await post(emulator, path="/"), await post(emulator)]
    assert [reply.headers["X-RateLimit-Remaining"] for reply in replies] == ["1", "0", "0"]
    assert {reply.headers["X-RateLimit-Limit"] for reply in replies} == {"2"}
    assert {reply.headers["X-RateLimit-Reset"] for reply in replies} == {"1060"}
    assert {reply.headers["X-RateLimit-Window"] for reply in replies} == {"60"}


async def test_a_refusal_says_how_long_to_wait(post: Any, clock: Any) -> None:
    async with Emulator(requests_per_minute=1, clock=clock) as emulator:
        await post(emulator)
        clock.now += 20.5
        reply = await post(emulator)
    assert reply.headers["Retry-After"] == "40"
    assert reply.body["error"]["type"] == "TooManyRequestsError"
    assert reply.body["error"]["details"] == {"limit": 1, "window": 60, "retry_after": 40}


async def test_a_window_starts_at_the_first_request_behind_the_last_one(post: Any, clock: Any) -> None:
    async with Emulator(requests_per_minute=1, clock=clock) as emulator:
        await post(emulator)
        clock.now += 100
        assert (await post(emulator)).headers["X-RateLimit-Reset"] == "1160"


async def test_the_limit_is_judged_before_the_key(post: Any, clock: Any) -> None:
    async with Emulator(requests_per_minute=1, clock=clock) as emulator:
        await post(emulator)
        assert (await post(emulator, without="Authorization")).status == 429


async def test_a_clock_set_back_starts_a_new_window(post: Any, clock: Any) -> None:
    async with Emulator(requests_per_minute=1, clock=clock) as emulator:
        await post(emulator)
        clock.now -= 500
        assert (await post(emulator)).status == 200


@given(start=st.floats(0, 4e9), passed=st.floats(0, 59.999))
@example(start=0.1, passed=59.9999999999)
@settings(max_examples=300)
def test_a_request_after_exactly_the_ordered_wait_is_accepted(start: float, passed: float) -> None:
    now = [start]
    limit = RateLimit(1, lambda: now[0])
    limit.take()
    now[0] = start + passed
    refusal = limit.take().refusal
    if refusal is not None:  # near 60 seconds, rounding may put the request behind the window
        wait = int(refusal.answer.headers["Retry-After"])
        assert 1 <= wait <= 60
        now[0] += wait
        assert limit.take().refusal is None


async def test_an_answer_comes_after_the_latency(post: Any) -> None:
    async with Emulator(latency=0.01) as emulator:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await post(emulator)
        assert loop.time() - began >= 0.01
