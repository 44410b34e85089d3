"""Page through a list by offset while it changes.

An offset counts rows, and rows come and go. The rule that makes it safe:

    A page is used only if it holds a row that the walk knows, or begins at the start of the list. What follows a known
    row in one answer was right behind it.

So a place is one of three:

* `Following`: the next page begins one row early, at the last row, and has to hold it.
* `Unchecked`: there is no such row: at the start, and behind a page that showed nothing new.
* `Searching`: a page held no known row. The walk looks for one from there towards the start of the list, and then
  towards its end, in blocks that double. A resumed walk whose place has moved is the same case.

docs/walk.md has the proof.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import attrs

from mixpeek_async._options import MAX_OFFSET, MAX_PAGE_SIZE, PageStart
from mixpeek_async._paging.bookmark import Bookmark, no_place
from mixpeek_async._paging.next_page import HasMore, NextPage
from mixpeek_async._paging.page import JoinedPage, RowReader
from mixpeek_async._paging.seen_ids import SeenIds
from mixpeek_async.errors import OffsetLimitError

_END_OVERLAP = 5
"""Known rows that a page brings where a silent list may end. A server that reduces its limit to just so many rows, at
that very moment, looks as if the list had ended."""


class Following(NamedTuple):
    """Behind the row `last`. `end` is the number of rows up to there: a guess once the list has changed.

    `given` is the length of the page that ended with `last`, if the server gave fewer rows than the limit. The next
    page begins `overlap` rows before `end`.
    """

    end: int
    last: str
    given: int = MAX_PAGE_SIZE
    overlap: int = 1

    def ask(self, size: int, cap: int) -> tuple[int, int]:
        overlap = min(self.overlap, self.end, cap - 1)
        return self.end - overlap, min(size + overlap, cap)


class Unchecked(NamedTuple):
    """`end` rows into the list, without a row to check the next page by."""

    end: int

    def ask(self, size: int, cap: int) -> tuple[int, int]:
        return self.end, min(size, cap)


class Searching(NamedTuple):
    """No row from `low` up to `high` is known. `width` is the most rows that one answer brings, as far as is known."""

    low: int
    high: int
    width: int = MAX_PAGE_SIZE

    @property
    def end(self) -> int:
        return self.low

    def ask(self, size: int, cap: int) -> tuple[int, int]:
        limit = min(size, cap, self.width)
        # The block before `low` ends with the row at `low`: the place may be between the two.
        return (max(0, self.low - limit + (limit > 1)), limit) if self.low else (self.high, limit)

    def after_miss(self, offset: int, limit: int, rows: int, has_more: HasMore, most: int) -> "Searching | None":
        """The search after a page without a known row; None if the whole list was searched.

        `most` is the most rows that the server has given at once.
        """
        end = offset + rows
        if end < self.low and rows and (has_more is HasMore.YES or (has_more is HasMore.UNKNOWN and rows >= most)):
            # The server reduces the limit: rows between the end of the page and `low` were not looked at.
            return self._replace(width=rows)
        if not rows and has_more is HasMore.YES:
            end += limit
        found = self._replace(low=min(self.low, offset), high=max(self.high, end))
        at_end = has_more is HasMore.NO or (not rows and has_more is HasMore.UNKNOWN) or found.high > MAX_OFFSET
        return None if at_end and found.low == 0 and end >= self.high else found


@attrs.define(eq=False)
class OffsetPaginator:
    """Says which page to ask for by offset, and which of its rows are new.

    `first` is the offset at which the walk begins. `frontier` gives the bookmark behind the last row that was dealt
    with. `resumed`: an earlier walk dealt with rows whose ids `seen` does not hold.
    """

    place: Following | Unchecked | Searching
    first: int
    seen: SeenIds
    reader: RowReader
    frontier: Callable[[], Bookmark]
    resumed: bool = False
    cursor: str | None = None
    _fruitless: int = 0
    """Pages in a row that brought nothing new. Each makes the next one twice as large, to pass through known rows."""
    _before_hole: str | None = None
    """The last row when an empty page came behind it."""
    _by_dates: bool = False
    """The place was found by dates, and rows that they put before it may still come."""
    _searched_whole_list: bool = False
    _most: int = 0
    """The most rows that the server has given at once."""

    @property
    def end(self) -> int:
        """How many rows lie before the place, as far as is known."""
        return self.place.end

    @property
    def is_searching(self) -> bool:
        """True after a page without a known row."""
        return isinstance(self.place, Searching)

    @property
    def _is_steady(self) -> bool:
        """True while pages arrive as expected, so that the offsets of the next ones can be predicted."""
        return isinstance(self.place, Following) and not self._fruitless

    def ask(self, size: int, cap: int) -> tuple[PageStart, int]:
        """Start and limit of a request for `size` new rows, and for `cap` rows at most."""
        offset, limit = self.place.ask(min(size << self._fruitless, cap), cap)
        if offset > MAX_OFFSET:
            offset, limit = self._ask_at_ceiling(cap)
        return PageStart(offset), limit

    def ask_ids(self) -> tuple[PageStart, int]:
        """The same for a page of ids, which is to show the next row."""
        size = MAX_PAGE_SIZE if self.is_searching else 1 << self._fruitless
        offset, limit = self.place.ask(min(size, MAX_PAGE_SIZE), MAX_PAGE_SIZE)
        return PageStart(offset), limit

    def predict(self, start: PageStart, limit: int) -> PageStart | None:
        """Where the page after the one at `start` begins, if the list does not change; None if that is unknown."""
        if not isinstance(self.place, Following) or not self._is_steady:
            return None
        offset = start.offset + min(limit, self.place.given) - 1
        return PageStart(offset) if start.offset < offset <= MAX_OFFSET else None

    def takes_cursor(self, concurrency: int) -> bool:
        """True if the walk is to go on by the cursor that came with a page. Past the offset limit it is the only way.

        Not where only dates tell which rows are new, and not where only offsets allow to fetch pages side by side.
        """
        has_reason_to_stay = concurrency > 1 and self._is_steady and self.end <= MAX_OFFSET
        return not (self._by_dates or has_reason_to_stay)

    def extra_rows(self, start: PageStart) -> int:
        """How many known rows a request at the offset limit has to bring along, to reach the new ones."""
        return max(0, self.end - MAX_OFFSET) if start.offset >= MAX_OFFSET and not self.is_searching else 0

    def join(self, start: PageStart, limit: int, rows: Sequence[Any], next_page: NextPage) -> JoinedPage | None:
        """Go on behind a page. None if it cannot be used: it holds no known row."""
        known = self._find_known(start.offset, limit, rows, next_page)
        if known is None:
            return None
        has_new = known < len(rows) - 1 and self.reader.identify(rows[-1]) not in self.seen
        end = start.offset + len(rows)
        is_last = isinstance(self.place, Following) and self.place.end == end and not has_new and len(rows) < limit
        if not rows and next_page.has_more is HasMore.YES:
            # The server filtered the page after it had cut it.
            self.place = Unchecked(start.offset + (next_page.limit or limit))
        elif not rows or is_last:
            self.place = Unchecked(self.end)
        else:
            given = len(rows) if len(rows) < limit else MAX_PAGE_SIZE
            # The first short page of a silent server may be the last one. A second one shows that it reduces the limit.
            was_full = not isinstance(self.place, Following) or self.place.given == MAX_PAGE_SIZE
            may_end = next_page.has_more is HasMore.UNKNOWN and was_full and has_new and 2 < given < MAX_PAGE_SIZE
            overlap = min(_END_OVERLAP, given - 1) if may_end else 1
            self.place = Following(end, self.reader.identify(rows[-1]), given, overlap)
        self._fruitless = 0 if has_new else self._fruitless + 1
        at_end = next_page.has_more is HasMore.NO
        if next_page.has_more is HasMore.UNKNOWN:
            at_end = not rows or (is_last and self._shows_end(start.offset, len(rows)))
        return JoinedPage(skip=known + 1, at_end=at_end)

    def show(self, start: PageStart, limit: int, rows: Sequence[Any], next_page: NextPage) -> int | None:
        """Go on before the next row, which a page of ids shows: its index. None if the page cannot be used."""
        known = self._find_known(start.offset, limit, rows, next_page)
        if known is None:
            return None
        self._fruitless = 0 if known + 1 < len(rows) else self._fruitless + 1
        end = start.offset + known + 1
        self.place = Unchecked(end) if known < 0 else Following(end, self.reader.identify(rows[known]))
        return known + 1

    def pass_row(self, id_: str) -> None:
        """Go on behind the row that a page of ids has shown."""
        self.place = Following(self.end + 1, id_)

    def _ask_at_ceiling(self, cap: int) -> tuple[int, int]:
        """The last rows that any offset can reach."""
        if self.end >= MAX_OFFSET + MAX_PAGE_SIZE or (isinstance(self.place, Unchecked) and self._fruitless):
            raise OffsetLimitError(
                f"the walk has come to row {self.end:,}, the API takes no offset over {MAX_OFFSET:,}, and this server "
                "gave no cursor to go on by: narrow the listing"
            )
        return MAX_OFFSET, min(self.extra_rows(PageStart(MAX_OFFSET)) + cap, MAX_PAGE_SIZE)

    def _shows_end(self, offset: int, rows: int) -> bool:
        """True for a page of a silent server that shows no row behind the last one, though there was room.

        A short page proves nothing: servers reduce the limit. But this one holds all known rows that were asked for,
        and the server has given more rows at once before, so that the next row would have come with them. One known row
        is too few: a server may give one row a page. At the offset limit the walk cannot ask again, and believes it.
        """
        return rows < self._most and (rows > 1 or offset == MAX_OFFSET)

    def _find_known(self, offset: int, limit: int, rows: Sequence[Any], next_page: NextPage) -> int | None:
        """`_last_known`. Where it is None, the walk goes on searching."""
        self._most = max(self._most, len(rows))
        known = self._last_known(offset, rows, next_page.has_more)
        if known is None:
            self._miss(offset, limit, rows, next_page)
        return known

    def _last_known(self, offset: int, rows: Sequence[Any], has_more: HasMore) -> int | None:
        """The index of the last row that was dealt with; -1 if all rows are new; None if the page cannot be used."""
        known = self._find_last(offset, rows)
        if known is not None:
            return self._pass_by_dates(offset, known, rows) if self._by_dates else known
        if self._is_hole(rows, has_more) or (not self.is_searching and offset == self.end):
            # Nothing to check by; a row that is fetched alone was checked by a page of ids.
            return -1
        passed = self._count_passed(rows)
        if passed and self.resumed:
            self._by_dates = passed == len(rows)
            return passed - 1
        is_whole = has_more is HasMore.NO if rows else has_more is not HasMore.YES
        if offset == 0 and (passed == 0 if rows else is_whole):
            # All rows before the place were deleted: the list begins with the next one, or is empty.
            return -1
        return -1 if offset == self.first == 0 and is_whole and not self.resumed else None

    def _pass_by_dates(self, offset: int, known: int, rows: Sequence[Any]) -> int | None:
        """The index of the last row that dates put before the place; None if they cannot tell."""
        anchors = [index for index, row in enumerate(rows) if self.reader.identify(row) in self.seen]
        known = max([known, *anchors])
        passed = self._count_passed(rows[known + 1 :])
        if passed is None:
            # The place is somewhere behind the rows before this page.
            self.place, self._by_dates = Searching(0, offset), False
            return None
        self._by_dates = not anchors and known + passed == len(rows) - 1
        return known + passed

    def _is_hole(self, rows: Sequence[Any], has_more: HasMore) -> bool:
        """True for a page behind the last row that the server filtered empty.

        The first time, the list may as well have become shorter: then the walk searches for its last row. If that is
        where it was, an empty page is believed.
        """
        if rows or has_more is not HasMore.YES or not isinstance(self.place, Following):
            return False
        is_hole = self._before_hole == self.place.last
        self._before_hole = self.place.last
        return is_hole

    def _find_last(self, offset: int, rows: Sequence[Any]) -> int | None:
        """The index of the last row of the walk; if it is not there, that of the last row which the walk knows."""
        identify = self.reader.identify
        if isinstance(self.place, Following):
            expected = self.place.end - 1 - offset
            if 0 <= expected < len(rows) and identify(rows[expected]) == self.place.last:
                return expected
        ids = list(map(identify, rows))
        if isinstance(self.place, Following) and self.place.last in ids:
            return ids.index(self.place.last)
        return next((index for index in range(len(ids) - 1, -1, -1) if ids[index] in self.seen), None)

    def _count_passed(self, rows: Sequence[Any]) -> int | None:
        dates = [self.reader.created_at(row) for row in rows]
        return self.frontier().count_passed(
            dates, newest_first=self.reader.newest_first, no_anchors=self._searched_whole_list
        )

    def _miss(self, offset: int, limit: int, rows: Sequence[Any], next_page: NextPage) -> None:
        """Go on searching. After the whole list, a walk that remembers all rows starts again at its first one.

        A resumed walk then looks at the dates of the whole list once more, now that no anchor is left.
        """
        searching = self.place if isinstance(self.place, Searching) else Searching(offset, offset)
        found = searching.after_miss(offset, next_page.limit or limit, len(rows), next_page.has_more, self._most)
        self._fruitless += 1
        if found is not None:
            self.place = found
        elif not self.resumed:
            self.place = Unchecked(self.first)
        elif self._searched_whole_list:
            raise no_place()
        else:
            self.place, self._searched_whole_list = Searching(0, 0), True
