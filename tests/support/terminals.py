"""A fixture that runs the command on streams that say they are terminals."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from mixpeek_async.cli._app import cli
from mixpeek_async.emulator import Emulator
from support.commands import environment

__all__ = ["run"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the command on streams of the test's own, in a window of 120 columns, and give its exit code."""

    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)

    def call(
        *args: str, out: Any, err: Any, emulator: Emulator | None = None, columns: int = 120, lines: int = 24
    ) -> int:
        size = {"TERM": "xterm", "COLUMNS": str(columns), "LINES": str(lines)}
        for name, value in environment(emulator, size).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as ended:
            cli(args)
        return int(ended.value.code or 0)

    return call
