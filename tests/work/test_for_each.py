"""`for_each`: many handlers at once, and a checkpoint that passes no object whose handler has not finished."""

import asyncio
import functools
import itertools
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clients import client_at
from support.clocks import ManualClock

from mixpeek_async import AsyncMixpeek, InvalidArgumentError, InvalidObjectError, Object, ServerError
from mixpeek_async.emulator import Emulator, Fault


def on(emulator: Emulator, clock: ManualClock | None = None) -> AsyncMixpeek:
    return client_at(emulator.url, api_key=emulator.api_key, namespace=emulator.namespace, clock=clock or ManualClock())


class Job:
    """Handles objects: `done` holds the ids whose handler has finished, `checkpoint` is what was committed last.

    A commit is checked: nothing lies before it that is not done.
    """

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids
        self.done: list[str] = []
        self.commits: list[str] = []

    @property
    def checkpoint(self) -> str | None:
        return self.commits[-1] if self.commits else None

    async def handle(self, obj: Object) -> None:
        await asyncio.sleep(0)
        self.done.append(obj.object_id)


class HandlerError(Exception):
    """What a handler of these tests raises."""


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@settings(deadline=None, max_examples=40)
@given(
    shape=st.sampled_from(["cursor", "has_more", "page"]),
    objects=st.integers(0, 25),
    page_size=st.integers(1, 6),
    concurrency=st.integers(1, 8),
    seed=st.integers(0, 2**32),
)
async def test_each_object_is_handled_and_a_resume_repeats_at_most_what_was_started(
    shape: str, objects: int, page_size: int, concurrency: int, seed: int
) -> None:
    chance = random.Random(seed)
    async with Emulator(objects=objects, pagination=shape) as emulator, on(emulator) as client:
        ids = emulator.object_ids()
        handled: list[str] = []
        committed: list[str] = []
        running = 0

        async def handle(obj: Object) -> None:
            nonlocal running
            running += 1
            assert running <= concurrency
            try:
                await turns(chance.randrange(6))
                if chance.random() < 0.1:
                    raise HandlerError
                handled.append(obj.object_id)
            finally:
                running -= 1

        async def commit(checkpoint: str) -> None:
            await turns(chance.randrange(3))
            # All objects in front of the checkpoint are handled by now.
            rest = client.objects.list(emulator.bucket, resume=checkpoint)
            left = {obj.object_id for obj in await rest.to_list()}
            assert set(ids) - left <= set(handled)
            committed.append(checkpoint)

        while True:
            resume = committed[-1] if committed else None
            pager = client.objects.list(emulator.bucket, page_size=page_size, resume=resume)
            work = asyncio.ensure_future(
                pager.for_each(handle, concurrency=concurrency, commit=commit, commit_every=chance.choice([0, 1, 9]))
            )
            if chance.random() < 0.3:
                await turns(chance.randrange(200))
                work.cancel()
            try:
                await work
            except (HandlerError, asyncio.CancelledError):
                assert running == 0
                # A task that is cancelled before it began commits nothing.
                assert not committed or pager.checkpoint == committed[-1]
            else:
                break
        assert set(handled) == set(ids)


async def test_it_returns_how_many_objects_were_handled_and_commits_the_end() -> None:
    async with Emulator(objects=25) as emulator, on(emulator) as client:
        job = Job(emulator.object_ids())
        pager = client.objects.list(emulator.bucket, page_size=10)
        assert await pager.for_each(job.handle, commit=job.commits.append) == 25
        assert sorted(job.done) == sorted(job.ids)
        assert pager.progress.items == 25
        rest = client.objects.list(emulator.bucket, resume=job.checkpoint)
        assert await rest.to_list() == []


async def test_without_commit_it_only_calls_the_handler() -> None:
    async with Emulator(objects=5) as emulator, on(emulator) as client:
        job = Job(emulator.object_ids())
        assert await client.objects.list(emulator.bucket).for_each(job.handle, concurrency=1) == 5
        assert job.done == job.ids


async def test_an_empty_bucket_commits_once() -> None:
    async with Emulator() as emulator, on(emulator) as client:
        job = Job([])
        assert await client.objects.list(emulator.bucket).for_each(job.handle, commit=job.commits.append) == 0
        assert len(job.commits) == 1


