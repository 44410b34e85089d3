"""The three published shapes of `pagination`, and cursors.

The published examples all show `has_more`, `limit`, `skip` (A); the schema had page numbers until
December 2025 (B); since then it has page numbers that are null unless asked for, and a `next_cursor` (C).
"""

import base64
import re
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from mixpeek_async.emulator._body import ListBody
from mixpeek_async.emulator._selection import Row, RowKey


@attrs.frozen
class ListRequest:
    """`limit` rows that `body` selects: the rows after `after`, or after skipping `offset` rows."""

    limit: int = 10
    offset: int = 0
    after: RowKey | None = None
    include_total: bool = False
    body: ListBody = attrs.field(factory=ListBody)


@attrs.frozen
class Page:
    """The rows found. `total` and `position` (the number of rows before them) are functions: few shapes count."""

    rows: Sequence[Row]
    more: bool
    total: Callable[[], int]
    position: Callable[[], int]


EMPTY = Page(rows=(), more=False, total=lambda: 0, position=lambda: 0)


def encode_cursor(key: RowKey) -> str:
    """An opaque cursor that names the last row sent, so it stays right when rows before it come or go."""
    return base64.urlsafe_b64encode(f"after:{key.sequence}:{key.sort_key.hex()}".encode()).decode("ascii")


def decode_cursor(cursor: str) -> RowKey | None:
    """The row that `cursor` names; None if this server cannot have sent it."""
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii")
    except ValueError:
        return None
    # 18 digits always fit SQLite's integers. base64 ignores invalid characters: encode again and compare.
    found = re.fullmatch(r"after:([1-9][0-9]{0,17}):((?:[0-9a-f]{2})*)", text)
    key = RowKey(int(found[1]), bytes.fromhex(found[2])) if found else None
    return key if key and encode_cursor(key) == cursor else None


def _numbers(limit: int, offset: int, total: int) -> dict[str, Any]:
    page = offset // limit + 1
    return {
        "total": total,
        "page": page,
        "page_size": limit,
        "total_pages": -(-total // limit),
        "next_page": page + 1 if offset + limit < total else None,
        "previous_page": page - 1 if page > 1 else None,
    }


_NO_NUMBERS: dict[str, Any] = dict.fromkeys(_numbers(1, 0, 0))


def _shape_a(request: ListRequest, page: Page) -> dict[str, Any]:
    return {"has_more": page.more, "limit": request.limit, "skip": request.offset}


def _shape_b(request: ListRequest, page: Page) -> dict[str, Any]:
    return _numbers(request.limit, request.offset, page.total())


def _shape_c(request: ListRequest, page: Page) -> dict[str, Any]:
    numbers = _numbers(request.limit, page.position(), page.total()) if request.include_total else _NO_NUMBERS
    return {**numbers, "next_cursor": encode_cursor(page.rows[-1].key) if page.more else None}


@attrs.frozen
class Shape:
    """How one version of the server describes a page, and whether it knows cursors."""

    describe: Callable[[ListRequest, Page], dict[str, Any]]
    by_cursor: bool = False


SHAPES = {"cursor": Shape(_shape_c, by_cursor=True), "has_more": Shape(_shape_a), "page": Shape(_shape_b)}
