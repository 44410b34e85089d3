"""Print the size of the code, and the files that a page crosses. There are aims and no limits.

    python tests/measures.py

The core is the package without `emulator/`, `cli/` and `testing.py`. A line of code is not blank, and holds more than a
comment or a docstring; the aim is for those that are not imports or `__all__`. A class is private if its name, or that
of its module or package, begins with an underscore.

A field is mutated if a method other than `__init__` and `__attrs_post_init__` assigns to it on `self`, or deletes it. A
list that grows is not counted, nor is `other.field = …`.
"""

import ast
import asyncio
import io
import statistics
import sys
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import attrs

import mixpeek_async
from mixpeek_async import AsyncMixpeek
from mixpeek_async.emulator import Emulator

PACKAGE = Path(mixpeek_async.__file__).parent
AROUND_THE_CORE = {"emulator", "cli", "testing.py"}
NOT_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
MAKING = {"__init__", "__attrs_post_init__"}

AIM_CODE_LINES = 2_300
AIM_CLASSES = 70
AIM_MUTATED_FIELDS = 6
AIM_FILES_CROSSED = 8


@attrs.frozen
class ClassSize:
    """One class: how many fields its own body and methods name, and those that change after it has been made."""

    name: str
    private: bool
    fields: int
    mutated: list[str]


@attrs.frozen
class ModuleSize:
    """One module, in lines. `imports` is the part of `code` that is imports or `__all__`."""

    lines: int
    code: int
    imports: int
    comments: int
    bodies: list[int]
    classes: list[ClassSize]


def module_size(name: str, source: str) -> ModuleSize:
    """The size of one module, `name` being its path in the package."""
    tree = ast.parse(source)
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    docstrings = {line for node in ast.walk(tree) if _is_docstring(node) for line in _lines_of(node)}
    code = {line for token in tokens if token.type not in NOT_CODE for line in range(token.start[0], token.end[0] + 1)}
    code -= docstrings
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return ModuleSize(
        lines=len(source.splitlines()),
        code=len(code),
        imports=len(code & {line for node in tree.body if _is_import(node) for line in _lines_of(node)}),
        comments=sum(token.type == tokenize.COMMENT for token in tokens),
        bodies=[len(code & {line for part in function.body for line in _lines_of(part)}) for function in functions],
        classes=[_class_size(name, node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)],
    )


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_import(node: ast.stmt) -> bool:
    names = [ast.unparse(target) for target in node.targets] if isinstance(node, ast.Assign) else []
    return isinstance(node, ast.Import | ast.ImportFrom) or "__all__" in names


def _lines_of(node: ast.AST) -> range:
    assert isinstance(node, ast.stmt)
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _class_size(module: str, node: ast.ClassDef) -> ClassSize:
    declared = {ast.unparse(part.target) for part in node.body if isinstance(part, ast.AnnAssign)}
    made: set[str] = set()
    mutated: set[str] = set()
    for method in node.body:
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            (made if method.name in MAKING else mutated).update(_assigned_on_self(method))
    return ClassSize(
        name=node.name,
        private=any(part.startswith("_") for part in [*Path(module).parts, node.name]),
        fields=len(declared | made | mutated),
        mutated=sorted(mutated),
    )


def _assigned_on_self(method: ast.AST) -> Iterator[str]:
    """The fields in `self.x = …`, `self.x += …`, `for self.x in …`, `del self.x` and the like."""
    for node in ast.walk(method):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and ast.unparse(node.value) == "self":
            yield node.attr


def core_sizes() -> list[ModuleSize]:
    """The size of each module of the core."""
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if in_core(path)]
    return [module_size(str(path.relative_to(PACKAGE)), path.read_text("utf-8")) for path in paths]


def in_core(path: Path) -> bool:
    """Whether a file is part of the core."""
    return path.is_relative_to(PACKAGE) and path.relative_to(PACKAGE).parts[0] not in AROUND_THE_CORE