async def test_commits_are_no_closer_than_asked_for() -> None:
    clock = ManualClock()
    times: list[float] = []

    async def handle(obj: Object) -> None:
        clock.advance(0.3)
        await turns(3)

    async with Emulator(objects=40) as emulator, on(emulator, clock) as client:
        pager = client.objects.list(emulator.bucket)
        await pager.for_each(handle, concurrency=1, commit=lambda _: times.append(clock.monotonic()), commit_every=2.0)
    assert len(times) > 3
    assert all(later - earlier >= 2.0 for earlier, later in itertools.pairwise(times[:-1]))


async def test_a_plain_handler_runs_in_threads_of_its_own() -> None:
    together = threading.Barrier(12, timeout=20)

    def handle(obj: Object) -> None:
        assert threading.current_thread() is not threading.main_thread()
        together.wait()

    async with Emulator(objects=12) as emulator, on(emulator) as client:
        assert await client.objects.list(emulator.bucket).for_each(handle, concurrency=12) == 12


async def test_an_error_of_a_plain_handler_goes_out_even_if_no_future_takes_it() -> None:
    def handle(obj: Object) -> None:
        raise StopIteration

    async with Emulator(objects=1) as emulator, on(emulator) as client:
        with pytest.raises(RuntimeError, match="StopIteration"):
            await client.objects.list(emulator.bucket).for_each(handle)


@pytest.mark.parametrize("as_coroutine", [True, False])
async def test_a_plain_handler_that_returns_something_to_await_is_refused(as_coroutine: bool) -> None:
    job = Job([])
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with Emulator(objects=1) as emulator, on(emulator) as client:
        with pytest.raises(InvalidArgumentError, match="pass an async function"):
            await client.objects.list(emulator.bucket).for_each(lambda obj: job.handle(obj) if as_coroutine else future)


async def test_a_partial_of_an_async_function_is_awaited() -> None:
    async def handle(seen: list[str], obj: Object) -> None:
        seen.append(obj.object_id)

    seen: list[str] = []
    async with Emulator(objects=2) as emulator, on(emulator) as client:
        await client.objects.list(emulator.bucket).for_each(functools.partial(handle, seen))
        assert seen == emulator.object_ids()


async def test_an_error_lets_what_runs_finish_and_starts_nothing_new() -> None:
    started: list[str] = []
    finished: list[str] = []
    commits: list[str] = []

    async def handle(obj: Object) -> None:
        started.append(obj.object_id)
        if obj.object_id == ids[1]:
            raise HandlerError("mine")
        await turns(20)
        finished.append(obj.object_id)

    async with Emulator(objects=10) as emulator, on(emulator) as client:
        ids = emulator.object_ids()
        pager = client.objects.list(emulator.bucket)
        with pytest.raises(HandlerError, match=r"^mine$"):
            await pager.for_each(handle, concurrency=3, commit=commits.append)
        assert started == ids[:3]
        assert finished == [ids[0], ids[2]]
        # Everything from the object that failed on comes again.
        rest = await client.objects.list(emulator.bucket, resume=commits[-1]).to_list()
        assert [obj.object_id for obj in rest] == ids[1:]
        assert pager.checkpoint == commits[-1]


async def test_of_several_errors_the_first_goes_out() -> None:
    async def handle(obj: Object) -> None:
        await turns(5 if obj.object_id == ids[0] else 2)
        raise HandlerError(obj.object_id)

    async with Emulator(objects=2) as emulator, on(emulator) as client:
        ids = emulator.object_ids()
        with pytest.raises(HandlerError, match=ids[1]):
            await client.objects.list(emulator.bucket).for_each(handle)


@pytest.mark.parametrize("is_async", [True, False])
async def test_on_error_takes_note_and_the_work_goes_on(is_async: bool) -> None:
    notes: list[tuple[str, str]] = []

    def note(obj: Object, error: Exception) -> None:
        notes.append((obj.object_id, str(error)))

    async def note_later(obj: Object, error: Exception) -> None:
        await asyncio.sleep(0)
        note(obj, error)

    async def handle(obj: Object) -> None:
        if obj.object_id == ids[3]:
            raise HandlerError("no")

    async with Emulator(objects=6) as emulator, on(emulator) as client:
        ids = emulator.object_ids()
        commits: list[str] = []
        on_error: Callable[[Object, Exception], object] = note_later if is_async else note
        pager = client.objects.list(emulator.bucket)
        assert await pager.for_each(handle, on_error=on_error, commit=commits.append) == 5
        assert notes == [(ids[3], "no")]
        assert await client.objects.list(emulator.bucket, resume=commits[-1]).to_list() == []


