"""Finding the way by offset through a list that changes.

Offsets count rows, and rows come and go while a walk is under way. So a page is used only when it begins at the
start of the list or holds a row that the walk has received before: then no row was missed in between.

* As a rule a request begins one row early, at the last row received. When that row comes first, all is well.
* When no row of a page is known, rows before it were deleted and unseen ones have moved up. The walk looks back
  through blocks of rows, each twice as wide as the one before, until it finds a known row, and goes on from there.
* When another known row comes first, rows were created before it, or the server rounds offsets down to multiples
  of the limit. From then on each offset is a multiple of its limit, so that both kinds of server mean the same.
"""

from collections.abc import Callable
from typing import Any

import attrs

from mixpeek_async._paging.alignment import aligned_overlap, aligned_page
from mixpeek_async._paging.ending import Verdict
from mixpeek_async.errors import OffsetLimitError
from mixpeek_async.query import MAX_OFFSET, MAX_PAGE_SIZE


@attrs.frozen
class Joined:
    """How a page fits to what was received: whether it does, and whether nothing can be behind it.

    `adrift` is when it does not, and no other page can tell where the walk stood. `sure` is whether it was checked by
    a known row, so that its word on the end can be believed. The first `skip` rows were dealt with: the row of overlap,
    or what lies before the start of this walk.
    """

    fits: bool = True
    adrift: bool = False
    sure: bool = True
    exhausted: bool = False
    skip: int = 0


GAP = Joined(fits=False)


@attrs.frozen
class Mark:
    """A row whose place is sure: the pages before it are complete."""

    identity: str
    at: int


