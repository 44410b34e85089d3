"""The tests in environments of their own: `.ci/menu lowest`, `.ci/menu pythons`.

`lowest` takes exactly the lower bound of every dependency of the package, of the command and of the tests; `pythons`
takes the newest, on every Python that is on the PATH. The random walks are cut to WALKS, 50 if nothing is said.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def lower_bounds() -> list[str]:
    """`name==bound` for each dependency that the tests bring."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["cli"], *extras["tests"]]
    found = [re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.b]+)", line) for line in lines]
    return [f"{match[1]}=={match[2]}" for match in found if match]


def tested(python: str, bounds: list[str]) -> bool:
    """Whether the tests pass in a new environment of `python`, within `bounds`."""
    with tempfile.TemporaryDirectory() as name:
        env, constraints = Path(name, "env"), Path(name, "constraints.txt")
        constraints.write_text("\n".join(bounds))
        subprocess.run([python, "-m", "venv", env], check=True)
        own = env / ("Scripts" if os.name == "nt" else "bin") / "python"
        what = [f"{ROOT}[tests]", "-c", str(constraints)]
        subprocess.run([own, "-m", "pip", "install", "--quiet", "--editable", *what], check=True)
        subprocess.run([own, "-m", "pip", "list"], check=True)
        environment = {"WALKS": "50", "PYTHONDONTWRITEBYTECODE": "1", **os.environ}
        command = [str(own), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def main(which: str) -> None:
    """Run it, and leave with 1 when something fails."""
    failed = []
    if which == "lowest":
        bounds = lower_bounds()
        print("\n".join(bounds))
        if not tested(sys.executable, bounds):
            failed.append("lowest")
    for version in PYTHONS if which == "pythons" else ():
        python = shutil.which(f"python{version}")
        print(f"Python {version}: {python or 'not here'}", flush=True)
        if python and not tested(python, []):
            failed.append(version)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1])
