"""Parse a list request, and check it against the published schema: the page that it wants, and of which rows."""

from typing import Any

import attrs

from mixpeek_async.emulator._calls import Call
from mixpeek_async.emulator._cursors import Cursor, Partition, decode_cursor
from mixpeek_async.emulator._errors import ApiError
from mixpeek_async.emulator._filters import Clause
from mixpeek_async.emulator._reading import Problems, Reader, read_body, refuse
from mixpeek_async.emulator._search import search_test

MAX_LIMIT = 1000
MAX_OFFSET = 10_000
MAX_PARTITIONS = 256

# Published for some lists. A test must not believe that they work.
_NOT_SUPPORTED = ("expand", "group_by", "return_vector_names", "return_vectors", "sorts")


@attrs.frozen
class ListRules:
    """What one list endpoint reads: `keys` of the body, paging there and in the query, and cursors.

    `max_limit` is the server's own limit of a page. `max_offset` holds for the body; the query has its own.
    """

    keys: frozenset[str]
    by_cursor: bool
    max_limit: int
    max_offset: int = MAX_OFFSET
    body_paging: bool = False
    query_paging: bool = True


@attrs.frozen
class ListRequest:
    """One page of a list: `limit` rows after a cursor, or after the first `offset` rows.

    `clauses` are the conditions on the rows; `select` and `presigned` say what is sent of them.
    """

    limit: int = 10
    offset: int = 0
    cursor: Cursor | None = None
    include_total: bool = False
    partition: Partition | None = None
    clauses: tuple[Clause, ...] = ()
    sort: str | None = None
    descending: bool = False
    select: tuple[str, ...] | None = None
    presigned: bool = False


@attrs.frozen
class _Paging:
    """What the query or the body says on paging. None: it says nothing."""

    limit: int | None = None
    offset: int | None = None
    cursor: Cursor | None = None
    include_total: bool | None = None

    def over(self, other: "_Paging") -> "_Paging":
        """These values, and those of `other` where there are none."""
        return attrs.evolve(other, **attrs.asdict(self, recurse=False, filter=lambda _, value: value is not None))


def parse_list_request(call: Call, rules: ListRules) -> ListRequest:
    """The page that `call` requests. Raises a 422 with every problem, or a 501 for what is not supported."""
    problems: Problems = []
    query = Reader("query", call.record.query, problems)
    is_get = call.record.method == "GET"
    # A GET has no body: its search is in the query.
    body = query if is_get else read_body(call.raw_body, rules.keys, problems)
    request = _read_rows(body, rules, is_get)
    paging = _read_paging(query, request, rules, MAX_OFFSET) if rules.query_paging else _Paging()
    # The rows come first: whether a cursor fits depends on their order and partition.
    if rules.body_paging and not is_get:
        paging = _read_paging(body, request, rules, rules.max_offset).over(paging)
    refuse(problems)
    return attrs.evolve(
        request,
        limit=min(paging.limit or request.limit, rules.max_limit),
        offset=paging.offset or 0,
        cursor=paging.cursor,
        include_total=paging.include_total or False,
        # A cursor carries its partition: sent alone, it stays in it.
        partition=paging.cursor.partition if paging.cursor else request.partition,
    )


def _read_paging(reader: Reader, request: ListRequest, rules: ListRules, max_offset: int) -> _Paging:
    limit = reader.integer("limit", "page_size", low=1, high=MAX_LIMIT)
    # Pages are as long as the server sends them: a clamped limit moves the later pages forward.
    rows = min(limit or request.limit, rules.max_limit)
    page = reader.integer("page", low=1, high=max_offset // rows + 1)
    offset = reader.integer("offset", low=0, high=max_offset)
    return _Paging(
        limit=limit,
        offset=(page - 1) * rows if page is not None and offset is None else offset,
        cursor=_read_cursor(reader, request) if rules.by_cursor else None,
        include_total=reader.flag("include_total"),
    )


def _read_cursor(reader: Reader, request: ListRequest) -> Cursor | None:
    text = reader.text("cursor", "next_cursor", "after")
    if text is None:
        return None
    cursor = decode_cursor(text)
    # A cursor of a sorted list is no position in an unsorted one, nor the other way round.
    fits_order = cursor is not None and bool(cursor.key.sort_key) is (request.sort is not None)
    fits_part = cursor is not None and request.partition in (None, cursor.partition)
    if fits_order and fits_part:
        return cursor
    reader.refuse("cursor", "cursor_invalid", "should be a next_cursor of this server and list")
    return None


def _read_rows(body: Reader, rules: ListRules, is_get: bool) -> ListRequest:
    sensitive = body.flag("case_sensitive") or False
    term = body.text("search")
    clauses = [Clause.of(search_test(term, sensitive=sensitive))] if term else []
    if is_get:
        return ListRequest(clauses=tuple(clauses))
    if unsupported := [name for name in _NOT_SUPPORTED if name in rules.keys and body.wants(name)]:
        raise ApiError(501, f"this emulator does not support {', '.join(unsupported)} yet")
    sort: dict[str, Any] = body.check("sort", _is_sort, "an object with a field and, if need be, a direction") or {}
    return ListRequest(
        partition=_read_partition(body),
        clauses=(*body.filters(sensitive), *clauses),
        sort=sort.get("field"),
        descending=sort.get("direction") == "desc",
        select=tuple(body.check("select", _is_names, "a list of texts") or ()) or None,
        presigned=body.flag("return_presigned_urls") or False,
    )


def _read_partition(body: Reader) -> Partition | None:
    words = f"an object with an index and a count of at most {MAX_PARTITIONS}, the index below the count"
    partition = body.check("partition", _is_partition, words)
    return Partition(**partition) if partition else None


def _is_partition(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"index", "count"}:
        return False
    index, count = value["index"], value["count"]
    # True is an int for isinstance.
    return type(index) is type(count) is int and 0 <= index < count <= MAX_PARTITIONS


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_sort(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"field", "direction"}
        and isinstance(value.get("field"), str)
        and value.get("direction") in (None, "asc", "desc")
    )
