"""Where a walk stands, which page it asks for next, and when it has come to its end.

A walk begins by offset and goes on by cursor as soon as the server gives one.
"""

import functools
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import attrs

from mixpeek_async._paging.checkpoint import Checkpoint
from mixpeek_async._paging.ending import Outlook, Verdict, read_outlook
from mixpeek_async._paging.memory import Memory
from mixpeek_async._paging.offsets import Joined, Mark, OffsetTrack, offset_limit_error
from mixpeek_async._paging.page import ReceivedPage
from mixpeek_async.errors import CheckpointError, MixpeekError, PaginationError, PaginationLoopError, StatusError
from mixpeek_async.models import Progress
from mixpeek_async.query import MAX_PAGE_SIZE, ListOptions, PageRequest, Position

__all__ = ["Accepted", "Course"]

_MAX_EMPTY_PAGES = 100
_MAX_STALE_PAGES = 3
_REFUSALS = frozenset({400, 410, 422})
_ADRIFT = (
    CheckpointError,
    "none of the last objects before the checkpoint exists any more, so that its place cannot be found: start anew",
)


@attrs.frozen
class Accepted:
    """A page that joins on: the first `skip` rows were dealt with.

    `end` is where it ends by offset, None in a walk by cursor; `next_cursor` is what goes on behind it, if anything.
    """

    skip: int
    end: int | None = None
    next_cursor: str | None = None


