"""The tasks of this project: `nox -l` lists them, `nox -s lint types` runs two of them, `nox` alone those with a star.

Each task has an environment of its own in `.nox`, which is kept; `nox -R` does not look for newer packages in it.
`nox --no-venv --no-install` runs the tasks in the environment that is active, and changes nothing there.
"""

import os
import re
from pathlib import Path

import nox

nox.needs_version = ">=2025.11.12"
nox.options.sessions = ["lint", "types", "docs", "coverage"]
nox.options.reuse_venv = "yes"
# A Python that is not installed is left out: it is not downloaded, and it is no failure.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def settings(**defaults: str) -> dict[str, str]:
    """How much the tests do: these values, unless the caller's environment has others."""
    return {name: os.environ.get(name, default) for name, default in defaults.items()}


def lower_bounds() -> list[str]:
    """`name==bound` for each dependency of the package, of the command and of the tests."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["cli"], *extras["tests"]]
    found = [re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.b]+)", line) for line in lines]
    return [f"{match[1]}=={match[2]}" for match in found if match]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests on each Python from 3.11 to 3.14 that is installed."""
    session.install("-e", ".[tests]")
    session.run("python", "-m", "pytest", "-q", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests, with fewer random walks, and show each line and branch that they do not reach."""
    session.install("-e", ".[tests]")
    session.run("python", "-m", "coverage", "run", "-m", "pytest", "-q", env=settings(WALKS="200"))
    session.run("python", "-m", "coverage", "report")


@nox.session
def lint(session: nox.Session) -> None:
    """Check the code with ruff: its rules and its format."""
    session.install("-e", ".[lint]")
    session.run("python", "-m", "ruff", "check")
    session.run("python", "-m", "ruff", "format", "--check")


@nox.session
def format(session: nox.Session) -> None:
    """Fix what ruff can fix, and format the code."""
    session.install("-e", ".[lint]")
    session.run("python", "-m", "ruff", "check", "--fix")
    session.run("python", "-m", "ruff", "format")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types with mypy and pyright, and that every public name has one."""
    session.install("-e", ".[types]")
    session.run("python", "-m", "mypy")
    session.run("python", "-m", "pyright")
    session.run("python", "-m", "pyright", "--verifytypes", "mixpeek_async", "--ignoreexternal")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into docs/_build; a warning is an error."""
    session.install("-e", ".[docs]")
    session.run("python", "-m", "sphinx", "-q", "-n", "-W", "--keep-going", "-b", "html", "docs", "docs/_build")


@nox.session
def measures(session: nox.Session) -> None:
    """Print the size of the code and the files that a page crosses; there is no limit."""
    session.install("-e", ".")
    session.run("python", "tests/measures.py")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure the speed beside the bare minimum: docs/benchmarks.md."""
    session.install("-e", ".[benchmarks]")
    session.chdir("tests")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Run 200,000 random walks, cut 100,000 random buckets, and run the parsers on 100,000 random inputs each."""
    session.install("-e", ".[tests]")
    env = settings(WALKS="200000", PARTS="100000", FUZZ_EXAMPLES="100000")
    files = ("tests/walk/test_walk_machine.py", "tests/parts/test_parts_cut.py", "tests/fuzz")
    session.run("python", "-m", "pytest", "-q", *files, env=env)


@nox.session
def proofs(session: nox.Session) -> None:
    """Run the tests of faults at full length: a million objects, 50,000 hostile inputs, 10,000 walks left early."""
    session.install("-e", ".[tests]")
    env = settings(
        FAULTY_OBJECTS="1000000",
        HOSTILE_EXAMPLES="50000",
        ADVICE_EXAMPLES="20000",
        EARLY_BREAKS="10000",
        CANCELLATIONS="2000",
    )
    session.run("python", "-m", "pytest", "-q", "tests/faults", env=env)


@nox.session
def elsewhere(session: nox.Session) -> None:
    """Run the examples of parts on Dask, Spark, which needs Java 17, and Hugging Face datasets."""
    session.install("-e", ".[tests]", "dask[dataframe]>=2025.1", "datasets>=4", "pyspark>=4")
    session.run("python", "-m", "pytest", "-q", "-rs", "tests/parts/test_parts_elsewhere.py")


@nox.session(reuse_venv=False)
def wheel(session: nox.Session) -> None:
    """Build the wheel, check its files, install it without extras and list objects with it."""
    session.install("build")
    dist = Path(session.create_tmp(), "dist")
    # The wheel is built from the source archive, so that this holds what a wheel needs, too.
    session.run("python", "-m", "build", "--outdir", str(dist))
    (built,) = dist.glob("*.whl")
    # Only what the wheel itself asks for may be there when it is used.
    session.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", "build", "packaging", "pyproject_hooks")
    session.install(str(built))
    session.run("python", "-I", "-W", "error", "tests/packaging/check_wheel.py", str(built))
    session.run("mixpeek-async", "--version", success_codes=[1])
    session.install(f"{built}[cli]")
    session.run("mixpeek-async", "--version")


@nox.session(reuse_venv=False)
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest allowed version of every dependency."""
    constraints = Path(session.create_tmp(), "constraints.txt")
    constraints.write_text("\n".join(lower_bounds()), "utf-8")
    session.install("-e", ".[tests]", "-c", str(constraints))
    session.run("python", "-m", "pip", "list")
    session.run("python", "-m", "pytest", "-q", env=settings(WALKS="50"))