class PageTrace:
    """Which functions of the core run, since the core has last read bytes of a response; by file, in order.

    A function counts when it starts, goes on behind an `await`, or ends. What a library generates or does in C is not
    seen, and belongs to no file of ours.
    """

    def __init__(self) -> None:
        self.files: dict[str, list[str]] = {}

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Called by Python for each function."""
        path = Path(frame.f_code.co_filename)
        if event not in ("call", "return"):
            return
        if path.match("aiohttp/streams.py") and frame.f_code.co_name.startswith("read") and _called_by_core(frame):
            self.files = {}
        elif in_core(path):
            names = self.files.setdefault(path.relative_to(PACKAGE).as_posix(), [])
            if frame.f_code.co_name not in names:
                names.append(frame.f_code.co_name)


def _called_by_core(frame: FrameType) -> bool:
    """The emulator runs in this process, too, and reads requests with the same class."""
    caller = frame.f_back
    while caller is not None and "aiohttp" in caller.f_code.co_filename:
        caller = caller.f_back
    return caller is not None and in_core(Path(caller.f_code.co_filename))


async def files_crossed(pagination: str) -> dict[str, list[str]]:
    """The functions, by file, that run from the body of the second page of three to its last object.

    The walk fetches nothing ahead, so that they work on that page alone.
    """
    trace = PageTrace()
    async with (
        Emulator(objects=30, pagination=pagination) as emulator,
        AsyncMixpeek(emulator.api_key, namespace=emulator.namespace, base_url=emulator.url) as client,
        client.objects.list(emulator.bucket, page_size=10, prefetch=0) as pager,
    ):
        walk = aiter(pager)
        for _ in range(10):
            await anext(walk)
        before = sys.getprofile()
        sys.setprofile(trace)
        try:
            for _ in range(10):
                await anext(walk)
        finally:
            sys.setprofile(before)
    return trace.files


def report_size(sizes: list[ModuleSize]) -> Iterator[str]:
    """What the files say."""
    classes = sorted((each for size in sizes for each in size.classes), key=lambda each: -len(each.mutated))
    bodies = sorted(body for size in sizes for body in size.bodies)
    lines, code = sum(size.lines for size in sizes), sum(size.code for size in sizes)
    imports, comments = sum(size.imports for size in sizes), sum(size.comments for size in sizes)
    yield f"files                         {len(sizes):6,}"
    yield f"lines                         {lines:6,}"
    yield f"lines of code                 {code:6,}"
    yield f"  without imports, __all__    {code - imports:6,}   aim: {AIM_CODE_LINES:,}"
    yield f"comments per 100 lines        {100 * comments / lines:6.1f}"
    yield f"classes                       {len(classes):6,}   aim: {AIM_CLASSES}"
    yield f"  private                     {sum(each.private for each in classes):6,}"
    yield f"functions                     {len(bodies):6,}"
    yield f"  median body, in lines       {statistics.median_low(bodies):6,}"
    yield f"  nine in ten have at most    {bodies[len(bodies) * 9 // 10]:6,}"
    yield f"  the longest has             {bodies[-1]:6,}"
    yield ""
    yield f"mutated fields, by class; aim: {AIM_MUTATED_FIELDS} at most"
    for each in classes:
        if each.mutated:
            yield f"  {each.name}: {len(each.mutated)} of {each.fields} ({', '.join(each.mutated)})"


def report_files(pagination: str, files: dict[str, list[str]]) -> Iterator[str]:
    """What one page crosses."""
    yield f"files that a page crosses, {pagination!r}: {len(files)}, aim: {AIM_FILES_CROSSED}"
    for name, functions in files.items():
        yield f"  {name}: {', '.join(functions)}"


def show(lines: Iterable[str]) -> None:
    """Print a paragraph."""
    print(*lines, sep="\n", end="\n\n")


if __name__ == "__main__":
    show(report_size(core_sizes()))
    for shape in ("has_more", "cursor"):
        show(report_files(shape, asyncio.run(files_crossed(shape))))
