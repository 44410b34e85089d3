"""The examples of docs/howto/parallel.md, each in a process of its own. `nox -s elsewhere` installs what they need."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mixpeek_async.emulator import Emulator
from mixpeek_async.testing import running

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "parallel.md"
RUN = Path(__file__).parent / "run_example.py"


def run(*arguments: str, **environment: str) -> str:
    """What a Python process prints."""
    # Spark's workers are processes of the Python that this names.
    env = {**os.environ, "PYSPARK_PYTHON": sys.executable, **environment}
    done = subprocess.run([sys.executable, *arguments], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_examples_without_an_engine_run() -> None:
    assert "250\n" in run(str(RUN), str(PAGE))


def test_the_file_for_many_processes_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n([^`]*__main__.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    file = tmp_path / "count.py"
    file.write_text(code, "utf-8")
    with running(Emulator(objects=250, bucket="bkt_9xy8z7")) as emulator:
        settings = {"API_KEY": emulator.api_key, "NAMESPACE": emulator.namespace, "BASE_URL": emulator.url}
        assert run(str(file), **{f"MIXPEEK_{name}": value for name, value in settings.items()}) == "250\n"


@pytest.mark.parametrize("engine", ["dask", "pyspark", "datasets"])
def test_the_example_of_an_engine_runs(engine: str) -> None:
    if importlib.util.find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed: nox -s elsewhere")
    run(str(RUN), str(PAGE), engine)
