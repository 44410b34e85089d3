"""Each way in which a walk was once seen to lose an object, give one twice, or end without a reason; and what held."""

import asyncio
from typing import Any

import pytest
from support.bucket_server import Bucket, BucketServer, Reply, Request, Row, Shape, error, rows
from support.clocks import ManualClock

from mixpeek_async import (
    CheckpointError,
    InvalidObjectError,
    MixpeekError,
    Object,
    Pager,
    RateLimitError,
    RetryPolicy,
    Walk,
)

EVERY_SHAPE: tuple[Shape, ...] = ("A", "B", "B up", "C", "C dropped", "N")
BY_OFFSET: tuple[Shape, ...] = ("A", "B", "B up", "N")


def ids(*numbers: int) -> list[str]:
    """The ids from the first number to just before the last."""
    return [str(number) for number in range(*numbers)]


def broken(id_: str, place: float) -> Row:
    return Row(id_, place, broken=True)


async def take(walk: Walk[Object], count: int) -> list[str]:
    """The ids of the next `count` objects, or of those that are left."""
    taken: list[str] = []
    async for obj in walk:
        taken.append(obj.object_id)
        if len(taken) == count:
            break
    return taken


async def rest(walk: Walk[Object] | Pager[Object]) -> list[str]:
    return [obj.object_id async for obj in walk]


async def collect(walk: Walk[Object], into: list[str]) -> None:
    """Walk on, and keep what came before an error."""
    async for obj in walk:
        into.append(obj.object_id)


# Malformed records and checkpoints


@pytest.mark.parametrize("shape", EVERY_SHAPE)
async def test_pages_lose_no_row_when_resumed_behind_an_invalid_object(shape: Shape) -> None:
    bucket = Bucket([*rows("ab"), broken("bad", 2), *rows("abcde")[3:]], shape)
    handed_out: list[str] = []
    async with BucketServer(bucket.answer) as server, server.client() as client:
        pager = client.objects.list("bkt")
        try:
            async for page in pager.pages():
                handed_out += [obj.object_id for obj in page.results]
        except InvalidObjectError:
            pass
        else:
            pytest.fail("the malformed record was not reported")
        resumed = client.objects.list("bkt", resume=pager.checkpoint, on_invalid="skip")
        handed_out += await rest(resumed)
    assert handed_out == ["a", "b", "d", "e"]


