"""The tasks in noxfile.py, the page that describes them, and `.ci/run`."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "docs" / "contributing.md").read_text("utf-8")
RUN = (ROOT / ".ci" / "run").read_text("utf-8")

# nox itself is read, not imported: the README's command does not install it.
TASKS = [
    node
    for node in ast.parse((ROOT / "noxfile.py").read_text("utf-8")).body
    if isinstance(node, ast.FunctionDef) and any("nox.session" in ast.unparse(line) for line in node.decorator_list)
]


def test_contributing_describes_each_task_in_the_same_order() -> None:
    assert re.findall(r"^\| `(\w+)` \|", CONTRIBUTING, re.MULTILINE) == [task.name for task in TASKS]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_has_one_line_for_the_list(task: ast.FunctionDef) -> None:
    assert re.fullmatch(r"[A-Z][^\n]+[.]", ast.get_docstring(task) or "")


def test_run_begins_with_the_test_command_of_the_readme() -> None:
    assert """grep -F "'.[tests]'" README.md""" in RUN
    assert len([line for line in README.splitlines() if "'.[tests]'" in line]) == 1


def test_run_names_tasks_that_exist() -> None:
    (names,) = re.findall(r"nox .* -s ([\w ]+)$", RUN, re.MULTILINE)
    assert set(names.split()) <= {task.name for task in TASKS}
