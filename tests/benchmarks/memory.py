"""What a walk keeps in memory."""

import asyncio
import gc
import importlib
import resource
import sys
import tracemalloc
from pathlib import Path

from benchmarks.child import run
from benchmarks.contestants import OURS
from benchmarks.contestants.ours import client
from benchmarks.report import Table
from benchmarks.scale import Scale
from benchmarks.server import serving

__all__ = ["kept", "peak", "table"]

_MOST_PAGES_KEPT = 50


def peak(url: str, bucket: str, contestant: str = "ours") -> float:
    """The most megabytes that the process had while it walked."""
    importlib.import_module(f"benchmarks.contestants.{contestant}").walk(url, bucket)
    status = Path("/proc/self/status")
    if status.exists():
        # Of this program alone: getrusage counts what the process was before exec as well.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def kept(url: str, bucket: str) -> float:
    """Kilobytes that are alive for each object, when a consumer keeps one object of each page."""
    return asyncio.run(_kept(url, bucket))


async def _kept(url: str, bucket: str) -> float:
    async with client(url) as mixpeek:
        pager = mixpeek.objects.list(bucket)
        await pager  # what is made at first use
        tracemalloc.start()
        keep = [page.results[len(page.results) // 2] async for page in pager.pages()]
        await pager.aclose()
        del pager
        # A walk is a circle of objects, and remembers ids: what of it is still there is not the kept objects' doing.
        gc.collect()
        alive, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return alive / 1024 / len(keep)


def table(scale: Scale) -> Table:
    """Peaks of a short walk and a long one, and what one kept object costs."""
    short, long = (f"cursor-{pages}x{scale.page}" for pages in scale.memory_pages)
    few = f"cursor-{min(_MOST_PAGES_KEPT, scale.memory_pages[1])}x{scale.page}"
    with serving(short, long, few) as site:
        small, big = (run("memory:peak", site.url, bucket) for bucket in (short, long))
        alive = run("memory:kept", site.url, few)
    rows = [
        ("peak of the process", f"{small:.1f} MB", f"{big:.1f} MB", f"{big - small:+.1f} MB", "≤ +10 MB"),
        ("alive for each object kept, one a page", "", f"{alive:.1f} kB", "", "no page of 1 MB"),
    ]
    objects = [f"{pages * scale.page:,} objects" for pages in scale.memory_pages]
    return Table(f"Memory of a walk, {OURS}", ("what", *objects, "more", "target"), rows)
