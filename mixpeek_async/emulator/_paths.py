"""Fields by path (`metadata.year`, `blobs.type`): their values, their selection and their sort keys.

A path goes through objects and, if it meets a list, through each object in it, as in MongoDB and Qdrant.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

DATES = frozenset(
    {"_internal.created_at", "_internal.updated_at", "created_at", "last_upload_at", "searchable_at", "updated_at"}
)
"""Fields that hold dates: their texts are compared as points in time."""

# A cursor holds the sort key of the last row, and must fit into a URL.
_KEY_BYTES = 1_000


def values_at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """The values at `path`. A list counts as a value, and so does each of its elements."""
    if not path:
        yield value
        yield from value if isinstance(value, list) else ()
    elif isinstance(value, dict):
        if path[0] in value:
            yield from values_at(value[path[0]], path[1:])
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield from values_at(item, path)


def value_at(value: Any, path: str) -> Any:
    """The value at `path`, None if there is none. Through a list of objects it is the list of their values."""
    keys = path.split(".")
    for index, key in enumerate(keys):
        if isinstance(value, list):
            rest = ".".join(keys[index:])
            return [value_at(item, rest) for item in value if isinstance(item, dict)]
        value = value.get(key) if isinstance(value, dict) else None
    return value


def parse_date(value: Any) -> datetime | None:
    """The point in time that a text says, in UTC; None if it is no date. Without a zone it is taken for UTC."""
    try:
        date = datetime.fromisoformat(value)
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def moment(value: Any) -> Any:
    """The one spelling of a date; anything else unchanged."""
    date = parse_date(value)
    return value if date is None else date.isoformat(timespec="microseconds")


Branches = dict[str, "Branches"]
"""Paths as a tree: each key with the paths below it. No paths below means the whole value."""


def branches(paths: Iterable[str]) -> Branches:
    """The tree of `paths`. It is made once a request: a request may name a hundred thousand paths."""
    root: Branches = {}
    whole: list[Branches] = []
    for path in paths:
        node = root
        for key in path.split("."):
            node = node.setdefault(key, {})
        whole.append(node)
    # `blobs` selects more than `blobs.type` does.
    for node in whole:
        node.clear()
    return root


def project(value: Any, tree: Branches) -> Any:
    """`value`, an object or a list of them, reduced to the fields in `tree`."""
    if isinstance(value, list):
        return [project(item, tree) for item in value if isinstance(item, dict)]
    return {
        key: project(inside, tree[key]) if tree[key] else inside
        for key, inside in value.items()
        if key in tree and (not tree[key] or isinstance(inside, dict | list))
    }


def date_key(value: Any) -> bytes | None:
    """The sort key of a date; None if `value` is no date."""
    return None if parse_date(value) is None else value_key(moment(value))


def sort_key(record: Any, field: str) -> bytes:
    """The key of the value at `field`, or of the first one if there are several."""
    found = next(values_at(record, field.split(".")), None)
    return value_key(moment(found) if field in DATES else found)


def value_key(value: Any) -> bytes:
    """Bytes that sort as the values do: null and absent first, then numbers, texts, booleans, and the rest."""
    match value:
        case None:
            return b"\0"
        case bool():
            return b"\3" + bytes([value])
        case int() | float():
            return b"\1" + _number_key(value)
        case str():
            return b"\2" + value.encode("utf-8", "surrogatepass")[:_KEY_BYTES]
        case _:
            return b"\4" + json.dumps(value, sort_keys=True).encode()[:_KEY_BYTES]


def _number_key(number: float) -> bytes:
    """Eight bytes that sort as the numbers do: the bits of a double do, apart from the sign."""
    try:
        as_float = float(number)
    except OverflowError:
        as_float = float("inf") if number > 0 else float("-inf")
    (bits,) = struct.unpack(">Q", struct.pack(">d", as_float + 0.0))
    return struct.pack(">Q", bits ^ (0xFFFFFFFFFFFFFFFF if bits >> 63 else 1 << 63))
