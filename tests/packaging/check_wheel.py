"""Build the wheel, look into it, install it with its runtime dependencies alone, and walk with it. `.ci/menu wheel`.

The checkout is out of sight: the walk runs in another folder, in another environment, isolated.
"""

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]

WALK = """
import asyncio, importlib.util, sys
from mixpeek_async import AsyncMixpeek
assert not {name.partition(".")[0] for name in sys.modules} & {"click", "rich", "pytest"}
from mixpeek_async.emulator import Emulator, Fault

assert "site-packages" in importlib.util.find_spec("mixpeek_async").origin
for extra in ("click", "rich", "pytest"):
    assert importlib.util.find_spec(extra) is None, extra

async def main():
    for shape in ("cursor", "has_more", "page"):
        async with Emulator(objects=2_500, pagination=shape, faults={2: Fault.cut(100)}) as emulator:
            async with AsyncMixpeek(
                emulator.api_key, namespace=emulator.namespace, base_url=emulator.url
            ) as client:
                ids = [obj.object_id async for obj in client.objects.list(emulator.bucket)]
                assert ids == emulator.object_ids(), shape
    print(len(ids), "objects walked")

asyncio.run(main())
"""


def run(*command: str | Path, folder: Path, ok: int = 0) -> str:
    """The output of a command that has to end in `ok`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True, check=False)
    if done.returncode != ok:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def check_names(wheel: Path) -> None:
    """Every module, the marker of types, the metadata; nothing else."""
    package = ROOT / "mixpeek_async"
    wanted = {str(path.relative_to(ROOT)) for path in package.rglob("*.py")} | {"mixpeek_async/py.typed"}
    info = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    wanted |= {f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")}
    found = set(zipfile.ZipFile(wheel).namelist())
    if found != wanted:
        sys.exit(f"missing: {sorted(wanted - found)}\ntoo much: {sorted(found - wanted)}")
    print(wheel.name, "holds", len(found), "files")


def main() -> None:
    """All of it, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # By way of the sdist, so that this holds what a wheel needs, too.
        run(sys.executable, "-m", "build", "--outdir", folder / "dist", ROOT, folder=folder)
        (wheel,) = (folder / "dist").glob("*.whl")
        check_names(wheel)
        venv.create(folder / "env", with_pip=True)
        bin_ = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        run(bin_ / "python", "-m", "pip", "install", "--quiet", wheel, folder=folder)
        print(run(bin_ / "python", "-I", "-W", "error", "-c", WALK, folder=folder).strip())
        print(run(bin_ / "mixpeek-async", "--version", folder=folder, ok=1).strip(), "(as it should)")
        run(bin_ / "python", "-m", "pip", "install", "--quiet", f"{wheel}[cli]", folder=folder)
        print(run(bin_ / "mixpeek-async", "--version", folder=folder).strip())


if __name__ == "__main__":
    main()
