"""How a walk ends, and what stops it when the server's pages make no sense."""

from typing import Any

import pytest
from aiohttp import web
from support.list_server import ListServer, Query, objects

from mixpeek_async import (
    MalformedResponseError,
    Object,
    OffsetLimitError,
    Pager,
    PaginationError,
    PaginationLoopError,
    ValidationError,
)
from mixpeek_async.errors import MixpeekError


async def walk_until_it_fails(pager: Pager[Object]) -> tuple[list[str], MixpeekError]:
    """What a walk yields before it raises, and what it raises."""
    ids: list[str] = []

    async def walk() -> None:
        async for obj in pager:
            ids.append(obj.object_id)

    with pytest.raises(MixpeekError) as caught:
        await walk()
    return ids, caught.value


def scripted(*answers: dict[str, Any]) -> Any:
    """The answer for each request number; the last one for all that follow."""
    return lambda query: answers[min(query.number, len(answers)) - 1]


def cursor_page(ids: str, next_cursor: str | None) -> dict[str, Any]:
    return {"results": objects(ids), "pagination": {"next_cursor": next_cursor}}


async def test_the_same_cursor_for_ever_is_a_loop() -> None:
    async with ListServer(scripted(cursor_page("a", "x"), cursor_page("b", "x"))) as server, server.client() as client:
        ids, error = await walk_until_it_fails(client.objects.list("bkt_test"))

    assert (ids, type(error)) == (["a", "b"], PaginationLoopError)
    assert len(server.queries) == 2


async def test_cursors_in_a_circle_are_a_loop() -> None:
    def answer(query: Query) -> Any:
        return cursor_page(str(query.number), {"A": "B", "B": "A"}.get(query.cursor or "", "A"))

    async with ListServer(answer) as server, server.client() as client:
        ids, error = await walk_until_it_fails(client.objects.list("bkt_test"))

    assert (ids, type(error)) == (["1", "2", "3"], PaginationLoopError)


async def test_three_pages_by_cursor_with_nothing_new_are_a_loop() -> None:
    def answer(query: Query) -> Any:
        return cursor_page("ab", f"cursor {query.number}")

    async with ListServer(answer) as server, server.client() as client:
        pager = client.objects.list("bkt_test")
        ids, error = await walk_until_it_fails(pager)

    assert (ids, type(error)) == (["a", "b"], PaginationLoopError)
    assert len(server.queries) == 4
    assert pager.progress.repeats == 6


async def test_a_server_that_ignores_the_offset_is_a_loop() -> None:
    page = {"results": objects("abc"), "pagination": {"has_more": True}}
    async with ListServer(scripted(page)) as server, server.client() as client:
        ids, error = await walk_until_it_fails(client.objects.list("bkt_test", page_size=3))

    assert (ids, type(error)) == (["a", "b", "c"], PaginationLoopError)
    assert len(server.queries) < 20


async def test_a_list_that_shifts_for_ever_and_shows_nothing_new_is_a_loop() -> None:
    def answer(query: Query) -> Any:
        # The first page again wherever it may be asked for, and between its copies rows that come only once.
        ids = "abcdefghij" if query.offset in (0, 10) else [f"{query.number}.{row}" for row in range(query.limit)]
        return {"results": objects(ids[: query.limit]), "pagination": {"has_more": True}}

    async with ListServer(answer) as server, server.client() as client:
        ids, error = await walk_until_it_fails(client.objects.list("bkt_test", page_size=10))

    assert (ids, type(error)) == (list("abcdefghij"), PaginationLoopError)
    assert len(server.queries) < 300


async def test_99_empty_pages_that_say_more_are_walked_through() -> None:
    def answer(query: Query) -> Any:
        return cursor_page("z", None) if query.number == 100 else cursor_page("", f"cursor {query.number}")

    async with ListServer(answer) as server, server.client() as client:
        assert [obj.object_id async for obj in client.objects.list("bkt_test")] == ["z"]


async def test_100_empty_pages_in_a_row_are_an_error() -> None:
    def answer(query: Query) -> Any:
        return cursor_page("", f"cursor {query.number}")

    async with ListServer(answer) as server, server.client() as client:
        ids, error = await walk_until_it_fails(client.objects.list("bkt_test"))

    assert (ids, type(error)) == ([], PaginationError)
    assert len(server.queries) == 100


