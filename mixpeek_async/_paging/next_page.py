"""Parse what a page says about the page after it, in each of the published shapes of pagination.

    A  has_more, limit, skip                      the example of the vendor's page
    B  page, total_pages, next_page, total, …     the schema until December 2025
    C  B and next_cursor; B's numbers are null    the schema since then, without has_more

Servers mix the shapes and leave keys out. The first of these decides: has_more, next_cursor, the page numbers.
"""

from enum import Enum
from typing import NamedTuple

from mixpeek_async._options import PageRequest
from mixpeek_async.errors import MalformedResponseError
from mixpeek_async.models import Pagination


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


def parse_next_page(pagination: Pagination, request: PageRequest, *, nothing_new: bool) -> NextPage:
    """What `pagination`, which came in answer to `request`, says about the next page.

    `nothing_new`: the page holds no row, or only the last row of the page before. `has_more: true` in a walk by cursor
    may come without a cursor: then the result is YES without one, because no offset fits into such a walk.
    """
    has_more = _parse_has_more(pagination, request, nothing_new=nothing_new)
    limit = pagination.limit or pagination.page_size or 0
    return NextPage(
        has_more,
        None if has_more is HasMore.NO else pagination.next_cursor or None,
        limit if 0 < limit < request.limit else None,
    )


def _parse_has_more(pagination: Pagination, request: PageRequest, *, nothing_new: bool) -> HasMore:
    if pagination.has_more is not None:
        return HasMore.YES if pagination.has_more else HasMore.NO
    if pagination.next_cursor:
        return HasMore.YES
    # Some servers leave out keys that are null, so that a page by cursor without the key is the last one.
    if request.start.cursor is not None or "next_cursor" in pagination.to_dict():
        return HasMore.NO
    return _parse_page_numbers(pagination, request, nothing_new=nothing_new)


def refuse_page_of_older_server(pagination: Pagination, request: PageRequest) -> None:
    """MalformedResponseError (retryable) if an answer to a cursor comes from a server that knows no cursors.

    During a rolling deploy an older server ignores the cursor and sends the first page of the list, "page 1 of 5".
    Such a page is not the end of the walk. Newer servers send page numbers only with `include_total`, which is never
    asked for by cursor.
    """
    if request.start.cursor is None or pagination.next_cursor is not None:
        return
    page, last = pagination.page, pagination.total_pages
    points_on = _is_given(pagination.next_page) or (page is not None and last is not None and page < last)
    by_numbers = pagination.has_more is None and points_on
    by_offset = pagination.has_more is True and pagination.skip is not None
    if by_offset or (by_numbers and "next_cursor" not in pagination.to_dict()):
        raise MalformedResponseError(
            "the answer to a cursor comes from a server that knows no cursors", path="$.pagination", retryable=True
        )


def _parse_page_numbers(pagination: Pagination, request: PageRequest, *, nothing_new: bool) -> HasMore:
    page, last, size = pagination.page, pagination.total_pages, pagination.page_size or 0
    if page is None or last is None:
        return HasMore.YES if _is_given(pagination.next_page) else HasMore.UNKNOWN
    # The number of pages is sound. The number of the page is not, where the offset lies between two pages.
    is_last = last * size <= request.start.offset + size if size > 0 else page >= last
    if is_last and nothing_new:
        return HasMore.NO
    if page < last or _is_given(pagination.next_page):
        return HasMore.YES
    return HasMore.NO if is_last else HasMore.YES


def _is_given(next_page: object) -> bool:
    return next_page is not None and next_page != ""
