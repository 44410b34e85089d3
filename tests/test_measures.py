"""The script that measures the code: that it counts as it says, and runs. What it counts has no limit here."""

import re
import subprocess
import sys
from pathlib import Path

import measures

SAMPLE = '''"""A module."""

import os
from abc import (
    ABC,
)

__all__ = ["Jar"]


class Jar(ABC):
    """Of jam."""

    size: int = 3

    def __init__(self) -> None:
        self.lid = self.size  # closed
        self.jam = os.name

    def eat(self) -> None:
        """Some.

        Or all.
        """
        # Not the spoon.
        self.jam, other = "", self
        self.spoons += 1
        other.lid = 2

    async def smash(self) -> None:
        del self.lid


class _Spoon: ...
'''


def test_a_module_is_measured_without_its_blank_lines_comments_and_docstrings() -> None:
    size = measures.module_size("jars.py", SAMPLE)
    assert (size.lines, size.code, size.imports, size.comments) == (len(SAMPLE.splitlines()), 17, 5, 2)


def test_a_body_is_measured_the_same_way() -> None:
    assert measures.module_size("jars.py", SAMPLE).bodies == [2, 3, 1]


def test_a_mutated_field_is_one_that_is_assigned_or_deleted_on_self_once_the_object_is_made() -> None:
    jar, spoon = measures.module_size("jars.py", SAMPLE).classes
    assert (jar.name, jar.fields, jar.mutated) == ("Jar", 4, ["jam", "lid", "spoons"])
    assert (spoon.name, spoon.fields, spoon.mutated) == ("_Spoon", 0, [])


def test_a_class_is_private_by_its_name_or_by_that_of_its_module() -> None:
    assert [each.private for each in measures.module_size("jars.py", SAMPLE).classes] == [False, True]
    assert [each.private for each in measures.module_size("_shelf/jars.py", SAMPLE).classes] == [True, True]


def test_the_core_is_all_but_the_emulator_the_command_and_the_fixtures() -> None:
    names = ["client.py", "_wire/page.py", "emulator/_api.py", "cli/_run.py", "testing.py", "../tests/measures.py"]
    core = [name for name in names if measures.in_core((measures.PACKAGE / name).resolve())]
    assert core == ["client.py", "_wire/page.py"]


async def test_a_page_crosses_the_walk_and_not_the_request_that_came_before() -> None:
    files = await measures.files_crossed("has_more")
    assert "__anext__" in files["pager.py"]
    assert "objects.py" not in files
    assert not any(name.startswith("emulator") for name in files)


def test_the_script_prints_all_measures() -> None:
    script = Path(measures.__file__)
    output = subprocess.run(
        [sys.executable, "-W", "error", str(script)], cwd=script.parents[1], capture_output=True, text=True, check=True
    ).stdout
    for start in ("lines of code", "comments per 100", "classes", "functions", "mutated fields", "files that a page"):
        assert re.search(rf"^{start}.*\d", output, re.MULTILINE), start
