"""Parse 2xx responses: a page of a list, or one model. The rows of a page stay JSON until the walk reaches them.

A body is at most `max_body_bytes` long, and yet small values take a hundred times the memory of their text as Python
objects: `[{},{},…]`. So their number is bounded before any is made.
"""

import hashlib
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Optional, TypeVar

import attrs
import msgspec

from mixpeek_async._model import MAX_ID, UNREADABLE, Id, Model, check_utf8, decoder, describe, from_fields, json_fields
from mixpeek_async._options import MAX_PAGE_SIZE
from mixpeek_async._paging.bookmark import MALFORMED
from mixpeek_async._paging.page import ReceivedPage
from mixpeek_async._text import printable
from mixpeek_async.errors import MalformedResponseError, NamespaceUnresolvedError, ResponseTooLargeError
from mixpeek_async.models import ApiWarning, ListStats, Pagination

T = TypeVar("T")
M = TypeVar("M", bound=Model)

Notes = list[tuple[str, str]]
"""What could not be read: JSON paths, each with the problem there."""

_NULL = msgspec.Raw(b"null")
_NO_KEY = msgspec.Raw()
_DECISIVE = ("has_more", "next_cursor")
# A walk cannot go on without these. All else of `pagination`, `stats` and `warnings` never costs a row.
_STRICT = frozenset({"$.pagination", *(f"{root}.{key}" for root in ("$", "$.pagination") for key in _DECISIVE)})
# A server may send more rows than it was asked for, and so many at most.
_MAX_ROWS_TOO_MANY = 1_000
_MAX_CURSOR_BYTES = 64 * 1024
# To skip 2,000,000 values takes some 50 ms; so does making objects of 250,000, which take up to 50 MiB.
_MAX_VALUES = 2_000_000
_MAX_VALUES_OF_A_ROW = 250_000
_MANY_VALUES = 100_000
# Most pages and rows are shorter than this. To count values takes 1 ms a MiB, so that theirs are not counted.
_MIN_COUNTED_BYTES = 2 * 1024 * 1024
_MIN_COUNTED_BYTES_OF_A_ROW = 256 * 1024
_MAX_WARNINGS = 100
_MAX_DECORATION_BYTES = 256 * 1024
# A cursor of 64 KiB takes six times as much where each of its characters is escaped.
_MAX_PAGINATION_BYTES = 512 * 1024
# JavaScript's numbers that JSON lacks, which Python's `json` writes all the same.
_NO_JSON_NUMBER = re.compile(rb"NaN|Infinity")


@attrs.frozen(kw_only=True)
class Response:
    """A response with its whole body. `headers` have lower-case names; `received_at` is Unix seconds."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes | bytearray = attrs.field(default=b"", repr=False)
    received_at: float = 0.0

    @property
    def request_id(self) -> str | None:
        """The server's id of this request, to quote to its support."""
        return self.headers.get("x-request-id") or self.headers.get("request-id")


class _Parts(msgspec.Struct, kw_only=True):
    """The shape that all list responses share. Only `results` is required. Events have their paging at the root."""

    pagination: msgspec.Raw = _NULL
    stats: msgspec.Raw = _NULL
    warnings: msgspec.Raw = _NULL
    total_count: msgspec.Raw = _NULL
    has_more: msgspec.Raw = _NO_KEY
    next_cursor: msgspec.Raw = _NO_KEY

    def paging(self) -> tuple[msgspec.Raw, str]:
        """The JSON that says what comes after the page, and its path."""
        if self.pagination != _NULL:
            return self.pagination, "$.pagination"
        at_root = {key: raw for key in _DECISIVE if (raw := getattr(self, key)) is not _NO_KEY}
        # Without such a key this is `{}`, which tells a reader of `to_dict()` that no key came.
        return msgspec.Raw(msgspec.json.encode(at_root)), "$"


class _Envelope(_Parts, kw_only=True):
    results: list[msgspec.Raw]


class _DenseEnvelope(_Parts, kw_only=True):
    results: msgspec.Raw


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_dense_envelope = msgspec.json.Decoder(_DenseEnvelope).decode
# msgspec makes all items of a `list` before it looks at their number. This stops at the first one too many.
_NO_ROW = msgspec.Raw()
_decode_dense_rows: Callable[[msgspec.Raw], Any] = msgspec.json.Decoder(
    msgspec.defstruct(
        "Rows",
        [(f"row_{index}", msgspec.Raw, _NO_ROW) for index in range(MAX_PAGE_SIZE + _MAX_ROWS_TOO_MANY)],
        array_like=True,
        forbid_unknown_fields=True,
    )
).decode
_view: Callable[[Any], memoryview] = memoryview
_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode
_Count = Annotated[int, msgspec.Meta(ge=0)]
_decode_count: Callable[[msgspec.Raw], int | None] = msgspec.json.Decoder(Optional[_Count]).decode  # noqa: UP045  # pyright


