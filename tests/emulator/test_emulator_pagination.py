"""The three published shapes, each walked by its own continuation."""

import asyncio
import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixpeek_async.emulator import Emulator

ANY_SHAPE = pytest.mark.parametrize("pagination", ["has_more", "page", "cursor"])


@given(
    pagination=st.sampled_from(["has_more", "page", "cursor"]),
    objects=st.integers(0, 25),
    limit=st.integers(1, 30),
    max_limit=st.integers(4, 30),
)
@settings(max_examples=60, deadline=None)
def test_a_walk_at_any_limit_gives_every_object_in_order(
    walk: Any, pagination: str, objects: int, limit: int, max_limit: int
) -> None:
    async def check() -> None:
        async with Emulator(objects=objects, pagination=pagination, max_limit=max_limit) as emulator:
            assert await walk(emulator, limit) == emulator.object_ids()

    asyncio.run(check())


async def test_shape_a_has_more_limit_and_skip(post: Any) -> None:
    async with Emulator(objects=5, pagination="has_more") as emulator:
        reply = await post(emulator, {"limit": 2, "offset": 1})
    assert reply.body["pagination"] == {"has_more": True, "limit": 2, "skip": 1}


async def test_shape_a_has_no_more_when_the_last_page_is_full(post: Any) -> None:
    async with Emulator(objects=4, pagination="has_more") as emulator:
        reply = await post(emulator, {"limit": 2, "offset": 2})
    assert reply.body["pagination"]["has_more"] is False


async def test_shape_b_has_page_numbers(post: Any) -> None:
    async with Emulator(objects=5, pagination="page") as emulator:
        reply = await post(emulator, {"limit": 2, "offset": 2})
    assert reply.body["pagination"] == {
        "total": 5,
        "page": 2,
        "page_size": 2,
        "total_pages": 3,
        "next_page": "3",
        "previous_page": "1",
    }


async def test_shape_b_ends_with_null(post: Any) -> None:
    async with Emulator(objects=4, pagination="page") as emulator:
        reply = await post(emulator, {"limit": 2, "offset": 2})
    assert reply.body["pagination"]["next_page"] is None


async def test_shape_b_begins_with_null(post: Any) -> None:
    async with Emulator(pagination="page") as emulator:
        pagination = (await post(emulator)).body["pagination"]
    assert (pagination["page"], pagination["previous_page"], pagination["total_pages"]) == (1, None, 0)


async def test_shape_c_leaves_the_numbers_null_unless_asked(post: Any) -> None:
    async with Emulator(objects=3) as emulator:
        pagination = (await post(emulator)).body["pagination"]
    assert pagination == dict.fromkeys(
        ["total", "page", "page_size", "total_pages", "next_page", "previous_page", "next_cursor"]
    )


async def test_shape_c_counts_when_asked(post: Any) -> None:
    async with Emulator(objects=5) as emulator:
        pagination = (await post(emulator, {"limit": 2, "include_total": "true"})).body["pagination"]
    assert pagination.pop("next_cursor")
    assert pagination == {
        "total": 5,
        "page": 1,
        "page_size": 2,
        "total_pages": 3,
        "next_page": "2",
        "previous_page": None,
    }


async def test_shape_c_counts_behind_a_cursor_too(post: Any) -> None:
    async with Emulator(objects=5) as emulator:
        cursor = (await post(emulator, {"limit": 2})).body["pagination"]["next_cursor"]
        query = {"limit": 2, "cursor": cursor, "include_total": "true"}
        pagination = (await post(emulator, query)).body["pagination"]
    assert (pagination["page"], pagination["next_page"]) == (2, "3")


async def test_shape_c_begins_at_an_offset(post: Any) -> None:
    async with Emulator(objects=5) as emulator:
        results = (await post(emulator, {"offset": 3})).body["results"]
        assert [obj["object_id"] for obj in results] == emulator.object_ids()[3:]


async def test_a_cursor_wins_over_an_offset(post: Any) -> None:
    async with Emulator(objects=5) as emulator:
        cursor = (await post(emulator, {"limit": 2})).body["pagination"]["next_cursor"]
        results = (await post(emulator, {"offset": 4, "cursor": cursor})).body["results"]
        assert [obj["object_id"] for obj in results] == emulator.object_ids()[2:]


