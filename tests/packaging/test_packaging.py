"""What the package says of itself, and where."""

import importlib.metadata
import re
import tomllib
from pathlib import Path
from typing import Any

from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_metadata_has_the_version_of_the_project() -> None:
    assert importlib.metadata.version(PROJECT["name"]) == PROJECT["version"]


def test_the_newest_release_in_the_changelog_is_the_version_unless_that_is_yet_to_come() -> None:
    heads = re.findall(r"^## \[(.+?)\](.*)$", CHANGELOG, re.MULTILINE)
    assert heads[0] == ("Unreleased", "")
    releases = [Version(name) for name, _ in heads[1:]]
    assert releases == sorted(releases, reverse=True)
    assert all(re.fullmatch(r" - \d{4}-\d\d-\d\d", date) for _, date in heads[1:])
    newest = max(releases, default=Version("0"))
    assert newest <= Version(PROJECT["version"])
    assert newest == Version(PROJECT["version"]) or re.search(r"\[Unreleased\]\n+### \w+\n+[-*] ", CHANGELOG)


def test_no_other_file_holds_the_version() -> None:
    version = re.compile(rf"(?<![\d.]){re.escape(PROJECT['version'])}(?![\d.])")
    sources = [*(ROOT / "mixpeek_async").rglob("*.py"), *(ROOT / "docs").rglob("*.py"), ROOT / "README.md"]
    assert [path.name for path in sources if version.search(path.read_text("utf-8"))] == []


def test_every_dependency_has_a_lower_bound_and_no_upper_one() -> None:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    theirs = [line for line in [*PROJECT["dependencies"], *extras] if not line.startswith(PROJECT["name"])]
    assert [line for line in theirs if not re.fullmatch(r"[\w-]+(\[\w+\])?>=[\d.]+(b\d+)?( *;.*)?", line)] == []


def test_the_minor_versions_that_are_named_begin_at_the_lowest_that_is_allowed() -> None:
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert PROJECT["requires-python"] == f">={named[0]}"
    assert named == sorted(named, key=Version)


def test_no_lock_file_names_a_registry() -> None:
    names = {"uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock"}
    assert names & {path.name for path in ROOT.iterdir()} == set()