def parse_page(response: Response, limit: int = MAX_PAGE_SIZE, *, has_total_count: bool = False) -> ReceivedPage:
    """The page in a 2xx response to a request for `limit` rows. `has_total_count`: the endpoint sends `total_count`.

    MalformedResponseError for any other body: retryable where it is not JSON (a proxy's page, a cut body), not where
    it is JSON of another shape. ResponseTooLargeError for one with so many values that reading it would stop the
    program. NamespaceUnresolvedError for an answer that is not about the namespace asked for.
    """
    values = _count_values(response.body) if len(response.body) > _MIN_COUNTED_BYTES else 0
    _refuse_many_values(values, _MAX_VALUES)
    envelope, rows = _read_dense(response.body) if values > _MANY_VALUES else _read_envelope(response.body)
    if len(rows) > limit + _MAX_ROWS_TOO_MANY:
        path = f"$.results[{limit + _MAX_ROWS_TOO_MANY}]"
        raise MalformedResponseError(f"{path}: {len(rows):,} rows came, {limit:,} were asked for", path=path)
    if max(map(len, map(_view, rows)), default=0) > _MIN_COUNTED_BYTES_OF_A_ROW:
        for row in rows:
            _refuse_many_values(_count_values(bytes(row)), _MAX_VALUES_OF_A_ROW)
    notes: Notes = []
    page = ReceivedPage(
        rows=rows,
        pagination=_read_leniently(Pagination, *envelope.paging(), notes) or Pagination(),
        stats=_read_leniently(ListStats, envelope.stats, "$.stats", notes),
        warnings=_read_warnings(envelope.warnings, notes),
        total_count=_read_count(envelope.total_count, notes) if has_total_count else None,
        unreadable=tuple(f"{path}: {problem}" for path, problem in notes),
    )
    for path, problem in notes:
        if path in _STRICT:
            raise MalformedResponseError(f"{path}: {problem}", path=path)
    cursor = page.pagination.next_cursor
    if cursor is not None and len(cursor.encode()) > _MAX_CURSOR_BYTES:
        path = "$.pagination.next_cursor"
        raise MalformedResponseError(f"{path}: longer than {_MAX_CURSOR_BYTES:,} bytes", path=path)
    _refuse_unresolved(response, page.warnings)
    return page


def parse_total(response: Response) -> int:
    """How many rows the list of a 2xx response has; MalformedResponseError if the server does not count them."""
    total = parse_page(response).pagination.total
    if total is None or total < 0:
        path = "$.pagination.total"
        raise MalformedResponseError(f"{path}: the server gave no count, though it was asked for one", path=path)
    return total


def model_parser(structure: Callable[[Any, int], T]) -> Callable[[Response], T]:
    """A function that parses a 2xx response which is one object; it raises the errors of `parse_page`.

    `structure` makes the object of the body, as of a row. It raises InvalidObjectError, which is malformed for good.
    """

    def parse(response: Response) -> T:
        _refuse_unresolved(response, [])
        _refuse_many_values(_count_values(response.body), _MAX_VALUES_OF_A_ROW)
        # Only this tells a cut body, which is worth another try, from a wrong one.
        _decode(response.body, _decode_raw)
        return structure(response.body, 0)

    return parse


def _decode(body: Any, decode: Callable[[Any], T], root: str = "$") -> T:
    try:
        if root == "$":
            check_utf8(body)
        return decode(body)
    except (msgspec.ValidationError, RecursionError) as error:
        problem, path = describe(error, root)
        failure = MalformedResponseError(f"{path}: {problem}", path=path)
    except UNREADABLE as error:
        failure = _not_json(body, str(error))
    # Out here, msgspec's exception is not chained to ours.
    raise failure


def _read_envelope(body: bytes | bytearray) -> tuple[_Parts, list[msgspec.Raw]]:
    envelope = _decode(body, _decode_envelope)
    return envelope, envelope.results


def _read_dense(body: bytes | bytearray) -> tuple[_Parts, list[msgspec.Raw]]:
    """The same for a body that may hold millions of rows: `[0,0,…]`."""
    envelope = _decode(body, _decode_dense_envelope)
    rows = msgspec.structs.astuple(_decode(envelope.results, _decode_dense_rows, "$.results"))
    return envelope, [row for row in rows if row is not _NO_ROW]


def _count_values(json: bytes | bytearray) -> int:
    """At least as many as JSON text has values: each but the first of a list or an object comes after a comma."""
    return 1 + json.count(b",") + json.count(b"[") + json.count(b"{")


def _refuse_many_values(values: int, most: int) -> None:
    if values > most:
        raise ResponseTooLargeError(f"the answer holds more than {most:,} values, in one record or in all")


def _not_json(body: bytes | bytearray, problem: str) -> MalformedResponseError:
    """The error for a body that is not JSON: worth another try, except where a number is what JSON has no word for."""
    place = re.search(r"\(byte (\d+)\)", problem)
    final = place is not None and _NO_JSON_NUMBER.match(body, int(place[1])) is not None
    start = printable(bytes(body[:80]).decode("utf-8", "replace"))
    message = f"the body is not JSON ({printable(problem, 200)}); it begins with {start!r}"
    return MalformedResponseError(message, path="$" if final else None, retryable=not final)