async def test_more_without_a_cursor_in_a_walk_by_cursor_is_an_error_after_the_last_object() -> None:
    no_cursor = {"results": objects("b"), "pagination": {"has_more": True}}
    async with ListServer(scripted(cursor_page("a", "x"), no_cursor)) as server, server.client() as client:
        ids, error = await walk_until_it_fails(client.objects.list("bkt_test"))

    assert (ids, type(error)) == (["a", "b"], PaginationError)
    assert [query.cursor for query in server.queries] == [None, "x"]


@pytest.mark.parametrize("has_more", ["false", "true", 0, 1, "", []])
async def test_a_has_more_that_is_no_bool_is_malformed(has_more: Any) -> None:
    page = {"results": objects("a"), "pagination": {"has_more": has_more}}
    async with ListServer(scripted(page)) as server, server.client() as client:
        ids, error = await walk_until_it_fails(client.objects.list("bkt_test"))

    assert (ids, type(error)) == ([], MalformedResponseError)
    assert "$.pagination.has_more" in error.message


async def test_an_object_on_two_pages_is_yielded_once_and_counted() -> None:
    answers = scripted(cursor_page("abc", "x"), cursor_page("cd", None))
    async with ListServer(answers) as server, server.client() as client:
        pager = client.objects.list("bkt_test")
        assert [obj.object_id async for obj in pager] == ["a", "b", "c", "d"]

    assert pager.progress.repeats == 1


async def test_a_page_longer_than_asked_for_is_taken_as_it_is() -> None:
    def answer(query: Query) -> Any:
        ids = range(query.offset, min(query.offset + query.limit + 3, 20))
        return {"results": objects(ids), "pagination": {"has_more": ids.stop < 20}}

    async with ListServer(answer) as server, server.client() as client:
        pager = client.objects.list("bkt_test", page_size=2)
        assert [obj.object_id async for obj in pager] == [str(n) for n in range(20)]


@pytest.mark.parametrize("total", [-5, 0, 3, 10**12])
async def test_a_wrong_total_ends_no_walk(total: int) -> None:
    def answer(query: Query) -> Any:
        ids = range(query.offset, min(query.offset + query.limit, 20))
        return {"results": objects(ids), "pagination": {"has_more": ids.stop < 20, "total": total, "total_pages": 1}}

    async with ListServer(answer) as server, server.client() as client:
        assert len(await client.objects.list("bkt_test", page_size=7).to_list()) == 20


