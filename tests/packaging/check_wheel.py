"""Check a wheel that is installed without extras: its files, where it is imported from, and that it can list objects.

    nox -s wheel

builds it and runs this isolated (`python -I`), so that the checkout cannot be imported.
"""

import asyncio
import importlib.util
import sys
import zipfile
from pathlib import Path

import mixpeek_async
from mixpeek_async import AsyncMixpeek

LOADED_WITH_THE_CLIENT = {name.partition(".")[0] for name in sys.modules}

from mixpeek_async.emulator import Emulator, Fault  # noqa: E402 (what the client alone loads is looked at first)

ROOT = Path(__file__).parents[2]
EXTRAS = {"click", "rich", "pytest"}


def check_files(wheel: Path) -> None:
    """Every module, the marker of types and the metadata are in it, and nothing else."""
    package = ROOT / "mixpeek_async"
    wanted = {path.relative_to(ROOT).as_posix() for path in package.rglob("*.py")} | {"mixpeek_async/py.typed"}
    info = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    wanted |= {f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")}
    found = set(zipfile.ZipFile(wheel).namelist())
    if found != wanted:
        sys.exit(f"missing: {sorted(wanted - found)}\ntoo many: {sorted(found - wanted)}")
    print(wheel.name, "holds", len(found), "files")


def check_environment() -> None:
    """The package comes from the wheel, and no extra is installed or loaded."""
    assert "site-packages" in str(mixpeek_async.__file__)
    assert LOADED_WITH_THE_CLIENT.isdisjoint(EXTRAS)
    assert [name for name in EXTRAS if importlib.util.find_spec(name)] == []


async def check_walks() -> None:
    """It lists every object in each shape of pagination, past a response that is cut off."""
    for shape in ("cursor", "has_more", "page"):
        async with (
            Emulator(objects=2_500, pagination=shape, faults={2: Fault.cut(100)}) as emulator,
            AsyncMixpeek(emulator.api_key, namespace=emulator.namespace, base_url=emulator.url) as client,
        ):
            ids = [obj.object_id async for obj in client.objects.list(emulator.bucket)]
            assert ids == emulator.object_ids(), shape
            print(len(ids), "objects listed by", shape)


if __name__ == "__main__":
    check_files(Path(sys.argv[1]))
    check_environment()
    asyncio.run(check_walks())
