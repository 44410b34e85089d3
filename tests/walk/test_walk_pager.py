"""The methods of a pager."""

import asyncio
import itertools
from typing import Any

import pytest
from support.clients import connect
from support.list_server import ListServer, Query, objects

from mixpeek_async import (
    AsyncMixpeek,
    InvalidArgumentError,
    InvalidObjectError,
    MalformedResponseError,
    Progress,
)
from mixpeek_async.emulator import Emulator, Fault


async def test_making_a_pager_sends_nothing(emulator: Emulator, client: AsyncMixpeek) -> None:
    pager = client.objects.list(emulator.bucket)

    assert emulator.requests == []
    assert pager.progress == Progress()


async def test_each_loop_is_a_walk_of_its_own() -> None:
    async with Emulator(objects=10) as emulator, connect(emulator) as client:
        pager = client.objects.list(emulator.bucket, page_size=4)
        first = [obj.object_id async for obj in pager]
        second = [obj.object_id async for obj in pager]

        assert first == second == emulator.object_ids()
        assert pager.progress.items == 10


async def test_pages_are_the_walk_in_pieces() -> None:
    async with Emulator(objects=10) as emulator, connect(emulator) as client:
        pages = [page async for page in client.objects.list(emulator.bucket, page_size=4).pages()]

        assert [len(page.results) for page in pages] == [4, 4, 2]
        assert [obj.object_id for page in pages for obj in page.results] == emulator.object_ids()


async def test_a_page_holds_what_the_response_sent_beside_the_objects() -> None:
    async with Emulator(objects=10, pagination="page") as emulator, connect(emulator) as client:
        page = await client.objects.list(emulator.bucket, page_size=4)

        assert page.pagination.total == 10
        assert page.stats is not None
        assert page.stats.total_objects == 4
        assert page.warnings == []


async def test_awaiting_a_pager_gives_the_first_page_in_one_request() -> None:
    async with Emulator(objects=10) as emulator, connect(emulator) as client:
        page = await client.objects.list(emulator.bucket, page_size=4)

        assert [obj.object_id for obj in page.results] == emulator.object_ids()[:4]
        assert len(emulator.requests) == 1


async def test_the_first_page_of_an_empty_bucket_is_empty(emulator: Emulator, client: AsyncMixpeek) -> None:
    assert (await client.objects.list(emulator.bucket)).results == []
    assert [page async for page in client.objects.list(emulator.bucket).pages()] == []


@pytest.mark.parametrize("shape", ["has_more", "page", "cursor"])
@pytest.mark.parametrize(("max_items", "asked"), [(0, []), (1, [1]), (3, [3]), (4, [4]), (6, [4, 2]), (10, [4, 4, 2])])
async def test_max_items_is_exact_and_asks_for_no_row_too_many(max_items: int, asked: list[int], shape: str) -> None:
    async with Emulator(objects=10, pagination=shape) as emulator, connect(emulator) as client:
        pager = client.objects.list(emulator.bucket, page_size=4, max_items=max_items)
        ids = [obj.object_id async for obj in pager]

        assert ids == emulator.object_ids()[:max_items]
        overlap = 0 if shape == "cursor" else 1
        limits = [
            int(request.query["limit"]) - (overlap if number else 0) for number, request in enumerate(emulator.requests)
        ]
        assert limits == asked


async def test_max_items_holds_against_a_server_that_sends_more() -> None:
    def answer(query: Query) -> Any:
        return {"results": objects("abcdef"), "pagination": {"has_more": False}}

    async with ListServer(answer) as server, server.client() as client:
        assert len(await client.objects.list("bkt_test", max_items=2).to_list()) == 2
        assert len((await client.objects.list("bkt_test", max_items=2)).results) == 2


async def test_nothing_wanted_is_nothing_asked() -> None:
    async with Emulator(objects=3) as emulator, connect(emulator) as client:
        assert (await client.objects.list(emulator.bucket, max_items=0)).results == []
        assert emulator.requests == []


async def test_progress_counts_while_the_walk_goes_on() -> None:
    async with Emulator(objects=10) as emulator, connect(emulator) as client:
        pager = client.objects.list(emulator.bucket, page_size=4)
        seen = []
        async for _ in pager:
            seen.append((pager.progress.items, pager.progress.pages, pager.progress.requests))

        assert seen[:5] == [(1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 1, 1), (5, 2, 2)]
        assert pager.progress == Progress(items=10, pages=3, requests=3)