@pytest.mark.parametrize("total", [-1, 0, 4, 20, 10**12])
@pytest.mark.parametrize("page_size", [1, 2, 3, 5, 7, 11])
async def test_a_wrong_total_beside_page_numbers_ends_no_walk(total: int, page_size: int) -> None:
    def answer(query: Query) -> Any:
        ids = range(query.offset, min(query.offset + query.limit, 24))
        pages = -(-24 // query.limit)
        numbers = {"total": total, "page": query.offset // query.limit + 1, "total_pages": pages}
        return {"results": objects(ids), "pagination": numbers}

    async with ListServer(answer) as server, server.client() as client:
        assert len(await client.objects.list("bkt_test", page_size=page_size).to_list()) == 24


@pytest.mark.parametrize("shape", ["has_more", "next_cursor"])
async def test_pages_of_nothing_but_bad_records_are_no_loop(shape: str) -> None:
    def answer(query: Query) -> Any:
        start = int(query.cursor or query.offset)
        end = min(start + query.limit, 60)
        rows = [
            {"object_id": row["object_id"]} if 10 <= int(row["object_id"]) < 45 else row
            for row in objects(range(start, end))
        ]
        more: dict[str, Any] = (
            {"has_more": end < 60} if shape == "has_more" else {"next_cursor": str(end) if end < 60 else None}
        )
        return {"results": rows, "pagination": more}

    async with ListServer(answer) as server, server.client() as client:
        pager = client.objects.list("bkt_test", page_size=5, on_invalid="skip")
        assert len(await pager.to_list()) == 25
        assert pager.progress.invalid == 35


def endless(query: Query) -> Any:
    return {"results": objects(range(query.offset, query.offset + query.limit)), "pagination": {"has_more": True}}


@pytest.mark.parametrize("page_size", [900, 999, 1000])
async def test_the_offset_ceiling_is_an_error_before_the_request_that_would_pass_it(page_size: int) -> None:
    async with ListServer(endless) as server, server.client() as client:
        ids, error = await walk_until_it_fails(client.objects.list("bkt_test", page_size=page_size))

    assert ids == [str(n) for n in range(11_000)]
    assert type(error) is OffsetLimitError
    assert max(query.offset for query in server.queries) == 10_000


async def test_a_walk_by_cursor_knows_no_offset_ceiling() -> None:
    def answer(query: Query) -> Any:
        start = int(query.cursor or 0)
        behind = str(start + query.limit) if start + query.limit < 15_000 else None
        return {"results": objects(range(start, start + query.limit)), "pagination": {"next_cursor": behind}}

    async with ListServer(answer) as server, server.client() as client:
        assert len(await client.objects.list("bkt_test").to_list()) == 15_000


async def test_a_server_that_gives_a_cursor_late_is_followed_from_there() -> None:
    def answer(query: Query) -> Any:
        if query.cursor:
            return cursor_page("z", None)
        page = endless(query)
        if query.offset > 5_000:
            page["pagination"]["next_cursor"] = "late"
        return page

    async with ListServer(answer) as server, server.client() as client:
        ids = [obj.object_id async for obj in client.objects.list("bkt_test")]

    assert ids[-1] == "z"
    assert server.queries[-1].cursor == "late"


async def test_a_lower_ceiling_of_the_server_is_the_same_error() -> None:
    def answer(query: Query) -> Any:
        if query.offset > 50:
            error = {"message": "offset must be at most 50", "type": "ValidationError"}
            return web.json_response({"success": False, "status": 422, "error": error}, status=422)
        return endless(query)

    async with ListServer(answer) as server, server.client() as client:
        ids, error = await walk_until_it_fails(client.objects.list("bkt_test", page_size=10))

    assert len(ids) == 60
    assert type(error) is OffsetLimitError
    assert isinstance(error.__cause__, ValidationError)


async def test_a_silent_server_that_reduces_the_limit_in_mid_walk_ends_no_list() -> None:
    def answer(query: Query) -> Any:
        limit = 5 if query.number == 1 else 1
        return {"results": objects(range(12)[query.offset : query.offset + limit])}

    async with ListServer(answer) as server, server.client() as client:
        assert [obj.object_id async for obj in client.objects.list("bkt_test")] == [str(row) for row in range(12)]


@pytest.mark.parametrize("rows", [10_001, 10_400])
async def test_a_silent_list_that_ends_behind_the_offset_limit_ends_the_walk(rows: int) -> None:
    def answer(query: Query) -> Any:
        return {"results": objects(range(query.offset, min(rows, query.offset + query.limit)))}

    async with ListServer(answer) as server, server.client() as client:
        assert len(await client.objects.list("bkt_test").to_list()) == rows


async def test_a_silent_server_of_short_pages_is_not_believed_at_the_offset_limit() -> None:
    def answer(query: Query) -> Any:
        return {"results": objects(range(query.offset, query.offset + min(500, query.limit)))}

    async with ListServer(answer) as server, server.client() as client:
        ids, error = await walk_until_it_fails(client.objects.list("bkt_test"))

    assert (len(ids), type(error)) == (10_500, OffsetLimitError)


@pytest.mark.parametrize(("rows", "page_size", "requests"), [(237, 100, 4), (200, 100, 4), (700, 1000, 2), (3, 10, 2)])
async def test_a_silent_list_ends_with_a_page_that_holds_known_rows_and_no_other(
    rows: int, page_size: int, requests: int
) -> None:
    def answer(query: Query) -> Any:
        return {"results": objects(range(rows)[query.offset : query.offset + query.limit])}

    async with ListServer(answer) as server, server.client() as client:
        assert len(await client.objects.list("bkt_test", page_size=page_size).to_list()) == rows

    assert len(server.queries) == requests


async def test_a_last_page_that_begins_with_the_first_row_of_the_list_is_the_end_if_it_speaks_of_cursors() -> None:
    def answer(query: Query) -> Any:
        # Rows that were created in front have pushed the first one behind the cursor.
        return {"results": objects(["a", "b"]), "pagination": {"next_cursor": None if query.cursor else "2"}}

    async with ListServer(answer) as server, server.client() as client:
        assert [obj.object_id async for obj in client.objects.list("bkt_test", page_size=2)] == ["a", "b"]
