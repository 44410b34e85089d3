"""`list` in a terminal: the table, the line on stderr, and text that must not drive either."""

import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from support.commands import USED_UP, Pipe, Terminal, invoke, served

from mixpeek_async.emulator import Fault

pytest_plugins = ["support.terminals"]

CLEAR_LINE = "\x1b[2K"


def sample(count: int) -> tuple[str, ...]:
    return ("list", "--emulator", "--emulator-objects", str(count))


def test_the_table_keeps_every_row(run: Any) -> None:
    out, err = Terminal(), Terminal()
    assert run(*sample(45), out=out, err=err) == 0
    head, *rows = out.text.splitlines()
    assert head.split() == ["object_id", "status", "created_at", "blobs", "key_prefix"]
    assert len(rows) == 45
    assert err.text.startswith("done: objects 45 | pages 1 | ")


def test_a_failure_keeps_the_table(run: Any) -> None:
    out, err = Terminal(), Terminal()
    with served(objects=2, faults={2: Fault.http(403)}) as emulator:
        assert run("list", emulator.bucket, "--page-size=1", out=out, err=err, emulator=emulator) == 1
    assert out.text.count("\n") == 2
    assert err.text.startswith("stopped: objects 1 | ")


def test_there_is_no_empty_table_above_an_error(run: Any) -> None:
    out, err = Terminal(), Terminal()
    with served() as emulator:
        assert run("list", "bkt_missing", out=out, err=err, emulator=emulator) == 1
    assert out.text == ""
    assert err.text.startswith("error: 404")


def test_an_empty_bucket_has_no_table(run: Any) -> None:
    out, err = Terminal(), Terminal()
    assert run(*sample(0), out=out, err=err) == 0
    assert (out.text, err.text[:16]) == ("", "done: objects 0 ")


def long_object() -> Fault:
    rows = [
        {"object_id": f"obj_{number}", "bucket_id": "b", "status": status, "key_prefix": "/日本語" * 30}
        for number, status in enumerate(
            ["COMPLETED", "COMPLETED_WITH_ERRORS", "A_STATUS_THAT_IS_LONGER_THAN_ALL_OTHERS"]
        )
    ]
    return Fault.answer({"results": rows, "pagination": {"next_cursor": None}})


