"""How long a walk holds the event loop: the longest time in which nothing else has its turn."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import aiohttp

from benchmarks.child import run
from benchmarks.contestants import BARE, OURS, OURS_PAGES, present
from benchmarks.contestants.bare import HEADERS, pages
from benchmarks.contestants.ours import client
from benchmarks.race import median, race
from benchmarks.report import Table
from benchmarks.scale import Scale
from benchmarks.server import serving

__all__ = ["measure", "table"]

_Walk = Callable[[str, str], AsyncIterator[object]]
_GREEDY = f"{OURS}, consumer that awaits nothing"
_TARGETS = {OURS: "≤ 2 ms", OURS_PAGES: "≤ 10 ms"}


async def _ours(url: str, bucket: str) -> AsyncIterator[object]:
    async with client(url) as mixpeek:
        async for obj in mixpeek.objects.list(bucket):
            yield obj


async def _ours_pages(url: str, bucket: str) -> AsyncIterator[object]:
    async with client(url) as mixpeek:
        async for page in mixpeek.objects.list(bucket).pages():
            yield page


async def _bare(url: str, bucket: str) -> AsyncIterator[object]:
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        async for page in pages(session, url, bucket):
            for row in page["results"]:
                yield row


_WALKS: dict[str, tuple[_Walk, bool]] = {
    BARE: (_bare, True),
    OURS: (_ours, True),
    OURS_PAGES: (_ours_pages, True),
    _GREEDY: (_ours, False),
}


def measure(name: str, url: str, bucket: str) -> dict[str, float]:
    """The worst gap between two turns of the loop, in seconds, and the worst in seconds of this thread's CPU."""
    walk, lets_others = _WALKS[name]
    return asyncio.run(_measure(walk(url, bucket), lets_others=lets_others))


async def _measure(walk: AsyncIterator[object], *, lets_others: bool) -> dict[str, float]:
    async for _ in walk:
        break  # the connection, and what is made at first use, are no part of this
    await asyncio.sleep(0)
    gaps = {"wall": 0.0, "cpu": 0.0}
    ticking = asyncio.create_task(_tick(gaps))
    async for _ in walk:
        if lets_others:
            await asyncio.sleep(0)
    ticking.cancel()
    return gaps


async def _tick(gaps: dict[str, float]) -> None:
    wall, cpu = time.perf_counter(), time.thread_time()
    while True:
        await asyncio.sleep(0)
        now, spent = time.perf_counter(), time.thread_time()
        gaps["wall"], gaps["cpu"] = max(gaps["wall"], now - wall), max(gaps["cpu"], spent - cpu)
        wall, cpu = now, spent


def table(scale: Scale) -> Table:
    """The worst gap, for a consumer that lets others have a turn after each object, and one that does not."""
    names = [name for name in _WALKS if name != BARE or BARE in present()]
    bucket = f"cursor-{scale.pages}x{scale.page}"
    with serving(bucket) as site:
        results = race(names, scale.slow_rounds, lambda name: run("holding:measure", name, site.url, bucket))
    rows = [
        (
            name,
            f"{1000 * median(results, name, 'cpu'):.1f} ms",
            f"{1000 * median(results, name, 'wall'):.1f} ms",
            _TARGETS.get(name, ""),
        )
        for name in names
    ]
    columns = ("who walks", "worst gap, CPU", "worst gap, wall", "target")
    return Table(f"Longest hold of the event loop, pages of {scale.page:,}", columns, rows)
