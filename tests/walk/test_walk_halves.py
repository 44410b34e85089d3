"""A page that cannot be fetched at its size is fetched in halves: one monstrous object never hides the rest.

What happens when the list changes at the same time is tried in `test_walk_offsets.py`.
"""

import time
from typing import Any

import pytest
from aiohttp import web
from support.list_server import ListServer, Query, objects
from support.scripted_server import Connection, ScriptedServer, page

from mixpeek_async import (
    AsyncMixpeek,
    MixpeekError,
    NotFoundError,
    Object,
    RequestTimeoutError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    StatusError,
    Walk,
)

MONSTER = 57
BY_OFFSET, BY_CURSOR = "has_more", "next_cursor"


class BucketWithAMonster:
    """A hundred objects. A page that holds the monster is answered by `refusal`, unless only ids are asked for."""

    def __init__(self, refusal: Any, shape: str = BY_OFFSET, *, selects: bool = True) -> None:
        self.refusal, self.shape, self.selects = refusal, shape, selects

    def __call__(self, query: Query) -> Any:
        start = int(query.cursor) if query.cursor else query.offset
        end = min(start + query.limit, 100)
        ids_only = self.selects and query.body == {"select": ["object_id", "bucket_id", "created_at"]}
        if start <= MONSTER < end and not ids_only:
            return self.refusal()
        more = {"has_more": end < 100} if self.shape == BY_OFFSET else {"next_cursor": str(end) if end < 100 else None}
        return {"results": objects(range(start, end)), "pagination": more}


def status(status: int) -> Any:
    return lambda: web.json_response({"error": {"message": "too much"}}, status=status)


def too_large() -> Any:
    return {"results": [{**objects(["monster"])[0], "x": "x" * 20_000}], "pagination": {"has_more": True}}


async def walk_past_errors(walk: Walk[Object], most: int = 5) -> tuple[list[int], list[MixpeekError]]:
    """What a walk yields, and the errors on its way, `most` at the most."""
    ids: list[int] = []
    errors: list[MixpeekError] = []
    while len(errors) < most:
        try:
            ids.append(int((await anext(walk)).object_id))
        except StopAsyncIteration:
            break
        except MixpeekError as error:
            errors.append(error)
    return ids, errors


WAYS = pytest.mark.parametrize("way", [{"prefetch": 0}, {"prefetch": 1}, {"concurrency": 4}], ids=str)


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [(status(413), StatusError), (too_large, ResponseTooLargeError), (status(504), ServerError)],
    ids=["413", "over the cap", "504"],
)
@pytest.mark.parametrize("shape", [BY_OFFSET, BY_CURSOR])
@WAYS
async def test_an_object_that_cannot_be_fetched_is_missed_alone_and_the_error_says_which(
    refusal: Any, kind: type[MixpeekError], shape: str, way: dict[str, Any]
) -> None:
    async with (
        ListServer(BucketWithAMonster(refusal, shape)) as server,
        server.client(max_body_bytes=10_000, retry=RetryPolicy(attempts=2)) as client,
    ):
        walk = aiter(client.objects.list("bkt_test", page_size=16, **way))
        ids, errors = await walk_past_errors(walk)

    assert ids == [n for n in range(100) if n != MONSTER]
    assert [type(error) for error in errors] == [kind]
    assert f"(object '{MONSTER}') cannot be fetched, even on its own" in errors[0].message


@pytest.mark.parametrize("resumed_at", [3, 30, 57])
@pytest.mark.parametrize("shape", [BY_OFFSET, BY_CURSOR])
async def test_a_walk_that_was_resumed_gets_past_it_too(shape: str, resumed_at: int) -> None:
    async with ListServer(BucketWithAMonster(status(413), shape)) as server, server.client() as client:
        pager = client.objects.list("bkt_test", page_size=16, max_items=resumed_at)
        before = [int(obj.object_id) for obj in await pager.to_list()]
        walk = aiter(client.objects.list("bkt_test", page_size=16, resume=pager.checkpoint))
        ids, errors = await walk_past_errors(walk)

    assert before + ids == [n for n in range(100) if n != MONSTER]
    assert len(errors) == 1


@pytest.mark.parametrize("shape", [BY_OFFSET, BY_CURSOR])
async def test_where_ids_cannot_be_fetched_alone_the_same_row_is_asked_for_again(shape: str) -> None:
    bucket = BucketWithAMonster(status(413), shape, selects=False)
    async with ListServer(bucket) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt_test", page_size=16))
        before, errors = await walk_past_errors(walk)
        more = {"has_more": True} if shape == BY_OFFSET else {"next_cursor": "58"}
        bucket.refusal = lambda: {"results": objects([MONSTER]), "pagination": more}
        healed = await anext(walk)

    assert before == list(range(MONSTER))
    assert len(errors) == 5
    assert all("cannot be fetched, even on its own" in error.message for error in errors)
    assert healed.object_id == str(MONSTER)


