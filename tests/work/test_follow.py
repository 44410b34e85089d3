"""`follow`: a walk that does not end, and the checkpoint of the end."""

import asyncio
import bisect
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from support.bucket_server import DROP, Bucket, BucketServer, Reply, Request, Row, Shape, date, error
from support.clients import client_at
from support.clocks import ManualClock

from mixpeek_async import (
    ClientClosedError,
    Follow,
    InvalidArgumentError,
    MixpeekError,
    Object,
    OffsetLimitError,
    PaginationError,
    RetryPolicy,
    ServerError,
)

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


class World(ManualClock):
    """A bucket in time: what was planned happens during the wait in which its moment lies.

    Seconds count from the first moment. `answer` can be made to fail.
    """

    def __init__(self, shape: Shape = "C", **settings: Any) -> None:
        super().__init__(_EPOCH)
        self.bucket = Bucket([], shape, **settings)
        self.plans: list[tuple[float, int, Callable[[], object]]] = []
        self.failures: list[Reply] = []

    def plan(self, moment: float, act: Callable[[], object]) -> None:
        bisect.insort(self.plans, (moment, len(self.plans), act))

    def create(self, id_: str, created: float, *, dated: bool = True) -> None:
        """Show an object, in front of those that were created later."""
        row = Row(id_, created, date(0) if not dated else datetime.fromtimestamp(_EPOCH + created, UTC).isoformat())
        if not dated:
            row.created_at = None
            row.serialize()
        bisect.insort(self.bucket.rows, row, key=lambda row: row.place)

    async def sleep(self, seconds: float, /) -> None:
        await super().sleep(seconds)
        while self.plans and self.plans[0][0] <= self.monotonic():
            self.plans.pop(0)[2]()

    def answer(self, request: Request) -> Reply:
        return self.failures.pop() if self.failures else self.bucket.answer(request)


async def take(follow: Follow[Object], count: int) -> list[str]:
    return [(await anext(follow)).object_id for _ in range(count)]


@pytest.mark.parametrize("shape", ["C", "A", "B"])
@pytest.mark.parametrize("seed", range(3))
async def test_two_hours_of_creations_deletions_and_faults_yield_each_object_once(shape: Shape, seed: int) -> None:
    chance = random.Random(seed)
    world = World(shape)
    created: set[str] = set()
    deleted: set[str] = set()

    def delete() -> None:
        rows = world.bucket.rows
        gone = [row.id or "" for row in chance.sample(rows, min(len(rows), chance.choice([1, 1, 3, 40])))]
        deleted.update(gone)
        world.bucket.delete(*gone)

    def fail() -> None:
        world.failures += chance.choices(
            [error(500, "no"), error(429, "wait", Retry_After="9"), DROP, error(501, "no")]
        )

    for number in range(400):
        moment = chance.random() * 7_200
        # Some become visible minutes after their creation, behind newer ones.
        late = chance.choice([0, 0, 0, 280 * chance.random()])
        created.add(f"obj_{number}")
        world.plan(moment + late, lambda number=number, moment=moment: world.create(f"obj_{number}", moment))  # type: ignore[misc]  # its defaults bind the loop variables
    for _ in range(60):
        world.plan(chance.random() * 7_200, delete)
        world.plan(chance.random() * 7_200, fail)
    world.plan(8_000, lambda: world.create("end", 8_000))

    yielded: list[str] = []
    async with BucketServer(world.answer) as server, server.client(clock=world) as client:
        follow = client.objects.list("bkt", page_size=chance.choice([3, 100, 1000])).follow(every=30)
        while yielded[-1:] != ["end"]:
            try:
                yielded += await take(follow, 1)
            except MixpeekError:
                continue
        await follow.aclose()
    assert len(yielded) == len(set(yielded))
    assert created - deleted <= set(yielded)
    assert follow.progress.items == len(yielded)


@pytest.mark.parametrize("shape", ["C", "A", "B"])
async def test_an_idle_poll_is_one_request_and_comes_when_it_is_due(shape: Shape) -> None:
    world = World(shape)
    for number in range(7):
        world.create(f"old_{number}", -9_000 + number)
    world.plan(3_000, lambda: world.create("new", 3_000))
    async with BucketServer(world.answer) as server, server.client(clock=world) as client:
        follow = client.objects.list("bkt", page_size=3).follow(every=100)
        await take(follow, 7)
        before = len(server.requests)
        assert await take(follow, 1) == ["new"]
        polls = [wait for wait in world.slept if wait]
        assert all(90 <= wait <= 110 for wait in polls)
        assert len(set(polls)) > 1
        assert len(server.requests) - before <= len(polls) + 2
        await follow.aclose()


