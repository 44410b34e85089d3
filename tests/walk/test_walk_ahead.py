"""Pages fetched before they are needed: one while another is read, or many side by side."""

import asyncio
import gc
from typing import Any

import pytest
from support.clients import connect
from support.list_server import ListServer, Query, objects

from mixpeek_async import ClientClosedError, RetryPolicy, ServerError
from mixpeek_async.emulator import Emulator, Fault

SHAPES = ["has_more", "page", "cursor"]


def fetching_ahead() -> list[Any]:
    """The tasks that fetch pages before they are needed."""
    return [task for task in asyncio.all_tasks() if "ReadAhead" in repr(task)]


async def settle() -> None:
    """Let all tasks run until each waits for a response."""
    for _ in range(50):
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("shape", SHAPES)
async def test_the_next_page_is_fetched_once_the_first_object_of_this_one_is_taken(shape: str) -> None:
    async with Emulator(objects=9, pagination=shape) as emulator, connect(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket, page_size=3))
        assert len(emulator.requests) == 0
        await anext(walk)
        await settle()
        assert len(emulator.requests) == 2
        await anext(walk)
        await settle()
        assert len(emulator.requests) == 2


async def test_the_first_page_alone_fetches_no_second_one() -> None:
    async with Emulator(objects=9) as emulator, connect(emulator) as client:
        await client.objects.list(emulator.bucket, page_size=3, max_items=3)
        await settle()
        assert len(emulator.requests) == 1


async def test_reading_ahead_can_be_turned_off() -> None:
    async with Emulator(objects=9) as emulator, connect(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket, page_size=3, prefetch=0))
        await anext(walk)
        await settle()
        assert len(emulator.requests) == 1


async def test_reading_and_fetching_happen_at_the_same_time() -> None:
    async with Emulator(objects=40, latency=0.02) as emulator, connect(emulator) as client:
        loop = asyncio.get_running_loop()
        start = loop.time()
        async for page in client.objects.list(emulator.bucket, page_size=4).pages():
            assert page.results
            await asyncio.sleep(0.02)
        together = loop.time() - start
        start = loop.time()
        async for _ in client.objects.list(emulator.bucket, page_size=4, prefetch=0).pages():
            await asyncio.sleep(0.02)

        assert together < 0.8 * (loop.time() - start)


@pytest.mark.parametrize("shape", SHAPES)
async def test_nothing_beyond_max_items_is_fetched(shape: str) -> None:
    async with Emulator(objects=100, pagination=shape) as emulator, connect(emulator) as client:
        ways: list[dict[str, Any]] = [{"prefetch": 1}, {"concurrency": 16}]
        for way in ways:
            emulator.requests.clear()
            pager = client.objects.list(emulator.bucket, page_size=10, max_items=35, **way)
            assert len(await pager.to_list()) == 35
            await settle()
            assert len(emulator.requests) == 4
            assert int(emulator.requests[-1].query["limit"]) in (5, 6)


async def test_a_cancelled_next_leaves_the_fetch_alone_and_loses_nothing() -> None:
    async with Emulator(objects=9, faults={2: Fault.slow(0.05)}) as emulator, connect(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket, page_size=3))
        ids = [(await anext(walk)).object_id for _ in range(3)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(walk)
        ids += [obj.object_id async for obj in walk]

        assert ids == emulator.object_ids()
        assert len(emulator.requests) == 3


async def test_an_error_of_a_page_ahead_is_raised_when_the_walk_gets_there() -> None:
    faults = {2: Fault.http(500)}
    async with (
        Emulator(objects=9, faults=faults) as emulator,
        connect(emulator) as client,
    ):
        walk = aiter(client.objects.list(emulator.bucket, page_size=3))
        ids = []
        for _ in range(3):
            ids.append((await anext(walk)).object_id)
            await settle()
        with pytest.raises(ServerError):
            await anext(walk)
        ids += [obj.object_id async for obj in walk]

        assert ids == emulator.object_ids()


@pytest.mark.parametrize("way", [{"prefetch": 1}, {"concurrency": 8}], ids=str)
async def test_a_walk_that_is_left_cancels_its_fetches(way: dict[str, Any]) -> None:
    async with Emulator(objects=90, pagination="has_more", latency=0.01) as emulator, connect(emulator) as client:
        async for _ in client.objects.list(emulator.bucket, page_size=3, **way):
            assert fetching_ahead()
            break
        for _ in range(3):
            await asyncio.sleep(0)
        assert not fetching_ahead()


async def test_a_walk_that_is_closed_cancels_its_fetches() -> None:
    async with Emulator(objects=90, latency=0.01) as emulator, connect(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket, page_size=3))
        await anext(walk)
        assert fetching_ahead()
        await walk.aclose()
        await asyncio.sleep(0)
        assert not fetching_ahead()


