"""`list` in a pipe: which objects come, as what text, and what the progress says of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.commands import ids, invoke, served

from mixpeek_async.emulator import Emulator, Fault

ODD = {"título": "día\x9b\u2028\u202e", "object_id": "obj_odd", "bucket_id": "bkt_emulator", "n": 1.5, "none": None}


def _answer(*objects: dict[str, Any]) -> Fault:
    """A last page with exactly these objects."""
    return Fault.answer({"results": list(objects), "pagination": {"next_cursor": None}})


def test_a_line_is_the_object_as_it_came_with_what_is_not_printable_escaped() -> None:
    with served(faults={1: _answer(ODD)}) as emulator:
        result = invoke("list", emulator.bucket, emulator=emulator)
    line = result.stdout_bytes.decode()
    assert json.loads(line) == ODD
    assert line.removesuffix("\n").isprintable()
    assert r'"título": "día\u009b\u2028\u202e"' in line


def test_a_long_line_is_whole() -> None:
    long = {**ODD, "text": "x" * 100_000}
    with served(faults={1: _answer(long)}) as emulator:
        result = invoke("list", emulator.bucket, emulator=emulator)
    assert json.loads(result.stdout) == long


def test_a_line_holds_no_number_that_json_cannot_write() -> None:
    body = '{"results": [{"object_id": "a", "bucket_id": "b", "n": N}], "pagination": {"next_cursor": null}}'
    body = body.replace("N", "[1e999, 1e9999999999999999999, -1e9999999999999999999]")
    with served(faults={1: Fault.answer(body.encode())}) as emulator:
        result = invoke("list", emulator.bucket, emulator=emulator)
    # The first is exact as a text; no decimal of Python's holds the others.
    assert json.loads(result.stdout, parse_constant=pytest.fail)["n"] == ["1E+999", None, None]


@pytest.mark.parametrize("pagination", ["cursor", "has_more", "page"])
def test_the_emulator_pages_in_the_shape_that_is_asked_for(pagination: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def emulator(**settings: Any) -> Emulator:
        made.append(settings["pagination"])
        return Emulator(**settings)

    monkeypatch.setattr("mixpeek_async.emulator.Emulator", emulator)
    result = invoke("list", "--emulator", "--emulator-objects", "7", "--emulator-pagination", pagination)
    assert len(ids(result.stdout)) == 7
    assert made == [pagination]


def test_the_emulator_needs_nothing_and_has_5000_objects() -> None:
    result = invoke("list", "--emulator")
    assert result.exit_code == 0
    assert len(set(ids(result.stdout))) == 5000


def test_the_emulator_takes_any_bucket_and_namespace() -> None:
    result = invoke("list", "my photos/2025", "--emulator", "--emulator-objects", "2", "--namespace", "mine")
    assert [json.loads(line)["bucket_id"] for line in result.stdout.splitlines()] == ["my photos/2025"] * 2


def test_the_emulator_ignores_the_environment() -> None:
    with served() as emulator:
        result = invoke("list", "--emulator", "--emulator-objects", "1", emulator=emulator)
        assert emulator.requests == []
    assert len(ids(result.stdout)) == 1


def test_the_options_of_the_list_arrive() -> None:
    options = ["--page-size=2", "--max-items=3", "--offset=1", "--include-total"]
    with served(objects=9) as emulator:
        everything = ids(invoke("list", emulator.bucket, emulator=emulator).stdout)
        emulator.requests.clear()
        result = invoke("list", emulator.bucket, *options, emulator=emulator)
        assert len(emulator.requests) == 2
    assert ids(result.stdout) == everything[1:4]
    assert result.stderr.startswith("done: objects 3 of 9 | pages 2 | requests 2 | retries 0 | waited 0.0 s | ")


def test_options_go_before_the_environment() -> None:
    with served(objects=1) as emulator:
        result = invoke(
            *("list", emulator.bucket, "--base-url", emulator.url, "--namespace", emulator.namespace),
            env={
                "MIXPEEK_API_KEY": emulator.api_key,
                "MIXPEEK_BASE_URL": "https://mixpeek.invalid",
                "MIXPEEK_NAMESPACE": "another",
            },
        )
    assert len(ids(result.stdout)) == 1


def test_quiet_leaves_stderr_empty() -> None:
    result = invoke("list", "--emulator", "--emulator-objects", "1", "--quiet")
    assert (result.stderr, result.exit_code) == ("", 0)


def test_a_table_in_a_pipe_has_a_line_for_every_object() -> None:
    result = invoke("list", "--emulator", "--emulator-objects", "30", "--format", "table")
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["object_id", "status", "created_at", "blobs", "key_prefix"]
    assert len(rows) == 30


def test_a_directory_that_does_not_exist_is_noticed_before_anything_is_sent(tmp_path: Path) -> None:
    with served(objects=1) as emulator:
        result = invoke("list", emulator.bucket, "-o", str(tmp_path / "missing" / "a.csv"), emulator=emulator)
        assert emulator.requests == []
    assert f"there is no directory for -o {tmp_path / 'missing' / 'a.csv'}: make it first" in result.stderr
    assert result.exit_code == 2


def test_an_empty_bucket_is_no_error() -> None:
    result = invoke("list", "--emulator", "--emulator-objects", "0")
    assert (result.stdout, result.exit_code) == ("", 0)


def test_a_failure_in_mid_walk_says_how_many_objects_were_listed() -> None:
    with served(objects=4, faults={2: Fault.http(403)}) as emulator:
        result = invoke("list", emulator.bucket, "--page-size", "2", emulator=emulator)
    summary, error, hint = result.stderr.splitlines()
    assert summary.startswith("stopped: objects 2 | pages 1 | requests 2 | ")
    assert error.startswith("error: ")
    assert hint.startswith("to go on, run the same command with this option: --resume mpc")
    assert (len(ids(result.stdout)), result.exit_code) == (2, 1)


def test_an_error_from_the_server_cannot_drive_the_terminal() -> None:
    body = {"error": {"message": "\x1b[2Jgone", "type": "ForbiddenError"}, "status": 403, "success": False}
    with served(faults={1: Fault.answer(body, 403)}) as emulator:
        result = invoke("list", emulator.bucket, emulator=emulator)
    assert "\x1b" not in result.stderr
    assert result.stderr.count("\n") == 1
