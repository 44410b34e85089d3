"""A list response whose rows are not structured yet, and a page that is being read."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import attrs

from mixpeek_async._options import PageRequest, PageStart
from mixpeek_async._paging.bookmark import ANCHORS, Anchor, Bookmark
from mixpeek_async._paging.next_page import NextPage
from mixpeek_async.models import ApiWarning, ListStats, Pagination


@attrs.frozen(kw_only=True)
class ReceivedPage:
    """A list response: its rows as JSON, still to be structured, the rest structured.

    If `pagination` was null or missing it is that of `{}`, so that `to_dict()` shows which keys the server sent.
    """

    rows: list[Any] = attrs.field(repr=False)
    pagination: Pagination
    stats: ListStats | None = None
    warnings: list[ApiWarning] = attrs.field(factory=list)
    total_count: int | None = None
    """How many rows the whole list has, from an endpoint that always counts them."""
    left_out: str | None = None
    """The warning by which the server says that the list leaves rows out."""
    unreadable: tuple[str, ...] = ()
    """What of `pagination`, `stats` and `warnings` is None for its wrong type: `$.stats.total_objects: …`."""


class RowReader(Protocol):
    """Reads single facts of a row without structuring it. `newest_first` is the order of `created_at`."""

    newest_first: bool

    row_cursor: Callable[[Any], str | None] | None
    """Reads the cursor that leads behind a row; None for a list that has offsets, or whose rows have no cursors."""

    def identify(self, row: Any, /) -> str:
        """The id of a row; a digest of the row if it has none."""
        ...

    def created_at(self, row: Any, /) -> datetime | None:
        """The creation date of a row; None if it has none, or if the list is not in the order of creation.

        MALFORMED if the row is malformed.
        """
        ...


class JoinedPage(NamedTuple):
    """How a page fits to what was received: its first `skip` rows were dealt with before.

    `place` is the index of the next one as a bookmark counts it. `at_end`: there is no page after this one.
    """

    skip: int
    at_end: bool
    place: int = 0


class Paginator(Protocol):
    """Says which page to ask for, and which of its rows are new: by offset or by cursor."""

    cursor: str | None
    """The cursor of the next page; None by offset."""

    @property
    def end(self) -> int | None:
        """How many rows lie before the place; None by cursor."""
        ...

    @property
    def is_searching(self) -> bool:
        """True after a page without a known row."""
        ...

    def ask(self, size: int, cap: int, /) -> tuple[PageStart, int]:
        """Start and limit of a request for `size` new rows, and for `cap` rows at most."""
        ...

    def ask_ids(self) -> tuple[PageStart, int]:
        """The same for a page of ids, which is to show the next row."""
        ...

    def extra_rows(self, start: PageStart, /) -> int:
        """How many known rows a request has to bring along, to reach the new ones."""
        ...

    def predict(self, start: PageStart, limit: int, /) -> PageStart | None:
        """Where the page after the one at `start` begins, if the list does not change; None if that is unknown."""
        ...

    def join(self, start: PageStart, limit: int, rows: Sequence[Any], next_page: NextPage, /) -> JoinedPage | None:
        """Go on behind a page. None if it cannot be used: it holds no known row."""
        ...

    def show(self, start: PageStart, limit: int, rows: Sequence[Any], next_page: NextPage, /) -> int | None:
        """Go on before the next row, which a page of ids shows: its index. None if the page cannot be used."""
        ...

    def pass_row(self, id_: str, /) -> None:
        """Go on behind the row that a page of ids has shown."""
        ...

    def takes_cursor(self, concurrency: int, /) -> bool:
        """True if the walk is to go on by the cursor that came with a page."""
        ...


@attrs.define(eq=False)
class OpenPage:
    """The page that is being read. The rows before `next` were dealt with, here or before.

    `end` is the offset of its end, None in a walk by cursor. `next_cursor` leads to the page after it.
    """

    request: PageRequest
    received: ReceivedPage
    joined: JoinedPage
    before: Bookmark
    """The bookmark at the first row that was not dealt with when the page arrived."""
    end: int | None = None
    next_cursor: str | None = None
    next: int = 0
    repeats: set[int] = attrs.field(factory=set)
    """The indexes of rows that came again. They lie before the place, wherever this page is."""
    prefetching: bool = False
    """The pages after this one are being prefetched."""
    yielded: int | None = None
    """The index of the row that was yielded last."""

    @property
    def unread(self) -> int:
        """How many rows are left."""
        return len(self.received.rows) - self.next

    @property
    def new(self) -> int:
        """How many rows of this page were dealt with that were no repeats."""
        return self.count_new(self.joined.skip, self.next)

    def count_new(self, first: int, end: int) -> int:
        """How many of the rows from index `first` up to `end` are no repeats, if they were dealt with."""
        return end - first - sum(first <= index < end for index in self.repeats)

    def place(self, index: int, reader: RowReader) -> tuple[PageStart, int]:
        """Where the row at `index` is: the start of a page, and how many of its rows come before."""
        if reader.row_cursor is not None and index:
            cursor = reader.row_cursor(self.received.rows[index - 1])
            if cursor is not None:
                return PageStart(cursor=cursor), 0
        unread = len(self.received.rows) - index
        if self.next_cursor is not None and not unread:
            return PageStart(cursor=self.next_cursor), 0
        if self.end is not None:
            return PageStart(max(0, self.end - unread)), 0
        place = self.joined.place + index - self.joined.skip
        # A row that came again was dealt with, and need be no anchor. An index over ANCHORS says so.
        came_again = any(repeat < index for repeat in self.repeats)
        return self.request.start, max(place, ANCHORS + 1) if came_again else place

    def bookmark(self, index: int, anchors: tuple[Anchor, ...], reader: RowReader) -> Bookmark:
        """The bookmark of the row at `index`, whose anchors these are, wherever the walk is by now."""
        first, rows, repeats = self.joined.skip, self.received.rows, self.repeats
        dates = (reader.created_at(rows[i]) for i in range(index - 1, first - 1, -1) if i not in repeats)
        start, place = self.place(index, reader)
        return self.before.after(start, place, anchors=anchors, rows=self.count_new(first, index), dates=dates)
