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

from mixpeek_async._paging.ending import Verdict
from mixpeek_async.errors import OffsetLimitError
from mixpeek_async.query import MAX_OFFSET, MAX_PAGE_SIZE

__all__ = ["GAP", "Joined", "OffsetTrack"]

_SMALL_LIMIT = 11
"""Whatever the row, there is a limit up to here that does not divide its number: 10,000 < lcm(1..11)."""


@attrs.frozen
class Joined:
    """How a page fits to what was received: whether it does, and whether nothing can be behind it.

    The first `skip` rows were dealt with: the row of overlap, or what lies before the start of this walk.
    """

    fits: bool = True
    exhausted: bool = False
    skip: int = 0


GAP = Joined(fits=False)


@attrs.define
class OffsetTrack:
    """Where a walk by offset stands.

    `end` is the number of rows from the start of the list to the end of what was received; `last_id` the id of the
    row there, None while there is none to check the next page by. `identify` reads the id of a row.
    """

    end: int
    identify: Callable[[Any], str | None]
    last_id: str | None = None
    lost: bool = False
    """Whether rows moved up, and the walk looks back for a row that it knows."""
    _start: int = attrs.field(init=False)
    _block: tuple[int, int] = (0, 0)
    _aligned: bool = False
    _longest: int = 0
    _stuck: bool = False

    def __attrs_post_init__(self) -> None:
        self._start = self.end

    def next(self, size: int) -> tuple[int, int]:
        """Offset and limit of the request that can bring `size` new rows.

        OffsetLimitError when the API takes no offset that could bring one.
        """
        if self.lost:
            return self._block
        offset, limit = self._overlapping(size)
        if offset > MAX_OFFSET:
            # The last rows that any offset can reach; the limit divides it.
            offset, limit = MAX_OFFSET, MAX_PAGE_SIZE
        if self._stuck or offset + limit <= self.end:
            raise offset_limit_error(self.end)
        return offset, limit

    def _overlapping(self, size: int) -> tuple[int, int]:
        if self._aligned:
            return _aligned(self.end, size) if self.last_id is None else _aligned_overlap(self.end, size)
        if self.last_id is None:
            return self.end, size
        return self.end - 1, min(size + 1, MAX_PAGE_SIZE)

    def join(
        self, offset: int, limit: int, rows: list[Any], verdict: Verdict, is_known: Callable[[str], bool]
    ) -> Joined:
        """Fit the rows that came for `offset` and `limit` to what was received, and move to their end.

        `is_known` tells whether the walk has received an id, at whatever place.
        """
        before = self.end
        joined = self._fit(offset, limit, rows, verdict, is_known)
        self._stuck = joined.fits and offset >= MAX_OFFSET and self.end <= before
        self._longest = max(self._longest, len(rows))
        return joined

    def _fit(
        self, offset: int, limit: int, rows: list[Any], verdict: Verdict, is_known: Callable[[str], bool]
    ) -> Joined:
        if self.lost:
            return self._search(offset, limit, rows, verdict, is_known)
        if not rows and (self.last_id is None or verdict is Verdict.MORE):
            return self._skip_hole(offset + limit, verdict)
        if self.last_id is None:
            return self._advance(offset, rows)
        if not rows or self.identify(rows[0]) != self.last_id:
            return self._search(offset, limit, rows, verdict, is_known)
        return self._advance(offset, rows, skip=1) if len(rows) > 1 else self._stand(verdict)

    def _skip_hole(self, end: int, verdict: Verdict) -> Joined:
        """No rows: the end, or a page that the server filtered empty, to be passed by its limit."""
        self.end, self.last_id, self.lost = end, None, False
        return Joined(exhausted=verdict is Verdict.UNSAID)

    def _advance(self, offset: int, rows: list[Any], skip: int = 0) -> Joined:
        self.end, self.lost = offset + len(rows), False
        self.last_id = self.identify(rows[-1])
        return Joined(skip=skip)

    def _stand(self, verdict: Verdict) -> Joined:
        """The row of overlap came, and nothing behind it."""
        # A server that gives one row a page, whatever it is asked for, would give this one for ever.
        self.last_id = None
        return Joined(exhausted=verdict is Verdict.UNSAID and self._longest > 1, skip=1)

    def _search(
        self, offset: int, limit: int, rows: list[Any], verdict: Verdict, is_known: Callable[[str], bool]
    ) -> Joined:
        """The page begins elsewhere than expected: find its place by the rows of it that are known."""
        ids = [self.identify(row) for row in rows]
        known = [index for index, id_ in enumerate(ids) if id_ is not None and (id_ == self.last_id or is_known(id_))]
        if known:
            return self._resettle(offset, ids, known, verdict)
        if offset > 0:
            return self._look_back(offset, limit)
        if self._start > 0:
            return self._start_again()
        return self._advance(0, rows) if rows else self._skip_hole(limit, verdict)

    def _resettle(self, offset: int, ids: list[str | None], known: list[int], verdict: Verdict) -> Joined:
        """Go on from the last row of a page that holds known ones."""
        beyond = len(ids) - 1 - known[-1]
        skip = known[0] if self._start > 0 else 0
        if self.lost:
            self.end, self.last_id = offset + len(ids), ids[-1]
            self.lost, self._aligned = False, True
            return Joined(skip=skip)
        if not self._aligned:
            # The server may have begun at an earlier row than was asked for: count what is new, and nothing else.
            self.end, self.last_id = self.end + beyond, ids[-1] if beyond else self.last_id
            self._aligned = True
            return Joined(skip=skip)
        at_end = ids[-1] == self.last_id and len(ids) < self._longest
        self.end, self.last_id = max(self.end, offset + len(ids)), ids[-1] if beyond else None
        return Joined(skip=skip, exhausted=at_end and verdict is Verdict.UNSAID)

    def _look_back(self, offset: int, limit: int) -> Joined:
        """Look next in the block that ends where this page began, each block twice as wide as the last."""
        limit = min(limit * 2, MAX_PAGE_SIZE) if self.lost else limit
        self.lost, self._block = True, ((offset - 1) // limit * limit, limit)
        return GAP

    def _start_again(self) -> Joined:
        """Nothing that was received exists any more: what is at the walk's own start now is new."""
        self.end, self.last_id, self.lost = self._start, None, False
        return GAP


def offset_limit_error(row: int) -> OffsetLimitError:
    """The error for a walk that has come to `row` and can ask for no more."""
    return OffsetLimitError(
        f"the walk has come to row {row:,}, the API takes no offset over {MAX_OFFSET:,}, and this server gave no "
        "cursor to go on by: narrow the listing"
    )


def _aligned(end: int, size: int) -> tuple[int, int]:
    """The widest page up to `size` that begins at `end`, where `end` is a multiple of its limit."""
    return end, next(limit for limit in range(size, 0, -1) if end % limit == 0)


def _aligned_overlap(end: int, size: int) -> tuple[int, int]:
    """A page that holds row `end - 1` and about `size` rows behind it, where its offset is a multiple of its limit."""
    limits = range(2, min(max(size + 1, _SMALL_LIMIT), MAX_PAGE_SIZE) + 1)
    limit = max((limit for limit in limits if end % limit), key=lambda limit: (min(limit - end % limit, size), -limit))
    return end // limit * limit, limit
