"""Time-outs with one timer: each ends when it is due, and a cancellation of somebody else's stays one."""

import asyncio

import pytest

from mixpeek_async._deadlines import Deadlines


async def _wait_within(deadlines: Deadlines, seconds: float) -> float:
    """Wait for ever within a time-out, and give the seconds that it took."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(TimeoutError), deadlines.within(seconds):
        await asyncio.Event().wait()
    return loop.time() - start


async def test_each_of_many_ends_when_it_is_due_whatever_the_order_in_which_they_began() -> None:
    deadlines = Deadlines()
    due = [0.03, 0.01, 0.05, 0.0, -1.0, 0.02]
    took = await asyncio.gather(*(_wait_within(deadlines, seconds) for seconds in due))
    assert all(seconds <= waited for seconds, waited in zip(due, took, strict=True))
    assert max(took) < 1


async def test_what_ends_in_time_leaves_no_trace() -> None:
    deadlines = Deadlines()
    with deadlines.within(0.01):
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)
    assert deadlines._timer is None


async def test_one_that_has_left_ends_none_that_stays() -> None:
    deadlines = Deadlines()
    staying = asyncio.create_task(_wait_within(deadlines, 0.03))
    with deadlines.within(0.01):
        await asyncio.sleep(0)
    assert await staying >= 0.03


async def test_one_without_an_end_waits_for_the_end_of_all() -> None:
    deadlines = Deadlines()
    waiting = asyncio.create_task(_wait_within(deadlines, float("inf")))
    await _wait_within(deadlines, 0.01)
    assert not waiting.done()
    deadlines.end_all()
    assert await waiting < 1


async def test_the_end_of_all_may_be_said_twice_and_when_there_is_nothing() -> None:
    deadlines = Deadlines()
    deadlines.end_all()
    waiting = asyncio.create_task(_wait_within(deadlines, 60))
    await asyncio.sleep(0)
    deadlines.end_all()
    deadlines.end_all()
    assert await waiting < 1
    assert waiting.cancelling() == 0


async def test_a_cancellation_from_outside_is_one_also_in_the_moment_of_a_time_out() -> None:
    deadlines = Deadlines()
    waiting = asyncio.create_task(_wait_within(deadlines, 60))
    await asyncio.sleep(0)
    deadlines.end_all()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_one_within_another_ends_alone() -> None:
    deadlines = Deadlines()
    with deadlines.within(60):
        assert await _wait_within(deadlines, 0.01) < 1


async def test_an_error_in_the_moment_of_a_time_out_is_that_error_and_cancels_nothing() -> None:
    deadlines = Deadlines()

    async def fail_at_the_end() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LookupError from None

    asyncio.get_running_loop().call_soon(deadlines.end_all)
    with pytest.raises(LookupError), deadlines.within(60):
        await fail_at_the_end()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


def test_a_second_loop_has_a_timer_of_its_own() -> None:
    deadlines = Deadlines()

    async def leave_a_timer_behind() -> None:
        with deadlines.within(0.01):
            await asyncio.sleep(0)

    asyncio.run(leave_a_timer_behind())
    assert asyncio.run(asyncio.wait_for(_wait_within(deadlines, 0.02), 2)) >= 0.02
