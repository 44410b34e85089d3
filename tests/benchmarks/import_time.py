"""What an import costs, in processes that import nothing else."""

import subprocess
import sys

from benchmarks.race import median, race, ratio
from benchmarks.report import Table, times
from benchmarks.scale import Scale

__all__ = ["table"]

_MEASURE = "import time; begun = time.process_time(); import {}; print(time.process_time() - begun)"


def _measure(module: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", _MEASURE.format(module)], stdout=subprocess.PIPE, check=True)
    return {"cpu": float(done.stdout)}


def table(scale: Scale) -> Table:
    """Ours beside aiohttp's, which is a part of it."""
    results = race(["aiohttp", "mixpeek_async"], scale.imports, _measure)
    rows = [
        (
            f"`import {name}`",
            f"{1000 * median(results, name, 'cpu'):.0f} ms",
            times(ratio(results, name, "aiohttp", "cpu")),
            "≤ 1.15" if name == "mixpeek_async" else "",
        )
        for name in results
    ]
    return Table("Import", ("what", "CPU", "to aiohttp", "target"), rows)