async def test_closing_a_walk_that_waits_for_a_page_ahead_asks_for_nothing_more() -> None:
    async with Emulator(objects=9, faults={2: Fault.slow(0.3)}) as emulator, connect(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket, page_size=3))
        for _ in range(3):
            await anext(walk)
        waiting = asyncio.ensure_future(anext(walk))
        await asyncio.sleep(0.02)
        await walk.aclose()
        with pytest.raises(StopAsyncIteration):
            await waiting
        assert len(emulator.requests) == 2


async def test_a_client_that_is_closed_leaves_no_fetch_behind() -> None:
    async with Emulator(objects=90, latency=0.01) as emulator:
        async with connect(emulator) as client:
            walk = aiter(client.objects.list(emulator.bucket, page_size=3))
            for _ in range(3):
                await anext(walk)
        assert not fetching_ahead()
        with pytest.raises(ClientClosedError):
            await anext(walk)


def test_a_walk_that_outlives_its_loop_can_be_dropped() -> None:
    async def leave() -> Any:
        async with Emulator(objects=90, latency=0.01) as emulator, connect(emulator) as client:
            walk = aiter(client.objects.list(emulator.bucket, page_size=3))
            await anext(walk)
            return walk

    walk = asyncio.run(leave())
    del walk
    gc.collect()


@pytest.mark.parametrize("objects_there", [0, 1, 10, 11, 12, 95])
@pytest.mark.parametrize("shape", SHAPES)
async def test_pages_side_by_side_are_yielded_complete_and_in_order(shape: str, objects_there: int) -> None:
    async with Emulator(objects=objects_there, pagination=shape) as emulator, connect(emulator) as client:
        pager = client.objects.list(emulator.bucket, page_size=10, concurrency=8)
        assert [obj.object_id async for obj in pager] == emulator.object_ids()
        assert pager.progress.repeats == 0


async def test_pages_that_finish_out_of_order_are_yielded_in_order() -> None:
    faults = {number: Fault.slow(0.03 if number % 2 else 0.0) for number in range(1, 30)}
    async with (
        Emulator(objects=200, pagination="has_more", faults=faults) as emulator,
        connect(emulator) as client,
    ):
        pager = client.objects.list(emulator.bucket, page_size=10, concurrency=8)
        assert [obj.object_id async for obj in pager] == emulator.object_ids()


@pytest.mark.parametrize("shape", SHAPES)
async def test_no_more_pages_are_held_than_were_allowed(shape: str) -> None:
    async with Emulator(objects=400, pagination=shape) as emulator, connect(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket, page_size=10, concurrency=5))
        for page in range(1, 11):
            for _ in range(10):
                await anext(walk)
            await settle()
            assert len(emulator.requests) <= page + 5


async def test_servers_that_give_cursors_are_asked_side_by_side_by_offset_up_to_the_ceiling() -> None:
    def answer(query: Query) -> Any:
        start = int(query.cursor) if query.cursor else query.offset
        end = min(start + query.limit, 13_000)
        return {
            "results": objects(range(start, end)),
            "pagination": {"next_cursor": str(end) if end < 13_000 else None},
        }

    async with ListServer(answer) as server, server.client() as client:
        pager = client.objects.list("bkt_test", concurrency=4)
        assert [obj.object_id async for obj in pager] == [str(n) for n in range(13_000)]

    assert max(query.offset for query in server.queries) > 9_000
    assert any(query.cursor for query in server.queries)


async def test_a_refusal_narrows_what_is_asked_side_by_side() -> None:
    faults = {number: Fault.rate_limited(0.1) for number in range(6, 9)}
    async with (
        Emulator(objects=400, pagination="has_more", faults=faults) as emulator,
        connect(emulator, retry=RetryPolicy()) as client,
    ):
        pager = client.objects.list(emulator.bucket, page_size=10, concurrency=16)
        assert [obj.object_id async for obj in pager] == emulator.object_ids()
        assert pager.progress.retries == 3
