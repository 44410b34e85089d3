"""A process of its own for each measurement: what one contestant imports makes the garbage collection of all dearer."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

__all__ = ["ENVIRONMENT", "run"]

_TESTS = Path(__file__).parent.parent
# The package beside these tests is measured, whatever else may be installed.
ENVIRONMENT: Final = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (_TESTS, _TESTS.parent)))}


def run(target: str, *arguments: Any, python: str = sys.executable) -> Any:
    """What `module:function` of this package returns, called in a new process; arguments and answer are JSON."""
    command = [python, "-m", "benchmarks.child", target, json.dumps(arguments)]
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def _call(target: str, arguments: str) -> None:
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(f"benchmarks.{module}"), name)
    print(json.dumps(function(*json.loads(arguments))))


if __name__ == "__main__":
    _call(*sys.argv[1:])