async def test_a_bad_record_is_the_matter_of_on_invalid() -> None:
    async with Emulator(objects=4) as emulator, on(emulator) as client:
        ids = emulator.object_ids()
        emulator.update(ids[1], bucket_id=7)
        job = Job(ids)
        skipping = client.objects.list(emulator.bucket, on_invalid="skip")
        assert await skipping.for_each(job.handle) == 3

        commits: list[str] = []
        with pytest.raises(InvalidObjectError) as caught:
            await client.objects.list(emulator.bucket).for_each(job.handle, commit=commits.append)
        # The place is behind the bad record, as after any walk that raised this.
        assert caught.value.checkpoint == commits[-1]
        rest = await client.objects.list(emulator.bucket, resume=commits[-1]).to_list()
        assert [obj.object_id for obj in rest] == ids[2:]


async def test_an_error_of_the_walk_brings_the_place_of_the_first_unfinished_object() -> None:
    async def handle(obj: Object) -> None:
        await turns(300)
        if obj.object_id == ids[1]:
            raise HandlerError

    async with Emulator(objects=6, faults={2: Fault.http(501)}) as emulator, on(emulator) as client:
        ids = emulator.object_ids()
        with pytest.raises(ServerError) as caught:
            await client.objects.list(emulator.bucket, page_size=3, prefetch=0).for_each(handle)
        rest = await client.objects.list(emulator.bucket, resume=caught.value.checkpoint).to_list()
        assert [obj.object_id for obj in rest] == ids[1:]


async def test_a_handler_that_hangs_stops_the_reading_at_the_window() -> None:
    hangs = asyncio.Event()

    async def handle(obj: Object) -> None:
        if obj.object_id == ids[0]:
            await hangs.wait()

    async with Emulator(objects=2_500) as emulator, on(emulator) as client:
        ids = emulator.object_ids()
        pager = client.objects.list(emulator.bucket, page_size=100)
        work = asyncio.ensure_future(pager.for_each(handle, concurrency=2))
        while pager.progress.items < 1_000:
            await asyncio.sleep(0.001)
        await turns(500)
        assert pager.progress.items == 1_000
        hangs.set()
        assert await work == 2_500


async def test_cancelling_cancels_the_handlers_and_commits() -> None:
    cancelled: list[str] = []

    async def handle(obj: Object) -> None:
        if obj.object_id in ids[:2]:
            return
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            cancelled.append(obj.object_id)
            raise

    async with Emulator(objects=9) as emulator, on(emulator) as client:
        ids = emulator.object_ids()
        commits: list[str] = []
        tasks = asyncio.all_tasks()
        pager = client.objects.list(emulator.bucket)
        work = asyncio.ensure_future(pager.for_each(handle, concurrency=3, commit=commits.append, commit_every=1e6))
        while pager.progress.items < 5:
            await asyncio.sleep(0.001)
        work.cancel()
        await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert sorted(cancelled) == sorted(ids[2:5])
        rest = await client.objects.list(emulator.bucket, resume=commits[-1]).to_list()
        assert [obj.object_id for obj in rest] == ids[2:]
        # What is left are the connections of the emulator.
        assert [repr(task) for task in asyncio.all_tasks() - tasks if "mixpeek_async/_" in repr(task)] == []


async def test_cancelling_waits_for_threads_and_counts_what_they_finish() -> None:
    go_on = threading.Event()
    commits: list[str] = []

    def handle(obj: Object) -> None:
        go_on.wait(20)

    async with Emulator(objects=5) as emulator, on(emulator) as client:
        ids = emulator.object_ids()
        pager = client.objects.list(emulator.bucket)
        work = asyncio.ensure_future(pager.for_each(handle, concurrency=2, commit=commits.append))
        while pager.progress.items < 2:
            await asyncio.sleep(0.001)
        work.cancel()
        await turns(5)
        assert not work.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await work
        rest = await client.objects.list(emulator.bucket, resume=commits[-1]).to_list()
        assert [obj.object_id for obj in rest] == ids[2:]


