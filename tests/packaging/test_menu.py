"""The menu, and the page that describes it."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
MENU = ROOT / ".ci" / "menu"


def habits() -> list[str]:
    return re.findall(r"^(\w+)\(\)", MENU.read_text("utf-8"), re.MULTILINE)


def menu(*args: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["/bin/sh", MENU, *args], capture_output=True, text=True, check=False)


def test_without_a_habit_it_lists_them_all() -> None:
    assert re.findall(r"^(\w+): ", menu().stdout, re.MULTILINE) == habits()


def test_contributing_describes_each() -> None:
    page = (ROOT / "docs" / "contributing.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == habits()


def test_what_is_no_habit_is_refused() -> None:
    done = menu("sed")
    assert (done.returncode, done.stderr) == (2, "no such habit: sed\n")


def test_what_a_change_has_to_pass_begins_with_the_command_of_the_readme() -> None:
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    assert """grep -F "'.[tests]'" README.md""" in run
    assert len([line for line in readme.splitlines() if "'.[tests]'" in line]) == 1
