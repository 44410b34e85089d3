"""Time-outs that end with the client, and leave the caller's own cancellations and time-outs alone."""

import asyncio

import pytest

from mixpeek_async._timeouts import Timeouts


async def _wait_within(timeouts: Timeouts, seconds: float | None) -> float:
    """Wait until the time-out comes; returns the seconds that it took."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(TimeoutError):
        async with timeouts.within(seconds):
            await asyncio.Event().wait()
    return loop.time() - start


async def test_each_of_many_ends_when_it_is_due() -> None:
    timeouts = Timeouts()
    due = [0.03, 0.01, 0.0, -1.0]
    took = await asyncio.gather(*(_wait_within(timeouts, seconds) for seconds in due))
    assert all(seconds <= waited for seconds, waited in zip(due, took, strict=True))
    assert max(took) < 1


async def test_a_block_that_finishes_in_time_is_forgotten() -> None:
    timeouts = Timeouts()
    async with timeouts.within(60):
        assert timeouts._open
    assert not timeouts._open


async def test_the_end_of_all_ends_blocks_with_and_without_a_limit() -> None:
    timeouts = Timeouts()
    waiting = [asyncio.create_task(_wait_within(timeouts, seconds)) for seconds in (60, None)]
    await asyncio.sleep(0)
    timeouts.end_all()
    timeouts.end_all()
    assert max(await asyncio.gather(*waiting)) < 1
    assert [task.cancelling() for task in waiting] == [0, 0]


async def test_the_end_of_all_with_nothing_open_does_nothing() -> None:
    Timeouts().end_all()


async def test_a_cancellation_in_the_moment_of_the_end_stays_a_cancellation() -> None:
    timeouts = Timeouts()
    waiting = asyncio.create_task(_wait_within(timeouts, 60))
    await asyncio.sleep(0)
    timeouts.end_all()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_the_callers_own_time_out_around_ours_is_the_callers() -> None:
    timeouts = Timeouts()

    async def wait() -> None:
        async with timeouts.within(60):
            await asyncio.Event().wait()

    callers = asyncio.timeout(0.01)
    with pytest.raises(TimeoutError):
        async with callers:
            await wait()
    assert callers.expired()
    assert not timeouts._open


async def test_a_block_within_another_ends_alone() -> None:
    timeouts = Timeouts()
    async with timeouts.within(60):
        assert await _wait_within(timeouts, 0.01) < 1


async def test_an_error_in_the_moment_of_the_end_is_raised_and_cancels_nothing() -> None:
    timeouts = Timeouts()

    async def fail_at_the_end() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LookupError from None

    asyncio.get_running_loop().call_soon(timeouts.end_all)
    with pytest.raises(LookupError):
        async with timeouts.within(60):
            await fail_at_the_end()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