def _refuse_unresolved(response: Response, warnings: list[ApiWarning]) -> None:
    warned = any(warning.resource == "namespace" and warning.reason == "unresolved" for warning in warnings)
    if warned or "x-namespace-unresolved" in response.headers:
        raise NamespaceUnresolvedError(
            "the server did not find the namespace for this key, so its answer is not about the bucket: "
            "check the namespace's name, and that the key may use it"
        )


# --- parts of an answer that never cost a row ---


def _read_leniently(cls: type[M], raw: msgspec.Raw, root: str, notes: Notes) -> M | None:
    """A `cls` whose fields of a wrong type are None, each with a note. None, with a note, if `raw` is no object."""
    if raw == _NULL:
        return None
    if len(memoryview(raw)) > (_MAX_PAGINATION_BYTES if cls is Pagination else _MAX_DECORATION_BYTES):
        notes.append((root, "too long to be read"))
        return None
    try:
        # A copy: a Raw keeps its whole page alive.
        return decoder(cls)(bytes(raw))
    except UNREADABLE as error:
        problem, path = describe(error, root)
    if path == root:
        notes.append((root, problem))
        return None
    values = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    fields = {}
    for field in json_fields(cls):
        try:
            if field.name in values:
                fields[field.name] = msgspec.json.decode(values[field.name], type=field.type)
        except UNREADABLE as error:
            problem, path = describe(error, f"{root}.{field.name}")
            notes.append((path, problem))
    return from_fields(cls, fields, bytes(raw))


def _read_count(raw: msgspec.Raw, notes: Notes) -> int | None:
    try:
        return _decode_count(raw)
    except UNREADABLE as error:
        problem, path = describe(error, "$.total_count")
    notes.append((path, problem))
    return None


def _read_warnings(raw: msgspec.Raw, notes: Notes) -> list[ApiWarning]:
    if raw == _NULL:
        return []
    if len(memoryview(raw)) > _MAX_DECORATION_BYTES:
        notes.append(("$.warnings", "too long to be read"))
        return []
    try:
        items = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except msgspec.ValidationError:
        items = [raw]
    if len(items) > _MAX_WARNINGS:
        notes.append((f"$.warnings[{_MAX_WARNINGS}]", f"only the first {_MAX_WARNINGS} are read"))
    read = [_read_warning(item, f"$.warnings[{index}]", notes) for index, item in enumerate(items[:_MAX_WARNINGS])]
    return [warning for warning in read if warning is not None]


def _read_warning(raw: msgspec.Raw, path: str, notes: Notes) -> ApiWarning | None:
    try:
        # Lists of documents warn in plain text.
        return ApiWarning(reason=msgspec.json.decode(raw, type=str))
    except UNREADABLE:
        return _read_leniently(ApiWarning, raw, path, notes)


# --- one fact of a row, without structuring it ---


@cache
def row_id(key: str) -> Callable[[Any], str]:
    """A function that reads the id under `key` of a row; for a row without a good one, it makes a digest of the row."""
    decoder = msgspec.json.Decoder(msgspec.defstruct("RowId", [(key, Id)]))
    get = operator.attrgetter(key)

    def read(row: Any) -> str:
        try:
            return get(decoder.decode(row))  # type: ignore[no-any-return]  # the decoder lets only a string through
        except UNREADABLE:
            return f"without {key}, digest {hashlib.blake2b(row, digest_size=8).hexdigest()}"

    return read


@cache
def long_id(key: str) -> Callable[[Any], str | None]:
    """A function that gives the problem with the id under `key` of a row that is too long; None without a problem."""
    decode = msgspec.json.Decoder(msgspec.defstruct("AnyId", [(key, Any, None)])).decode
    get = operator.attrgetter(key)

    def problem(row: Any) -> str | None:
        try:
            id_ = get(decode(row))
        except UNREADABLE:
            return None
        return f"longer than {MAX_ID:,} characters" if isinstance(id_, str) and len(id_) > MAX_ID else None

    return problem


@cache
def row_text(key: str) -> Callable[[Any], str | None]:
    """A function that reads the string under `key` of a row; None where it is missing, empty or no string."""
    decoder = msgspec.json.Decoder(msgspec.defstruct("RowText", [(key, str, "")]))
    get = operator.attrgetter(key)

    def read(row: Any) -> str | None:
        try:
            return get(decoder.decode(row)) or None
        except UNREADABLE:
            return None

    return read


class _Dated(msgspec.Struct):
    created_at: datetime | None = None


_decode_dated = msgspec.json.Decoder(_Dated).decode


def row_date(row: Any) -> datetime | None:
    """The `created_at` of a row, in UTC; None where it is missing or no date that UTC can tell."""
    try:
        date = _decode_dated(row).created_at
    except UNREADABLE:
        return None
    if date is None:
        return None
    try:
        date = date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except OverflowError:
        # In its own zone it is a date; in UTC it would be before the year 1, or after 9999.
        return None
    return None if date == MALFORMED else date
