"""Misuse of the command line and its error messages; help and version."""

import errno
import inspect
import runpy
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import click
import pytest
from support.commands import invoke

from mixpeek_async import AsyncMixpeek
from mixpeek_async._options import ListOptions
from mixpeek_async.cli import main
from mixpeek_async.cli._app import cli
from mixpeek_async.cli._run import _is_broken_pipe

KEY = {"MIXPEEK_API_KEY": "sk_1", "MIXPEEK_NAMESPACE": "ns"}


@pytest.mark.parametrize(
    ("args", "env", "advice"),
    [
        (["list"], KEY, "which bucket? Give its id or name as BUCKET, or try --emulator"),
        (["list", ""], KEY, "which bucket?"),
        (["list", "bkt_1"], {}, "set MIXPEEK_API_KEY in the environment, or try --emulator"),
        (["list", "bkt_1"], {"MIXPEEK_API_KEY": "sk_1"}, "give --namespace, or set MIXPEEK_NAMESPACE"),
        (["list", "bkt_1", "--emulator-objects", "5"], KEY, "are settings of --emulator"),
        (["list", "bkt_1", "--emulator-pagination", "page"], KEY, "are settings of --emulator"),
        (["list", "--emulator", "--base-url", "https://a.example"], KEY, "leave out --base-url"),
        (["list", "--emulator", "--format", "xml"], {}, "'xml' is not one of"),
        (["list", "b"], {"MIXPEEK_API_KEY": " ", "MIXPEEK_NAMESPACE": "ns"}, "set MIXPEEK_API_KEY"),
        (["buckets"], {}, "set MIXPEEK_API_KEY in the environment"),
        (["get", "b", "o"], {}, "set MIXPEEK_API_KEY in the environment"),
        (["get", "b"], KEY, "Missing argument 'OBJECT_ID'"),
        (
            ["list", "b", "--limit", "5"],
            KEY,
            "--page-size is the number of objects per request, --max-items that of all",
        ),
        (["list", "b", "--cursor", "x"], KEY, "--resume goes on where an earlier run ended"),
        (["list", "b", "--filters", "x"], KEY, "write --where"),
        (["list", "b", "--api-key", "x"], KEY, "the key is read from MIXPEEK_API_KEY"),
        (["list", "b", "--pagesize", "5"], KEY, "No such option"),
        (["list", "b", "--where", "a == b"], KEY, "'--where': at character 6, 'b': put a text in quotes."),
        (["list", "b", "--json", "a,,b"], KEY, "'--json': 'a,,b' has an empty name."),
        (["list", "b", "--json", "a", "--format", "ids"], KEY, "leave out --json"),
        (["list", "b", "--resume", "x", "-o", "x.json"], KEY, "write JSON lines, --format jsonl"),
    ],
)
def test_the_error_for_misuse_says_what_to_do_instead(args: list[str], env: dict[str, str], advice: str) -> None:
    result = invoke(*args, env=env)
    # click wraps its messages to the width of the terminal.
    assert advice in " ".join(result.stderr.split())
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("option", "value"),
    [("--page-size", "0"), ("--offset", "10001"), ("--max-items", "-1"), ("--timeout", "nan"), ("--namespace", " ")],
)
def test_what_the_library_refuses_is_misuse_in_one_line(option: str, value: str) -> None:
    result = invoke("list", "--emulator", "--emulator-objects", "0", option, value)
    assert result.stderr.startswith("error: ")
    assert option in result.stderr
    assert (result.stderr.count("\n"), result.exit_code) == (1, 2)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("MIXPEEK_API_KEY", "sk_1\n", "MIXPEEK_API_KEY ends with a line break, as text read from a file does"),
        ("MIXPEEK_API_KEY", "Bearer sk_1", "MIXPEEK_API_KEY contains a space, which no key does: leave out 'Bearer '"),
        ("MIXPEEK_NAMESPACE", "ns ", "MIXPEEK_NAMESPACE begins or ends with white space"),
        ("MIXPEEK_BASE_URL", "api.mixpeek.com", "MIXPEEK_BASE_URL has no scheme: put https:// in front"),
        ("MIXPEEK_BASE_URL", "http://a.example", "MIXPEEK_BASE_URL would send the key unencrypted: use https, or pass"),
    ],
)
def test_a_wrong_variable_is_called_by_its_name(variable: str, value: str, message: str) -> None:
    result = invoke("list", "bkt_1", env={**KEY, variable: value})
    assert result.stderr.startswith(f"error: {message}")
    assert "sk_1" not in result.stderr
    assert "strip" not in result.stderr
    assert (result.stderr.count("\n"), result.exit_code) == (1, 2)


def test_http_needs_leave() -> None:
    result = invoke("list", "bkt_1", "--base-url", "http://mixpeek.example", env=KEY)
    assert "pass --allow-insecure if you mean it" in result.stderr
    assert result.exit_code == 2


def test_there_is_no_option_for_the_key_and_help_says_why() -> None:
    result = invoke("list", "--api-key", "sk_1")
    assert "No such option" in result.stderr
    assert "MIXPEEK_API_KEY and from nowhere else" in " ".join(invoke("list", "--help").stdout.split())


def test_the_version_is_the_package_s() -> None:
    assert invoke("--version").stdout == f"mixpeek-async {version('mixpeek-async')}\n"


@pytest.mark.parametrize("owner", [ListOptions, AsyncMixpeek.__init__])
def test_defaults_are_those_of_the_library(owner: Any) -> None:
    command = cli.commands["list"]
    ours = {parameter.name: parameter.default for parameter in command.params if isinstance(parameter, click.Option)}
    theirs = inspect.signature(owner).parameters
    shared = [name for name in theirs if ours.get(str(name)) is not None and isinstance(ours[name], int | float)]
    assert shared
    assert {name: ours[name] for name in shared} == {name: theirs[name].default for name in shared}


@pytest.mark.parametrize("module", ["mixpeek_async", "mixpeek_async.cli"])
def test_python_m_runs_the_same_command(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["anything", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("mixpeek-async ")


class Interrupting:
    """A finder in front of all others: Ctrl-C comes while the command's module is looked for."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> None:
        if name == "mixpeek_async.cli._app":
            raise KeyboardInterrupt


def test_ctrl_c_while_loading_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.delitem(sys.modules, "mixpeek_async.cli._app")
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    with pytest.raises(SystemExit, match="130"):
        main()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("module", ["click", "rich"])
def test_without_the_extra_one_line_names_what_is_missing(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit, match="1"):
        main()
    assert capsys.readouterr().err == f"error: {module} is not installed: pip install 'mixpeek-async[cli]'\n"


def test_windows_says_in_its_own_way_that_the_reader_of_a_pipe_is_gone() -> None:
    gone = OSError(errno.EINVAL, "Invalid argument")
    assert _is_broken_pipe(gone, windows=True)
    assert not _is_broken_pipe(gone, windows=False)
    # The same number for the name of a file that Windows does not allow.
    assert not _is_broken_pipe(OSError(errno.EINVAL, "Invalid argument", "a?b"), windows=True)
    assert _is_broken_pipe(BrokenPipeError(errno.EPIPE, "Broken pipe"), windows=False)


def test_help_does_not_wait_for_what_it_does_not_need() -> None:
    code = "import sys; from mixpeek_async.cli._app import cli; cli(['list', '--help'], standalone_mode=False); "
    code += "print({'rich', 'sqlite3', 'aiohttp.web', 'mixpeek_async.cli._walk'} & sys.modules.keys())"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.splitlines()[-1] == "set()"
