"""`follow`: objects are printed as they come, and every end says how to go on."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from support.commands import Terminal, ids, invoke, served, start
from support.resuming import checkpoint

from mixpeek_async.emulator import Fault

pytest_plugins = ["support.terminals"]

POLL = ("--every", "0.02")


def test_what_is_created_later_comes_too_and_ctrl_c_says_how_to_go_on() -> None:
    with served(objects=3) as emulator:
        process = start("follow", emulator.bucket, *POLL, emulator=emulator)
        assert process.stdout is not None
        found = [json.loads(process.stdout.readline())["object_id"] for _ in range(3)]
        assert found == emulator.object_ids()
        later = emulator.insert()["object_id"]
        assert json.loads(process.stdout.readline())["object_id"] == later
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        assert (out, process.returncode) == ("", 130)
        missed = emulator.insert()["object_id"]
        args = ("follow", emulator.bucket, *POLL, "-n", "1", "--resume", checkpoint(err))
        result = invoke(*args, emulator=emulator)
    assert err.startswith("interrupted: objects 4 | ")
    assert ids(result.stdout) == [missed]
    assert result.exit_code == 0


def test_new_begins_with_what_is_created_from_now_on() -> None:
    with served(objects=3) as emulator:
        process = start("follow", emulator.bucket, "--new", *POLL, emulator=emulator)
        # Two requests find the end of the list.
        _until(lambda: len(emulator.requests) > 3)
        later = emulator.insert()["object_id"]
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["object_id"] == later
        process.terminate()
        _, err = process.communicate()
    assert process.returncode == 143
    assert err.startswith("interrupted: objects 1 | ")


def test_an_end_before_the_first_object_says_how_to_go_on_too() -> None:
    with served(objects=3) as emulator:
        process = start("follow", emulator.bucket, "--new", *POLL, emulator=emulator)
        _until(lambda: len(emulator.requests) > 3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        missed = emulator.insert()["object_id"]
        result = invoke("follow", emulator.bucket, *POLL, "-n", "1", "--resume", checkpoint(err), emulator=emulator)
    assert out == ""
    assert ids(result.stdout) == [missed]


def test_a_reader_that_goes_away_ends_it_without_a_message() -> None:
    with served(objects=2) as emulator:
        process = start("follow", emulator.bucket, *POLL, emulator=emulator)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        emulator.insert()
        assert process.stderr.read() == ""
        assert process.wait() == 141
        process.stderr.close()


def test_a_file_grows_with_each_object(tmp_path: Path) -> None:
    path = tmp_path / "objects.jsonl"
    with served(objects=2) as emulator:
        process = start("follow", emulator.bucket, *POLL, "-o", str(path), emulator=emulator)
        _until(lambda: path.exists() and len(ids(path.read_text("utf-8"))) == 2)
        emulator.insert()
        _until(lambda: len(ids(path.read_text("utf-8"))) == 3)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        emulator.insert()
        args = ("follow", emulator.bucket, *POLL, "-n", "1", "-o", str(path), "--resume", checkpoint(err))
        assert invoke(*args, emulator=emulator).exit_code == 0
        assert ids(path.read_text("utf-8")) == emulator.object_ids()


def test_a_failed_poll_is_an_error_that_can_be_resumed() -> None:
    with served(objects=2, faults={3: Fault.http(403)}) as emulator:
        first = invoke("follow", emulator.bucket, *POLL, emulator=emulator)
        emulator.insert()
        args = ("follow", emulator.bucket, *POLL, "-n", "1", "--resume", checkpoint(first.stderr))
        second = invoke(*args, emulator=emulator)
        assert ids(first.stdout + second.stdout) == emulator.object_ids()
    assert (first.exit_code, second.exit_code) == (1, 0)


class Interrupting(Terminal):
    """Ctrl-C comes as soon as the line of progress is drawn."""

    def write(self, text: str) -> int:
        if "following" in text:
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


def test_the_line_of_progress_says_that_it_follows(run: Any) -> None:
    out, err = Terminal(), Interrupting()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with served(objects=2, faults={2: Fault.slow(0.4)}) as emulator:
            assert run("follow", emulator.bucket, *POLL, out=out, err=err, emulator=emulator) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert "objects 2 | following" in err.text
    assert out.text.count("\n") == 3
    assert "interrupted: objects 2 | pages 1 | requests " in err.text


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--new", "--resume", "mpc2.AAAA"], "--new and --resume are two places to begin at"),
        (["--format", "json"], "a JSON array would never be closed"),
        (["-o", "objects.json"], "a JSON array would never be closed"),
        (["--every", "0"], "every must be a number over 0"),
        (["--overlap", "-1"], "overlap must be a number of at least 0"),
        (["--resume", "nonsense"], "error: --resume: "),
    ],
)
def test_misuse_says_what_to_do_instead(args: list[str], words: str) -> None:
    result = invoke("follow", "--emulator", "--emulator-objects", "1", *args)
    assert words in " ".join(result.stderr.split())
    assert result.exit_code == 2


def test_select_and_where_arrive() -> None:
    with served(objects=2) as emulator:
        emulator.insert(status="FAILED", note="x")
        args = ("follow", emulator.bucket, *POLL, "-n", "1", "--where", "note exists", "--select", "status,created_at")
        result = invoke(*args, emulator=emulator)
    assert json.loads(result.stdout).keys() == {"object_id", "bucket_id", "status", "created_at"}


def _until(condition: Any, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_emulator_can_be_followed() -> None:
    result = invoke("follow", "--emulator", "--emulator-objects", "3", "-n", "3", "--format", "ids")
    assert result.stdout.count("\n") == 3
    assert result.stderr.startswith("done: objects 3 | ")
