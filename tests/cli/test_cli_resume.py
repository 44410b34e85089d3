"""How to go on: after any end the command says it, and what it says leads to the rest, nothing lost, nothing twice."""

import random
import re
import resource
import signal
import subprocess
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from support.commands import ids, invoke, served, start
from support.resuming import checkpoint

from mixpeek_async.emulator import Fault


def test_after_a_failure_the_rest_comes() -> None:
    with served(objects=5, faults={3: Fault.http(403)}) as emulator:
        args = ("list", emulator.bucket, "--page-size", "2")
        first = invoke(*args, emulator=emulator)
        second = invoke(*args, "--resume", checkpoint(first.stderr), emulator=emulator)
        assert ids(first.stdout + second.stdout) == emulator.object_ids()
    assert (first.exit_code, second.exit_code) == (1, 0)


def test_a_failure_that_can_pass_has_an_exit_code_of_its_own() -> None:
    faults = {1: Fault.http(429, headers={"Retry-After": "1000"})}
    with served(objects=1, faults=faults) as emulator:
        result = invoke("list", emulator.bucket, emulator=emulator)
    assert result.exit_code == 5
    assert result.stderr.splitlines()[1] == "this can be temporary: run the same command again"


def test_after_a_bad_record_the_rest_comes() -> None:
    with served(objects=2) as emulator:
        emulator.insert(object_id="bad", key_prefix=7)
        emulator.seed(2)
        first = invoke("list", emulator.bucket, emulator=emulator)
        second = invoke("list", emulator.bucket, "--resume", checkpoint(first.stderr), emulator=emulator)
        assert [*ids(first.stdout), "bad", *ids(second.stdout)] == emulator.object_ids()
    assert (first.exit_code, second.exit_code) == (1, 0)


@pytest.mark.parametrize("text", ["", "nonsense", "mpc1.AAAA", " mpc2.AAAA"])
def test_what_is_no_checkpoint_is_misuse(text: str) -> None:
    result = invoke("list", "--emulator", "--emulator-objects", "1", "--resume", text)
    assert result.stderr.startswith("error: --resume: ")
    assert not re.search(r"\.checkpoint|strip", result.stderr)
    assert (result.stderr.count("\n"), result.exit_code) == (1, 2)


def test_a_file_with_half_a_json_array_is_not_to_be_continued(tmp_path: Path) -> None:
    with served(objects=4, faults={2: Fault.http(403)}) as emulator:
        args = ("list", emulator.bucket, "--page-size", "2", "--format", "json", "-o", str(tmp_path / "objects"))
        result = invoke(*args, emulator=emulator)
    assert "with this option, with --format jsonl, and with another file for the rest: --resume mpc" in result.stderr


def test_the_advice_for_a_redirected_output_is_to_append(tmp_path: Path) -> None:
    with served(objects=4, faults={2: Fault.http(403)}) as emulator, (tmp_path / "out").open("w") as out:
        process = start("list", emulator.bucket, "--page-size", "2", emulator=emulator, stdout=out)
        _, err = process.communicate()
    assert "to go on, run the same command with this option, and >> in place of >: --resume mpc" in err


def test_quiet_still_says_how_to_go_on_after_an_error() -> None:
    with served(objects=4, faults={2: Fault.http(403)}) as emulator:
        result = invoke("list", emulator.bucket, "--page-size", "2", "-q", emulator=emulator)
    error, hint = result.stderr.splitlines()
    assert error.startswith("error: 403")
    assert checkpoint(hint)


