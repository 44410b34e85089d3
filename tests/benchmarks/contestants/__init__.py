"""Who walks: each module here has a `walk(url, bucket)` that reads every object and returns their number."""

import importlib
import importlib.metadata
import resource
import time
from contextlib import suppress
from typing import Any, Final

import attrs

__all__ = [
    "BARE",
    "BARE_EVERY_FIELD",
    "CONTESTANTS",
    "OURS",
    "OURS_ARROW",
    "OURS_EVERY_FIELD",
    "OURS_PAGES",
    "OURS_PYLIST",
    "Contestant",
    "measure",
    "present",
    "version",
]

BARE: Final = "aiohttp + orjson, dicts"
BARE_EVERY_FIELD: Final = f"{BARE}, every field"
OURS: Final = "mixpeek-async"
OURS_EVERY_FIELD: Final = f"{OURS}, every field"
OURS_PAGES: Final = f"{OURS}, by pages"
OURS_ARROW: Final = f"{OURS}, Arrow"
OURS_PYLIST: Final = f"{OURS}, dicts to Arrow"


@attrs.frozen
class Contestant:
    """Who walks: the module here, the distributions from PyPI that it needs, and whether its import takes seconds.

    `yardstick` is the loop over dicts that reads the same fields.
    """

    module: str
    needs: tuple[str, ...] = ()
    heavy: bool = False
    yardstick: str = BARE


CONTESTANTS: Final = {
    BARE: Contestant("bare", ("aiohttp", "orjson")),
    OURS: Contestant("ours", ("mixpeek-async", "aiohttp", "msgspec", "attrs", "cattrs")),
    OURS_PAGES: Contestant("ours_pages"),
    BARE_EVERY_FIELD: Contestant("bare_every_field", ("aiohttp", "orjson"), yardstick=BARE_EVERY_FIELD),
    OURS_EVERY_FIELD: Contestant("ours_every_field", yardstick=BARE_EVERY_FIELD),
    OURS_PYLIST: Contestant("ours_pylist", ("pyarrow",), yardstick=OURS_PYLIST),
    OURS_ARROW: Contestant("ours_arrow", ("pyarrow",), yardstick=OURS_PYLIST),
    f"{OURS_ARROW}, as a stream": Contestant("ours_arrow_stream", ("pyarrow",), yardstick=OURS_PYLIST),
    f"{OURS_ARROW}, lean": Contestant("ours_arrow_lean", ("pyarrow",), yardstick=OURS_PYLIST),
    "aiohttp + pydantic": Contestant("aiohttp_pydantic", ("aiohttp", "pydantic")),
    "httpx + pydantic": Contestant("httpx_pydantic", ("httpx", "pydantic")),
    "official client": Contestant("official", ("mixpeek", "urllib3", "pydantic"), heavy=True),
}


def version(distribution: str) -> str | None:
    """The version that is installed; None when it is not."""
    with suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(distribution)
    return None


def present(*, heavy: bool = True) -> list[str]:
    """Those whose distributions are installed, with or without the heavy ones."""
    return [
        name
        for name, contestant in CONTESTANTS.items()
        if all(map(version, contestant.needs)) and (heavy or not contestant.heavy)
    ]


def measure(name: str, url: str, warm_up: str, bucket: str, live: int = 0) -> dict[str, Any]:
    """One walk over `bucket`, after one over `warm_up` for what is made at first use.

    `live` lists are alive meanwhile, as in a process that holds much else: Python's garbage collector then works less
    often, and each of its rounds takes longer.
    """
    walk = importlib.import_module(f"{__name__}.{CONTESTANTS[name].module}").walk
    walk(url, warm_up)
    others = [[number] for number in range(live)]
    faults, cpu, wall = _page_faults(), time.process_time(), time.perf_counter()
    objects = walk(url, bucket)
    cpu, wall, faults = time.process_time() - cpu, time.perf_counter() - wall, _page_faults() - faults
    assert len(others) == live
    return {"objects": objects, "cpu": cpu, "wall": wall, "faults": faults}


def _page_faults() -> int:
    """How often the process has touched memory that the kernel had yet to give to it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