@attrs.define
class OffsetTrack:
    """Where a walk by offset stands.

    `end` is the number of rows from the start of the list to the end of what was received; `identify` reads the id
    of a row.
    """

    end: int
    identify: Callable[[Any], str]
    aligned: bool = False
    """Whether offsets are multiples of their limits, since a page began elsewhere than expected."""
    lost: bool = False
    """Whether rows moved up, and the walk looks back for a row that it knows."""
    mark: Mark | None = None
    """The row that the next page is checked by, as a rule the last one received."""
    resumed: bool = False
    """Whether rows before the start were yielded by an earlier walk, from whose checkpoint this one goes on."""
    is_passed: Callable[[Any], bool] | None = None
    """Tells, where dates can decide it, that a row was created before the place of the checkpoint."""
    _start: int = attrs.field(init=False)
    _last_id: str = ""
    _tentative: set[str] = attrs.field(factory=set)
    """Ids that came without the mark before them, until the mark is seen again."""
    _displaced: set[str] = attrs.field(factory=set)
    """Such ids that turned out to lie behind a gap: meeting them again says nothing about the rows before them."""
    _by_dates: bool = False
    """Whether the place was found by dates, and rows that they put before it may still come."""
    _probing: bool = False
    """Whether to ask behind the mark without it, since the page that began with it held nothing new."""
    _had_room: bool = False
    """Whether there was room for more rows in that page, so that there was nothing behind them."""
    _probed: bool = False
    """Whether nothing came from behind the mark, so that it is looked at once more before that is believed."""
    _stalls: int = 0
    _block: tuple[int, int] = (0, 0)
    """Offset and limit of where the walk looks back next."""
    _looked_from: int = 0
    """The first row that it has looked at."""
    _forward: bool = False
    """Whether it looks forward instead, since it has come to the start of the list without a row that it knows."""
    _cap: int = MAX_PAGE_SIZE
    _clamp: int = MAX_PAGE_SIZE
    """The most rows that the server gives, where a page in the middle of the list has shown it."""
    _stuck: bool = False
    """Whether the page at the ceiling of offsets held nothing new."""

    def __attrs_post_init__(self) -> None:
        self._start = self.end

    def next(self, size: int, cap: int = MAX_PAGE_SIZE) -> tuple[int, int]:
        """Offset and limit of the request that can bring `size` new rows, and holds at most `cap` rows altogether.

        A cap that leaves no room for a new row beside the one to check by has them asked for by turns. Past the ceiling
        of offsets it counts new rows only. OffsetLimitError when the API takes no offset that could bring one.
        """
        if self.lost:
            return self._block
        # Rows that were created before the walk's position fill whole pages: wider ones get past them.
        offset, limit = self._unlimited(min(size << self._stalls, cap), min(cap, self._cap))
        if offset <= MAX_OFFSET:
            return offset, min(limit, cap)
        if self._stuck or self.end >= MAX_OFFSET + MAX_PAGE_SIZE:
            raise _offset_limit_error(self.end)
        # The last rows that any offset can reach; where all of them can be had, the limit divides it.
        return MAX_OFFSET, min(self.before_end(MAX_OFFSET) + cap, MAX_PAGE_SIZE)

    def before_end(self, offset: int) -> int:
        """The rows that a request at `offset` has to bring along to reach the ceiling's new ones."""
        return max(0, self.end - MAX_OFFSET) if offset >= MAX_OFFSET and not self.lost else 0

    def narrow(self, limit: int) -> None:
        """Look back, if the walk does, by `limit` rows only: a wider block could not be had."""
        if self.lost:
            row = self._block[0] if self._forward else self._looked_from - 1
            self._block = (row // limit * limit, limit)

    def join(
        self, offset: int, limit: int, rows: list[Any], verdict: Verdict, is_known: Callable[[str], bool]
    ) -> Joined:
        """Fit the rows that came for `offset` and `limit` to what was received, and move to their end.

        `is_known` tells whether the walk has received an id, at whatever place.
        """
        before = self.end
        joined = self._fit(offset, limit, rows, verdict, is_known)
        if joined.fits and self._by_dates:
            passed = self._leading_passed(rows)
            joined = attrs.evolve(joined, skip=max(joined.skip, passed))
            self._by_dates = passed == len(rows)
        self._stuck = joined.fits and offset >= MAX_OFFSET and self.end <= before
        return joined

    @property
    def steady(self) -> bool:
        """Whether pages have come as they were asked for, so that the offsets of the next ones can be told."""
        return self.mark is not None and not (self.aligned or self.lost or self._probing or self._tentative)

    def begins_at(self, offset: int, rows: list[Any]) -> bool:
        """Whether the row at `offset` is known, and comes first in `rows`."""
        if not rows or self.mark is None:
            return False
        return self.mark == Mark(self.identify(rows[0]), offset)

    @property
    def finding_place(self) -> bool:
        """Whether rows that were dealt with before the checkpoint may still come, and only dates can tell."""
        return self._by_dates

    # Where to ask

    def _unlimited(self, size: int, cap: int) -> tuple[int, int]:
        """As if there were no ceiling; `cap` is the most rows of a page where offsets are aligned."""
        # Without the mark only where it brought nothing new, and not just for lack of room that there is by now.
        if self.mark is None or (self._probing and (self._had_room or cap == 1)):
            return aligned_page(self.end, min(size, cap)) if self.aligned else (self.end, size)
        if not self.aligned:
            return self.mark.at, min(self.end - self.mark.at + size, MAX_PAGE_SIZE)
        overlapping = None if self._tentative or self._probed else aligned_overlap(self.end, size, cap)
        return overlapping or (self.mark.at // cap * cap, cap)

    # What came

    def _fit(
        self, offset: int, limit: int, rows: list[Any], verdict: Verdict, is_known: Callable[[str], bool]
    ) -> Joined:
        plain = offset == self.end and not self.lost
        if not rows and plain:
            return self._nothing(offset + limit, verdict)
        first = self.identify(rows[0]) if rows else None
        if plain and (first is None or first in self._displaced or not is_known(first)):
            return self._extend(rows)
        if not self.lost and self.begins_at(offset, rows):
            return self._confirm(rows, limit)
        return self._search(offset, limit, rows, verdict, is_known)

    def _nothing(self, end: int, verdict: Verdict) -> Joined:
        """No rows where the next ones should be."""
        shown = verdict is Verdict.UNSAID and self._probing and self._had_room and not self.aligned
        if verdict is not Verdict.MORE and self.mark is not None and not (self._probed or shown):
            # The list may have become shorter, and its unseen rows moved up: look at the mark first.
            self._probing, self._probed = False, True
            return Joined(sure=False)
        return self._skip_hole(end, verdict)

    def _skip_hole(self, end: int, verdict: Verdict) -> Joined:
        """No rows: the end, or a page that the server filtered empty, to be passed by its limit."""
        if verdict is Verdict.MORE:
            self.end, self.mark = end, None
        self.lost = False
        return Joined(exhausted=verdict is Verdict.UNSAID)

    def _extend(self, rows: list[Any]) -> Joined:
        """Rows that came without one to check them by: the first ones, or the mark is checked after them."""
        if self.mark is None:
            return self._settle(self.end + len(rows), self.identify(rows[-1]))
        self.end += len(rows)
        self._last_id, self._probing = self.identify(rows[-1]), False
        self._tentative.update(map(self.identify, rows))
        self._displaced -= self._tentative
        return Joined(sure=False)

    def _confirm(self, rows: list[Any], limit: int) -> Joined:
        """The mark came first, as it should: nothing was missed up to here."""
        assert self.mark is not None
        self._tentative.clear()
        end = self.mark.at + len(rows)
        if end > self.end:
            self._probed = False
            if self._displaced:
                self._displaced.difference_update(map(self.identify, rows))
            return self._settle(end, self.identify(rows[-1]), skip=1)
        # Nothing behind the mark: the end, or one row a page, by the server's will or because larger ones fail.
        self._settle(self.end, self._last_id)
        self._probing, self._had_room = True, len(rows) < limit
        return Joined(skip=1)

    def _settle(self, end: int, last_id: str, skip: int = 0) -> Joined:
        self.end, self._last_id = end, last_id
        self.mark, self._probing, self.lost, self._forward = Mark(last_id, end - 1), False, False, False
        self._stalls = 0
        return Joined(skip=skip)

    def _search(
        self, offset: int, limit: int, rows: list[Any], verdict: Verdict, is_known: Callable[[str], bool]
    ) -> Joined:
        """The page begins elsewhere than expected: find its place by the rows of it that are known."""
        ids = [self.identify(row) for row in rows]
        unsure = self._tentative | self._displaced
        known = [index for index, id_ in enumerate(ids) if id_ not in unsure and is_known(id_)]
        if not known and self._leading_passed(rows):
            self._by_dates = True
            known = list(range(self._leading_passed(rows)))
        if known:
            return self._resettle(offset, limit, ids, known, verdict)
        if self.lost and 0 < len(rows) < min(limit, self._looked_from - offset) and verdict is Verdict.MORE:
            # The server gives fewer rows than it is asked for: what lies between was not looked at.
            self._clamp = len(rows)
            return self._look_before(self._looked_from, self._clamp)
        if offset > 0 and not self._forward:
            return self._look_back(offset, limit)
        if self.resumed and (self.is_passed is None or any(map(self.is_passed, rows))):
            return self._look_forward(offset, rows, verdict)
        if self._start > 0 and not self.resumed:
            return self._start_again()
        return self._settle(len(rows), ids[-1]) if rows else self._skip_hole(limit, verdict)

    def _leading_passed(self, rows: list[Any]) -> int:
        """The rows at the start that dates put before the place of the checkpoint; 0 where an older one comes later."""
        passed = [] if self.is_passed is None else list(map(self.is_passed, rows))
        return sum(passed) if passed == sorted(passed, reverse=True) else 0

    def _resettle(self, offset: int, limit: int, ids: list[str], known: list[int], verdict: Verdict) -> Joined:
        """Go on from the last row of a page that holds known ones."""
        beyond = len(ids) - 1 - known[-1]
        skip = known[0] if self._start > 0 else 0
        if len(ids) < limit and verdict is not Verdict.END:
            # The server may round to a limit of its own, lower than the one it was asked for.
            self._cap = max(1, min(self._cap, len(ids)))
        holds_mark = self._holds_mark(offset, ids)
        if self.lost or beyond or not holds_mark:
            self._probed = False
        stalls = 0 if self.lost or beyond else self._stalls + 1
        last_id = ids[-1] if beyond else self._last_id
        if not holds_mark:
            self._displaced |= self._tentative
        self._tentative.clear()
        self._displaced.difference_update(ids)
        if holds_mark:
            self._settle(max(self.end, offset + len(ids)), last_id)
            self._probing, self._had_room = not beyond, True
        elif self.aligned or self.lost or offset == 0:
            # Each row is at its place, whichever kind of server this is; only the mark is elsewhere.
            self._settle(offset + len(ids), ids[-1])
        else:
            # The server may have begun at an earlier row than was asked for: count what is new, and nothing else.
            self._settle(self.end + beyond, last_id)
        self.aligned, self._stalls = True, stalls
        return Joined(skip=skip)

    def _holds_mark(self, offset: int, ids: list[str]) -> bool:
        """Whether the mark is in the page, where it should be."""
        return (
            self.aligned
            and self.mark is not None
            and self.mark.at >= offset
            and ids[self.mark.at - offset :][:1] == [self.mark.identity]
        )

    def _look_back(self, offset: int, limit: int) -> Joined:
        """Look next in the block that ends where this page began, each block twice as wide as the last."""
        limit = min(limit * 2, MAX_PAGE_SIZE) if self.lost else limit
        self._displaced |= self._tentative
        self._tentative.clear()
        self.lost = True
        return self._look_before(offset, min(limit, self._clamp))

    def _look_before(self, row: int, limit: int) -> Joined:
        """Look next at the rows before `row`, which is the first one that was looked at."""
        self._looked_from, self._block = row, ((row - 1) // limit * limit, limit)
        return GAP

    def _look_forward(self, offset: int, rows: list[Any], verdict: Verdict) -> Joined:
        """Look behind the checkpoint's place, too: rows that were created before it have moved it there."""
        start = offset + len(rows) if self._forward else self._start
        if start > MAX_OFFSET or (self._forward and (not rows or verdict is Verdict.END)):
            return Joined(fits=False, adrift=True)
        self.lost, self._forward, self._block = True, True, (start // self._clamp * self._clamp, self._clamp)
        return GAP

    def _start_again(self) -> Joined:
        """Nothing that was received exists any more: what is at the walk's own start now is new."""
        self.end, self.mark, self.lost = self._start, None, False
        return GAP


def _offset_limit_error(row: int) -> OffsetLimitError:
    """The error for a walk that has come to `row` and can ask for no more."""
    return OffsetLimitError(
        f"the walk has come to row {row:,}, the API takes no offset over {MAX_OFFSET:,}, and this server gave no "
        "cursor to go on by: narrow the listing"
    )
