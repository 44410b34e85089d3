"""`emulator`: what it prints, who may reach it, what its options do, and how it ends."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.commands import ids, invoke, start

from mixpeek_async.cli._emulator import _export, _forget_requests
from mixpeek_async.emulator import Emulator

Process = subprocess.Popen[str]


@contextmanager
def serving(*args: str, env: dict[str, str]) -> Iterator[Process]:
    """`mixpeek-async emulator ARGS`, and in `env` what it says to export."""
    process = start("emulator", "--port", "0", *args)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        for _ in range(3):
            name, value = process.stdout.readline().removeprefix("export ").strip().split("=")
            env[name] = value
        yield process
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def test_it_prints_what_other_programs_need() -> None:
    env: dict[str, str] = {}
    with serving("--objects", "30", env=env) as process:
        assert len(ids(invoke("list", "bkt_emulator", env=env).stdout)) == 30
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert process.stderr is not None
        assert process.stderr.read() == "30 objects in the bucket bkt_emulator; Ctrl-C ends it\n"


def test_a_file_keeps_the_data(tmp_path: Path) -> None:
    found = []
    for count in ("7", "9"):
        env: dict[str, str] = {}
        with serving("--objects", count, "--db", str(tmp_path / "data.sqlite"), env=env):
            found.append(ids(invoke("list", "bkt_emulator", env=env).stdout))
    assert found[0] == found[1]
    assert len(found[0]) == 7


class Served(Emulator):
    """An emulator that remembers its settings."""

    made: dict[str, Any]

    def __init__(self, **settings: Any) -> None:
        Served.made = settings
        super().__init__(**settings)


@pytest.fixture
def _ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM comes as soon as the emulator serves."""

    def forget(emulator: Emulator) -> None:
        _forget_requests(emulator)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("mixpeek_async.cli._emulator.Emulator", Served)
    monkeypatch.setattr("mixpeek_async.cli._emulator._forget_requests", forget)


@pytest.mark.usefixtures("_ending")
def test_its_options_are_settings_of_the_emulator() -> None:
    options = ["--objects", "0", "--shape", "page", "--latency", "0.1", "--rate-limit", "60", "--host", "localhost"]
    result = invoke("emulator", "--port", "0", *options)
    assert result.exit_code == 143
    assert Served.made == {
        "pagination": "page",
        "database": ":memory:",
        "latency": 0.1,
        "requests_per_minute": 60,
        "host": "localhost",
        "port": 0,
        "api_key": "sk_emulator",
    }
    assert "warning" not in result.stderr


@pytest.mark.usefixtures("_ending")
def test_others_may_reach_it_with_a_key_of_its_own_only() -> None:
    result = invoke("emulator", "--port", "0", "--host", "0.0.0.0")
    assert result.exit_code == 143
    assert "warning: everyone who can reach this machine can send requests to the emulator" in result.stderr
    assert len(Served.made["api_key"]) == 35
    assert f"export MIXPEEK_API_KEY={Served.made['api_key']}\n" in result.stdout


@pytest.mark.usefixtures("_ending")
def test_a_file_with_data_gets_no_more(tmp_path: Path) -> None:
    args = ("emulator", "--port", "0", "--db", str(tmp_path / "data.sqlite"), "--objects")
    assert "5 objects" in invoke(*args, "5").stderr
    assert "5 objects" in invoke(*args, "6").stderr


@pytest.mark.parametrize(
    ("args", "words", "code"),
    [
        (["--latency", "nan"], "error: latency must be a number of seconds", 2),
        (["--rate-limit", "0"], "0 is not in the range", 2),
        (["--db", "/"], "error: --db: unable to open database file", 1),
    ],
)
def test_a_setting_that_cannot_work_is_named(args: list[str], words: str, code: int) -> None:
    result = invoke("emulator", *args)
    assert words in result.stderr
    assert (result.stdout, result.exit_code) == ("", code)


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = invoke("emulator", "--objects", "0", "--port", str(taken.getsockname()[1]))
    assert result.stderr.startswith("error: the emulator cannot listen: ")
    assert result.stderr.endswith("address already in use; --port 0 takes a free port\n")
    assert (result.stderr.count("\n"), result.exit_code) == (1, 1)


def test_an_address_that_does_not_exist_is_one_line() -> None:
    result = invoke("emulator", "--objects", "0", "--port", "0", "--host", "192.0.2.1")
    assert result.stderr.startswith("error: the emulator cannot listen: ")
    assert "--port" not in result.stderr
    assert (result.stderr.count("\n"), result.exit_code) == (1, 1)


def test_each_shell_gets_its_own_words() -> None:
    assert _export("NAME", "a b", windows=False) == "export NAME='a b'\n"
    assert _export("NAME", "a b", windows=True) == '$env:NAME = "a b"\n'
