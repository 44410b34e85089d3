"""Lists of buckets are counted: servers that read paging from the body only, and lists that end before their count."""

from collections.abc import Callable
from typing import Any

import pytest
from support.list_server import ListServer, Query

from mixpeek_async import AsyncMixpeek, Bucket, InvalidObjectError, Pager, PaginationError
from mixpeek_async.emulator import Emulator


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"bucket_id": f"b{number}", "bucket_name": "n"} for number in numbers]


def ids(buckets: list[Bucket]) -> list[str]:
    return [bucket.bucket_id for bucket in buckets]


async def walk_until_it_fails(pager: Pager[Bucket]) -> tuple[list[str], PaginationError]:
    """What a walk yields before it raises, and what it raises."""
    found: list[str] = []

    async def walk() -> None:
        async for bucket in pager:
            found.append(bucket.bucket_id)

    with pytest.raises(PaginationError) as caught:
        await walk()
    return found, caught.value


def connect(emulator: Emulator) -> AsyncMixpeek:
    return AsyncMixpeek(emulator.api_key, namespace=emulator.namespace, base_url=emulator.url)


def with_buckets(count: int) -> Emulator:
    """A server of the time when lists of buckets read their paging from the body only, and had no cursors."""
    emulator = Emulator(bucket="b00", body_paging=True)
    for number in range(1, count):
        emulator.create_bucket(f"b{number:02}")
    return emulator


ALL = [f"b{number:02}" for number in range(25)]


@pytest.mark.parametrize("page_size", [2, 10, 24, 25, 1000])
async def test_a_server_that_reads_paging_from_the_body_only_is_walked_completely(page_size: int) -> None:
    async with with_buckets(25) as emulator, connect(emulator) as client:
        assert ids(await client.buckets.list(page_size=page_size).to_list()) == ALL


@pytest.mark.parametrize("stop", [1, 10, 11, 25])
async def test_a_walk_by_body_is_cut_short_and_resumed(stop: int) -> None:
    async with with_buckets(25) as emulator, connect(emulator) as client:
        first = client.buckets.list(page_size=10, max_items=stop)
        assert ids(await first.to_list()) == ALL[:stop]
        assert ids(await client.buckets.list(page_size=4, resume=first.checkpoint).to_list()) == ALL[stop:]


@pytest.mark.parametrize("offset", [1, 24, 25, 60])
async def test_a_walk_that_begins_at_an_offset_misses_no_row_before_it(offset: int) -> None:
    async with with_buckets(25) as emulator, connect(emulator) as client:
        assert ids(await client.buckets.list(page_size=10, offset=offset).to_list()) == ALL[offset:]


async def test_limit_and_offset_are_equal_in_body_and_query_beside_the_query() -> None:
    def answer(query: Query) -> Any:
        end = query.offset + query.limit
        return {"results": rows(*range(query.offset, min(end, 5))), "pagination": {"has_more": end < 5}}

    async with ListServer(answer) as server, server.client() as client:
        await client.buckets.list(page_size=3, search="x").to_list()

    assert [query.body for query in server.queries] == [
        {"limit": 3, "search": "x"},
        {"limit": 4, "offset": 2, "search": "x"},
    ]
    assert [query.params for query in server.queries] == [{"limit": "3"}, {"limit": "4", "offset": "2"}]


async def test_a_cursor_is_sent_in_the_query_only_because_servers_that_know_it_refuse_it_in_the_body() -> None:
    answers: list[Any] = [
        {"results": rows(0), "pagination": {"next_cursor": "x"}, "total_count": 2},
        {"results": rows(1), "pagination": {"next_cursor": None}, "total_count": 2},
    ]
    async with ListServer(lambda query: answers[query.number - 1]) as server, server.client() as client:
        assert ids(await client.buckets.list(page_size=1).to_list()) == ["b0", "b1"]

    assert (server.queries[1].params, server.queries[1].body) == ({"limit": "1", "cursor": "x"}, {"limit": 1})