@pytest.mark.parametrize("change", ["mended", "deleted"])
@pytest.mark.parametrize("shape", EVERY_SHAPE)
@pytest.mark.parametrize("page_size", [1, 2, 10])
async def test_no_object_is_lost_when_a_malformed_first_record_changes_before_the_resume(
    shape: Shape, change: str, page_size: int
) -> None:
    bucket = Bucket([broken("bad", -1), *rows("abcd", dated=False)], shape)
    async with BucketServer(bucket.answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", page_size=page_size))
        with pytest.raises(InvalidObjectError) as caught:
            await anext(walk)
        if change == "mended":
            bucket.rows[0].mend()
        else:
            del bucket.rows[0]
        resumed = client.objects.list("bkt", page_size=page_size, resume=caught.value.checkpoint)
        # The record was reported already. That it comes again once it is mended is no harm.
        assert [id_ for id_ in await rest(resumed) if id_ != "bad"] == ["a", "b", "c", "d"]


# Servers that change under a walk


def from_an_older_server(bucket: Bucket, request: Request, shape: Shape) -> Reply:
    """A server that has never heard of cursors answers with the list's first page."""
    ignored = Request(request.number, request.limit, request.offset, None, request.body)
    return bucket.page(ignored, request.offset, request.limit, shape)


@pytest.mark.parametrize("older", ["A", "B"])
@pytest.mark.parametrize("number", [2, 3, 5])
async def test_the_first_page_in_answer_to_a_cursor_is_asked_for_again(older: Shape, number: int) -> None:
    bucket = Bucket(rows(range(50)), "C")

    def answer(request: Request) -> Reply:
        return from_an_older_server(bucket, request, older) if request.number == number else bucket.answer(request)

    async with BucketServer(answer) as server, server.client() as client:
        assert await rest(client.objects.list("bkt", page_size=10)) == ids(50)


@pytest.mark.parametrize("older", ["A", "B"])
@pytest.mark.parametrize("objects", [15, 50])
async def test_a_server_that_forgets_cursors_for_good_is_an_error_and_no_end(older: Shape, objects: int) -> None:
    bucket = Bucket(rows(range(objects)), "C")

    def answer(request: Request) -> Reply:
        # The whole list fits into the older server's page, where there are few objects.
        older_request = Request(request.number, 20, 0, request.cursor, request.body)
        return from_an_older_server(bucket, older_request, older) if request.number > 1 else bucket.answer(request)

    yielded: list[str] = []
    async with BucketServer(answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", page_size=10))
        with pytest.raises(MixpeekError):
            await collect(walk, yielded)
    assert yielded == ids(len(yielded))


@pytest.mark.parametrize("older", ["A", "B"])
async def test_a_resumed_walk_takes_the_first_page_for_no_answer_to_its_cursor(older: Shape) -> None:
    bucket = Bucket(rows(range(100), dated=False), "C")
    behind: list[int] = []

    def answer(request: Request) -> Reply:
        return from_an_older_server(bucket, request, older) if request.number in behind else bucket.answer(request)

    async with BucketServer(answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", page_size=10, prefetch=0))
        taken = await take(walk, 75)
        behind.append(len(server.requests) + 1)
        resumed = client.objects.list("bkt", page_size=10, resume=walk.checkpoint)
        assert taken + await rest(resumed) == ids(100)


# Newest first


@pytest.mark.parametrize("shape", BY_OFFSET)
async def test_nothing_comes_twice_when_many_objects_are_created_in_front_and_the_walk_is_resumed(shape: Shape) -> None:
    bucket = Bucket(rows(range(100), dated=False), shape)
    async with BucketServer(bucket.answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", sort="-created_at", page_size=20, prefetch=0))
        taken = await take(walk, 20)
        bucket.prepend(ids(1000, 1060))
        taken += await take(walk, 40)
        resumed = client.objects.list("bkt", sort="-created_at", page_size=20, resume=walk.checkpoint)
        taken += await rest(resumed)
    assert len(taken) == len(set(taken))
    assert [id_ for id_ in taken if int(id_) < 1000] == ids(100)


@pytest.mark.parametrize("shape", BY_OFFSET)
@pytest.mark.parametrize("taken", [60, 100])
async def test_a_clamped_list_that_grew_in_front_is_resumed_in_few_requests(shape: Shape, taken: int) -> None:
    bucket = Bucket(rows(range(300), dated=False), shape, most=100)
    async with BucketServer(bucket.answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", sort="-created_at"))
        first = await take(walk, taken)
        bucket.prepend(ids(1000, 1150))
        sent = len(server.requests)
        resumed = await rest(client.objects.list("bkt", sort="-created_at", resume=walk.checkpoint))
    assert first + [id_ for id_ in resumed if int(id_) < 1000] == ids(300)
    assert len(resumed) == len(set(resumed))
    assert len(server.requests) - sent <= 15


@pytest.mark.parametrize("shape", ["C", "C dropped", "A+C"])
async def test_cursors_that_are_offsets_walk_on_through_many_pages_that_come_again(shape: Shape) -> None:
    bucket = Bucket(rows(range(200), dated=False), shape, cursors="offset")
    async with BucketServer(bucket.answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", sort="-created_at", page_size=10, prefetch=0))
        taken = await take(walk, 100)
        bucket.prepend(ids(1000, 1080))
        taken += await rest(walk)
    assert taken == ids(200)


# A queue: take, delete, resume


async def work_off(bucket: Bucket, done: list[str], each_time: int, **options: Any) -> None:
    """Do each object, delete it, and stop and resume every `each_time` objects, until the bucket is empty."""
    checkpoint = None
    async with BucketServer(bucket.answer) as server, server.client() as client:
        while bucket.rows:
            walk = aiter(client.objects.list("bkt", page_size=10, resume=checkpoint, **options))
            for _ in range(min(each_time, len(bucket.rows))):
                obj = await anext(walk)
                done.append(obj.object_id)
                bucket.delete(obj.object_id)
            checkpoint = walk.checkpoint


@pytest.mark.parametrize("shape", EVERY_SHAPE)
@pytest.mark.parametrize("each_time", [1, 3, 7, 40])
async def test_a_job_that_deletes_what_it_has_done_and_is_resumed_does_everything(shape: Shape, each_time: int) -> None:
    done: list[str] = []
    await work_off(Bucket(rows(range(100)), shape), done, each_time)
    assert done == ids(100)


@pytest.mark.parametrize("shape", EVERY_SHAPE)
@pytest.mark.parametrize("each_time", [1, 3, 7])
@pytest.mark.parametrize("sort", [None, "metadata.rank"])
async def test_without_dates_such_a_job_does_everything_or_stops_with_a_checkpoint_error(
    shape: Shape, each_time: int, sort: str | None
) -> None:
    done: list[str] = []
    try:
        await work_off(Bucket(rows(range(100), dated=False), shape), done, each_time, sort=sort)
    except CheckpointError:
        assert done == ids(len(done))
    else:
        assert done == ids(100)


@pytest.mark.parametrize("shape", EVERY_SHAPE)
async def test_a_job_that_deletes_each_object_within_one_walk_does_them_all(shape: Shape) -> None:
    bucket = Bucket(rows(range(100), dated=False), shape)
    done: list[str] = []
    async with BucketServer(bucket.answer) as server, server.client() as client:
        async for obj in client.objects.list("bkt", page_size=10):
            done.append(obj.object_id)
            bucket.delete(obj.object_id)
    assert done == ids(100)


@pytest.mark.parametrize("sort", [None, "metadata.rank"])
@pytest.mark.parametrize("shape", ["C", "C dropped", "A+C", "B+C"])
async def test_by_cursor_a_deleted_first_object_of_a_page_is_no_lost_place(shape: Shape, sort: str | None) -> None:
    bucket = Bucket(rows(range(200), dated=False), shape)
    async with BucketServer(bucket.answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", sort=sort, page_size=50, prefetch=0))
        taken = await take(walk, 101)
        bucket.delete("100")
        resumed = client.objects.list("bkt", sort=sort, page_size=50, resume=walk.checkpoint)
        assert taken + await rest(resumed) == ids(200)


# Clamps and concurrency


@pytest.mark.parametrize("shape", ["A", "B", "N"])
async def test_concurrency_on_a_server_that_gives_fewer_rows_than_asked_wastes_few_requests(shape: Shape) -> None:
    bucket = Bucket(rows(range(400)), shape, most=10)
    async with BucketServer(bucket.answer) as server, server.client() as client:
        assert await rest(client.objects.list("bkt", page_size=100, concurrency=8)) == ids(400)
    # One page of ten is the least that a request can bring; one row of it may be the overlap.
    assert len(server.requests) <= 45 + 2 * 8


async def test_by_cursor_a_smaller_page_than_the_one_that_was_left_is_no_lost_place() -> None:
    bucket = Bucket(rows(range(1000), dated=False), "C")
    async with BucketServer(bucket.answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", sort="metadata.rank", page_size=400, prefetch=0))
        taken = await take(walk, 750)
        bucket.most = 200
        resumed = client.objects.list("bkt", sort="metadata.rank", page_size=50, resume=walk.checkpoint)
        assert taken + await rest(resumed) == ids(1000)


# Ends


@pytest.mark.parametrize("shape", ["B", "B up", "A"])
@pytest.mark.parametrize("objects", [10_001, 10_500, 10_999])
async def test_the_last_page_that_an_offset_can_reach_ends_a_walk(shape: Shape, objects: int) -> None:
    bucket = Bucket(rows(range(objects)), shape)
    async with BucketServer(bucket.answer) as server, server.client() as client:
        assert await rest(client.objects.list("bkt")) == ids(objects)


async def test_objects_that_are_appended_to_a_list_that_shifted_come_by_pages() -> None:
    bucket = Bucket(rows(range(53), dated=False), "N")
    async with BucketServer(bucket.answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", page_size=10, prefetch=0))
        taken = await take(walk, 10)
        bucket.delete(*ids(3))
        taken += await take(walk, 42)
        assert len(server.requests) <= 9
        bucket.append(range(100, 200))
        taken += await rest(walk)
    assert taken == ids(53) + ids(100, 200)
    assert len(server.requests) <= 9 + 13


# Rate limits


class QuietClock(ManualClock):
    """Time that does not pass while requests are on their way."""

    async def sleep(self, seconds: float, /) -> None:
        await asyncio.sleep(0.02)
        await super().sleep(seconds)


@pytest.mark.parametrize("limit", ["of its own", "of the server"])
async def test_a_long_wait_for_a_turn_is_no_part_of_a_pages_budget(limit: str) -> None:
    bucket, clock = Bucket(rows(range(3))), QuietClock()

    def answer(request: Request) -> Reply:
        reply = bucket.answer(request)
        if limit == "of the server":
            reset = f"{clock.time() + 60:.0f}"
            reply.headers.update({"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})
        return reply

    own = 1 if limit == "of its own" else None
    async with BucketServer(answer) as server, server.client(clock=clock, requests_per_minute=own) as client:
        walked = await asyncio.gather(*(rest(client.objects.list("bkt")) for _ in range(10)))
    assert walked == [ids(3)] * 10
    assert len(server.requests) == 10


# Checkpoints whose place is gone


@pytest.mark.parametrize("shape", BY_OFFSET)
@pytest.mark.parametrize("page_size", [1, 3, 20, 1000])
@pytest.mark.parametrize("taken", [1, 5, 40])
async def test_dates_find_the_place_where_all_objects_before_it_are_gone(
    shape: Shape, page_size: int, taken: int
) -> None:
    bucket = Bucket(rows(range(100)), shape)
    async with BucketServer(bucket.answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", page_size=page_size))
        first = await take(walk, taken)
        bucket.delete(*first)
        assert await rest(client.objects.list("bkt", page_size=page_size, resume=walk.checkpoint)) == ids(taken, 100)


@pytest.mark.parametrize("dates", ["none", "equal"])
@pytest.mark.parametrize("shape", EVERY_SHAPE)
@pytest.mark.parametrize("page_size", [1, 3, 20, 1000])
@pytest.mark.parametrize("taken", [1, 5, 40])
async def test_without_dates_a_place_whose_objects_are_all_gone_is_found_or_is_an_error_soon(
    shape: Shape, page_size: int, taken: int, dates: str
) -> None:
    bucket = Bucket(rows(range(100), dated=False), shape)
    if dates == "equal":
        bucket.rows = [Row(row.id, row.place, "2026-01-01T00:00:00Z") for row in bucket.rows]
    async with BucketServer(bucket.answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", page_size=page_size, prefetch=0))
        bucket.delete(*await take(walk, taken))
        sent = len(server.requests)
        try:
            found = await rest(client.objects.list("bkt", page_size=page_size, resume=walk.checkpoint))
        except CheckpointError:
            assert len(server.requests) - sent <= 25
        else:
            assert found == ids(taken, 100)


# What held, and must go on to hold


@pytest.mark.parametrize("shape", EVERY_SHAPE)
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 25])
async def test_max_items_stops_exactly_there_and_the_rest_can_follow(shape: Shape, count: int) -> None:
    bucket = Bucket(rows(range(20)), shape)
    async with BucketServer(bucket.answer) as server, server.client() as client:
        pager = client.objects.list("bkt", page_size=10, max_items=count)
        first = await rest(pager)
        assert first == ids(min(count, 20))
        assert first + await rest(client.objects.list("bkt", resume=pager.checkpoint)) == ids(20)


@pytest.mark.parametrize("shape", EVERY_SHAPE)
@pytest.mark.parametrize("prefetch", [0, 1])
async def test_a_cancelled_step_loses_nothing(shape: Shape, prefetch: int) -> None:
    bucket = Bucket(rows(range(30)), shape)
    taken: list[str] = []
    async with BucketServer(bucket.answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", page_size=3, prefetch=prefetch))
        for turns in range(200):
            step = asyncio.ensure_future(anext(walk))
            for _ in range(turns % 20):
                await asyncio.sleep(0)
            step.cancel()
            await asyncio.wait([step])
            if not step.cancelled() and step.exception() is None:
                taken.append(step.result().object_id)
        assert taken + await rest(walk) == ids(30)


@pytest.mark.parametrize("shape", EVERY_SHAPE)
async def test_tasks_that_share_a_walk_get_each_object_once(shape: Shape) -> None:
    bucket = Bucket(rows(range(100)), shape)
    async with BucketServer(bucket.answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt", page_size=7))
        shares = await asyncio.gather(*(rest(walk) for _ in range(5)))
    assert sorted((id_ for share in shares for id_ in share), key=int) == ids(100)


async def test_200_walkers_on_a_client_that_is_refused_all_come_to_the_end() -> None:
    bucket = Bucket(rows(range(20)))

    def answer(request: Request) -> Reply:
        return error(429, "slow down", Retry_After="1") if request.number % 3 == 0 else bucket.answer(request)

    async with BucketServer(answer) as server, server.client(retry=RetryPolicy(budget=1e6)) as client:
        walked = await asyncio.gather(*(rest(client.objects.list("bkt", page_size=10)) for _ in range(200)))
    assert walked == [ids(20)] * 200


async def test_walkers_that_are_refused_for_good_end_in_an_error_each() -> None:
    def answer(request: Request) -> Reply:
        return error(429, "slow down", Retry_After="1")

    policy = RetryPolicy(max_ordered_waits=2)
    async with BucketServer(answer) as server, server.client(retry=policy) as client:
        walks = (rest(client.objects.list("bkt")) for _ in range(20))
        outcomes = await asyncio.gather(*walks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RateLimitError] * 20
