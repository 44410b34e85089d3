"""Many walks on one loop, over one client: pages a second, the worst lag of the loop, sockets."""

import asyncio
import importlib
import time
from collections.abc import Awaitable
from typing import Any

import aiohttp

from benchmarks.child import run
from benchmarks.contestants import BARE, OURS, present
from benchmarks.contestants.bare import HEADERS, pages
from benchmarks.contestants.ours import client
from benchmarks.race import median, race, ratio
from benchmarks.report import Table, times
from benchmarks.scale import Scale
from benchmarks.server import Site, serving

__all__ = ["measure", "table"]

_PAGES = 10
_TICK = 0.01


def measure(name: str, url: str, bucket: str, walkers: int, size: int) -> dict[str, float]:
    """So many walks at once: seconds, of them CPU, the worst lag in seconds, objects seen."""
    return asyncio.run((_bare if name == BARE else _ours)(url, bucket, walkers, size))


async def _ours(url: str, bucket: str, walkers: int, size: int) -> dict[str, float]:
    async with client(url) as mixpeek:

        async def walk() -> int:
            objects = 0
            async for _ in mixpeek.objects.list(bucket, page_size=size):
                objects += 1
            return objects

        return await _crowd([walk() for _ in range(walkers)])


async def _bare(url: str, bucket: str, walkers: int, size: int) -> dict[str, float]:
    importlib.import_module("orjson")
    async with aiohttp.ClientSession(headers=HEADERS) as session:

        async def walk() -> int:
            objects = 0
            async for page in pages(session, url, bucket):
                for _ in page["results"]:
                    objects += 1
            return objects

        return await _crowd([walk() for _ in range(walkers)])


async def _crowd(walks: list[Awaitable[int]]) -> dict[str, float]:
    lags: list[float] = []
    ticking = asyncio.create_task(_tick(lags))
    begun, cpu = time.perf_counter(), time.process_time()
    seen = await asyncio.gather(*walks)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    ticking.cancel()
    return {"seconds": seconds, "cpu": cpu, "lag": max(lags, default=0.0), "objects": sum(seen)}


async def _tick(lags: list[float]) -> None:
    while True:
        due = time.perf_counter() + _TICK
        await asyncio.sleep(_TICK)
        lags.append(time.perf_counter() - due)


def _with_sockets(site: Site, *arguments: Any) -> dict[str, Any]:
    site.most_connections()
    measured: dict[str, Any] = run("walkers:measure", *arguments)
    # One of them asks for this number.
    return {**measured, "sockets": site.most_connections() - 1}


def table(scale: Scale) -> Table:
    """Ours beside the bare loop, as many walks each."""
    names = [name for name in (BARE, OURS) if name in present()]
    bucket = f"cursor-{_PAGES}x{scale.small_page}"
    with serving(bucket) as site:
        results = race(
            names,
            scale.slow_rounds,
            lambda name: _with_sockets(site, name, site.url, bucket, scale.walkers, scale.small_page),
        )
    rows = [
        (
            name,
            f"{scale.walkers * _PAGES / median(results, name, 'seconds'):,.0f}",
            times(ratio(results, BARE, name, "seconds")),
            times(ratio(results, name, BARE, "cpu")),
            f"{1000 * median(results, name, 'lag'):.0f} ms",
            f"{median(results, name, 'sockets'):.0f}",
            "≥ 0.6; ≤ 200 ms; ≤ 100 sockets" if name == OURS else "",
        )
        for name in names
    ]
    title = f"{scale.walkers:,} walkers on one loop, {_PAGES} pages of {scale.small_page} each"
    return Table(
        title,
        ("who walks", "pages/s", "to the bare loop", "CPU to the bare loop", "worst lag", "sockets", "target"),
        rows,
    )
