"""The three published shapes of `pagination`.

The published examples all show `has_more`, `limit`, `skip` (A); the schema had page numbers until
December 2025 (B); since then it has page numbers that are null unless asked for, and a `next_cursor` (C).
"""

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from mixpeek_async.emulator._cursors import Cursor, encode_cursor
from mixpeek_async.emulator._requests import ListRequest
from mixpeek_async.emulator._selection import Row


@attrs.frozen
class Page:
    """The rows found. `total` and `position` (the number of rows before them) are functions: few shapes count."""

    rows: Sequence[Row]
    more: bool
    total: Callable[[], int]
    position: Callable[[], int]


EMPTY = Page(rows=(), more=False, total=lambda: 0, position=lambda: 0)


def _numbers(limit: int, offset: int, total: int) -> dict[str, Any]:
    page = offset // limit + 1
    return {
        "total": total,
        "page": page,
        "page_size": limit,
        "total_pages": -(-total // limit),
        # Published as texts or null. Their content is not published; the number of the page is a guess.
        "next_page": str(page + 1) if offset + limit < total else None,
        "previous_page": str(page - 1) if page > 1 else None,
    }


_NO_NUMBERS: dict[str, Any] = dict.fromkeys(_numbers(1, 0, 0))


def _shape_a(request: ListRequest, page: Page) -> dict[str, Any]:
    return {"has_more": page.more, "limit": request.limit, "skip": request.offset}


def _shape_b(request: ListRequest, page: Page) -> dict[str, Any]:
    return _numbers(request.limit, request.offset, page.total())


def _shape_c(request: ListRequest, page: Page) -> dict[str, Any]:
    numbers = _numbers(request.limit, page.position(), page.total()) if request.include_total else _NO_NUMBERS
    cursor = Cursor(page.rows[-1].key, request.partition) if page.more else None
    return {**numbers, "next_cursor": cursor and encode_cursor(cursor)}


def _shape_without_cursor(request: ListRequest, page: Page) -> dict[str, Any]:
    """Lists of buckets and collections before they had cursors: the key is there, and always null."""
    return {**_numbers(request.limit, request.offset, page.total()), "next_cursor": None}


@attrs.frozen
class Shape:
    """How one version of the server describes a page, and whether it knows cursors."""

    describe: Callable[[ListRequest, Page], dict[str, Any]]
    by_cursor: bool = False


SHAPES = {"cursor": Shape(_shape_c, by_cursor=True), "has_more": Shape(_shape_a), "page": Shape(_shape_b)}
WITHOUT_CURSOR = Shape(_shape_without_cursor)
