"""Where a walk stands, which page it asks for next, and when it has come to its end.

A walk begins by offset and goes on by cursor as soon as the server gives one.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from mixpeek_async._paging.ending import Outlook, Verdict, read_outlook
from mixpeek_async._paging.memory import Memory
from mixpeek_async._paging.offsets import Joined, OffsetTrack
from mixpeek_async._paging.page import ReceivedPage
from mixpeek_async.errors import PaginationError, PaginationLoopError
from mixpeek_async.models import Progress
from mixpeek_async.query import ListOptions, PageRequest, Position

__all__ = ["Course"]

_MAX_EMPTY_PAGES = 100
_MAX_STALE_PAGES = 3


@attrs.define
class Course:
    """Turns pages into the next request. `memory` holds the ids that the walk has yielded."""

    options: ListOptions
    identify: Callable[[Any], str | None]
    memory: Memory
    progress: Progress
    cursor: str | None = None
    ended: bool = False
    track: OffsetTrack = attrs.field(init=False)
    _cursors: set[int] = attrs.field(factory=set)
    _empty: int = 0
    _stale: list[tuple[str | None, int]] = attrs.field(factory=list)
    _impasse: tuple[type[PaginationError], str] | None = None

    def __attrs_post_init__(self) -> None:
        self.track = OffsetTrack(self.options.offset, self.identify)

    def request(self, wanted: int | None) -> PageRequest | None:
        """The page to ask for when `wanted` more objects are (None: all there are); None at the end.

        Raises what stands in the way, each time that it is asked: PaginationError and its kinds.
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
            return PageRequest(Position(cursor=self.cursor), size, count)
        offset, limit = self.track.next(size)
        return PageRequest(Position(offset), limit, count)

    def receive(self, request: PageRequest, page: ReceivedPage, unread: Iterable[Any]) -> int | None:
        """The number of rows at the start of `page` to leave out; None for all, when it does not join on.

        `unread` are rows received earlier that are not in `memory` yet.
        """
        exact = request.position.cursor is None and self.track.begins_at(request.position.offset, page.rows)
        outlook = read_outlook(page.pagination, request, len(page.rows), exact=exact)
        self.progress.note_total(page.pagination.total)
        skip, sure = 0, True
        if request.position.cursor is None:
            joined = self._join(request, page, outlook, unread)
            if not joined.fits:
                return None
            skip, sure, self.ended = joined.skip, joined.sure, joined.exhausted
        if sure or outlook.verdict is not Verdict.END:
            self._look_ahead(request, outlook)
        self._count_empty(len(page.rows) - skip)
        return skip

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
        self.progress.shifts += self.track.lost and not was_lost
        return joined

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