@attrs.define
class Course:
    """Turns pages into the next request.

    `memory` holds the ids that the walk has yielded; `identify` and `date` read the id and the creation date of a
    row, None where there is none to go by. `resume` is the checkpoint to go on from.
    """

    options: ListOptions
    identify: Callable[[Any], str | None]
    date: Callable[[Any], datetime | None]
    memory: Memory
    progress: Progress
    resume: Checkpoint | None = None
    cursor: str | None = None
    ended: bool = False
    track: OffsetTrack = attrs.field(init=False)
    _to_pass: int = 0
    """Rows that the checkpoint says to pass by, at the start of the page of its cursor."""
    _catching_up: bool = False
    """Whether rows may come that dates put before the checkpoint."""
    _cursors: set[int] = attrs.field(factory=set)
    _empty: int = 0
    _stale: list[tuple[str | None, int]] = attrs.field(factory=list)
    _impasse: tuple[type[MixpeekError], str] | None = None

    def __attrs_post_init__(self) -> None:
        if self.resume is None:
            self.track = OffsetTrack(self.options.offset, self.identify)
            return
        place = self.resume.place
        self.track = OffsetTrack(
            place.position.offset,
            self.identify,
            mark=Mark(self.resume.last_id, place.position.offset - 1) if place.position.offset else None,
            resumed=place.position.offset > 0,
            is_passed=self._is_passed if self.resume.last_date else None,
        )
        self._to_pass = place.index
        self._catching_up = self.track.is_passed is not None
        if place.position.cursor is not None:
            self._go_by(place.position.cursor)

    @property
    def resuming(self) -> bool:
        """Whether nothing has come yet since the walk was taken up at a checkpoint."""
        return self.resume is not None and self.progress.pages == 0

    def request(self, wanted: int | None) -> PageRequest | None:
        """The page to ask for when `wanted` more objects are (None: all there are); None at the end.

        Raises what stands in the way, each time that it is asked: PaginationError and its kinds, CheckpointError.
        """
        if self.ended or wanted == 0:
            return None
        if self._impasse is not None:
            kind, message = self._impasse
            raise kind(message)
        size = self.options.page_size if wanted is None else min(self.options.page_size, wanted)
        # Counting costs the server 50 to 200 ms, and once is enough.
        count = self.options.include_total and self.progress.total is None
        if self.cursor is not None:
            return PageRequest(Position(cursor=self.cursor), min(size + self._to_pass, MAX_PAGE_SIZE), count)
        offset, limit = self.track.next(size)
        return PageRequest(Position(offset), limit, count)

    def receive(self, request: PageRequest, page: ReceivedPage, unread: Iterable[Any]) -> Accepted | None:
        """What to make of `page`; None when it does not join on, so that its rows must not be used.

        `unread` are rows received earlier that are not in `memory` yet.
        """
        self.progress.note_total(page.pagination.total)
        if request.position.cursor is not None:
            return self._receive_by_cursor(request, page)
        exact = self.track.begins_at(request.position.offset, page.rows)
        outlook = read_outlook(page.pagination, request, len(page.rows), exact=exact)
        joined = self._join(request, page, outlook, unread)
        if not joined.fits:
            return None
        self.ended = joined.exhausted
        if joined.sure or outlook.verdict is not Verdict.END:
            self._look_ahead(request, outlook)
        skip = max(joined.skip, self._count_passed(page.rows))
        self._count_empty(len(page.rows) - skip)
        return Accepted(skip, end=self.track.end, next_cursor=None if self.ended else self.cursor)

    def explain(self, error: StatusError, request: PageRequest) -> MixpeekError:
        """What a refusal of `request` means for the walk; `error` itself as a rule."""
        if error.status not in _REFUSALS:
            return error
        if self.resuming and request.position.cursor is not None:
            return CheckpointError(f"the server takes the checkpoint's cursor no more: {error.message}")
        if request.position.offset and "offset" in f"{error.message} {error.details}".lower():
            return offset_limit_error(request.position.offset)
        return error

    def _receive_by_cursor(self, request: PageRequest, page: ReceivedPage) -> Accepted:
        skip = self._pass_by(page.rows) if self._to_pass else 0
        outlook = read_outlook(page.pagination, request, len(page.rows))
        self._look_ahead(request, outlook)
        self._count_empty(len(page.rows))
        return Accepted(skip, next_cursor=None if self.ended else self.cursor)

    def consumed(self, rows: list[Any], new: int) -> None:
        """Take note that `rows` were yielded, and that `new` of them were new."""
        if new:
            self._stale.clear()
        elif rows:
            self._stale.append((self.identify(rows[0]), len(rows)))
        if self._stands_still():
            self._impasse = (
                PaginationLoopError,
                "page after page holds nothing but objects of earlier pages: the server does not move on",
            )

    def _join(self, request: PageRequest, page: ReceivedPage, outlook: Outlook, unread: Iterable[Any]) -> Joined:
        received = functools.cache(lambda: {self.identify(row) for row in unread})

        def is_known(identity: str) -> bool:
            return identity in self.memory or identity in received()

        was_lost = self.track.lost
        joined = self.track.join(request.position.offset, request.limit, page.rows, outlook.verdict, is_known)
        self._catching_up |= self.track.lost and self.track.is_passed is not None
        if joined.adrift:
            self._impasse = _ADRIFT
        self.progress.shifts += self.track.lost and not was_lost
        return joined

    def _pass_by(self, rows: list[Any]) -> int:
        """How many rows the walk had yielded of the page at whose cursor it is taken up.

        All up to the last one that is known, wherever that is now: rows before it may have been deleted.
        """
        known = [index for index, row in enumerate(rows) if self._was_yielded(row)]
        if not known and rows and self.track.is_passed is None:
            self._impasse = _ADRIFT
            return len(rows)
        skip = known[-1] + 1 if known else 0
        self._to_pass = max(0, self._to_pass - len(rows)) if skip == len(rows) else 0
        return skip

    def _count_passed(self, rows: list[Any]) -> int:
        """The rows up to the last one that dates put before the checkpoint."""
        if not self._catching_up:
            return 0
        passed = [index for index, row in enumerate(rows) if self._is_passed(row)]
        self._catching_up = bool(passed)
        return passed[-1] + 1 if passed else 0

    def _was_yielded(self, row: Any) -> bool:
        identity = self.identify(row)
        return (identity is not None and identity in self.memory) or self._is_passed(row)

    def _is_passed(self, row: Any) -> bool:
        last = self.resume.last_date if self.resume else None
        date = self.date(row) if last else None
        return last is not None and date is not None and date < last

    def _look_ahead(self, request: PageRequest, outlook: Outlook) -> None:
        if outlook.verdict is Verdict.END:
            self.ended = True
        elif outlook.cursor is not None:
            self._go_by(outlook.cursor)
        elif request.position.cursor is not None:
            self._impasse = (
                PaginationError,
                "the server says that there is more and gives no cursor; no offset fits into a walk by cursor",
            )

    def _go_by(self, cursor: str) -> None:
        # Hashes, because a server may put a kilobyte into a cursor, and a walk may take a million.
        if hash(cursor) in self._cursors:
            self._impasse = PaginationLoopError, "the server gave the same cursor twice in one walk"
        self._cursors.add(hash(cursor))
        self.cursor = cursor
        self.memory.bound()

    def _count_empty(self, rows: int) -> None:
        self._empty = 0 if rows else self._empty + 1
        if self._empty >= _MAX_EMPTY_PAGES:
            self._impasse = (
                PaginationError,
                f"{_MAX_EMPTY_PAGES} empty pages in a row, each saying that there is more",
            )

    def _stands_still(self) -> bool:
        if self.cursor is not None:
            return len(self._stale) >= _MAX_STALE_PAGES
        # By offset known rows may come again, when others were created before them or a place is checked: but not
        # the same ones time and again.
        patience = _MAX_STALE_PAGES * (2 if self.track.aligned else 1)
        last = self._stale[-patience:]
        return len(last) == patience and (len(set(last)) == 1 or len(self._stale) >= _MAX_EMPTY_PAGES)
