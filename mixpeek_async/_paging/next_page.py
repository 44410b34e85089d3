"""Parse what a page says about the page after it, in each of the published shapes of pagination.

    A  has_more, limit, skip                      the example of the vendor's page
    B  page, total_pages, next_page, total, …     the schema until December 2025
    C  B and next_cursor; B's numbers are null    the schema since then, without has_more

Servers mix the shapes and leave keys out. The first of these decides: has_more, next_cursor, the page numbers.
"""

from enum import Enum
from typing import NamedTuple

from mixpeek_async.errors import MalformedResponseError
from mixpeek_async.models import Pagination
from mixpeek_async.query import PageRequest


class HasMore(Enum):
    """Whether there is a page after this one, as the server says it."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class NextPage(NamedTuple):
    """`has_more`, the cursor of the next page, and the `limit` that the server applied, each if the server sent it."""

    has_more: HasMore
    cursor: str | None = None
    limit: int | None = None


def parse_next_page(pagination: Pagination, request: PageRequest, rows: int, *, nothing_new: bool) -> NextPage:
    """What `pagination` says about the next page. It came with `rows` rows in answer to `request`.

    `nothing_new`: the walk knows all of these rows. `has_more: true` in a walk by cursor may come without a cursor:
    then the result is YES without one, because no offset fits into such a walk.
    """
    has_more = _parse_has_more(pagination, request, rows, nothing_new=nothing_new)
    limit = pagination.limit or pagination.page_size or 0
    return NextPage(
        has_more,
        None if has_more is HasMore.NO else pagination.next_cursor or None,
        limit if 0 < limit < request.limit else None,
    )


def _parse_has_more(pagination: Pagination, request: PageRequest, rows: int, *, nothing_new: bool) -> HasMore:
    if pagination.has_more is not None:
        return HasMore.YES if pagination.has_more else HasMore.NO
    if pagination.next_cursor:
        return HasMore.YES
    # Some servers leave out keys that are null, so that a page by cursor without the key is the last one.
    if request.start.cursor is not None or "next_cursor" in pagination.to_dict():
        return HasMore.NO
    return _parse_page_numbers(pagination, request, rows, nothing_new=nothing_new)


def refuse_page_of_older_server(pagination: Pagination, request: PageRequest) -> None:
    """MalformedResponseError (retryable) if an answer to a cursor comes from a server that knows no cursors.

    During a rolling deploy an older server ignores the cursor and sends the first page of the list, "page 1 of 5".
    Such a page is not the end of the walk. With `include_total` the numbers prove nothing: newer servers send them too.
    """
    if request.start.cursor is None or pagination.next_cursor is not None:
        return
    page, last = pagination.page, pagination.total_pages
    points_on = _is_given(pagination.next_page) or (page is not None and last is not None and page < last)
    by_numbers = pagination.has_more is None and points_on and not request.include_total
    by_offset = pagination.has_more is True and pagination.skip is not None
    if by_offset or (by_numbers and "next_cursor" not in pagination.to_dict()):
        raise MalformedResponseError(
            "the answer to a cursor comes from a server that knows no cursors", path="$.pagination", retryable=True
        )


def _parse_page_numbers(pagination: Pagination, request: PageRequest, rows: int, *, nothing_new: bool) -> HasMore:
    page, last = pagination.page, pagination.total_pages
    if page is None or last is None:
        return HasMore.YES if _is_given(pagination.next_page) else HasMore.UNKNOWN
    if page >= last and nothing_new:
        return HasMore.NO
    if page < last or _is_given(pagination.next_page):
        return HasMore.YES
    # The server may have reduced the limit.
    size = pagination.page_size if pagination.page_size and pagination.page_size > 0 else request.limit
    is_short = pagination.page_size == request.limit and rows < request.limit
    if request.start.offset % size == 0 or is_short:
        return HasMore.NO
    # The page number is computed from an offset between two pages: it may be off by one, and proves nothing.
    return HasMore.UNKNOWN


def _is_given(next_page: object) -> bool:
    return next_page is not None and next_page != ""
