"""Who walks: each module here has a `walk(url, bucket)` that reads every object and gives their number."""

import importlib
import importlib.metadata
import time
from contextlib import suppress
from typing import Any, Final

import attrs

__all__ = ["BARE", "CONTESTANTS", "OURS", "Contestant", "measure", "present", "version"]

BARE: Final = "aiohttp + orjson, dicts"
OURS: Final = "mixpeek-async"


@attrs.frozen
class Contestant:
    """Who walks: the module here, the distributions from PyPI that it needs, and whether its import takes seconds."""

    module: str
    needs: tuple[str, ...] = ()
    heavy: bool = False


CONTESTANTS: Final = {
    BARE: Contestant("bare", ("aiohttp", "orjson")),
    OURS: Contestant("ours", ("mixpeek-async", "aiohttp", "msgspec", "attrs", "cattrs")),
    f"{OURS}, every field": Contestant("ours_every_field"),
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


def measure(name: str, url: str, warm_up: str, bucket: str) -> dict[str, Any]:
    """One walk over `bucket`, after one over `warm_up` for what is made at first use."""
    walk = importlib.import_module(f"{__name__}.{CONTESTANTS[name].module}").walk
    walk(url, warm_up)
    cpu, wall = time.process_time(), time.perf_counter()
    objects = walk(url, bucket)
    return {"objects": objects, "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