async def test_it_goes_on_at_its_checkpoint_with_the_objects_that_were_young() -> None:
    world = World()
    world.create("old", -1_000)
    world.create("young", -10)
    async with BucketServer(world.answer) as server, server.client(clock=world) as client:
        pager = client.objects.list("bkt")
        follow = pager.follow()
        assert await take(follow, 2) == ["old", "young"]
        assert pager.checkpoint == follow.checkpoint
        again = client.objects.list("bkt", resume=follow.checkpoint).follow()
        assert await take(again, 1) == ["young"]
        # Without an overlap, nothing comes again.
        exact = client.objects.list("bkt").follow(overlap=0)
        await take(exact, 2)
        assert await client.objects.list("bkt", resume=exact.checkpoint).to_list() == []


async def test_objects_without_a_date_are_not_read_again() -> None:
    world = World()
    world.create("one", 0, dated=False)
    async with BucketServer(world.answer) as server, server.client(clock=world) as client:
        follow = client.objects.list("bkt").follow()
        await take(follow, 1)
        assert await client.objects.list("bkt", resume=follow.checkpoint).to_list() == []


async def test_a_date_in_the_future_is_read_again_for_the_overlap_only() -> None:
    world = World()
    world.create("future", 90_000)
    world.plan(1_000, lambda: world.create("new", 100_000))
    async with BucketServer(world.answer) as server, server.client(clock=world) as client:
        follow = client.objects.list("bkt").follow()
        assert await take(follow, 2) == ["future", "new"]
        assert 10 <= follow.progress.repeats <= 12


async def test_an_object_that_is_missing_for_a_moment_is_not_new() -> None:
    world = World()
    for id_ in ("one", "two"):
        world.create(id_, -1)
    world.plan(20, lambda: world.bucket.delete("two"))
    world.plan(50, lambda: world.create("two", -1))
    world.plan(120, lambda: world.create("end", 120))
    async with BucketServer(world.answer) as server, server.client(clock=world) as client:
        assert await take(client.objects.list("bkt").follow(), 3) == ["one", "two", "end"]


async def test_max_items_ends_it() -> None:
    world = World()
    world.create("one", 0)
    world.plan(60, lambda: world.create("two", 60))
    async with BucketServer(world.answer) as server, server.client(clock=world) as client:
        assert [obj.object_id async for obj in client.objects.list("bkt", max_items=2).follow()] == ["one", "two"]


async def test_closing_it_ends_every_wait() -> None:
    world = World()
    async with BucketServer(world.answer) as server, server.client() as client:
        async with client.objects.list("bkt").follow() as follow:
            tasks = [asyncio.ensure_future(anext(follow, None)) for _ in range(3)]
            while not server.requests:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.01)
        assert await asyncio.gather(*tasks) == [None, None, None]
        assert await anext(follow, None) is None
        unused = client.objects.list("bkt").follow()
        await unused.aclose()
        assert [obj async for obj in unused] == []


async def test_closing_it_while_a_page_is_fetched_ends_it() -> None:
    world = World()
    world.create("one", 0)
    async with BucketServer(world.answer) as server, server.client(clock=world) as client:
        follow = client.objects.list("bkt").follow()

        def answer(request: Request) -> Reply:
            closing.append(asyncio.ensure_future(follow.aclose()))
            return world.answer(request)

        closing: list[asyncio.Future[None]] = []
        server.answer = answer
        assert [obj async for obj in follow] == []
        assert len(closing) == len(server.requests) == 1


async def test_closing_the_client_ends_the_wait_with_an_error() -> None:
    world = World()
    async with BucketServer(world.answer) as server, server.client() as client:
        waiting = asyncio.ensure_future(anext(client.objects.list("bkt").follow()))
        while not server.requests:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await waiting


async def test_a_wait_that_is_cancelled_goes_on() -> None:
    world = World()
    gate = asyncio.Event()
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        await gate.wait()

    world.sleep = wait  # type: ignore[method-assign]  # the world waits in its own way
    async with BucketServer(world.answer) as server, server.client(clock=world) as client:
        follow = client.objects.list("bkt").follow()
        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await anext(follow)
        assert len(waits) == 1
        world.create("new", 0)
        gate.set()
        assert await take(follow, 1) == ["new"]