async def test_a_row_is_only_blamed_when_it_is_there_before_and_after_a_failure() -> None:
    deleted = False

    def answer(query: Query) -> Any:
        nonlocal deleted
        rows = objects(range(10)) if not deleted else objects(n for n in range(10) if n != 5)
        page = rows[query.offset : query.offset + query.limit]
        if query.body is None and "5" in [row["object_id"] for row in page]:
            if query.limit == 1:
                deleted = True  # between the failure and the question for its id
            return web.Response(status=413)
        return {"results": page, "pagination": {"has_more": query.offset + query.limit < len(rows)}}

    async with ListServer(answer) as server, server.client() as client:
        walked = await client.objects.list("bkt_test").to_list()

    assert [obj.object_id for obj in walked] == [str(n) for n in range(10) if n != 5]


async def test_rows_that_fit_alone_and_not_together_are_all_fetched() -> None:
    def answer(query: Query) -> Any:
        end = query.offset + query.limit
        if query.limit > 1 and query.offset < 20 and end > 15:
            return web.Response(status=413)
        return {"results": objects(range(query.offset, min(end, 40))), "pagination": {"has_more": end < 40}}

    async with ListServer(answer) as server, server.client() as client:
        walked = await client.objects.list("bkt_test").to_list()

    assert [obj.object_id for obj in walked] == [str(n) for n in range(40)]


async def test_rows_past_the_ceiling_that_cannot_be_fetched_at_once_are_an_error_that_says_so() -> None:
    def answer(query: Query) -> Any:
        end = query.offset + query.limit
        if end > 10_300:
            return web.Response(status=413)
        return {"results": objects(range(query.offset, end)), "pagination": {"has_more": True}}

    async with ListServer(answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt_test"))
        ids, errors = await walk_past_errors(walk)

    assert ids == list(range(10_300))
    assert all("the rows from 10,300 on come only with all those from 10,000 on" in error.message for error in errors)


async def test_an_outage_costs_one_budget_of_retries_and_blames_no_row() -> None:
    def answer(query: Query) -> Any:
        if query.offset:
            return web.Response(status=500)
        return {"results": objects(range(16)), "pagination": {"has_more": True}}

    async with ListServer(answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt_test", page_size=16, prefetch=0))
        ids, errors = await walk_past_errors(walk, most=1)

    assert ids == list(range(16))
    assert errors[0].message.startswith("500")
    assert len(server.queries) == 1 + RetryPolicy().attempts + 1


async def test_pages_grow_back_behind_it() -> None:
    async with (
        ListServer(BucketWithAMonster(status(413))) as server,
        server.client(retry=RetryPolicy(attempts=1)) as client,
    ):
        await walk_past_errors(aiter(client.objects.list("bkt_test", page_size=16, prefetch=0)))

    limits = [query.limit for query in server.queries]
    assert limits[:4] == [16, 17, 17, 17]
    assert 2 in limits
    assert limits[-1] > 8


async def test_the_checkpoint_of_the_error_leads_behind_it() -> None:
    async with (
        ListServer(BucketWithAMonster(status(413))) as server,
        server.client(retry=RetryPolicy(attempts=1)) as client,
    ):
        with pytest.raises(StatusError) as caught:
            await anext_all(aiter(client.objects.list("bkt_test", page_size=16)))
        rest = await client.objects.list("bkt_test", resume=caught.value.checkpoint).to_list()

    assert [int(obj.object_id) for obj in rest] == list(range(MONSTER + 1, 100))


async def anext_all(walk: Walk[Object]) -> None:
    async for _ in walk:
        pass


async def test_what_is_no_fault_of_the_size_is_not_asked_for_in_halves() -> None:
    async with ListServer(BucketWithAMonster(status(404))) as server, server.client() as client:
        with pytest.raises(NotFoundError):
            await anext_all(aiter(client.objects.list("bkt_test", page_size=100)))

    assert len(server.queries) == 1


async def test_a_policy_that_never_asks_twice_does_not_ask_for_halves_of_a_failure() -> None:
    async with (
        ListServer(BucketWithAMonster(status(500))) as server,
        server.client(retry=RetryPolicy(attempts=1)) as client,
    ):
        with pytest.raises(ServerError):
            await anext_all(aiter(client.objects.list("bkt_test", page_size=100)))

    assert len(server.queries) == 1


async def test_a_dead_server_is_not_asked_in_halves_for_ever() -> None:
    def dead(query: Query) -> Any:
        return web.Response(status=500)

    async with ListServer(dead) as server, server.client() as client:
        for _ in range(100):
            with pytest.raises(ServerError):
                await anext(aiter(client.objects.list("bkt_test", page_size=1000)))

    assert len(server.queries) <= 200


async def test_a_page_that_stalls_has_one_budget_however_often_it_is_halved() -> None:
    async def stall_unless_ids(connection: Connection) -> None:
        if b'"select"' in connection.received[-1].body:
            await connection.send(page("obj_2", next_cursor="c"))
        else:
            await connection.until_client_leaves()

    async with (
        ScriptedServer(page("obj_1", next_cursor="b"), stall_unless_ids) as server,
        AsyncMixpeek(
            "sk_test", namespace="ns", base_url=server.url, timeout=0.03, retry=RetryPolicy(budget=0.3, backoff=0.01)
        ) as client,
    ):
        walk = aiter(client.objects.list("bkt", page_size=512, prefetch=0))
        await anext(walk)
        began = time.monotonic()
        with pytest.raises(RequestTimeoutError):
            await anext(walk)

    # Ten halves with a budget each would take ten times as long.
    assert time.monotonic() - began < 1.0
