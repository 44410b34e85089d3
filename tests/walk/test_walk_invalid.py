"""A record that cannot be structured costs itself, and the caller says how."""

from typing import Any

import pytest
from support.list_server import ListServer, Query, objects

from mixpeek_async import InvalidObjectError

BAD = {"object_id": "bad", "bucket_id": 7}
WORSE = {"object_id": "worse", "bucket_id": 7}


def answer(query: Query) -> Any:
    rows = [*objects("ab"), BAD, *objects("cd"), WORSE, *objects("e")][query.offset : query.offset + query.limit]
    return {"results": rows, "pagination": {"has_more": query.offset + query.limit < 7}}


async def test_the_walk_goes_on_behind_each_bad_record() -> None:
    async with ListServer(answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt_test"))
        with pytest.raises(InvalidObjectError):
            _ = [obj async for obj in walk]
        with pytest.raises(InvalidObjectError, match="Expected `str`, got `int`") as caught:
            _ = [obj async for obj in walk]
        assert caught.value.path == "$.results[5].bucket_id"
        assert caught.value.raw == b'{"object_id": "worse", "bucket_id": 7}'
        assert (await anext(walk)).object_id == "e"


async def test_bad_records_can_be_skipped_and_are_counted() -> None:
    async with ListServer(answer) as server, server.client() as client:
        pager = client.objects.list("bkt_test", page_size=3, on_invalid="skip")
        assert [obj.object_id async for obj in pager] == ["a", "b", "c", "d", "e"]
        assert pager.progress.invalid == 2


async def test_a_function_is_handed_the_error_of_each_bad_record() -> None:
    errors: list[InvalidObjectError] = []
    async with ListServer(answer) as server, server.client() as client:
        pager = client.objects.list("bkt_test", on_invalid=errors.append)
        assert [obj.object_id async for obj in pager] == ["a", "b", "c", "d", "e"]
    assert [error.path for error in errors] == ["$.results[2].bucket_id", "$.results[5].bucket_id"]


async def test_a_function_that_raises_ends_no_walk() -> None:
    def refuse(error: InvalidObjectError) -> None:
        raise LookupError(error.path)

    async with ListServer(answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt_test", on_invalid=refuse))
        ids: list[str] = []
        for _ in range(2):
            with pytest.raises(LookupError):
                ids += [(await anext(walk)).object_id for _ in range(7)]
            ids.append((await anext(walk)).object_id)
        assert [obj.object_id async for obj in walk] == []


@pytest.mark.parametrize("page_size", [1, 2, 5])
async def test_records_without_an_id_are_skipped_wherever_they_are(page_size: int) -> None:
    rows = [{"bucket_id": "b", "n": n} if n in (2, 9, *range(20, 32)) else objects([n])[0] for n in range(40)]

    def answer(query: Query) -> Any:
        end = query.offset + query.limit
        return {"results": rows[query.offset : end], "pagination": {"has_more": end < len(rows)}}

    async with ListServer(answer) as server, server.client() as client:
        pager = client.objects.list("bkt_test", page_size=page_size, on_invalid="skip")
        walked = await pager.to_list()

    assert [int(obj.object_id) for obj in walked] == [n for n in range(40) if "object_id" in rows[n]]
    assert pager.progress.invalid == 14
    assert len(server.queries) <= 40 // page_size


async def test_a_bad_record_that_comes_again_is_reported_once() -> None:
    def answer(query: Query) -> Any:
        rows = {None: [*objects("ab"), BAD], "1": [BAD, *objects("bc")]}[query.cursor]
        return {"results": rows, "pagination": {"next_cursor": None if query.cursor else "1"}}

    async with ListServer(answer) as server, server.client() as client:
        pager = client.objects.list("bkt_test", on_invalid="skip")
        assert [obj.object_id async for obj in pager] == ["a", "b", "c"]
        assert (pager.progress.invalid, pager.progress.repeats) == (1, 2)


async def test_a_bad_record_that_comes_again_in_the_middle_of_a_page_is_reported_once() -> None:
    def answer(query: Query) -> Any:
        rows = {None: [*objects("ab"), BAD], "1": [*objects("c"), BAD, *objects("d")]}[query.cursor]
        return {"results": rows, "pagination": {"next_cursor": None if query.cursor else "1"}}

    async with ListServer(answer) as server, server.client() as client:
        errors: list[InvalidObjectError] = []
        pager = client.objects.list("bkt_test", on_invalid=errors.append)
        assert [obj.object_id async for obj in pager] == ["a", "b", "c", "d"]
        assert len(errors) == 1
