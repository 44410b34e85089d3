"""What the command line can get wrong, and what it is told then; help and version."""

import inspect
import runpy
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import click
import pytest
from commands import invoke

from mixpeek_async import AsyncMixpeek
from mixpeek_async.cli import main
from mixpeek_async.cli._app import cli
from mixpeek_async.objects import Objects

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
    ],
)
def test_misuse_is_told_what_to_do_instead(args: list[str], env: dict[str, str], advice: str) -> None:
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


@pytest.mark.parametrize("owner", [Objects.list, AsyncMixpeek.__init__])
def test_defaults_are_those_of_the_library(owner: Any) -> None:
    command = cli.commands["list"]
    ours = {parameter.name: parameter.default for parameter in command.params if isinstance(parameter, click.Option)}
    theirs = inspect.signature(owner).parameters
    shared = [name for name in theirs if ours.get(str(name)) is not None and isinstance(ours[name], int | float)]
    assert shared
    assert {name: ours[name] for name in shared} == {name: theirs[name].default for name in shared}


def test_python_m_runs_the_same_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["anything", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("mixpeek_async.cli", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("mixpeek-async ")


class Refusing:
    """A finder in front of all others that fails on the command's module."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> None:
        if name == "mixpeek_async.cli._app":
            raise self.error


@pytest.fixture
def failing_import(monkeypatch: pytest.MonkeyPatch) -> Any:
    def fail(error: BaseException) -> None:
        monkeypatch.delitem(sys.modules, "mixpeek_async.cli._app")
        monkeypatch.setattr(sys, "meta_path", [Refusing(error), *sys.meta_path])

    return fail


@pytest.mark.parametrize("module", ["click", "rich.live"])
def test_without_the_extra_the_door_names_it(module: str, failing_import: Any, capsys: Any) -> None:
    failing_import(ModuleNotFoundError(name=module))
    with pytest.raises(SystemExit, match="1"):
        main()
    assert capsys.readouterr().err == f"error: {module} is not installed: pip install 'mixpeek-async[cli]'\n"


@pytest.mark.parametrize("module", ["sqlite3", None])
def test_another_missing_module_is_not_blamed_on_the_extra(module: str | None, failing_import: Any) -> None:
    failing_import(ModuleNotFoundError(name=module))
    with pytest.raises(ModuleNotFoundError):
        main()


def test_ctrl_c_while_loading_is_quiet(failing_import: Any, capsys: Any) -> None:
    failing_import(KeyboardInterrupt())
    with pytest.raises(SystemExit, match="130"):
        main()
    assert capsys.readouterr().err == ""
