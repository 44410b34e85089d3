"""What an import costs, in processes that import nothing else."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping

from benchmarks.child import ENVIRONMENT
from benchmarks.race import median, race, ratio
from benchmarks.report import Table, times
from benchmarks.scale import Scale

__all__ = ["table"]

_MODULES = ("aiohttp", "mixpeek_async")
_MEASURE = "import time; begun = time.process_time(); import {}; print(time.process_time() - begun)"


def _measure(module: str, environment: Mapping[str, str]) -> dict[str, float]:
    command = [sys.executable, "-c", _MEASURE.format(module)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return {"cpu": float(done.stdout)}


def _with_bytecode_in(cache: str) -> Mapping[str, str]:
    environment = {**ENVIRONMENT, "PYTHONPYCACHEPREFIX": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in _MODULES:
        _measure(name, environment)
    return environment


def table(scale: Scale) -> Table:
    """Ours beside aiohttp's, which is a part of it, both from bytecode.

    With PYTHONDONTWRITEBYTECODE set, a checkout would be compiled anew at each import and aiohttp, which pip has
    compiled, would not. So both get a cache of their own, filled before anything is measured.
    """
    with tempfile.TemporaryDirectory() as cache:
        # A single round says nothing, and filling a cache for it would be most of the work.
        environment = _with_bytecode_in(cache) if scale.imports > 1 else ENVIRONMENT
        results = race(_MODULES, scale.imports, lambda name: _measure(name, environment))
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