@pytest.mark.parametrize("form", ["jsonl", "csv", "tsv", "ids"])
def test_a_file_is_appended_to_and_has_one_head(form: str, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    with served(objects=5) as emulator:
        invoke("list", emulator.bucket, "--format", form, "-o", str(whole), emulator=emulator)
        args = ("list", emulator.bucket, "--page-size", "2", "--format", form, "-o", str(parts))
        emulator.script(3, Fault.http(403))
        first = invoke(*args, emulator=emulator)
        second = invoke(*args, "--resume", checkpoint(first.stderr), emulator=emulator)
    assert (first.exit_code, second.exit_code) == (1, 0)
    assert parts.read_bytes() == whole.read_bytes()


def limit_files_of(process: subprocess.Popen[str], size: int) -> None:
    """Limit the size of every file that `process` writes. Not that of the tests: their own output may be a file."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can limit another process")
@pytest.mark.parametrize("redirected", [True, False])
def test_a_disk_that_is_full_in_the_middle_of_a_line_loses_nothing(redirected: bool, tmp_path: Path) -> None:
    path = tmp_path / "objects.jsonl"
    with served(objects=400) as emulator:
        args = ("list", emulator.bucket, *([] if redirected else ["-o", str(path)]))

        def run(*more: str, size: int | None = None) -> tuple[int, str]:
            with path.open("a") if redirected else nullcontext() as out:
                process = start(*args, *more, emulator=emulator, stdout=out)
                if size is not None:
                    limit_files_of(process, size)
                _, err = process.communicate()
                return process.returncode, err

        code, err = run(size=100_001)
        assert code == 1
        assert "error: the system refuses: [Errno 27] File too large" in err
        assert path.read_text("utf-8").endswith("}\n")
        assert run("--resume", checkpoint(err))[0] == 0
        assert ids(path.read_text("utf-8")) == emulator.object_ids()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can limit another process")
@pytest.mark.parametrize(("count", "size", "written"), [(40, 10_001, False), (400, 100_001, True)])
def test_what_a_full_disk_cuts_is_taken_back(count: int, size: int, written: bool, tmp_path: Path) -> None:
    path = tmp_path / "objects.jsonl"
    process = start("list", "--emulator", "--emulator-objects", str(count), "-o", str(path))
    limit_files_of(process, size)
    _, stderr = process.communicate()
    assert "error: the system refuses: [Errno 27] File too large" in stderr.splitlines()
    assert process.returncode == 1
    # Without a line in the file, the same command will do.
    assert ("--resume" in stderr) is written
    assert bool(ids(path.read_text("utf-8"))) is written


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_a_device_that_is_full_is_one_line() -> None:
    result = invoke("list", "--emulator", "--emulator-objects", "1", "-o", "/dev/full", "-q")
    assert result.stderr == "error: the system refuses: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("seed", range(6))
def test_a_signal_at_any_moment_loses_nothing(seed: int) -> None:
    chance = random.Random(seed)
    with served(objects=3_000) as emulator:
        args = ("list", emulator.bucket, "--page-size", "200")
        process = start(*args, emulator=emulator)
        assert process.stdout is not None
        assert process.stderr is not None
        # Half of the time the pipe is not read, so that the pipe is full when the signal comes.
        parts = [process.stdout.readline() for _ in range(chance.randrange(1, 300))]
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGINT)
        first = "".join(parts) + process.stdout.read()
        err = process.stderr.read()
        assert process.wait() == 130
        process.stdout.close()
        process.stderr.close()
        second = invoke(*args, "--resume", checkpoint(err), emulator=emulator)
        assert ids(first + second.stdout) == emulator.object_ids()


def test_a_signal_while_a_file_is_written_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "objects.jsonl"
    with served(objects=300, faults={3: Fault.slow(60)}) as emulator:
        args = ("list", emulator.bucket, "--page-size", "100", "-o", str(path))
        process = start(*args, emulator=emulator)
        while len(emulator.requests) < 3:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate()
        assert process.returncode == 143
        assert len(ids(path.read_text("utf-8"))) == 200
        assert invoke(*args, "--resume", checkpoint(err), emulator=emulator).exit_code == 0
        assert ids(path.read_text("utf-8")) == emulator.object_ids()


def test_a_signal_in_the_middle_of_a_long_line_names_the_line() -> None:
    with served(objects=1) as emulator:
        emulator.insert(object_id="long", note="x" * 1_000_000)
        emulator.seed(1)
        process = start("list", emulator.bucket, emulator=emulator)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        err = process.stderr.read()
        process.stdout.close()
        process.stderr.close()
        assert "to go on (the line of long was cut), run the same command" in err
        rest = invoke("list", emulator.bucket, "--resume", checkpoint(err), emulator=emulator)
        assert ids(rest.stdout) == emulator.object_ids()[2:]


def test_a_run_that_has_printed_nothing_can_simply_be_run_again() -> None:
    with served(faults={1: Fault.http(403)}) as emulator:
        result = invoke("list", emulator.bucket, emulator=emulator)
    assert "--resume" not in result.stderr
