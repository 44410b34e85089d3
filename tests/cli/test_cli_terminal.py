"""`list` in a terminal: the live table, the live line, and text that must not drive either."""

import io
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest
from commands import Pipe, Terminal, environment, served

from mixpeek_async.cli._app import cli
from mixpeek_async.emulator import Emulator, Fault

CLEAR_LINE = "\x1b[2K"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the command on streams of the test's own, in a window of 30 lines, and give its exit code."""

    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)

    def call(*args: str, out: Any, err: Any, emulator: Emulator | None = None, lines: int = 30) -> int:
        for name, value in environment(emulator, {"TERM": "xterm", "COLUMNS": "120", "LINES": str(lines)}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as ended:
            cli(args)
        return int(ended.value.code or 0)

    return call


def last_picture(text: str) -> list[str]:
    """The lines that a terminal shows in the end: those behind the last one that was taken back."""
    return text.rpartition(CLEAR_LINE)[2].splitlines()


def sample(count: int) -> tuple[str, ...]:
    return ("list", "--emulator", "--emulator-objects", str(count))


def test_the_table_ends_with_the_latest_rows(run: Any) -> None:
    out, err = Terminal(), Terminal()
    assert run(*sample(45), out=out, err=err) == 0
    rows = [line for line in last_picture(out.text) if "obj_" in line]
    assert len(rows) == 20
    assert "2025-03-03T08:00:44Z" in rows[-1]


def test_a_low_window_gets_fewer_rows(run: Any) -> None:
    out = Terminal()
    run(*sample(45), out=out, err=Terminal(), lines=10)
    assert sum("obj_" in line for line in last_picture(out.text)) == 4


def test_the_progress_is_below_the_table_while_it_moves_and_the_summary_in_the_end(run: Any) -> None:
    out, err = Terminal(), Terminal()
    run(*sample(3), out=out, err=err)
    assert "objects 0 | pages 0 | " in out.text
    assert "objects" not in "".join(last_picture(out.text))
    assert err.text.startswith("done: objects 3 | pages 1 | ")


def test_quiet_leaves_the_table_alone(run: Any) -> None:
    out, err = Terminal(), Terminal()
    run(*sample(3), "--quiet", out=out, err=err)
    assert "objects" not in out.text
    assert err.text == ""


def test_a_failure_puts_the_cursor_back_and_keeps_the_table(run: Any) -> None:
    out, err = Terminal(), Terminal()
    with served(objects=2, faults={2: Fault.http(403)}) as emulator:
        assert run("list", emulator.bucket, "--page-size=1", out=out, err=err, emulator=emulator) == 1
    assert sum("obj_" in line for line in last_picture(out.text)) == 1
    assert out.text.endswith("\x1b[?25h")


def test_lines_in_a_pipe_leave_stderr_a_live_line(run: Any) -> None:
    out, err = Pipe(), Terminal()
    run(*sample(3), out=out, err=err)
    assert "\x1b[?25l" in err.text
    assert last_picture(err.text)[-1].startswith("done: objects 3 | ")
    assert out.text.count("\n") == 3


def test_quiet_leaves_stderr_alone(run: Any) -> None:
    err = Terminal()
    run(*sample(3), "--quiet", out=Pipe(), err=err)
    assert err.text == ""


def test_lines_in_a_terminal_have_no_live_line_among_them(run: Any) -> None:
    out, err = Terminal(), Terminal()
    run(*sample(3), "--format", "jsonl", out=out, err=err)
    assert out.text.count("\n") == 3
    assert "\x1b" not in out.text + err.text


def test_a_forced_colour_is_no_terminal(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Pipe()
    monkeypatch.setenv("FORCE_COLOR", "1")
    run(*sample(1), out=out, err=Pipe())
    assert out.text.startswith('{"object_id"')


def odd_object() -> Fault:
    obj = {
        "object_id": "obj_\x1b[2J\x9b1m\u202e",
        "bucket_id": "b",
        "key_prefix": "[red]:smile:[/red]",
        "status": "ÜBERHOLT",
        "note": "\x9b31m \U000e0001",
    }
    return Fault.answer({"results": [obj], "pagination": {"next_cursor": None}})


@pytest.mark.parametrize("form", ["table", "jsonl"])
def test_text_of_the_server_cannot_drive_the_terminal(form: str, run: Any) -> None:
    out = Terminal()
    with served(faults={1: odd_object()}) as emulator:
        run("list", emulator.bucket, "--format", form, out=out, err=Terminal(), emulator=emulator)
    assert "[red]:smile:[/red]" in out.text
    assert "\x1b[2J" not in out.text
    assert not {"\x9b", "\u202e", "\U000e0001"} & set(out.text)


def test_a_terminal_that_is_no_utf_8_gets_escapes(run: Any) -> None:
    out = Terminal(encoding="ascii")
    with served(faults={1: odd_object()}) as emulator:
        assert run("list", emulator.bucket, out=out, err=Terminal(), emulator=emulator) == 0
    assert "\\xdcBERHOLT" in out.text


class OtherTerminal(io.StringIO):
    """A terminal of another make, as an IDE's: text goes in, and there is no encoding to set."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_of_another_make_gets_the_table(run: Any) -> None:
    out = OtherTerminal()
    assert run(*sample(1), out=out, err=Terminal()) == 0
    assert "obj_" in out.getvalue()


def test_a_pipe_whose_reader_has_gone_is_no_error(run: Any) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    err = Pipe()
    # Leaving the block flushes once more what could not be written: that must not raise either.
    with os.fdopen(writing, "w") as out:
        assert run(*sample(3), out=out, err=err) == 141
    assert err.text == ""


def test_lines_are_utf_8_whatever_the_locale(run: Any) -> None:
    out = Pipe(encoding="ascii")
    with served(faults={1: odd_object()}) as emulator:
        run("list", emulator.bucket, out=out, err=Pipe(), emulator=emulator)
    assert "ÜBERHOLT" in out.bytes.getvalue().decode("utf-8")


def test_without_a_stdout_there_is_one_error_line(run: Any) -> None:
    err = Pipe()
    assert run(*sample(1), out=None, err=err) == 1
    assert err.text == "error: the system refuses: stdout is closed\n"
