"""Many workers, each with a client of its own, under the one rate limit of their key."""

import asyncio
import heapq
import itertools

import pytest
from support.clients import connect

from mixpeek_async import Hooks, Object, Part, ResponseReceived, RetryPolicy
from mixpeek_async.emulator import Emulator

WORKERS = 16
LIMIT = 600


class CrowdClock:
    """The clock of many workers. When all of them sleep, it jumps to where the first one wakes up."""

    def __init__(self) -> None:
        self.now = 0.0
        self._working = 0
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def __enter__(self) -> None:
        self._working += 1

    def __exit__(self, *_: object) -> None:
        self._working -= 1
        self._jump()

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_800_000_000.0 + self.now

    async def sleep(self, seconds: float, /) -> None:
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleeping, (self.now + seconds, next(self._numbers), woken))
        self._jump()
        await woken

    def _jump(self) -> None:
        if self._sleeping and len(self._sleeping) >= self._working:
            self.now, _, woken = heapq.heappop(self._sleeping)
            woken.set_result(None)


@pytest.mark.parametrize("share", [LIMIT // WORKERS, None])
async def test_workers_share_one_limit(share: int | None) -> None:
    clock = CrowdClock()
    statuses: list[int] = []

    def note(event: ResponseReceived) -> None:
        statuses.append(event.status)

    async def work(part: Part[Object]) -> list[str]:
        settings = {"hooks": Hooks(response=note), "retry": RetryPolicy(), "requests_per_minute": share}
        with clock:
            async with connect(emulator, clock=clock, **settings) as client:
                return [obj.object_id async for obj in part.list(client, page_size=1, prefetch=0)]

    async with Emulator(objects=1_300, requests_per_minute=LIMIT, clock=clock.time) as emulator:
        async with connect(emulator, clock=clock) as client:
            parts = await client.objects.parts(emulator.bucket, count=WORKERS, min_objects=10)
        found = await asyncio.gather(*map(work, parts))
        assert [id_ for ids in found for id_ in ids] == emulator.object_ids()
    windows = clock.now // 60 + 1
    # Without a share, each worker may send one request too many before it learns that the window is used up.
    assert statuses.count(429) <= (WORKERS if share else WORKERS * windows)
    assert windows <= len(statuses) // LIMIT + 2
