"""A page that cannot be had at its size is asked for in halves: one monstrous object never hides the rest."""

from typing import Any

import pytest
from aiohttp import web
from lists import ListServer, Query, objects

from mixpeek_async import (
    MixpeekError,
    NotFoundError,
    Object,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    StatusError,
    Walk,
)

MONSTER = 57
BY_OFFSET, BY_CURSOR = "has_more", "next_cursor"


class BucketWithAMonster:
    """A hundred objects. A page that holds the monster is answered by `refusal`."""

    def __init__(self, refusal: Any, shape: str = BY_OFFSET) -> None:
        self.refusal, self.shape = refusal, shape

    def __call__(self, query: Query) -> Any:
        start = int(query.cursor) if query.cursor else query.offset
        end = min(start + query.limit, 100)
        if start <= MONSTER < end:
            return self.refusal()
        more = {"has_more": end < 100} if self.shape == BY_OFFSET else {"next_cursor": str(end) if end < 100 else None}
        return {"results": objects(range(start, end)), "pagination": more}


def status(status: int) -> Any:
    return lambda: web.json_response({"error": {"message": "too much"}}, status=status)


def too_large() -> Any:
    return {"results": [{**objects(["monster"])[0], "x": "x" * 20_000}], "pagination": {"has_more": True}}


async def walk_past_errors(walk: Walk[Object]) -> tuple[list[int], list[MixpeekError]]:
    """What a walk yields, and the errors on its way."""
    ids: list[int] = []
    errors: list[MixpeekError] = []
    while len(errors) < 5:
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
    [(status(413), StatusError), (too_large, ResponseTooLargeError)],
    ids=["413", "over the cap"],
)
@pytest.mark.parametrize("shape", [BY_OFFSET, BY_CURSOR])
@WAYS
async def test_an_object_that_is_too_large_is_missed_alone_and_the_error_says_which(
    refusal: Any, kind: type[MixpeekError], shape: str, way: dict[str, Any]
) -> None:
    async with (
        ListServer(BucketWithAMonster(refusal, shape)) as server,
        server.client(max_body_bytes=10_000) as client,
    ):
        walk = aiter(client.objects.list("bkt_test", page_size=16, **way))
        ids, errors = await walk_past_errors(walk)

    assert ids == [n for n in range(100) if n != MONSTER]
    assert [type(error) for error in errors] == [kind]
    assert f"the row at offset {MONSTER} " in errors[0].message


@pytest.mark.parametrize("shape", [BY_OFFSET, BY_CURSOR])
@WAYS
async def test_an_object_that_makes_the_server_fail_is_named_and_asked_for_again(
    shape: str, way: dict[str, Any]
) -> None:
    bucket = BucketWithAMonster(status(504), shape)
    async with ListServer(bucket) as server, server.client(retry=RetryPolicy(attempts=2)) as client:
        walk = aiter(client.objects.list("bkt_test", page_size=16, **way))
        before, errors = await walk_past_errors(walk)
        bucket.refusal = lambda: {"results": objects([MONSTER]), "pagination": {"has_more": True}}
        healed = await anext(walk)

    assert before == list(range(MONSTER))
    assert all(f"the row at offset {MONSTER} " in error.message for error in errors)
    assert healed.object_id == str(MONSTER)


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
