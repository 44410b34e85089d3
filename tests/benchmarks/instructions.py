"""How many instructions of the processor an object costs. Unlike a time, this does not depend on what else runs.

Valgrind's callgrind counts them. Its counts begin anew at each call of `getpriority`, a function of the C library that
nothing else here calls: so that what is imported, and one walk for what is made at first use, are not counted.
"""

import functools
import gc
import importlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.child import ENVIRONMENT
from benchmarks.contestants import BARE, CONTESTANTS, OURS, present
from benchmarks.report import Table, times
from benchmarks.scale import Scale
from benchmarks.server import serving

__all__ = ["per_object", "table", "why_not"]

_MARK = "getpriority"


def why_not() -> str | None:
    """Why instructions cannot be counted here; None if they can be."""
    if sys.platform != "linux" or platform.python_implementation() != "CPython":
        return "instructions are counted for CPython on Linux only"
    missing = [tool for tool in ("valgrind", "setarch") if shutil.which(tool) is None]
    return f"{' and '.join(missing)}: not installed" if missing else None


def per_object(name: str, pages: int, page: int) -> float:
    """Instructions for each object, of a walk by `name` over `pages` pages of `page` objects."""
    warm_up, bucket = f"cursor-1x{page}", f"cursor-{pages}x{page}"
    with serving(warm_up, bucket) as site, tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "callgrind")
        # Addresses and hashes decide how often sets and dicts collide: both are the same in each run.
        command = ["setarch", "-R", "valgrind", "--tool=callgrind", f"--dump-before={_MARK}"]
        command += [f"--callgrind-out-file={out}", sys.executable, "-m", "benchmarks.instructions"]
        environment = {**ENVIRONMENT, "PYTHONHASHSEED": "0"}
        subprocess.run(
            [*command, name, site.url, warm_up, bucket], env=environment, stderr=subprocess.DEVNULL, check=True
        )
        # The first file is of what was before the walk, the second one of the walk.
        lines = Path(f"{out}.2").read_text("utf-8").splitlines()
    total = next(line for line in lines if line.startswith("totals:"))
    return int(total.split()[1]) / (pages * page)


def _walk(name: str, url: str, warm_up: str, bucket: str) -> None:
    walk = importlib.import_module(f"benchmarks.contestants.{CONTESTANTS[name].module}").walk
    mark = functools.partial(os.getpriority, os.PRIO_PROCESS, 0)
    walk(url, warm_up)
    gc.collect()
    mark()
    walk(url, bucket)
    mark()


def table(scale: Scale) -> Table | None:
    """Ours beside the bare loop; None where instructions cannot be counted, or without dicts to compare with."""
    if not scale.instructions or why_not() or BARE not in present():
        return None
    bare, ours = (per_object(name, scale.pages, scale.page) for name in (BARE, OURS))
    rows = [(BARE, f"{bare:,.0f}", times(1.0), ""), (OURS, f"{ours:,.0f}", times(ours / bare), "≤ 1.20")]
    title = f"Instructions of a walk over {scale.pages} pages of {scale.page:,} objects"
    return Table(title, ("who walks", "for each object", "to the bare loop", "target"), rows)


if __name__ == "__main__":
    _walk(*sys.argv[1:])
