"""Detect endless pagination: a repeated cursor, pages without new rows, too many empty pages."""

from collections import deque
from typing import Final

import attrs

from mixpeek_async.errors import MixpeekError, PaginationError, PaginationLoopError

_MAX_EMPTY_PAGES: Final = 100
_MAX_EQUAL_PAGES: Final = 3
# By offset, a page is read again each time that the list changes, so that a busy list repeats pages without a loop.
_MAX_EQUAL_PAGES_BY_OFFSET: Final = 12
_SPARE_PAGES_BY_OFFSET: Final = 100
# More than a search of the whole list takes where the server gives ten rows a page.
_MAX_SEARCHES: Final = 1_200
# Offsets reach 11,000 rows. Only a list that changes all the time gives more of them to one walk.
_MAX_ROWS_BY_OFFSET: Final = 50_000
_MAX_PAGES_BY_OFFSET: Final = 50_000


@attrs.define(eq=False)
class LoopGuard:
    """Watches the pages of one walk. `failure` is the error that ends it; rows received before it are still good."""

    failure: MixpeekError | None = None
    _cursors: set[int] = attrs.field(factory=set)
    _empty: int = 0
    _repeats: deque[tuple[str, str, int]] = attrs.field(factory=lambda: deque(maxlen=_MAX_EQUAL_PAGES_BY_OFFSET))
    """First id, last id and length of the last pages without a new row."""
    _repeated_rows: int = 0
    _longest: int = 0
    """The longest page among those whose rows were repeated."""
    _searches: int = 0
    _pages_by_offset: int = 0

    def follow(self, cursor: str) -> None:
        """The walk goes on with `cursor`."""
        # The hash is enough: a cursor may have a kilobyte, and a walk may follow a million of them.
        if hash(cursor) in self._cursors:
            self.failure = PaginationLoopError("the server gave the same cursor twice in one walk")
        if not self._cursors:
            # Pages that came again by offset, after a shift of the list, prove nothing about a walk by cursor.
            self._clear()
        self._cursors.add(hash(cursor))

    def count(self, *, by_cursor: bool) -> None:
        """An answer arrived, whatever it is good for."""
        self._pages_by_offset += not by_cursor
        if self._pages_by_offset >= _MAX_PAGES_BY_OFFSET and not by_cursor:
            self.failure = PaginationLoopError(
                f"{_MAX_PAGES_BY_OFFSET:,} pages came by offset, which reaches 11,000 rows: the list has no end"
            )

    def receive(self, rows: int) -> None:
        """A page arrived with `rows` rows that the walk has to deal with."""
        self._empty = 0 if rows else self._empty + 1
        if self._empty >= _MAX_EMPTY_PAGES:
            self.failure = PaginationError(f"{_MAX_EMPTY_PAGES} empty pages in a row say that there is more")

    def search(self) -> None:
        """A page held no known row: the walk searches for one. Known rows that come again then prove no loop."""
        self._repeats.clear()
        self._searches += 1
        if self._searches >= _MAX_SEARCHES:
            self.failure = PaginationLoopError(f"{_MAX_SEARCHES} pages in a row held no row that the walk knows")

    def finish(self, ids: tuple[str, str] | None, rows: int, *, new: int, known: int) -> None:
        """A page of `rows` rows is used up; `new` of them were not known.

        `ids` are its first and its last id, None for a page that is empty or brought something new.

        A walk that passes through rows that it knows comes to their end after `known` rows. One that passes through
        more of them, or gets an equal page time and again, is in a loop.
        """
        if known > _MAX_ROWS_BY_OFFSET and not self._cursors:
            self.failure = PaginationLoopError(
                f"more than {_MAX_ROWS_BY_OFFSET:,} rows came by offset, which reaches 11,000: the list has no end"
            )
        if new:
            self._clear()
        if new or ids is None:
            return
        self._repeats.append((*ids, rows))
        self._repeated_rows += rows
        self._longest = max(self._longest, rows)
        most, spare = (_MAX_EQUAL_PAGES, 0) if self._cursors else (_MAX_EQUAL_PAGES_BY_OFFSET, _SPARE_PAGES_BY_OFFSET)
        last = list(self._repeats)[-most:]
        are_equal = len(last) == most and len(set(last)) == 1
        if are_equal or self._repeated_rows > 2 * known + (most + spare) * self._longest:
            self.failure = PaginationLoopError(
                "page after page holds only objects of earlier pages: the server does not move on"
            )

    def _clear(self) -> None:
        self._repeats.clear()
        self._repeated_rows = self._longest = self._searches = 0