@pytest.mark.parametrize("columns", [60, 80, 88, 200])
def test_long_texts_stay_in_their_columns(columns: int, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    with served(faults={1: long_object()}) as emulator:
        run("list", emulator.bucket, out=out, err=Terminal(), emulator=emulator, columns=columns)
    lines = out.text.splitlines()
    starts = {cell_len(line.partition("/" if number else "key_prefix")[0]) for number, line in enumerate(lines)}
    assert len(starts) == 1
    # A window of less than 75 columns has no room for all of them.
    assert max(map(cell_len, lines)) <= max(columns, 75)
    assert lines[1].split()[1] == "COMPLETED"
    assert ("COMPLETED_WITH_ERRORS" in out.text) is (columns > 86)


def test_a_wait_shows_its_reason_and_leaves_nothing_behind(run: Any) -> None:
    out, err = Terminal(), Terminal()
    with served(objects=2, faults={2: Fault.http(503, headers={"Retry-After": "1"})}) as emulator:
        assert run("list", emulator.bucket, "--page-size=1", out=out, err=err, emulator=emulator) == 0
    drawn, _, rest = err.text.rpartition(CLEAR_LINE)
    assert "objects 1 | waiting 1 s: 503" in drawn
    assert drawn.endswith("\x1b[?25h\r\x1b[1A")
    assert " | retries 1 | " in rest
    assert " | last retry: 503" in rest


def test_verbose_says_why_each_retry_is_made(run: Any) -> None:
    err = Pipe()
    with served(objects=2, faults={2: Fault.http(503, headers={"Retry-After": "0.1"})}) as emulator:
        assert run("list", emulator.bucket, "--page-size=1", "-v", out=Pipe(), err=err, emulator=emulator) == 0
    assert re.match(r"attempt 2 in 0\.1 s, because: 503.*\ndone: ", err.text)


@pytest.mark.parametrize("verbose", [True, False])
def test_a_wait_for_the_rate_limit_is_explained(verbose: bool, run: Any) -> None:
    out, err = Terminal(), Terminal()
    with served(objects=2, faults={1: Fault(headers=USED_UP)}) as emulator:
        args = ("list", emulator.bucket, "--page-size=1", *(["-v"] if verbose else []))
        assert run(*args, out=out, err=err, emulator=emulator) == 0
    assert "objects 1 | waiting 1 s: the rate limit" in err.text
    assert ("waiting 1.0 s for the rate limit\n" in err.text) is verbose


def test_quiet_leaves_stderr_alone(run: Any) -> None:
    err = Terminal()
    run(*sample(3), "--quiet", out=Pipe(), err=err)
    assert err.text == ""


def test_a_pipe_in_a_terminal_has_no_line_of_ours_among_its_rows(run: Any) -> None:
    out, err = Pipe(), Terminal()
    with served(objects=2, faults={2: Fault.slow(0.3)}) as emulator:
        assert run("list", emulator.bucket, "--page-size=1", out=out, err=err, emulator=emulator) == 0
    assert err.text == ""
    assert out.text.count("\n") == 2


@pytest.mark.parametrize("redirected", [True, False])
def test_a_file_leaves_the_terminal_to_the_progress(redirected: bool, run: Any, tmp_path: Path) -> None:
    err, path = Terminal(), tmp_path / "objects"
    with served(objects=2, faults={2: Fault.slow(0.3)}) as emulator, path.open("w") as out:
        more = [] if redirected else ["-o", str(path)]
        run(
            "list",
            emulator.bucket,
            "--page-size=1",
            *more,
            out=out if redirected else Pipe(),
            err=err,
            emulator=emulator,
        )
    assert re.search(r"objects 1 \| [\d,]+ objects/s", err.text)
    assert err.text.rpartition(CLEAR_LINE)[2].startswith("done: objects 2 | ")
    assert path.read_text("utf-8").count("\n") == 2


def live(terminal: Terminal) -> list[str]:
    """The frames that were drawn in place, and at the end what is left in the terminal."""
    return re.split(r"\x1b\[\?25[lh]", terminal.text)


def test_live_shows_the_latest_rows_in_place_and_leaves_them(run: Any) -> None:
    out, err = Terminal(), Terminal()
    with served(objects=60, faults={3: Fault.slow(0.3)}) as emulator:
        args = ("list", emulator.bucket, "--page-size", "20", "--live", "--include-total")
        assert run(*args, out=out, err=err, emulator=emulator, lines=10) == 0
        last = emulator.object_ids()[-5:]
    _, frame, left = live(out)
    head, *rows, progress = frame.replace("\r", "").split("\n")[:7]
    assert head.startswith("object_id")
    assert all(row.startswith("obj_") for row in rows)
    assert progress.startswith("objects 40 of 60 | ")
    # What is left: the head and the last rows, of a terminal of 10 lines.
    assert [line.split()[0] for line in left[left.rindex("object_id") :].splitlines()] == ["object_id", *last]
    assert err.text.startswith("done: objects 60 of 60 | ")


def test_live_without_rows_leaves_nothing(run: Any) -> None:
    out = Terminal()
    assert run(*sample(0), "--live", out=out, err=Terminal()) == 0
    assert out.text == ""


def test_live_keeps_its_rows_when_the_walk_fails(run: Any) -> None:
    out, err = Terminal(encoding="ascii"), Terminal()
    with served(objects=4, faults={2: Fault.http(403)}) as emulator:
        emulator.update(emulator.object_ids()[0], status="ÜBERHOLT")
        assert run("list", emulator.bucket, "--page-size", "2", "--live", out=out, err=err, emulator=emulator) == 1
    assert "\\xdcBERHOLT" in out.text
    assert out.text.count("\n") == 3
    assert "\nto go on, run the same command with this option: --resume mpc" in err.text


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "--live shows the rows in a terminal, and stdout is none"),
        (["-o", "objects.txt"], "--live shows the rows in a terminal"),
    ],
)
def test_live_needs_a_terminal(args: list[str], words: str) -> None:
    result = invoke(*sample(1), "--live", *args)
    assert words in " ".join(result.stderr.split())
    assert result.exit_code == 2


@pytest.mark.parametrize("args", [["--format", "csv"], ["--json", "status"]])
def test_live_is_a_table(args: list[str], run: Any) -> None:
    err = Terminal()
    assert run(*sample(1), "--live", *args, out=Terminal(), err=err) == 2
    assert "--live shows a table: leave out --json and --format" in err.text


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
