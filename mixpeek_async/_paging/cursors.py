"""Page through a list by cursor: the server keeps the place, and a resumed walk finds its own within a page."""

from collections.abc import Sequence
from typing import Any

import attrs

from mixpeek_async._options import PageStart
from mixpeek_async._paging.bookmark import ANCHORS, Bookmark, no_place
from mixpeek_async._paging.next_page import HasMore, NextPage
from mixpeek_async._paging.page import JoinedPage, RowReader
from mixpeek_async._paging.seen_ids import SeenIds


@attrs.define(eq=False)
class CursorPaginator:
    """Says which page to ask for by cursor. `bookmark` is the place in the page at `cursor`, for a resumed walk.

    `cursor` is None at the start of a list that knows no offsets.
    """

    cursor: str | None
    seen: SeenIds
    reader: RowReader
    bookmark: Bookmark = attrs.field(factory=Bookmark)
    _to_pass: int = attrs.field(init=False)
    """Rows that an earlier walk dealt with, and that were not passed yet. They may have been deleted since."""
    _unproven: bool = False
    """Rows were passed although nothing tells that they were dealt with: an anchor has to follow."""

    is_searching = False
    end = None

    def __attrs_post_init__(self) -> None:
        self._to_pass = self.bookmark.index

    def ask(self, size: int, cap: int) -> tuple[PageStart, int]:
        """Start and limit of a request for `size` new rows, and for `cap` rows at most."""
        return PageStart(cursor=self.cursor), min(size + self._to_pass, cap)

    def ask_ids(self) -> tuple[PageStart, int]:
        """The same for a page of ids, which is to show the next row."""
        return PageStart(cursor=self.cursor), 1

    def predict(self, start: PageStart, limit: int) -> None:
        """Cursors cannot be predicted."""

    def takes_cursor(self, concurrency: int) -> bool:
        """A walk by cursor goes on by cursor."""
        return True

    def extra_rows(self, start: PageStart) -> int:
        """A page by cursor needs no known rows."""
        return 0

    def join(self, start: PageStart, limit: int, rows: Sequence[Any], next_page: NextPage) -> JoinedPage | None:
        """Go on behind a page."""
        at_end = next_page.has_more is HasMore.NO
        skip = self._pass_rows(rows, at_end=at_end) if self._to_pass else 0
        is_covered = all(self.reader.identify(row) in self.seen for row in rows[:skip])
        # A row that was passed unseen may have been dealt with and be no anchor. An index over ANCHORS says so.
        return JoinedPage(skip, at_end, place=skip if is_covered else max(skip, ANCHORS + 1))

    def show(self, start: PageStart, limit: int, rows: Sequence[Any], next_page: NextPage) -> int:
        """The index of the next row, which a page of ids shows."""
        return 0

    def pass_row(self, id_: str) -> None:
        """Go on behind the row that a page of ids has shown: the cursor that came with it leads there."""

    def _pass_rows(self, rows: Sequence[Any], *, at_end: bool) -> int:
        """How many rows of a page an earlier walk dealt with. CheckpointError if nothing tells it."""
        ids = map(self.reader.identify, reversed(rows))
        known = next((len(rows) - index for index, id_ in enumerate(ids) if id_ in self.seen), 0)
        if known or self.bookmark.index <= ANCHORS:
            # All rows of the page that were dealt with are anchors, so that an unknown one is new.
            self._to_pass = 0
            return known
        dates = map(self.reader.created_at, rows)
        passed = self.bookmark.count_passed(dates, newest_first=self.reader.newest_first, no_anchors=True)
        if passed is None and len(rows) < self._to_pass and not at_end:
            # The server gives fewer rows than it was asked for: the anchors are in a later page.
            passed, self._unproven = len(rows), True
        if passed is None or (self._unproven and at_end):
            raise no_place()
        self._to_pass = max(1, self._to_pass - passed) if passed == len(rows) else 0
        return passed
