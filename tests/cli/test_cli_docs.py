"""The page of the command says what the commands are, and what it shows works."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from reference import PAGE, between_markers, reference
from support.commands import invoke

from mixpeek_async.cli._app import cli
from mixpeek_async.cli._formats import FORMATS
from mixpeek_async.cli._where import parse_where

HOW_TO = PAGE.parents[1] / "howto" / "command.md"


def test_the_page_shows_the_options_of_every_command() -> None:
    _, made, _ = between_markers(PAGE.read_text("utf-8"))
    assert made == reference(), "run python tests/cli/reference.py"


def test_every_expression_on_the_page_is_one() -> None:
    rows = re.findall(r"^\| `([^`]+)` +\| ", PAGE.read_text("utf-8").partition("## Expressions")[2], re.MULTILINE)
    assert len(rows) > 5
    for row in rows:
        parse_where(row)


@pytest.mark.parametrize("page", [PAGE, HOW_TO], ids=["reference", "how to"])
def test_every_example_on_the_pages_runs(page: Path) -> None:
    lines = re.findall(r"^\$ mixpeek-async (.*--emulator.*)$", page.read_text("utf-8"), re.MULTILINE)
    assert len(lines) > 3
    for line in lines:
        if line.startswith("follow"):
            # It would not end: an object of its own kind would have to be created.
            line = line.replace("--new", "-n 3")
        result = invoke(*shlex.split(line.partition(" | ")[0]))
        assert result.exit_code == 0, (line, result.stderr)


def test_every_exit_code_and_every_format_is_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    codes = re.findall(r"(?<=[:;] )(\d+) ", cli.epilog or "")
    assert codes == ["0", "1", "2", "5", "130", "141", "143"]
    assert all(re.search(rf"^\| {code} \| ", page, re.MULTILINE) for code in codes)
    assert all(re.search(rf"^\| `{name}` \| ", page, re.MULTILINE) for name in FORMATS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_on_the_page_completes(shell: str) -> None:
    assert f"_MIXPEEK_ASYNC_COMPLETE={shell}_source mixpeek-async" in PAGE.read_text("utf-8")
    asked = {"COMP_WORDS": "mixpeek-async li", "COMP_CWORD": "1" if shell != "fish" else "li"}
    process = subprocess.run(
        [sys.executable, "-m", "mixpeek_async"],
        env={**os.environ, **asked, "_MIXPEEK_ASYNC_COMPLETE": f"{shell}_complete"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "list" in process.stdout