async def test_an_error_of_commit_ends_the_work_and_commit_is_tried_once_more() -> None:
    calls: list[str] = []

    def commit(checkpoint: str) -> None:
        calls.append(checkpoint)
        if len(calls) == 1:
            raise OSError("disk full")

    async def handle(obj: Object) -> None:
        await turns(10)

    async with Emulator(objects=30) as emulator, on(emulator) as client:
        with pytest.raises(OSError, match="disk full"):
            await client.objects.list(emulator.bucket).for_each(handle, concurrency=1, commit=commit, commit_every=0)
    assert len(calls) == 2


async def test_commits_never_overlap() -> None:
    committing = 0

    async def commit(checkpoint: str) -> None:
        nonlocal committing
        committing += 1
        assert committing == 1
        await turns(50)
        committing -= 1

    job = Job([])
    async with Emulator(objects=30) as emulator, on(emulator) as client:
        await client.objects.list(emulator.bucket).for_each(job.handle, concurrency=4, commit=commit, commit_every=0)
    assert committing == 0


async def test_cancelling_during_a_commit_cancels_it_and_commits_anew() -> None:
    began: list[str] = []
    made: list[str] = []
    slow = True

    async def commit(checkpoint: str) -> None:
        began.append(checkpoint)
        if slow:
            await asyncio.Event().wait()
        made.append(checkpoint)

    job = Job([])
    async with Emulator(objects=3) as emulator, on(emulator) as client:
        work = asyncio.ensure_future(
            client.objects.list(emulator.bucket).for_each(job.handle, commit=commit, commit_every=0)
        )
        while not began:
            await asyncio.sleep(0.001)
        slow = False
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert await client.objects.list(emulator.bucket, resume=made[-1]).to_list() == []


async def test_cancelling_during_the_last_commit_makes_it_anew() -> None:
    began: list[str] = []
    made: list[str] = []

    async def commit(checkpoint: str) -> None:
        began.append(checkpoint)
        if len(began) == 1:
            await asyncio.Event().wait()
        made.append(checkpoint)

    async with Emulator() as emulator, on(emulator) as client:
        work = asyncio.ensure_future(client.objects.list(emulator.bucket).for_each(print, commit=commit))
        while not began:
            await asyncio.sleep(0.001)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert made == began[:1]


async def test_a_handler_that_is_cancelled_from_elsewhere_ends_the_work() -> None:
    async def handle(obj: Object) -> None:
        raise asyncio.CancelledError("elsewhere")

    async with Emulator(objects=3) as emulator, on(emulator) as client:
        with pytest.raises(asyncio.CancelledError, match="elsewhere"):
            await client.objects.list(emulator.bucket).for_each(handle)


async def test_closing_the_pager_ends_the_reading() -> None:
    async with Emulator(objects=500) as emulator, on(emulator) as client:
        pager = client.objects.list(emulator.bucket, page_size=5)
        handled: list[str] = []

        async def handle(obj: Object) -> None:
            handled.append(obj.object_id)
            if len(handled) == 7:
                await pager.aclose()

        assert await pager.for_each(handle, concurrency=1) == len(handled)
        assert 7 <= len(handled) < 500


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"handler": 3}, "handler must be a function, not 3"),
        ({"concurrency": 0}, "concurrency must be a whole number of at least 1, not 0"),
        ({"commit": "file"}, "commit must be a function, not 'file'"),
        ({"commit_every": -1}, "commit_every must be a number of at least 0, not -1"),
        ({"on_error": "skip"}, "on_error must be \"raise\", or a function of the object and the error, not 'skip'"),
    ],
)
async def test_an_argument_that_cannot_work_is_refused(arguments: dict[str, Any], message: str) -> None:
    async with client_at("http://localhost:1") as client:
        with pytest.raises(InvalidArgumentError) as caught:
            await client.objects.list("bkt").for_each(**{"handler": print, **arguments})
    assert caught.value.message == message