async def test_a_cursor_loses_nothing_when_rows_before_it_and_its_own_row_are_deleted(post: Any) -> None:
    async with Emulator(objects=6) as emulator:
        ids = emulator.object_ids()
        cursor = (await post(emulator, {"limit": 3})).body["pagination"]["next_cursor"]
        emulator.delete(ids[0])
        emulator.delete(ids[2])
        results = (await post(emulator, {"cursor": cursor})).body["results"]
    assert [obj["object_id"] for obj in results] == ids[3:]


async def test_an_offset_loses_rows_when_rows_before_it_are_deleted(post: Any) -> None:
    async with Emulator(objects=6, pagination="has_more") as emulator:
        ids = emulator.object_ids()
        emulator.delete(ids[0])
        results = (await post(emulator, {"offset": 3})).body["results"]
    assert [obj["object_id"] for obj in results] == ids[4:]


async def test_objects_inserted_during_a_walk_join_its_end(post: Any) -> None:
    async with Emulator(objects=3) as emulator:
        cursor = (await post(emulator, {"limit": 2})).body["pagination"]["next_cursor"]
        added = emulator.insert()["object_id"]
        results = (await post(emulator, {"cursor": cursor})).body["results"]
    assert results[-1]["object_id"] == added


@pytest.mark.parametrize("pagination", ["has_more", "page"])
async def test_a_server_without_cursors_takes_no_notice_of_one(post: Any, pagination: str) -> None:
    async with Emulator(objects=2, pagination=pagination) as emulator:
        reply = await post(emulator, {"cursor": "never given"})
    assert len(reply.body["results"]) == 2


@pytest.mark.parametrize(
    "cursor",
    ["", "abc", "é", "AAAA", base64.urlsafe_b64encode(b"after:0").decode(), "YWZ0ZXI6MQ==!", "_____w=="],
)
async def test_a_cursor_that_was_never_given_is_refused(post: Any, cursor: str) -> None:
    async with Emulator(objects=2) as emulator:
        reply = await post(emulator, {"cursor": cursor})
    assert reply.status == 422
    assert reply.body["error"]["details"]["validation_errors"][0]["loc"] == ["query", "cursor"]


@ANY_SHAPE
async def test_a_page_holds_ten_objects_unless_asked(post: Any, pagination: str) -> None:
    async with Emulator(objects=11, pagination=pagination) as emulator:
        assert len((await post(emulator)).body["results"]) == 10


@ANY_SHAPE
async def test_a_limit_over_the_servers_own_is_clamped(post: Any, pagination: str) -> None:
    async with Emulator(objects=5, pagination=pagination, max_limit=3) as emulator:
        reply = await post(emulator, {"limit": 1000})
    assert (reply.status, len(reply.body["results"])) == (200, 3)


async def test_stats_count_the_page(post: Any) -> None:
    async with Emulator() as emulator:
        emulator.insert({"status": "DRAFT", "blobs": [{}, {}]})
        emulator.insert({"status": "DRAFT"})
        emulator.insert({"status": 7, "blobs": [{}]})
        emulator.insert({"status": "FAILED"})
        stats = (await post(emulator, {"limit": 3})).body["stats"]
    assert stats == {
        "total_objects": 3,
        "total_blobs": 3,
        "avg_blobs_per_object": 1.0,
        "objects_by_status": {"DRAFT": 2, "UNKNOWN": 1},
    }


async def test_stats_of_an_empty_page_are_zeros(post: Any) -> None:
    async with Emulator() as emulator:
        stats = (await post(emulator)).body["stats"]
    assert stats == {
        "total_objects": 0,
        "total_blobs": 0,
        "avg_blobs_per_object": 0.0,
        "objects_by_status": {},
    }


async def test_an_object_arrives_as_it_was_stored(post: Any) -> None:
    async with Emulator(objects=1) as emulator:
        odd = emulator.insert({"object_id": "obj_ø", "campaign": "été", "deep": [None, 1.5, {"x": "\ud800"}]})
        results = (await post(emulator)).body["results"]
        assert results == [emulator.get(emulator.object_ids()[0]), odd]
