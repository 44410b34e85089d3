"""Running the command: within this process, or as a process of its own."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from click.testing import CliRunner, Result

from mixpeek_async.cli._app import cli
from mixpeek_async.emulator import Emulator

__all__ = ["USED_UP", "Pipe", "Terminal", "environment", "ids", "invoke", "served", "start"]

_SETTINGS = ("MIXPEEK_API_KEY", "MIXPEEK_NAMESPACE", "MIXPEEK_BASE_URL", "FORCE_COLOR", "TTY_COMPATIBLE")

USED_UP = {
    "Date": "Mon, 03 Mar 2025 08:00:00 GMT",
    "X-RateLimit-Remaining": "0",
    "X-RateLimit-Reset": "1740988801",
}
"""Headers of an answer that allows no request for a second."""


def environment(emulator: Emulator | None = None, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What points a command at `emulator`; without one, a machine on which nothing is set."""
    target = {
        "MIXPEEK_API_KEY": emulator.api_key if emulator else "",
        "MIXPEEK_NAMESPACE": emulator.namespace if emulator else "",
        "MIXPEEK_BASE_URL": emulator.url if emulator else "",
    }
    return {**target, **(more or {})}


def invoke(*args: str, emulator: Emulator | None = None, env: Mapping[str, str] | None = None) -> Result:
    """`mixpeek-async ARGS` within this process, its streams in memory and no terminal anywhere."""
    return CliRunner().invoke(cli, args, prog_name="mixpeek-async", env=environment(emulator, env))


def start(*args: str, emulator: Emulator | None = None, **settings: Any) -> "subprocess.Popen[str]":
    """`python -m mixpeek_async.cli ARGS` as a process that takes any warning for an error."""
    inherited = {name: value for name, value in os.environ.items() if name not in _SETTINGS}
    env = {**inherited, **environment(emulator, settings.pop("env", None))}
    # A process inherits signals that are ignored, as they are when a script started these tests with `&`.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "mixpeek_async.cli", *args],
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8", "env": env, **settings},
        )
    finally:
        signal.signal(signal.SIGINT, before)


def served(**settings: Any) -> AbstractContextManager[Emulator]:
    """An emulator on a thread of its own, since a command runs an event loop of its own."""
    # Not at the top: pytest refuses a plugin that was imported before tests/test_testing.py names it.
    from mixpeek_async.testing import running

    return running(Emulator(**settings))


def ids(jsonl: str) -> list[str]:
    """The object ids of JSON lines, in their order."""
    return [json.loads(line)["object_id"] for line in jsonl.splitlines()]


class Terminal(io.TextIOWrapper):
    """A stream in memory that says it is a terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding=encoding)

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """All that was written to it."""
        self.flush()
        return self.bytes.getvalue().decode(self.encoding)


class Pipe(Terminal):
    """The same stream in memory, and no terminal."""

    def isatty(self) -> bool:
        return False
