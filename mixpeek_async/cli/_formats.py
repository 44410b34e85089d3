"""Objects, buckets, collections and documents as text: which of their values are shown, and in which format."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mixpeek_async.cli._text import json_text, plain, printable, spreadsheet_cell

if TYPE_CHECKING:
    from mixpeek_async import Bucket, Collection, Document, Object

FORMATS = ("table", "jsonl", "json", "csv", "tsv", "ids")

BY_SUFFIX = {f".{name}": name for name in FORMATS} | {".ndjson": "jsonl"}
"""The format that the name of a file stands for."""

_LONGEST_CELL = 200
_USUAL_WIDTH = 20
_NARROWEST = 10
_GAP = "  "


@dataclass(frozen=True)
class View:
    """What is shown of `things`: `values` gives one value for each of `names`, and `widths` are those of a table."""

    things: str
    names: Sequence[str]
    values: Callable[[Any], Sequence[object]]
    widths: Sequence[int]
    id_of: Callable[[Any], str]
    whole: bool = True
    """Whether JSON shows the record as the server sent it, or these values only."""


def _object_values(obj: "Object") -> Sequence[object]:
    return obj.object_id, obj.status, obj.created_at, len(obj.blobs), obj.key_prefix


def _bucket_values(bucket: "Bucket") -> Sequence[object]:
    return bucket.bucket_id, bucket.bucket_name, bucket.object_count, bucket.total_size_bytes, bucket.created_at


def _collection_values(collection: "Collection") -> Sequence[object]:
    return (
        collection.collection_id,
        collection.collection_name,
        collection.document_count,
        collection.lifecycle_state,
        collection.created_at,
    )


def _document_values(document: "Document") -> Sequence[object]:
    root = _at(document.to_dict(), "_internal.lineage.root_object_id")
    return document.document_id, document.collection_id, document.searchable_at, root


OBJECTS = View(
    things="objects",
    names=("object_id", "status", "created_at", "blobs", "key_prefix"),
    values=_object_values,
    # The longest status that is published has 21 characters.
    widths=(20, 21, 20, 5, 12),
    id_of=lambda obj: obj.object_id,
)
BUCKETS = View(
    things="buckets",
    names=("bucket_id", "bucket_name", "objects", "bytes", "created_at"),
    values=_bucket_values,
    widths=(20, 20, 10, 14, 20),
    id_of=lambda bucket: bucket.bucket_id,
)
COLLECTIONS = View(
    things="collections",
    names=("collection_id", "collection_name", "documents", "state", "created_at"),
    values=_collection_values,
    widths=(20, 20, 10, 10, 20),
    id_of=lambda collection: collection.collection_id,
)
DOCUMENTS = View(
    things="documents",
    names=("document_id", "collection_id", "searchable_at", "object_id"),
    values=_document_values,
    widths=(20, 20, 20, 20),
    id_of=lambda document: document.document_id,
)


def only_fields(view: View, fields: Sequence[str]) -> View:
    """A view of the fields that the user names, by their paths in the JSON of the record."""

    def values(record: Any) -> Sequence[object]:
        whole = record.to_dict()
        return [_at(whole, field) for field in fields]

    widths = [max(_USUAL_WIDTH, len(field)) for field in fields]
    return replace(view, names=fields, values=values, widths=widths, whole=False)


def _at(value: Any, path: str) -> object:
    """The value at `path`, dots for nested ones and numbers for elements of lists; None where there is none."""
    # A name at the root may have dots of its own.
    if isinstance(value, dict) and path in value:
        return value[path]
    for step in path.split("."):
        if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


@dataclass(frozen=True)
class Format:
    """The text of a listing: `head`, then rows with `between` them, then `foot`; or `empty` if there is no row."""

    row: Callable[[Any], str]
    head: str = ""
    between: str = ""
    foot: str = ""
    empty: str = ""


def make_format(name: str, view: View, *, width: int | None = None, head: bool = True) -> Format:
    """The format `name` of FORMATS. `width` is that of the terminal; `head=False` leaves out a head for programs."""
    match name:
        case "table":
            return _table(view, width)
        case "csv" | "tsv":
            return _delimited(view, "," if name == "csv" else "\t", head=head)
        case "json":
            row = _json_row(view)
            return Format(lambda record: f"  {row(record)}", "[\n", ",\n", "\n]\n", "[]\n")
        case "ids":
            return Format(lambda record: printable(view.id_of(record)) + "\n")
        case _:
            row = _json_row(view)
            return Format(lambda record: row(record) + "\n")


def _json_row(view: View) -> Callable[[Any], str]:
    if view.whole:
        return lambda record: json_text(record.to_dict())
    return lambda record: json_text(dict(zip(view.names, view.values(record), strict=True)))


def _delimited(view: View, delimiter: str, *, head: bool) -> Format:
    def line(values: Iterable[object]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(map(spreadsheet_cell, values))
        return text.getvalue()

    first = line(view.names) if head else ""
    # A file without rows still says what its columns are.
    return Format(lambda record: line(view.values(record)), head=first, empty=first)


def _table(view: View, width: int | None) -> Format:
    widths = list(view.widths)
    if width is not None:
        _fit_widths(widths, width)
    # In a pipe no line is too long, and a wide cell pushes the rest aside.
    fit = _padded if width is None else _fitted

    def line(values: Iterable[object]) -> str:
        first, *rest = (plain(value)[:_LONGEST_CELL] for value in values)
        # The id is never cut: it is there to be copied.
        cells = [_padded(first, widths[0]), *map(fit, rest, widths[1:])]
        return _GAP.join(cells).rstrip() + "\n"

    return Format(lambda record: line(view.values(record)), head=line(view.names))


def _fit_widths(widths: list[int], width: int) -> None:
    """Make a line as wide as the terminal: the last column grows; in a narrow terminal the second gives way."""
    missing = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    if missing > 0 and len(widths) > 1:
        given = min(missing, max(0, widths[1] - _NARROWEST))
        widths[1] -= given
        missing -= given
    widths[-1] = max(_NARROWEST, widths[-1] - missing)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _fitted(text: str, width: int) -> str:
    """`text` in exactly `width` columns, cut with an ellipsis where it is wider."""
    # Imported here, like all of rich: `--help` and JSON do without.
    from rich.cells import set_cell_size

    return set_cell_size(text, width) if _width(text) <= width else set_cell_size(text, width - 1) + "…"


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)
