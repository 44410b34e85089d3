"""The shape of the house: who may import whom, and what stands at the door."""

import ast
import re
from pathlib import Path

import mixpeek_async

PACKAGE = Path(mixpeek_async.__file__).parent

LEAVES = {"errors", "_text", "_clock", "_timeouts"}
MAY_IMPORT: dict[str, set[str]] = {
    **{leaf: set() for leaf in LEAVES},
    "_checks": {"errors"},
    "_record": set(),
    "models": {"_record"},
    "query": {"_checks", "errors"},
    "_config": {"errors"},
    "_retry": {"_checks", "errors"},
    "_paging": {"errors", "models", "query"},
    "_wire": {"_paging", "_record", "_text", "errors", "models", "query"},
    "_telemetry": {"_checks", "_text", "_wire", "errors"},
    "_http_session": {"_clock", "_config", "_text", "_wire", "errors"},
    "_transport": {
        "_clock",
        "_timeouts",
        "_rate_limiter",
        "_retry",
        "_http_session",
        "_telemetry",
        "_wire",
        "errors",
        "models",
    },
    "_read_ahead": {"_paging", "errors", "models", "query"},
    "_reader": {"_paging", "_read_ahead", "_text", "errors", "models", "query"},
    "_rate_limiter": {"_clock", "_wire", "errors"},
    "pager": {"_paging", "_reader", "errors", "models", "query"},
    "_source": {"_paging", "_record", "errors", "_transport", "_wire", "models", "query"},
    "objects": {"_source", "_transport", "_wire", "models", "pager", "query"},
    "buckets": {"_source", "_transport", "_wire", "models", "pager", "query"},
    "client": {
        "_checks",
        "_clock",
        "_config",
        "_rate_limiter",
        "_retry",
        "_http_session",
        "_telemetry",
        "_transport",
        "buckets",
        "errors",
        "objects",
    },
    "__init__": {
        "_clock",
        "buckets",
        "objects",
        "_retry",
        "_telemetry",
        "client",
        "errors",
        "models",
        "pager",
        "query",
    },
    "emulator": set(),
    "testing": {"__init__", "emulator"},
    "cli": {"__init__", "emulator"},
}


def rooms_imported_by(path: Path) -> set[str]:
    """The rooms of the package that a module imports; the door counts as `__init__`."""
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


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_room_imports_only_what_the_table_allows() -> None:
    strays = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in PACKAGE.rglob("*.py")
        for name in rooms_imported_by(path) - MAY_IMPORT[room_of(path)] - {room_of(path)}
    }
    assert strays == set()


def test_the_table_knows_every_room_and_no_other() -> None:
    assert set(MAY_IMPORT) == {room_of(path) for path in PACKAGE.rglob("*.py")}


def test_only_the_session_the_client_and_the_emulator_know_aiohttp() -> None:
    users = {
        room_of(path)
        for path in PACKAGE.rglob("*.py")
        if re.search(r"^\s*(import|from) aiohttp", path.read_text(), re.M)
    }
    assert users <= {"_http_session", "client", "emulator"}


def test_what_stands_at_the_door_is_sorted_and_there() -> None:
    assert mixpeek_async.__all__ == sorted(mixpeek_async.__all__)
    assert all(hasattr(mixpeek_async, name) for name in mixpeek_async.__all__)
