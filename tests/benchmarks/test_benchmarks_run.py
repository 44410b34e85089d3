"""That the benchmarks run; they fail when one of those who are there misses an object. Nothing here is about time."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.contestants import present


def test_all_of_it_runs_and_goes_into_the_docs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("before\n<!-- measured -->\nstale\n<!-- /measured -->\nbehind\n", "utf-8")
    main(["--scale", "tiny", "--docs", str(tmp_path)])
    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("behind\n")
    assert "stale" not in text
    for name in present(heavy=False):
        assert f"| {name} |" in text
    assert capsys.readouterr().out.strip() in text
    assert ElementTree.parse(tmp_path / "benchmarks.svg").getroot().tag.endswith("svg")
