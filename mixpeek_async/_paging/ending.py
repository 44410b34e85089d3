"""What a page says about the next one, in whichever of the three published shapes it says it.

    A  has_more, limit, skip                      the example of the vendor's page
    B  page, total_pages, next_page, total, …     the schema until December 2025
    C  B and next_cursor; B's numbers are null    the schema since, without has_more

Servers mix them and leave keys out. The first that is there decides: has_more, next_cursor, then the page numbers.
"""

from enum import Enum
from typing import Any

import attrs

from mixpeek_async.models import Pagination
from mixpeek_async.query import PageRequest


class Verdict(Enum):
    """Whether there is a page behind this one."""

    MORE = "more"
    END = "end"
    UNSAID = "unsaid"


@attrs.frozen
class Outlook:
    """The verdict, and the cursor to go on by when the server gave one."""

    verdict: Verdict
    cursor: str | None = None


_END = Outlook(Verdict.END)
_MORE = Outlook(Verdict.MORE)
_UNSAID = Outlook(Verdict.UNSAID)


def read_outlook(pagination: Pagination, request: PageRequest, rows: int) -> Outlook:
    """What `pagination`, which came with `rows` new rows in answer to `request`, says is next.

    `has_more: true` in a walk by cursor comes back as MORE without a cursor: an offset would not fit there.
    """
    came = pagination.to_dict()
    cursor = pagination.next_cursor or None
    if pagination.has_more is not None:
        return Outlook(Verdict.MORE, cursor) if pagination.has_more else _END
    if "next_cursor" in came:
        return Outlook(Verdict.MORE, cursor) if cursor else _END
    # Some servers drop keys that are null: behind a cursor, no word of another one is the end.
    if request.position.cursor is not None:
        return _END
    return _by_page_numbers(pagination, request, rows)


def _by_page_numbers(pagination: Pagination, request: PageRequest, rows: int) -> Outlook:
    page, last = pagination.page, pagination.total_pages
    if page is None or last is None:
        return _MORE if _is_given(pagination.next_page) else _UNSAID
    if page >= last and rows == 0:
        return _END
    if _is_given(pagination.next_page):
        return _MORE
    # What the server made of the limit: it may have clamped it.
    size = pagination.page_size if pagination.page_size and pagination.page_size > 0 else request.limit
    if request.position.offset % size == 0:
        return _MORE if page < last else _END
    # Off the grid of pages the server's page number may be off by one, and proves nothing.
    return _MORE if page < last else _UNSAID


def _is_given(next_page: Any) -> bool:
    return next_page is not None and next_page != ""
