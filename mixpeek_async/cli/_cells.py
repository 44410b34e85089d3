"""An object as text for people: what the columns are, and nothing in them that a terminal would obey."""

import json
from collections.abc import Callable
from datetime import datetime

from mixpeek_async import Object

_LONGEST = 200

COLUMNS: dict[str, tuple[int, Callable[[Object], object]]] = {
    "object_id": (22, lambda obj: obj.object_id),
    "status": (10, lambda obj: obj.status),
    "created_at": (20, lambda obj: obj.created_at and _moment(obj.created_at)),
    "blobs": (5, lambda obj: len(obj.blobs)),
    "key_prefix": (12, lambda obj: obj.key_prefix),
}
"""Name, usual width, and the value of each column."""


def _moment(time: datetime) -> str:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")


def printable(text: str) -> str:
    """`text` cut to a sane length, with escapes for all that moves cursors, breaks lines or turns the writing."""
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown)


def cells(obj: Object) -> list[str]:
    """One text per column; what the object lacks is left blank."""
    values = (value(obj) for _, value in COLUMNS.values())
    return ["" if value is None else printable(str(value)) for value in values]


def plain_line(texts: list[str]) -> str:
    """A line of a table in a pipe. A text wider than its column pushes the rest aside."""
    widths = (width for width, _ in COLUMNS.values())
    return "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()


def json_line(obj: Object) -> str:
    """The object as it came, for programs."""
    # A number that no float holds is a Decimal: it goes out as text.
    return json.dumps(obj.to_dict(), ensure_ascii=False, default=str)


def printable_json(obj: Object) -> str:
    """The same for a terminal. JSON lets a terminal's C1 controls through, and has a spelling for each of them."""
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in json_line(obj))
