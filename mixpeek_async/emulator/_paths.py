"""Fields by path (`metadata.year`, `blobs.type`): their values, their selection and their sort keys.

A path goes through objects and, if it meets a list, through each object in it, as in MongoDB and Qdrant.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

DATES = frozenset({"created_at", "updated_at", "last_upload_at"})
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


def moment(value: Any) -> Any:
    """The one spelling of a date in UTC; anything else unchanged."""
    try:
        date = datetime.fromisoformat(value)
        utc = date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return value
    return utc.isoformat(timespec="microseconds")


def project(value: Any, paths: Iterable[str]) -> Any:
    """`value` reduced to the fields at `paths`."""
    return _prune(value, [path.split(".") for path in paths])


def _prune(value: Any, paths: list[list[str]]) -> Any:
    if isinstance(value, list):
        return [_prune(item, paths) for item in value if isinstance(item, dict)]
    inside = {key: [path[1:] for path in paths if path[0] == key] for key in value}
    return {
        key: value[key] if [] in rests else _prune(value[key], rests)
        for key, rests in inside.items()
        if [] in rests or (rests and isinstance(value[key], dict | list))
    }


def sort_key(value: Any, field: str) -> bytes:
    """Bytes that sort as the values do: null and absent first, then numbers, texts, booleans, and the rest."""
    found = next(values_at(value, field.split(".")), None)
    found = moment(found) if field in DATES else found
    match found:
        case None:
            return b"\0"
        case bool():
            return b"\3" + bytes([found])
        case int() | float():
            return b"\1" + _number_key(found)
        case str():
            return b"\2" + found.encode("utf-8", "surrogatepass")[:_KEY_BYTES]
        case _:
            return b"\4" + json.dumps(found, sort_keys=True).encode()[:_KEY_BYTES]


def _number_key(number: float) -> bytes:
    """Eight bytes that sort as the numbers do: the bits of a double do, apart from the sign."""
    try:
        as_float = float(number)
    except OverflowError:
        as_float = float("inf") if number > 0 else float("-inf")
    (bits,) = struct.unpack(">Q", struct.pack(">d", as_float + 0.0))
    return struct.pack(">Q", bits ^ (0xFFFFFFFFFFFFFFFF if bits >> 63 else 1 << 63))
