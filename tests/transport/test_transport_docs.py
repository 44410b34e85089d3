"""The examples of docs/telemetry.md, run as they stand there."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs" / "telemetry.md"
LOG, HOOKS, OPENTELEMETRY = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)


def _run(example: str) -> None:
    exec(compile(example, DOCS.name, "exec"), {"__name__": "__main__"})


@pytest.fixture
def _log_as_it_was() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("mixpeek_async")
    levels, handlers = (root.level, ours.level), root.handlers[:]
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.mark.usefixtures("_log_as_it_was")
def test_the_log_is_turned_on() -> None:
    _run(LOG)
    assert logging.getLogger("mixpeek_async").isEnabledFor(logging.DEBUG)


def test_hooks_count(capsys: pytest.CaptureFixture[str]) -> None:
    _run(HOOKS)
    assert capsys.readouterr().out.strip() == HOOKS.strip().rpartition("# ")[2]


def test_opentelemetry_has_a_span_for_each_attempt_and_none_holds_the_key(capsys: pytest.CaptureFixture[str]) -> None:
    _run(OPENTELEMETRY)
    *attempts, walk = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[0] for line in attempts] == ["POST"] * 4
    assert ["503" in line for line in attempts] == [False, True, False, False]
    assert walk.startswith("walk ")
    assert not any("sk_emulator" in line for line in attempts)
