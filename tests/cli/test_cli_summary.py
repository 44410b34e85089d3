"""`summary`: what it prints, in a pipe and in a terminal, as JSON and into a file."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.commands import USED_UP, Pipe, Terminal, invoke, served

from mixpeek_async.emulator import Emulator, Fault

pytest_plugins = ["support.terminals"]


def filled(emulator: Emulator) -> None:
    for number in range(8):
        blobs = [{"property": "a", "type": "image", "details": {"mime_type": "image/png", "size_bytes": 5}}]
        status = "FAILED" if number == 0 else "COMPLETED"
        emulator.insert(blobs=blobs, status=status, created_at=f"2025-01-0{number // 4 + 1}T12:00:00Z")


def test_a_pipe_gets_bars_without_colours() -> None:
    with served() as emulator:
        filled(emulator)
        result = invoke("summary", emulator.bucket, emulator=emulator)
    lines = result.stdout.splitlines()
    assert lines[0] == "bkt_emulator: 8 objects"
    assert lines[2] == "Created, by day  objects, counted by the server"
    assert re.fullmatch(r"2025-01-01 4 50.0% █{50,}", lines[3])
    assert re.fullmatch(r"COMPLETED 7 87.5% █{50,}", lines[7])
    assert re.fullmatch(r"FAILED    1 12.5% █+[▏▎▍▌▋▊▉]?", lines[8])
    assert "Type  blobs, counted by the server" in lines
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines)
    assert (result.stderr, result.exit_code, "\x1b" in result.stdout) == ("", 0, False)


def test_exact_counts_by_listing() -> None:
    with served() as emulator:
        filled(emulator)
        args = ("summary", emulator.bucket, "--exact", "--where", 'status == "FAILED"')
        result = invoke(*args, emulator=emulator)
        assert {request.endpoint for request in emulator.requests} == {"list_objects"}
    assert result.stdout.startswith("bkt_emulator: 1 object\n")
    assert "Status  objects, counted by listing every object" in result.stdout


def test_a_bucket_without_objects_is_one_line() -> None:
    assert invoke("summary", "--emulator", "--emulator-objects", "0").stdout == "bkt_emulator: 0 objects\n"


def test_the_figures_as_json() -> None:
    with served() as emulator:
        filled(emulator)
        result = invoke("summary", emulator.bucket, "--json", emulator=emulator)
    found = json.loads(result.stdout)
    assert (found["bucket"], found["objects"], found["created_by"]) == ("bkt_emulator", 8, "day")
    assert found["statuses"] == {
        "source": "server",
        "counts": [{"value": "COMPLETED", "count": 7}, {"value": "FAILED", "count": 1}],
    }


@pytest.mark.parametrize("more", [[], ["--json"], ["-q"]])
def test_a_page_is_written(more: list[str], tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    result = invoke("summary", "--emulator", "--emulator-objects", "3", "--html", str(path), *more)
    assert "<h1>bkt_emulator</h1>" in path.read_text("utf-8")
    assert bool(result.stdout) is ("--json" in more)
    assert result.stderr == ("" if "-q" in more else f"the page is in {path}\n")


def test_a_page_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    missing = invoke("summary", "--emulator", "--html", str(tmp_path / "missing" / "a.html"))
    assert f"there is no directory for --html {tmp_path / 'missing' / 'a.html'}: make it first" in missing.stderr
    folder = invoke("summary", "--emulator", "--emulator-objects", "1", "--html", str(tmp_path))
    assert folder.stderr.startswith("error: the system refuses: ")
    assert (missing.exit_code, folder.exit_code, folder.stderr.count("\n")) == (2, 1, 1)


def test_a_terminal_gets_colours_and_names_that_cannot_drive_it(run: Any) -> None:
    out = Terminal()
    with served() as emulator:
        emulator.insert(status="\x1b[2J[red]:smile:\u202e", created_at=None, blobs=[])
        assert run("summary", emulator.bucket, out=out, err=Terminal(), emulator=emulator, columns=200) == 0
    assert "\x1b[36;" in out.text
    assert r"\x1b[2J[red]:smile:\u202e" in out.text
    assert "\x1b[2J" not in out.text
    assert "\u202e" not in out.text
    plain = re.sub(r"\x1b\[[\d;]*m", "", out.text)
    # A line longer than 120 columns is hard to read.
    assert max(map(len, plain.splitlines())) == 120


def test_a_terminal_without_blocks_gets_other_bars(run: Any) -> None:
    out = Terminal(encoding="latin-1")
    with served() as emulator:
        filled(emulator)
        assert run("summary", emulator.bucket, out=out, err=Terminal(), emulator=emulator) == 0
    assert "######" in out.text
    assert "\\u2588" not in out.text


def test_a_wait_shows_its_reason(run: Any) -> None:
    err = Terminal()
    with served(objects=3, faults={2: Fault.http(503, headers={"Retry-After": "0.4"})}) as emulator:
        assert run("summary", emulator.bucket, out=Pipe(), err=err, emulator=emulator) == 0
    assert "objects 0 | waiting 0 s: 503" in err.text


def test_a_walk_shows_how_far_it_has_come(run: Any) -> None:
    err = Terminal()
    with served(objects=3, faults={2: Fault.slow(0.4)}, max_limit=2) as emulator:
        assert run("summary", emulator.bucket, "--exact", out=Pipe(), err=err, emulator=emulator) == 0
    assert "objects 2 | " in err.text


def test_verbose_says_why_a_retry_is_made() -> None:
    with served(objects=1, faults={2: Fault.http(503, headers={"Retry-After": "0.01"})}) as emulator:
        result = invoke("summary", emulator.bucket, "-v", emulator=emulator)
    assert re.match(r"attempt 2 in 0\.1 s, because: 503", result.stderr)


def test_verbose_says_that_it_waits_for_the_rate_limit() -> None:
    with served(objects=1, faults={6: Fault(headers=USED_UP), 5: Fault(headers=USED_UP)}) as emulator:
        result = invoke("summary", emulator.bucket, "-v", emulator=emulator)
    assert result.stderr == "waiting 1.0 s for the rate limit\n"


def test_a_failure_is_one_line() -> None:
    with served() as emulator:
        result = invoke("summary", "bkt_none", emulator=emulator)
    assert result.stderr.startswith("error: 404")
    assert (result.stdout, result.stderr.count("\n"), result.exit_code) == ("", 1, 1)
