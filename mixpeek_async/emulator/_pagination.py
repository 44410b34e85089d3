"""The three published shapes of `pagination`, and the cursor.

Every example of the vendor's shows `has_more`, `limit`, `skip` (A); the schema had page numbers until
December 2025 (B); since then it has page numbers that are null unless asked for, and a `next_cursor` (C).
"""

import base64
import re
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from mixpeek_async.emulator._body import Wish
from mixpeek_async.emulator._selection import Mark, Row


@attrs.frozen
class Ask:
    """Which rows are asked for: `limit` of those that are wished for, behind `after`, else behind `offset` rows."""

    limit: int = 10
    offset: int = 0
    after: Mark | None = None
    include_total: bool = False
    wish: Wish = attrs.field(factory=Wish)


@attrs.frozen
class Page:
    """The rows found. `total` and `position` (rows before them) are calls: to count costs, few shapes do."""

    rows: Sequence[Row]
    more: bool
    total: Callable[[], int]
    position: Callable[[], int]


EMPTY = Page(rows=(), more=False, total=lambda: 0, position=lambda: 0)


def encode_cursor(mark: Mark) -> str:
    """An opaque cursor: it names the last row sent, so that rows which come or go before it do no harm."""
    return base64.urlsafe_b64encode(f"after:{mark.sequence}:{mark.key.hex()}".encode()).decode("ascii")


def decode_cursor(cursor: str) -> Mark | None:
    """The row that `cursor` names; None when this server never gave such a cursor."""
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii")
    except ValueError:
        return None
    # 18 digits always fit SQLite's integers. Encoding again refuses what base64 skips over in silence.
    found = re.fullmatch(r"after:([1-9][0-9]{0,17}):((?:[0-9a-f]{2})*)", text)
    mark = Mark(int(found[1]), bytes.fromhex(found[2])) if found else None
    return mark if mark and encode_cursor(mark) == cursor else None


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


def _shape_a(ask: Ask, page: Page) -> dict[str, Any]:
    return {"has_more": page.more, "limit": ask.limit, "skip": ask.offset}


def _shape_b(ask: Ask, page: Page) -> dict[str, Any]:
    return _numbers(ask.limit, ask.offset, page.total())


def _shape_c(ask: Ask, page: Page) -> dict[str, Any]:
    numbers = _numbers(ask.limit, page.position(), page.total()) if ask.include_total else _NO_NUMBERS
    return {**numbers, "next_cursor": encode_cursor(page.rows[-1].mark) if page.more else None}


@attrs.frozen
class Shape:
    """How a server of one day describes a page, and whether it knows cursors at all."""

    describe: Callable[[Ask, Page], dict[str, Any]]
    by_cursor: bool = False


SHAPES = {"cursor": Shape(_shape_c, by_cursor=True), "has_more": Shape(_shape_a), "page": Shape(_shape_b)}
