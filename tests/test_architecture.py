"""The architecture: which module or package may import which, and what the public API is."""

import ast
import re
from pathlib import Path

import mixpeek_async

PACKAGE = Path(mixpeek_async.__file__).parent

LEAVES = {"errors", "_text", "_clock", "_loop_thread", "_timeouts"}
MAY_IMPORT: dict[str, set[str]] = {
    **{leaf: set() for leaf in LEAVES},
    "_checks": {"errors"},
    "_model": {"_text", "errors"},
    "models": {"_model"},
    "_options": {"_checks", "errors"},
    "query": {"_checks", "_options", "errors"},
    "_config": {"errors"},
    "_retry": {"_checks", "errors"},
    "_paging": {"_options", "errors", "models"},
    "_wire": {"_checks", "_model", "_options", "_paging", "_text", "errors", "models", "query"},
    "_telemetry": {"_checks", "_text", "_wire", "errors"},
    "_http_session": {"_clock", "_config", "_text", "_wire", "errors"},
    "_transport": {
        "_clock",
        "_timeouts",
        "_rate_limiter",
        "_retry",
        "_http_session",
        "_telemetry",
        "_text",
        "_wire",
        "errors",
        "models",
    },
    "_read_ahead": {"_options", "_paging", "errors"},
    "_page_reader": {"_clock", "_options", "_paging", "_read_ahead", "_text", "errors", "models"},
    "_rate_limiter": {"_clock", "_wire", "errors"},
    "_work": {"_checks", "_clock", "_paging", "errors", "models"},
    "_follow": {"_checks", "_options", "_page_reader", "_paging", "_work", "errors", "models"},
    "pager": {"_follow", "arrow", "_options", "_page_reader", "_paging", "_work", "errors", "models"},
    "_arrow_columns": {"_checks", "_model", "errors"},
    "arrow": {"_arrow_columns", "_loop_thread", "_model", "_options", "_page_reader", "_paging", "models", "pager"},
    "_source": {
        "_clock",
        "_converter",
        "_model",
        "_options",
        "_page_reader",
        "_paging",
        "_text",
        "_transport",
        "_wire",
        "errors",
        "models",
        "pager",
        "query",
    },
    "_converter": {"_model", "_text", "errors"},
    "parts": {"_loop_thread", "_source", "arrow", "client", "errors", "models", "pager", "query"},
    "_cut": set(),
    "_counts": {
        "_checks",
        "_cut",
        "_options",
        "_source",
        "_text",
        "_transport",
        "_wire",
        "errors",
        "models",
        "parts",
        "query",
    },
    "collections": {"_paging", "_source", "_transport", "_wire", "models", "pager", "query"},
    "documents": {
        "_checks",
        "_paging",
        "_source",
        "_transport",
        "_wire",
        "errors",
        "models",
        "objects",
        "pager",
        "parts",
        "query",
    },
    "events": {"_paging", "_source", "_transport", "_wire", "models", "pager"},
    # To it, `objects` is the type of an argument.
    "_summary": {"errors", "models", "objects", "query"},
    "objects": {
        "_checks",
        "_counts",
        "_options",
        "_paging",
        "_source",
        "_summary",
        "_transport",
        "_wire",
        "models",
        "pager",
        "parts",
        "query",
    },
    "buckets": {"_paging", "_source", "_transport", "_wire", "models", "pager", "query"},
    "client": {
        "_checks",
        "_clock",
        "_config",
        "_converter",
        "_paging",
        "_rate_limiter",
        "_retry",
        "_http_session",
        "_telemetry",
        "_transport",
        "buckets",
        "collections",
        "documents",
        "errors",
        "events",
        "objects",
    },
    "__init__": {
        "_clock",
        "_converter",
        "buckets",
        "collections",
        "documents",
        "events",
        "objects",
        "_retry",
        "_summary",
        "_telemetry",
        "client",
        "errors",
        "models",
        "pager",
        "parts",
        "query",
    },
    "emulator": set(),
    "testing": {"__init__", "emulator"},
    "cli": {"__init__", "emulator"},
    "__main__": {"cli"},
}


def part_of(path: Path) -> str:
    """The module, or the top-level package, that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def parts_imported_by(path: Path) -> set[str]:
    """The modules and top-level packages of `mixpeek_async` that a file imports; itself is called `__init__`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names = [node.module or ""]
        ours = [name.split(".") for name in names if name.split(".")[0] == "mixpeek_async"]
        found |= {parts[1] if len(parts) > 1 else "__init__" for parts in ours}
    return found


def test_every_module_imports_only_what_the_table_allows() -> None:
    not_allowed = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in PACKAGE.rglob("*.py")
        for name in parts_imported_by(path) - MAY_IMPORT[part_of(path)] - {part_of(path)}
    }
    assert not_allowed == set()


def test_the_table_has_a_line_for_every_module_and_no_other() -> None:
    assert set(MAY_IMPORT) == {part_of(path) for path in PACKAGE.rglob("*.py")}


def test_only_these_modules_import_aiohttp() -> None:
    users = {
        part_of(path)
        for path in PACKAGE.rglob("*.py")
        if re.search(r"^\s*(import|from) aiohttp", path.read_text("utf-8"), re.MULTILINE)
    }
    # The command `doctor` looks at headers, by the client's trace_configs.
    assert users <= {"_http_session", "cli", "client", "emulator"}


def test_the_public_names_are_sorted_and_exist() -> None:
    assert mixpeek_async.__all__ == sorted(mixpeek_async.__all__)
    assert all(hasattr(mixpeek_async, name) for name in mixpeek_async.__all__)
