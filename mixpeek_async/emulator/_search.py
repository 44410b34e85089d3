"""The free-text search of the lists."""

from collections.abc import Callable, Iterator
from typing import Any

# The API searches "key or metadata": these fields are neither.
_NOT_SEARCHED = {"blobs", "bucket_schema", "created_at", "edges", "error", "source_details", "status", "updated_at"}


def search_test(term: str, *, sensitive: bool) -> Callable[[Any], bool]:
    """The test of a record: does any of its texts contain `term`?"""
    part = term if sensitive else term.casefold()

    def found(record: Any) -> bool:
        texts = _texts({key: value for key, value in record.items() if key not in _NOT_SEARCHED})
        return any(part in (text if sensitive else text.casefold()) for text in texts)

    return found


def _texts(value: Any) -> Iterator[str]:
    """Every text in `value`, keys excluded."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
