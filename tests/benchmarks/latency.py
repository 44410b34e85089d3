"""How long a walk takes where the server is far away: pages fetched ahead, and pages fetched side by side."""

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable

import aiohttp

from benchmarks.child import run
from benchmarks.contestants import BARE, OURS, present
from benchmarks.contestants.bare import HEADERS, bodies, pages
from benchmarks.contestants.ours import client
from benchmarks.race import Results, median, race, ratio
from benchmarks.report import Bar, Chart, Table, times
from benchmarks.scale import Scale
from benchmarks.server import serving

__all__ = ["measure", "measure_with_work", "read_ahead", "read_ahead_chart", "side_by_side", "side_by_side_chart"]

_AT_ONCE = 16
_SERIAL = f"{OURS}, concurrency=1"
_WIDE = f"{OURS}, concurrency={_AT_ONCE}"
_PAGES_AHEAD = 10


# Work after each page, pages by cursor


def measure_with_work(name: str, url: str, bucket: str, work: float) -> dict[str, float]:
    """Seconds for a walk by pages with `work` seconds of waiting for something else after each."""
    return asyncio.run(_timed(_work_bare if name == BARE else _work_ours, url, bucket, work))


async def _work_bare(url: str, bucket: str, work: float) -> int:
    objects = 0
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        async for page in pages(session, url, bucket):
            objects += len(page["results"])
            await asyncio.sleep(work)
    return objects


async def _work_ours(url: str, bucket: str, work: float) -> int:
    objects = 0
    async with client(url) as mixpeek:
        async for page in mixpeek.objects.list(bucket).pages():
            objects += len(page.results)
            await asyncio.sleep(work)
    return objects


def read_ahead(scale: Scale) -> tuple[Table, Results]:
    """10 pages of 50 ms with 50 ms of work each."""
    wait = scale.latency / 2
    found: Results = {}
    rows = []
    for size in sorted({scale.small_page, scale.page}):
        bucket = f"cursor-{_PAGES_AHEAD}x{size}"
        with serving(bucket, latency=wait) as site:
            url = site.url
            results = race(
                [name for name in (BARE, OURS) if name in present()],
                scale.slow_rounds,
                lambda name, url=url, bucket=bucket: run("latency:measure_with_work", name, url, bucket, wait),  # type: ignore[misc]  # its defaults bind the loop variables
            )
        found = found or results
        rows += [
            (
                name,
                f"{size:,}",
                f"{median(results, name, 'wall'):.2f} s",
                times(ratio(results, name, BARE, "wall")),
                "≤ 0.6 s" if name == OURS else "",
            )
            for name in results
        ]
    title = f"{_PAGES_AHEAD} pages of {1000 * wait:.0f} ms with {1000 * wait:.0f} ms of work each"
    return Table(title, ("who walks", "objects a page", "wall", "to the bare loop", "target"), rows), found


def read_ahead_chart(results: Results) -> Chart:
    """The same as bars."""
    bars = [Bar(name, median(results, name, "wall"), name == OURS) for name in results]
    return Chart("10 pages of 50 ms, 50 ms of work each: seconds", bars, " s")


# Many pages by offset


def measure(name: str, url: str, bucket: str, size: int) -> dict[str, float]:
    """Seconds for a walk by offset."""
    walks: dict[str, Callable[..., Awaitable[int]]] = {BARE: _bare, _SERIAL: _serial, _WIDE: _wide}
    return asyncio.run(_timed(walks[name], url, bucket, size))


async def _bare(url: str, bucket: str, size: int) -> int:
    loads = importlib.import_module("orjson").loads
    objects = 0
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        while True:
            page = loads(await bodies(session, url, bucket, {"limit": str(size), "offset": str(objects)}))
            objects += len(page["results"])
            if not page["pagination"]["has_more"]:
                return objects


async def _serial(url: str, bucket: str, size: int, concurrency: int = 1) -> int:
    objects = 0
    async with client(url) as mixpeek:
        async for _ in mixpeek.objects.list(bucket, page_size=size, concurrency=concurrency):
            objects += 1
    return objects


async def _wide(url: str, bucket: str, size: int) -> int:
    return await _serial(url, bucket, size, _AT_ONCE)


def side_by_side(scale: Scale) -> tuple[Table, Results]:
    """Many pages, and few, one after the other and 16 at once."""
    rows = []
    results: Results = {}
    for pages_ in (*scale.few_pages, scale.slow_pages):
        results = _walks(pages_, scale)
        rows += [
            (
                f"{pages_}",
                name,
                f"{median(results, name, 'wall'):.2f} s",
                times(_faster(results, name, BARE)),
                times(_faster(results, name, _SERIAL)),
                _target(name, pages_, scale),
            )
            for name in results
        ]
    title = f"Pages of {scale.small_page} by offset, {1000 * scale.latency:.0f} ms each"
    columns = ("pages", "who walks", "wall", "times as fast as the bare loop", "as concurrency=1", "target")
    return Table(title, columns, rows), results


def side_by_side_chart(results: Results) -> Chart:
    """The longest of these walks as bars."""
    bars = [Bar(name, median(results, name, "wall"), name == _WIDE) for name in results]
    return Chart("100 pages of 100 ms: seconds", bars, " s")


def _walks(pages_: int, scale: Scale) -> Results:
    bucket = f"offset-{pages_}x{scale.small_page}"
    names = [name for name in (BARE, _SERIAL, _WIDE) if name != BARE or BARE in present()]
    with serving(bucket, latency=scale.latency) as site:
        return race(
            names, scale.slow_rounds, lambda name: run("latency:measure", name, site.url, bucket, scale.small_page)
        )


def _faster(results: Results, name: str, than: str) -> float | None:
    return ratio(results, than, name, "wall")


def _target(name: str, pages_: int, scale: Scale) -> str:
    if name != _WIDE:
        return ""
    return "never slower" if pages_ in scale.few_pages else "≥ 10"


async def _timed(walk: Callable[..., Awaitable[int]], *arguments: object) -> dict[str, float]:
    begun = time.perf_counter()
    objects = await walk(*arguments)
    return {"wall": time.perf_counter() - begun, "objects": objects}
