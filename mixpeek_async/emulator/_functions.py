"""The Python functions that SQLite calls: the operators, the search and the sort key."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from mixpeek_async.emulator._operators import OPERATORS, holds
from mixpeek_async.emulator._paths import sort_key

# The API searches "key or metadata": these fields are neither.
_NOT_SEARCHED = {"blobs", "bucket_schema", "created_at", "edges", "error", "source_details", "status", "updated_at"}


def register(db: sqlite3.Connection) -> None:
    """Register `op_eq(body, ?)` and the other operators, `found(body, ?)` and `sort_key(body, ?)` in `db`.

    Their second argument is JSON in ASCII, because SQLite cannot store a lone surrogate.
    """
    for name in OPERATORS:
        db.create_function(f"op_{name}", 2, _operator(name), deterministic=True)
    db.create_function("found", 2, _found, deterministic=True)
    db.create_function("sort_key", 2, lambda body, field: sort_key(_parsed(body), _parsed(field)), deterministic=True)


# All conditions of a filter see the same row in turn, so a parsed row is used several times.
@lru_cache(maxsize=128)
def _parsed(text: str) -> Any:
    return json.loads(text)


def _operator(name: str) -> Callable[[str, str], bool]:
    def call(body: str, parameter: str) -> bool:
        field, wanted, sensitive = _parsed(parameter)
        return holds(name, _parsed(body), field, wanted, sensitive=sensitive)

    return call


def _found(body: str, parameter: str) -> bool:
    term, sensitive = _parsed(parameter)
    texts = _texts({key: value for key, value in _parsed(body).items() if key not in _NOT_SEARCHED})
    return any(term in text if sensitive else term.casefold() in text.casefold() for text in texts)


def _texts(value: Any) -> Iterator[str]:
    """Every text in `value`, keys excluded."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
