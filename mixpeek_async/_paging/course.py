"""Where a walk stands, which page it asks for next, and when it has come to its end.

A walk begins by offset and goes on by cursor as soon as the server gives one.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs

from mixpeek_async._paging.checkpoint import Checkpoint
from mixpeek_async._paging.ending import Outlook, Verdict, read_outlook
from mixpeek_async._paging.guard import LoopGuard
from mixpeek_async._paging.memory import Memory
from mixpeek_async._paging.offsets import Joined, OffsetTrack
from mixpeek_async._paging.page import ReceivedPage
from mixpeek_async._paging.resumption import ADRIFT, Resumption
from mixpeek_async._paging.sizing import PageSize
from mixpeek_async.errors import (
    CheckpointError,
    MixpeekError,
    OffsetLimitError,
    PaginationError,
    StatusError,
)
from mixpeek_async.models import Progress
from mixpeek_async.query import MAX_OFFSET, ListOptions, PageRequest, Position

_REFUSALS = frozenset({400, 410, 422})


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

    `memory` holds the ids that the walk has dealt with; `identify` and `date` read the id and the creation date of a
    row, the date being None where there is none to go by. `resume` is the checkpoint to go on from.
    """

    options: ListOptions
    identify: Callable[[Any], str]
    date: Callable[[Any], datetime | None]
    memory: Memory
    progress: Progress
    resume: Checkpoint | None = None
    cursor: str | None = None
    ended: bool = False
    track: OffsetTrack = attrs.field(init=False)
    _size: PageSize = attrs.field(init=False)
    _resumption: Resumption | None = attrs.field(init=False, default=None)
    _guard: LoopGuard = attrs.field(factory=LoopGuard)

    def __attrs_post_init__(self) -> None:
        self._size = PageSize(self.options.page_size)
        if self.resume is None:
            self.track = OffsetTrack(self.options.offset, self.identify)
            return
        self._resumption = Resumption(self.resume, self.identify, self.date, self.memory)
        self.track = self._resumption.track()
        if self.resume.place.position.cursor is not None:
            self._go_by(self.resume.place.position.cursor)

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
        if self._guard.impasse is not None:
            kind, message = self._guard.impasse
            raise kind(message)
        size = self._size.now if wanted is None else min(self._size.now, wanted)
        # Counting costs the server 50 to 200 ms, and once is enough.
        count = self.options.include_total and self.progress.total is None
        if self.cursor is not None:
            return PageRequest(Position(cursor=self.cursor), min(size + self._to_pass, self._size.cap), count)
        offset, limit = self.track.next(size, self._size.cap)
        return PageRequest(Position(offset), limit, count)

    def next_requests(self, wanted: int | None, count: int) -> list[PageRequest]:
        """The next request and up to `count - 1` that are likely to follow it, which only offsets allow to tell.

        They are likely where every page is full and none shifts. Raises what `request` does.
        """
        first = self.request(wanted)
        requests = [] if first is None else [first]
        while requests and len(requests) < count:
            request = self._likely_after(requests, wanted)
            if request is None:
                break
            requests.append(request)
        return requests

    def _likely_after(self, requests: list[PageRequest], wanted: int | None) -> PageRequest | None:
        last = requests[-1]
        offset = last.position.offset + last.limit - 1
        asked = sum(request.limit - 1 for request in requests)
        beyond = self.progress.total is not None and offset + 1 >= self.progress.total
        if not self.track.steady or self.cursor is not None or offset > MAX_OFFSET or beyond:
            return None
        if wanted is not None and asked >= wanted:
            return None
        size = self._size.now if wanted is None else min(self._size.now, wanted - asked)
        return PageRequest(Position(offset), min(size + 1, self._size.cap), last.include_total)

    def receive(self, request: PageRequest, page: ReceivedPage) -> Accepted | None:
        """What to make of `page`; None when it does not join on, so that its rows must not be used."""
        self.progress.note_total(page.pagination.total)
        self._size.grow()
        if request.position.cursor is not None:
            return self._receive_by_cursor(request, page)
        overlap = self.track.begins_at(request.position.offset, page.rows)
        outlook = read_outlook(page.pagination, request, len(page.rows) - overlap)
        joined = self._join(request, page, outlook)
        if not joined.fits:
            return None
        self.ended = joined.exhausted
        if joined.sure or outlook.verdict is not Verdict.END:
            self._look_ahead(request, outlook, page.rows)
        self._guard.received(len(page.rows) - joined.skip)
        return Accepted(joined.skip, end=self.track.end, next_cursor=None if self.ended else self.cursor)

    def shrink(self, request: PageRequest) -> bool:
        """Ask for half as many rows as `request` did, which could not be had; False where there is nothing to halve."""
        by_offset = request.position.cursor is None
        if not self._size.shrink(request.limit - (self.track.before_end(request.position.offset) if by_offset else 0)):
            return False
        if by_offset:
            self.track.narrow(self._size.now)
        return True

    def blame(self, request: PageRequest, identity: str | None = None) -> str:
        """What cannot be had, when `request` cannot be halved any more."""
        if request.limit > 1:
            return (
                f"the rows from {self.track.end:,} on come with all those from {MAX_OFFSET:,} on, "
                "the highest offset that the API takes, and so many cannot be had at once"
            )
        where = "the next row" if request.position.cursor is not None else f"the row at {request.position.offset:,}"
        return f"{where}{f', object {identity!r},' if identity else ''} cannot be had, not even alone"

    @property
    def _to_pass(self) -> int:
        return self._resumption.to_pass if self._resumption else 0

    def explain(self, error: StatusError, request: PageRequest) -> MixpeekError:
        """What a refusal of `request` means for the walk; `error` itself as a rule."""
        if error.status not in _REFUSALS:
            return error
        said = f"{error.message} {error.code} {error.details}".lower()
        if self.resuming and request.position.cursor is not None and (error.status == 410 or "cursor" in said):
            return CheckpointError(f"the server takes the checkpoint's cursor no more: {error.message}")
        if request.position.offset and error.status == 422 and "offset" in said:
            return OffsetLimitError(f"the server refuses the offset {request.position.offset:,}: {error.message}")
        return error

    def _receive_by_cursor(self, request: PageRequest, page: ReceivedPage) -> Accepted | None:
        skip = self._resumption.pass_by(page.rows) if self._resumption and self._to_pass else 0
        if skip is None:
            self._guard.impasse = ADRIFT
            return None
        outlook = read_outlook(page.pagination, request, len(page.rows))
        self._look_ahead(request, outlook, page.rows)
        self._guard.received(len(page.rows))
        return Accepted(skip, next_cursor=None if self.ended else self.cursor)

    def consumed(self, rows: list[Any], new: int) -> None:
        """Take note that `rows` were dealt with, and that `new` of them were no repeats."""
        first = self.identify(rows[0]) if rows else None
        self._guard.consumed(first, len(rows), new, by_cursor=self.cursor is not None, aligned=self.track.aligned)

    def _join(self, request: PageRequest, page: ReceivedPage, outlook: Outlook) -> Joined:
        was_lost = self.track.lost
        joined = self.track.join(
            request.position.offset, request.limit, page.rows, outlook.verdict, self.memory.__contains__
        )
        if joined.adrift:
            self._guard.impasse = ADRIFT
        elif not joined.fits:
            self._guard.gap()
        self.progress.shifts += self.track.lost and not was_lost
        return joined

    def _look_ahead(self, request: PageRequest, outlook: Outlook, rows: list[Any]) -> None:
        if outlook.verdict is Verdict.END:
            self.ended = True
        elif outlook.cursor is not None:
            if request.position.cursor is not None or self._leads_on(rows):
                self._go_by(outlook.cursor)
        elif request.position.cursor is not None:
            self._guard.impasse = (
                PaginationError,
                "the server says that there is more and gives no cursor; no offset fits into a walk by cursor",
            )

    def _leads_on(self, rows: list[Any]) -> bool:
        """Whether to take the cursor behind `rows`, the page of a walk by offset; past the ceiling it is the only way.

        Not where it comes before the front of the walk, which has stepped back, and not where only offsets let pages be
        asked for side by side.
        """
        if self.track.end > MAX_OFFSET:
            return True
        known = bool(rows) and self.identify(rows[-1]) in self.memory
        return not (known or self.track.finding_place or (self.options.concurrency > 1 and self.track.steady))

    def _go_by(self, cursor: str) -> None:
        self._guard.cursor(cursor)
        self.cursor = cursor
        self.memory.bound()
