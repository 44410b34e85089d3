"""Every block of Python in the pages runs unchanged, from the top of its page to the bottom.

The blocks of a page share their names. `emulator` is a running emulator with 250 objects, `bucket` the name of its
bucket, and `client` a client of it. The environment points there too. A block may use `await` outside of a function.
"""

import ast
import asyncio
import inspect
import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from pages import DOCS, ROOT, Example, examples, languages, pages

from mixpeek_async import AsyncMixpeek
from mixpeek_async.emulator import Emulator

pytest_plugins = ["mixpeek_async.testing"]

# The first block of the README shows the idea; the others are complete.
SKETCHES = {"README.md": 1}
# These have tests of their own, in tests/query, tests/transport and tests/parts.
ELSEWHERE = {"howto/parallel.md", "queries.md", "telemetry.md"}
# A page is as wide as that.
MAX_COLUMNS = 88


def name_of(page: Path) -> str:
    return str(page.relative_to(DOCS if page.is_relative_to(DOCS) else ROOT))


PAGES = {name_of(page): page for page in pages() if examples(page) and name_of(page) not in ELSEWHERE}


def run(example: Example, names: dict[str, Any], runner: asyncio.Runner) -> None:
    code = compile(example.padded, str(example.page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        runner.run(eval(code, names))
    else:
        exec(code, names)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_examples_of_a_page_run(page: Path, mixpeek_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    mixpeek_emulator.seed(250)
    monkeypatch.setenv("MIXPEEK_API_KEY", mixpeek_emulator.api_key)
    monkeypatch.setenv("MIXPEEK_NAMESPACE", mixpeek_emulator.namespace)
    monkeypatch.setenv("MIXPEEK_BASE_URL", mixpeek_emulator.url)
    # The blocks are a module, so that classes in them can resolve their annotations.
    module = types.ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)
    client = AsyncMixpeek()
    names = vars(module)
    names.update(client=client, emulator=mixpeek_emulator, bucket=mixpeek_emulator.bucket)
    with asyncio.Runner() as runner:
        try:
            for example in examples(page)[SKETCHES.get(name_of(page), 0) :]:
                if example.runs_here:
                    run(example, names, runner)
        finally:
            runner.run(client.aclose())


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_each_block_names_its_language(page: Path) -> None:
    assert languages(page) <= {"python", "console", "text", "toml", "json", "sh", "{toctree}", "{eval-rst}"}


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_code_is_not_wider_than_its_column(page: Path) -> None:
    assert [line for example in examples(page) for line in example.code.splitlines() if len(line) > MAX_COLUMNS] == []


def test_links_in_the_readme_are_absolute_and_lead_to_pages_that_exist() -> None:
    # The readme is shown on the package index, too.
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert all(link.startswith("https://") for link in links)
    ours = [link.partition("/blob/main/")[2] for link in links if "/blob/main/" in link]
    assert ours
    assert [path for path in ours if not (ROOT / path).exists()] == []


def test_no_page_names_a_path_of_a_machine() -> None:
    private = (str(Path.home()), str(DOCS.parent), "/home/", "/Users/")
    assert [page.name for page in pages() for place in private if place in page.read_text("utf-8")] == []


def test_the_index_leads_to_every_page() -> None:
    index = (DOCS / "index.md").read_text("utf-8").split()
    missing = {name_of(page) for page in pages()} - {f"{name}.md" for name in index} - {"README.md", "index.md"}
    assert missing == set()