async def test_an_error_does_not_end_it() -> None:
    world = World()
    world.create("one", -1_000)
    policy = RetryPolicy(attempts=1)
    async with BucketServer(world.answer) as server, server.client(clock=world, retry=policy) as client:
        follow = client.objects.list("bkt").follow()
        world.failures.append(error(500, "no"))
        with pytest.raises(ServerError) as caught:
            await anext(follow)
        assert caught.value.checkpoint == follow.checkpoint
        assert await take(follow, 1) == ["one"]


async def test_for_each_handles_what_it_follows_and_keeps_the_place() -> None:
    world = World()
    for number in range(5):
        world.create(f"old_{number}", number - 9_000)
    world.plan(600, lambda: world.create("new", 600))
    world.plan(2_000, lambda: world.create("last", 2_000))
    handled: list[str] = []
    commits: list[str] = []
    async with BucketServer(world.answer) as server, server.client(clock=world) as client:
        follow = client.objects.list("bkt").follow()

        async def handle(obj: Object) -> None:
            handled.append(obj.object_id)
            if obj.object_id == "last":
                await follow.aclose()

        assert await follow.for_each(handle, commit=commits.append) == 7
        assert handled[-2:] == ["new", "last"]
        assert follow.checkpoint == commits[-1]
        rest = await client.objects.list("bkt", resume=commits[-1]).to_list()
        # It was young.
        assert [obj.object_id for obj in rest] == ["last"]


@pytest.mark.parametrize("query", [{"sort": "created_at"}, {"sort": "-updated_at"}, {"search": "x"}])
async def test_a_list_that_does_not_grow_at_its_end_is_refused_before_any_request(query: dict[str, Any]) -> None:
    async with client_at("http://localhost:1") as client:
        with pytest.raises(InvalidArgumentError, match="leave out sort and search"):
            client.objects.list("bkt", **query).follow()


@pytest.mark.parametrize("arguments", [{"every": 0}, {"every": "x"}, {"overlap": -1}])
async def test_an_argument_that_cannot_work_is_refused(arguments: dict[str, Any]) -> None:
    async with client_at("http://localhost:1") as client:
        with pytest.raises(InvalidArgumentError, match=next(iter(arguments))):
            client.objects.list("bkt").follow(**arguments)


@pytest.mark.parametrize("shape", ["B", "B+C", "A+B"])
@pytest.mark.parametrize("objects", [0, 1, 33, 34, 1_500, 10_033])
async def test_at_end_leads_to_what_is_created_from_now_on(shape: Shape, objects: int) -> None:
    world = World(shape)
    for number in range(objects):
        world.create(f"old_{number}", number - 90_000)
    async with BucketServer(world.answer) as server, server.client(clock=world) as client:
        end = await client.objects.list("bkt").at_end()
        assert len(server.requests) <= 3
        world.create("new", 1)
        world.bucket.delete(*[f"old_{number}" for number in range(objects - 20, objects)])
        assert [obj.object_id for obj in await client.objects.list("bkt", resume=end).to_list()] == ["new"]
        assert await take(client.objects.list("bkt", resume=end).follow(), 1) == ["new"]


async def test_at_end_says_what_it_cannot_reach() -> None:
    world = World("B")
    async with BucketServer(world.answer) as server, server.client(clock=world) as client:
        for number in range(10_034):
            world.create(f"old_{number}", number - 90_000)
        with pytest.raises(OffsetLimitError, match="10,034 objects"):
            await client.objects.list("bkt").at_end()
        world.bucket.shape = "A"
        with pytest.raises(PaginationError, match="does not count"):
            await client.objects.list("bkt").at_end()


async def test_at_end_gives_up_on_a_list_that_grows_faster_than_it_is_read() -> None:
    world = World("B+C", most=1)
    world.create("one", 0)
    places = iter(range(1, 1_000))

    def answer(request: Request) -> Reply:
        for _ in range(3):
            place = next(places)
            world.create(f"new_{place}", place)
        return world.answer(request)

    async with BucketServer(answer) as server, server.client(clock=world) as client:
        with pytest.raises(PaginationError, match="moves on too fast"):
            await client.objects.list("bkt").at_end()
        assert len(server.requests) == 3
