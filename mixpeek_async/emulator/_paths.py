"""Fields by their paths (`metadata.year`, `blobs.type`): what is there, what is selected, and how it sorts.

A path goes through objects, and into the objects that a list holds, as the document stores do that this API is
built on.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

DATES = frozenset({"created_at", "updated_at", "last_upload_at"})
"""The fields that hold dates, whose texts are compared as moments."""

# A cursor holds the key of the last row, and has to fit into a URL.
_KEY_BYTES = 1_000


def values_at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """What is at `path`; of a list, the list and each of its elements."""
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
    """A date in one spelling, for all that mean the same moment; anything else as it is."""
    try:
        date = datetime.fromisoformat(value)
        utc = date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return value
    return utc.isoformat(timespec="microseconds")


def project(value: Any, paths: Iterable[str]) -> Any:
    """`value` with nothing but what is at `paths`."""
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
    """Bytes that sort as the values do: null and absent first, then numbers, texts, truth values, and the rest."""
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
    """IEEE 754 sorts by its bits, once the sign is out of the way."""
    try:
        as_float = float(number)
    except OverflowError:
        as_float = float("inf") if number > 0 else float("-inf")
    (bits,) = struct.unpack(">Q", struct.pack(">d", as_float + 0.0))
    return struct.pack(">Q", bits ^ (0xFFFFFFFFFFFFFFFF if bits >> 63 else 1 << 63))