@pytest.mark.parametrize(
    "options",
    [
        {"page_size": 0},
        {"page_size": 1001},
        {"page_size": "10"},
        {"page_size": True},
        {"max_items": -1},
        {"max_items": 1.5},
        {"offset": -1},
        {"offset": 10_001},
        {"include_total": "yes"},
    ],
    ids=str,
)
async def test_a_bad_value_is_an_error_before_any_request(
    options: dict[str, Any], emulator: Emulator, client: AsyncMixpeek
) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(options))):
        client.objects.list(emulator.bucket, **options)
    assert emulator.requests == []


async def test_a_closed_walk_is_at_its_end() -> None:
    async with Emulator(objects=10) as emulator, connect(emulator) as client:
        async with aiter(client.objects.list(emulator.bucket)) as walk:
            await anext(walk)
        with pytest.raises(StopAsyncIteration):
            await anext(walk)


async def test_closing_a_pager_ends_its_latest_walk() -> None:
    async with Emulator(objects=10) as emulator, connect(emulator) as client:
        async with client.objects.list(emulator.bucket) as pager:
            walk = aiter(pager)
            await anext(walk)
        with pytest.raises(StopAsyncIteration):
            await anext(walk)
        await client.objects.list(emulator.bucket).aclose()


async def test_a_walk_closed_while_it_waits_for_a_page_yields_nothing_more() -> None:
    async with Emulator(objects=10, faults={1: Fault.slow(0.05)}) as emulator, connect(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket))
        waiting = asyncio.create_task(anext(walk))
        while not emulator.requests:
            await asyncio.sleep(0.001)
        await walk.aclose()
        with pytest.raises(StopAsyncIteration):
            await waiting


async def test_two_consumers_of_one_walk_get_each_object_once() -> None:
    async with Emulator(objects=100, latency=0.001) as emulator, connect(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket, page_size=3))

        async def consume() -> list[str]:
            taken = []
            async for obj in walk:
                taken.append(obj.object_id)
                await asyncio.sleep(0)
            return taken

        shares = await asyncio.gather(consume(), consume(), consume())

        assert sorted(itertools.chain(*shares)) == sorted(emulator.object_ids())
        assert all(shares)


async def test_a_page_that_fails_is_asked_for_again_when_the_walk_is() -> None:
    async with Emulator(objects=10, faults={2: Fault.http(500)}) as emulator, connect(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket, page_size=4))
        ids = [(await anext(walk)).object_id for _ in range(4)]
        with pytest.raises(Exception, match="500"):
            await anext(walk)
        ids += [obj.object_id async for obj in walk]

        assert ids == emulator.object_ids()


async def test_a_cancelled_request_loses_nothing() -> None:
    async with Emulator(objects=10, faults={2: Fault.slow(0.5)}) as emulator, connect(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket, page_size=4, prefetch=0))
        ids = [(await anext(walk)).object_id for _ in range(4)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await anext(walk)
        ids += [obj.object_id async for obj in walk]

        assert ids == emulator.object_ids()


BAD = {"bucket_id": "bkt_test", "object_id": 7}


def one_bad_record(query: Query) -> Any:
    return {"results": [*objects("ab"), BAD, *objects("cd")], "pagination": {"has_more": False}}


async def test_the_walk_goes_on_behind_a_bad_record() -> None:
    async with ListServer(one_bad_record) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt_test"))
        ids = [(await anext(walk)).object_id for _ in range(2)]
        with pytest.raises(InvalidObjectError) as caught:
            await anext(walk)
        ids += [obj.object_id async for obj in walk]

    assert ids == ["a", "b", "c", "d"]
    assert caught.value.path == "$.results[2].object_id"
    assert b'"object_id": 7' in caught.value.raw


async def test_a_walk_by_pages_keeps_what_came_before_a_bad_record() -> None:
    async with (
        ListServer(one_bad_record) as server,
        server.client() as client,
        client.objects.list("bkt_test").pages() as pages,
    ):
        with pytest.raises(InvalidObjectError):
            await anext(pages)
        page = await anext(pages)

    assert [obj.object_id for obj in page.results] == ["a", "b", "c", "d"]
    assert pages.progress.items == 4


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": {}}, [], None, {"objects": []}], ids=str)
async def test_an_answer_without_results_is_never_an_empty_bucket(body: Any) -> None:
    async with ListServer(lambda query: body) as server, server.client() as client:
        with pytest.raises(MalformedResponseError):
            await client.objects.list("bkt_test").to_list()
