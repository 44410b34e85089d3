"""Where the public surface says `Any`: for JSON, and nowhere else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import mixpeek_async

PACKAGE = Path(mixpeek_async.__file__).parent

# Values that are sent as JSON or came as such, dicts of them, and what an awaitable has to say of its insides.
ALLOWED = {
    "emulator._emulator.Emulator.create_bucket": "fields of a bucket's JSON",
    "emulator._emulator.Emulator.create_collection": "fields of a collection's JSON",
    "emulator._emulator.Emulator.insert": "fields of an object's JSON",
    "emulator._emulator.Emulator.update": "fields of an object's JSON",
    "emulator._records.Records.insert": "fields of a record's JSON",
    "emulator._records.Records.update": "fields of a record's JSON",
    "errors.StatusError.__init__": "the JSON of an error's details",
    "objects.Objects.get": "what is behind its overloads",
    "objects.Objects.list": "what is behind its overloads",
    "pager.Pager.__await__": "what passes between an awaitable and its event loop",
    "query.queries.Query.from_dict": "the JSON of a query",
    "query.queries.Query.from_arguments": "the keywords of another signature, which checks them",
    "query.sorting.as_sort": "the JSON of an order",
}


def public(name: str) -> bool:
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))


def said_by(node: ast.stmt) -> list[ast.expr]:
    """The annotations by which a definition faces its users."""
    match node:
        case ast.FunctionDef(args=args, returns=returns) | ast.AsyncFunctionDef(args=args, returns=returns):
            takes = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
            return [each for each in [returns, *(arg.annotation for arg in takes if arg)] if each]
        case ast.AnnAssign(annotation=annotation):
            return [annotation]
        case _:
            return []


def definitions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        match node:
            case ast.ClassDef(name=name, body=inner) if public(name):
                yield from definitions(inner, f"{prefix}.{name}")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if public(name):
                yield f"{prefix}.{name}", node
            case ast.AnnAssign(target=ast.Name(id=name)) if public(name):
                yield f"{prefix}.{name}", node


def saying_any(path: Path) -> Iterator[str]:
    prefix = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for name, node in definitions(ast.parse(path.read_text("utf-8")).body, prefix):
        names = {each.id for said in said_by(node) for each in ast.walk(said) if isinstance(each, ast.Name)}
        if "Any" in names:
            yield name


def test_any_stands_for_json_alone() -> None:
    own = [PACKAGE / f"{name}.py" for name in ("client", "pager", "models", "errors", "testing")]
    own += [PACKAGE / f"{name}.py" for name in ("objects", "buckets", "collections", "documents", "events")]
    shown = [PACKAGE / "emulator" / f"{name}.py" for name in ("_emulator", "_faults", "_records")]
    queries = [PACKAGE / "query" / f"{name}.py" for name in ("fields", "filters", "queries", "sorting")]
    events = [PACKAGE / name for name in ("_telemetry.py", "_retry.py")]
    found = {name for path in [*own, *shown, *queries, *events] for name in saying_any(path)}
    assert found == set(ALLOWED)
