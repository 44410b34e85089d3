"""The command without what only POSIX systems have. It cannot be run on Windows here: this takes away what is missing
there, once the standard library has loaded what it needs of it itself."""

import subprocess
import sys
from pathlib import Path

_TAKE_AWAY = """
import asyncio, os, select, signal, sys
import aiohttp.web, click.testing, rich.console

for name in ("fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None
missing = {
    os: "fork getuid geteuid getgid killpg statvfs fchmod fchown mkfifo chown openpty posix_spawn sync".split(),
    select: "PIPE_BUF poll epoll kqueue".split(),
    signal: [name for name in dir(signal) if name.startswith("SIG")] + "alarm setitimer pthread_sigmask".split(),
}
kept = {"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN"}
for module, names in missing.items():
    for name in names:
        if name not in kept and hasattr(module, name):
            delattr(module, name)
"""

_RUN = """
from mixpeek_async.cli._app import cli

sample = ["--emulator", "--emulator-objects", "3"]
for args in (
    ["list", *sample],
    ["list", *sample, "--format", "csv", "-o", "objects.csv"],
    ["follow", *sample, "-n", "3", "-o", "followed.jsonl"],
    ["documents", *sample],
    ["collections", *sample],
    ["buckets", *sample],
    ["count", *sample],
    ["summary", *sample],
    ["summary", *sample, "--html", "page.html"],
    ["doctor", *sample],
):
    cli(args, standalone_mode=False)

import mixpeek_async.cli._emulator as emulator

emulator._forget_requests = lambda _: signal.raise_signal(signal.SIGTERM)
assert cli(["emulator", "--port", "0", "--db", "data.sqlite"], standalone_mode=False) == 143
"""


def test_it_works_without_what_windows_lacks(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import sys; sys.path.insert(0, {root!r})\n{_TAKE_AWAY}{_RUN}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "objects.csv").read_text("utf-8").count("\n") == 4
    assert (tmp_path / "followed.jsonl").read_text("utf-8").count("\n") == 3
    assert "export MIXPEEK_BASE_URL=" in process.stdout
