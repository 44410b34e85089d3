"""The command as a process: its pipes, its signals, its exit codes."""

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import ids, served, start

from mixpeek_async.emulator import Fault


def test_a_pipe_gets_every_object_in_order() -> None:
    with served(objects=25) as emulator:
        process = start("list", emulator.bucket, "--page-size", "10", emulator=emulator)
        out, err = process.communicate()
        listed = start("list", "--emulator", "--emulator-objects", "25").communicate()[0]
    # The same sample data on both sides, so that the order of one is the order of the other.
    assert len(ids(out)) == 25
    assert ids(out) == ids(listed)
    assert (process.returncode, err.count("\n")) == (0, 1)


def test_the_first_line_comes_before_the_second_page() -> None:
    with served(objects=2, faults={2: Fault.slow(60)}) as emulator:
        process = start("list", emulator.bucket, "--page-size", "1", emulator=emulator)
        assert process.stdout is not None
        assert process.stdout.readline().startswith('{"object_id"')
        process.terminate()
        process.communicate()


def test_a_reader_that_goes_away_ends_it_without_a_message() -> None:
    process = start("list", "--emulator")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 141
    process.stderr.close()


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_a_page_is_awaited_ends_it_and_says_how_to_go_on(number: int, exit_code: int) -> None:
    with served(objects=2, faults={2: Fault.slow(60)}) as emulator:
        process = start("list", emulator.bucket, "--page-size", "1", emulator=emulator)
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        _, err = process.communicate()
    assert process.returncode == exit_code
    assert err.startswith("interrupted: objects 1 | pages 1 | requests ")
    assert "\nto go on, run the same command with this option: --resume mpc" in err
    assert err.count("\n") == 2


def test_a_signal_while_the_pipe_is_full_ends_it_too() -> None:
    process = start("list", "--emulator")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    # Nothing is read from stdout here: 5,000 objects are far more than a pipe holds.
    assert process.wait() == 130
    assert process.stderr.read().startswith("interrupted: objects ")
    process.stdout.close()
    process.stderr.close()


def test_a_server_that_says_no_is_one_line_and_exit_code_1() -> None:
    with served() as emulator:
        process = start("list", "bkt_missing", emulator=emulator)
        out, err = process.communicate()
    assert (out, process.returncode) == ("", 1)
    assert err.startswith("error: ")
    assert "404" in err
    assert err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_a_full_disk_is_one_error_line() -> None:
    with Path("/dev/full").open("wb") as full:
        process = start("list", "--emulator", "--quiet", stdout=full)
        _, err = process.communicate()
    assert (process.returncode, err) == (1, "error: the system refuses: [Errno 28] No space left on device\n")


# From where the cursor is hidden to where the line is erased.
LINE_OF_PROGRESS = re.compile(r"\x1b\[\?25l.*?\x1b\[\?25h\r?\x1b\[1A\x1b\[2K", re.DOTALL)
SIZE = {"TERM": "xterm", "COLUMNS": "120", "LINES": "40"}


def test_a_terminal_gets_every_row_and_a_summary() -> None:
    ours, theirs = pty.openpty()
    process = start("list", "--emulator", "--emulator-objects", "300", stdout=theirs, stderr=theirs, env=SIZE)
    os.close(theirs)
    # A slow machine also draws the line of progress, and erases it again.
    shown = LINE_OF_PROGRESS.sub("", _read_terminal(ours)).splitlines()
    assert process.wait() == 0
    assert shown[0].startswith("object_id")
    assert "2025-03-03T08:04:59Z" in shown[300]
    assert shown[301].startswith("done: objects 300 | pages 1 | ")
    assert len(shown) == 302


def test_head_in_a_terminal_shows_rows_and_nothing_else() -> None:
    ours, theirs = pty.openpty()
    with served(objects=6, faults={n: Fault.slow(0.15) for n in range(1, 7)}) as emulator:
        args = ("list", emulator.bucket, "--page-size", "1")
        process = start(*args, emulator=emulator, stderr=theirs, env=SIZE)
        head = subprocess.Popen(["head", "-3"], stdin=process.stdout, stdout=theirs)
        os.close(theirs)
        assert process.stdout is not None
        process.stdout.close()
        shown = _read_terminal(ours)
        assert (head.wait(), process.wait()) == (0, 141)
    assert len(ids(shown)) == 3


def test_ctrl_c_in_a_terminal_restores_it_and_says_how_to_go_on() -> None:
    ours, theirs = pty.openpty()
    with served(objects=2, faults={2: Fault.slow(60)}) as emulator:
        args = ("list", emulator.bucket, "--page-size", "1")
        process = start(*args, emulator=emulator, stdout=theirs, stderr=theirs, env=SIZE)
        os.close(theirs)
        shown = ""
        # The line is drawn while the second page is waited for.
        while "objects 1 |" not in shown:
            shown += os.read(ours, 4096).decode()
        process.send_signal(signal.SIGINT)
        shown += _read_terminal(ours)
    assert process.wait() == 130
    *_, summary, hint = shown.splitlines()
    assert "interrupted: objects 1 | " in summary
    assert hint.startswith("to go on, run the same command with this option: --resume mpc")
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def _read_terminal(descriptor: int) -> str:
    chunks: list[bytes] = []
    with os.fdopen(descriptor, "rb", buffering=0) as terminal:
        try:
            while chunk := terminal.read(65536):
                chunks.append(chunk)
        except OSError:
            # Linux says so that the other end of a pseudo-terminal is closed.
            pass
    return b"".join(chunks).decode()


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_the_extra_one_line_says_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from mixpeek_async.cli import main; main()"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert process.stderr.startswith(f"error: {missing}")
    assert process.stderr.endswith(" is not installed: pip install 'mixpeek-async[cli]'\n")
    assert process.stderr.count("\n") == 1