# --- lists that end before their count ---

FIRST_TEN = {"results": rows(*range(10)), "pagination": {"next_cursor": None}, "total_count": 25}


def always_the_first_ten(query: Query) -> Any:
    return FIRST_TEN


def then_nothing(query: Query) -> Any:
    return FIRST_TEN if query.number == 1 else {"results": [], "pagination": {"next_cursor": None}, "total_count": 25}


def by_cursor(query: Query) -> Any:
    page = rows(*range(10)) if query.cursor is None else rows(10)
    return {"results": page, "pagination": {"next_cursor": None if query.cursor else "x"}, "total_count": 25}


def nothing_at_all(query: Query) -> Any:
    return {"results": [], "pagination": {"has_more": False}, "total_count": 3}


SHORT: dict[str, tuple[Callable[[Query], Any], int]] = {
    "reads no offset": (always_the_first_ten, 10),
    "gives no more": (then_nothing, 10),
    "by cursor": (by_cursor, 11),
    "an empty page": (nothing_at_all, 0),
}


@pytest.mark.parametrize(("answer", "count"), SHORT.values(), ids=SHORT)
async def test_a_list_that_ends_before_its_count_is_an_error_and_never_a_short_list(
    answer: Callable[[Query], Any], count: int
) -> None:
    async with ListServer(answer) as server, server.client() as client:
        found, _ = await walk_until_it_fails(client.buckets.list())

    assert found == [f"b{number}" for number in range(count)]
    assert len(server.queries) < 30


async def test_the_error_says_how_many_rows_came_each_time_that_the_walk_is_asked_to_go_on() -> None:
    async with ListServer(by_cursor) as server, server.client() as client:
        walk = aiter(client.buckets.list())
        for _ in range(11):
            await anext(walk)
        for _ in range(2):
            with pytest.raises(PaginationError, match="after 11 of the 25 rows"):
                await anext(walk)


async def test_max_items_ends_a_walk_before_its_count() -> None:
    async with ListServer(by_cursor) as server, server.client() as client:
        assert len(await client.buckets.list(max_items=11).to_list()) == 11


async def test_a_bad_record_that_is_skipped_has_come() -> None:
    page = {"results": [*rows(0, 1), {"bucket_id": 7}], "pagination": {"has_more": False}, "total_count": 3}
    async with ListServer(lambda query: page) as server, server.client() as client:
        assert len(await client.buckets.list(on_invalid="skip").to_list()) == 2
        with pytest.raises(InvalidObjectError):
            await client.buckets.list().to_list()


@pytest.mark.parametrize(("first", "last"), [(3, 2), (3, 4)], ids=["deleted", "created"])
async def test_rows_that_are_deleted_or_created_meanwhile_need_not_come(first: int, last: int) -> None:
    answers: list[Any] = [
        {"results": rows(0, 1), "pagination": {"next_cursor": "x"}, "total_count": first},
        {"results": rows(2)[: last - 2], "pagination": {"next_cursor": None}, "total_count": last},
    ]
    async with ListServer(lambda query: answers[query.number - 1]) as server, server.client() as client:
        assert len(await client.buckets.list().to_list()) == min(first, last)


@pytest.mark.parametrize("total_count", ["25", -1, 1.5, None, [], True], ids=repr)
async def test_a_count_that_is_none_costs_nothing(total_count: Any) -> None:
    page = {"results": rows(0, 1), "pagination": {"has_more": False}, "total_count": total_count}
    async with ListServer(lambda query: page) as server, server.client() as client:
        assert len(await client.buckets.list().to_list()) == 2


async def test_a_total_count_of_objects_says_nothing() -> None:
    page = {"results": [{"object_id": "a", "bucket_id": "b"}], "pagination": {"has_more": False}, "total_count": 7}
    async with ListServer(lambda query: page) as server, server.client() as client:
        assert len(await client.objects.list("b").to_list()) == 1
