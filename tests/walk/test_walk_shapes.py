"""The walk over a real bucket, in each of the published shapes of pagination."""

import math

import pytest
from support.clients import connect

from mixpeek_async import NamespaceUnresolvedError
from mixpeek_async.emulator import Emulator

SHAPES = ["has_more", "page", "cursor"]


def requests_needed(objects: int, page_size: int, shape: str) -> int:
    """One for each page; a walk by offset needs one row of the 1,000 that a request can have for the overlap."""
    later = page_size if shape == "cursor" else min(page_size, 999)
    return 1 + math.ceil(max(0, objects - page_size) / later)


def requests_to_see_the_end(shape: str) -> int:
    """Page numbers end a walk only on the grid of pages: off it, one request more may be needed to show the end."""
    return 1 if shape == "page" else 0


@pytest.mark.parametrize("page_size", [1, 7, 100, 999, 1000])
@pytest.mark.parametrize("shape", SHAPES)
async def test_walks_5000_objects_complete_in_order_and_with_no_request_too_many(shape: str, page_size: int) -> None:
    async with Emulator(objects=5_000, pagination=shape) as emulator, connect(emulator) as client:
        ids = [obj.object_id async for obj in client.objects.list(emulator.bucket, page_size=page_size)]

        assert ids == emulator.object_ids()
        too_many = len(emulator.requests) - requests_needed(5_000, page_size, shape)
        assert 0 <= too_many <= requests_to_see_the_end(shape)


@pytest.mark.parametrize("objects", [0, 1, 2, 3, 999, 1000, 1001])
@pytest.mark.parametrize("shape", SHAPES)
async def test_walks_buckets_that_end_at_the_edge_of_a_page(shape: str, objects: int) -> None:
    async with Emulator(objects=objects, pagination=shape) as emulator, connect(emulator) as client:
        for page_size in (1, 3, 1000):
            if objects / page_size < 500:
                pager = client.objects.list(emulator.bucket, page_size=page_size)
                assert [obj.object_id async for obj in pager] == emulator.object_ids()
                too_many = pager.progress.requests - requests_needed(objects, page_size, shape)
                assert 0 <= too_many <= requests_to_see_the_end(shape)


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_limit_that_the_server_clamps_costs_requests_and_no_objects(shape: str) -> None:
    async with Emulator(objects=95, pagination=shape, max_limit=10) as emulator, connect(emulator) as client:
        assert [obj.object_id async for obj in client.objects.list(emulator.bucket)] == emulator.object_ids()


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_offset_leaves_out_so_many_rows_at_the_start(shape: str) -> None:
    async with Emulator(objects=50, pagination=shape) as emulator, connect(emulator) as client:
        pager = client.objects.list(emulator.bucket, page_size=7, offset=13)
        assert [obj.object_id async for obj in pager] == emulator.object_ids()[13:]


@pytest.mark.parametrize("shape", ["page", "cursor"])
async def test_the_total_is_asked_for_once_and_shown_in_the_progress(shape: str) -> None:
    async with Emulator(objects=50, pagination=shape) as emulator, connect(emulator) as client:
        pager = client.objects.list(emulator.bucket, page_size=10, include_total=True)
        await pager.to_list()

        assert pager.progress.total == 50
        assert ["include_total" in request.query for request in emulator.requests[:5]] == [True] + [False] * 4


async def test_nothing_but_paging_is_asked_for_and_no_body_is_sent() -> None:
    async with Emulator(objects=3) as emulator, connect(emulator) as client:
        await client.objects.list(emulator.bucket).to_list()

        assert emulator.requests[0].query == {"limit": "1000"}
        assert emulator.requests[0].body is None


async def test_a_namespace_that_does_not_resolve_is_an_error_and_not_an_empty_bucket() -> None:
    async with Emulator(objects=3) as emulator, connect(emulator, namespace="elsewhere") as client:
        with pytest.raises(NamespaceUnresolvedError, match="namespace"):
            await client.objects.list(emulator.bucket).to_list()
