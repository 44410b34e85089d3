"""Turn pages into the next request: the part of a walk that is pure, without I/O.

A walk begins by offset and goes on by cursor as soon as the server gives one.
"""

import functools
from collections.abc import Callable
from typing import TypeVar

import attrs

from mixpeek_async._options import MAX_OFFSET, ListOptions, PageRequest, PageStart
from mixpeek_async._paging.bookmark import Bookmark, fingerprint
from mixpeek_async._paging.cursors import CursorPaginator
from mixpeek_async._paging.guard import LoopGuard
from mixpeek_async._paging.next_page import HasMore, NextPage, parse_next_page
from mixpeek_async._paging.offsets import Following, OffsetPaginator, Searching, Unchecked
from mixpeek_async._paging.page import JoinedPage, OpenPage, Paginator, ReceivedPage, RowReader
from mixpeek_async._paging.seen_ids import SeenIds
from mixpeek_async._paging.sizing import PageSize, SingleRow
from mixpeek_async.errors import (
    CheckpointError,
    IncompleteListError,
    MalformedResponseError,
    MixpeekError,
    OffsetLimitError,
    PaginationError,
    StatusError,
)
from mixpeek_async.models import Progress

T = TypeVar("T")

_REFUSALS = frozenset({400, 410, 422})
# Half a surrogate pair is no JSON, so that no id equals it. An id may be empty.
_NO_ID = "\ud800"


@attrs.define(eq=False)
class Paging:
    """The requests of one walk, and where it stands between two pages: `bookmark`.

    `ids_only`: the API can send rows without what makes them large.
    """

    options: ListOptions
    reader: RowReader
    progress: Progress
    bookmark: Bookmark
    ids_only: bool = False
    seen: SeenIds = attrs.field(init=False)
    ended: bool = attrs.field(init=False, default=False)
    _paginator: Paginator = attrs.field(init=False)
    _size: PageSize = attrs.field(init=False)
    _single: SingleRow = attrs.field(init=False, factory=SingleRow)
    _guard: LoopGuard = attrs.field(init=False, factory=LoopGuard)
    _dealt: int | None = attrs.field(init=False, default=None)
    """How many rows from the start of the list on were dealt with; None in a walk that was resumed in the middle."""
    _total_count: int | None = attrs.field(init=False, default=None)
    """The least that the server has counted in this walk."""
    _left_out: str | None = attrs.field(init=False, default=None)
    """What a page has said about rows that are left out of the list. It is raised at the end."""

    def __attrs_post_init__(self) -> None:
        if self.bookmark.from_start or not (self.bookmark.anchors or self.bookmark.start.cursor):
            self._dealt = len(self.bookmark.anchors) or self.bookmark.start.offset
        self.seen = SeenIds(self.bookmark.anchors)
        self._size = PageSize(self.options.page_size)
        self._paginator = self._start_by_offset() if self.reader.row_cursor is None else self._start_by_cursor()
        if self.bookmark.start.cursor is not None:
            self._follow(self.bookmark.start.cursor, self.bookmark)

    def _start_by_cursor(self) -> CursorPaginator:
        self.seen.forget_old_ids()
        return CursorPaginator(None, self.seen, self.reader, self.bookmark)

    def _start_by_offset(self) -> OffsetPaginator:
        offset, anchors = self.bookmark.start.offset + self.bookmark.index, self.bookmark.anchors
        place: Following | Unchecked | Searching = Unchecked(offset)
        if anchors:
            # The next page has to hold one of the anchors.
            place = Following(offset, _NO_ID) if offset else Searching(0, 0)
        return OffsetPaginator(
            place,
            0 if anchors else offset,
            self.seen,
            self.reader,
            lambda: self.bookmark,
            resumed=bool(anchors) and not self.bookmark.from_start,
        )

    def next_request(self, wanted: int | None) -> PageRequest | None:
        """The page to ask for if `wanted` more objects are needed (None: all there are); None at the end.

        It raises what ends the walk each time that it is called: PaginationError and its subclasses.
        """
        if wanted == 0:
            return None
        if self.ended:
            self._refuse_missing_rows()
            return None
        if self._guard.failure is not None:
            raise self._guard.failure.with_traceback(None)
        if self._ask_ids_first:
            start, limit = self._paginator.ask_ids()
            return PageRequest(start, limit, include_total=False, ids_only=True)
        size, cap = self._size.now if wanted is None else min(self._size.now, wanted), self._size.cap
        if self._single.shown is not None:
            size = cap = 1
        start, limit = self._paginator.ask(size, cap)
        # A count costs the server 50 to 200 ms, and one is enough. In an answer to a cursor, page numbers are the sign
        # of a server that ignored it.
        count = self.options.include_total and self.progress.total is None and start.cursor is None
        return PageRequest(start, limit, count)

    def _refuse_missing_rows(self) -> None:
        """IncompleteListError if the server leaves rows out, or ends the list before all that it counted had come."""
        if self._left_out is not None:
            raise IncompleteListError(f"the server says that the list is not complete: {self._left_out}")
        if self._dealt is not None and self._total_count is not None and self._dealt < self._total_count:
            raise IncompleteListError(
                f"the server has ended the list after {self._dealt:,} of the {self._total_count:,} rows that it counts"
            )

    @property
    def _ask_ids_first(self) -> bool:
        """The next row is fetched alone, and it is not known yet which one that is."""
        return self._size.cap == 1 and self.ids_only and self._single.ids_work and self._single.shown is None

    def next_requests(self, wanted: int | None, count: int) -> list[PageRequest]:
        """The next request, and up to `count - 1` that are likely to follow it. Only offsets can be predicted.

        Raises what `next_request` raises.
        """
        first = self.next_request(wanted)
        requests = [] if first is None else [first]
        while requests and len(requests) < count:
            request = self._predict_request_after(requests, wanted)
            if request is None:
                break
            requests.append(request)
        return requests

    def _predict_request_after(self, requests: list[PageRequest], wanted: int | None) -> PageRequest | None:
        last = requests[-1]
        start = self._paginator.predict(last.start, last.limit)
        if start is None or (self.progress.total is not None and start.offset + 1 >= self.progress.total):
            return None
        asked = start.offset + 1 - (self._paginator.end or 0)
        if wanted is not None and asked >= wanted:
            return None
        size = self._size.now if wanted is None else min(self._size.now, wanted - asked)
        return PageRequest(start, min(size + 1, self._size.cap), last.include_total)

    def check(self, request: PageRequest, page: ReceivedPage) -> None:
        """MalformedResponseError (retryable) for a page that cannot be the answer to a cursor.

        A server that ignores the cursor sends the first rows of the list, and no word about cursors: they would look
        like the last page.
        """
        if request.start.cursor is None or not page.rows or "next_cursor" in page.pagination.to_dict():
            return
        if fingerprint(self.reader.identify(page.rows[0])) == self.bookmark.first:
            raise MalformedResponseError(
                "the answer to a cursor is the first page of the list", path="$.results[0]", retryable=True
            )

    def receive(self, request: PageRequest, page: ReceivedPage) -> OpenPage | None:
        """Open `page`. None if its rows must not be used: they do not join on, or are not the row that was shown.

        Of a page of ids it opens only a row that cannot be fetched, to pass it.
        """
        self._guard.count(by_cursor=request.start.cursor is not None)
        if request.ids_only:
            return self._receive_ids(request, page)
        self.progress.note_total(page.pagination.total)
        # The least: what is created while the walk goes on may lie before its place, and need not come.
        counts = [count for count in (self._total_count, page.total_count) if count is not None]
        self._total_count = min(counts, default=None)
        self._left_out = self._left_out or page.left_out
        shown, self._single = self._single.shown, SingleRow()
        if shown is not None and (not page.rows or self.reader.identify(page.rows[0]) != shown[1]):
            self._guard.receive(0)
            return None
        next_page = self._parse_next_page(request, page)
        joined = self._search(lambda: self._paginator.join(request.start, request.limit, page.rows, next_page))
        if joined is None:
            return None
        self._size.grow()
        return self._open(request, page, joined, next_page)

    def _receive_ids(self, request: PageRequest, page: ReceivedPage) -> OpenPage | None:
        """Take note of the next row, which the ids in `page` show. If that row is to blame for a failure, open it."""
        next_page = self._parse_next_page(request, page)
        index = self._search(lambda: self._paginator.show(request.start, request.limit, page.rows, next_page))
        if index is None:
            return None
        if index == len(page.rows):
            self.ended = next_page.has_more is HasMore.NO
            # The server sends one id a page, or there is nothing behind the place: ask for the row itself.
            self._single.ids_work = index > 1
        alone = page.rows[index : index + 1]
        shown = [(self._paginator.ask(1, 1)[0], self.reader.identify(row)) for row in alone]
        if not self._single.show(shown[0] if shown else None):
            return None
        self._paginator.pass_row(shown[0][1])
        # What the server says about the next page holds behind the last of the ids.
        next_page = next_page if index + 1 == len(page.rows) else NextPage(HasMore.UNKNOWN)
        joined = JoinedPage(0, at_end=next_page.has_more is HasMore.NO)
        return self._open(request, attrs.evolve(page, rows=alone), joined, next_page)

    def _parse_next_page(self, request: PageRequest, page: ReceivedPage) -> NextPage:
        rows = page.rows
        nothing_new = not rows or (len(rows) == 1 and self.reader.identify(rows[0]) in self.seen)
        next_page = parse_next_page(page.pagination, request, nothing_new=nothing_new)
        is_counted = request.start.cursor is None and page.total_count is not None
        if is_counted and not nothing_new and request.start.offset + len(rows) < (page.total_count or 0):
            # A server without cursors sends null for the next one, on every page.
            return next_page._replace(has_more=HasMore.YES)
        return next_page

    def _open(self, request: PageRequest, page: ReceivedPage, joined: JoinedPage, next_page: NextPage) -> OpenPage:
        by_cursor = isinstance(self._paginator, CursorPaginator)
        self.ended = joined.at_end
        if page.rows and request.start == PageStart() and self.progress.pages == 0 and not self.bookmark.anchors:
            self.bookmark = attrs.evolve(self.bookmark, first=fingerprint(self.reader.identify(page.rows[0])))
        end = self._paginator.end
        if not self.ended:
            self._choose_paginator(by_cursor, next_page)
        self._guard.receive(len(page.rows))
        next_cursor = None if self.ended else self._paginator.cursor
        skip = joined.skip
        return OpenPage(request, page, joined, self.bookmark, end=end, next_cursor=next_cursor, next=skip)

    def _choose_paginator(self, by_cursor: bool, next_page: NextPage) -> None:
        if next_page.cursor is not None:
            if self._paginator.takes_cursor(self.options.concurrency):
                self._follow(next_page.cursor)
        elif by_cursor and next_page.has_more is HasMore.YES:
            self._guard.failure = PaginationError(
                "the server says that there is more and gives no cursor; no offset fits into a walk by cursor"
            )

    def _follow(self, cursor: str, bookmark: Bookmark | None = None) -> None:
        self._guard.follow(cursor)
        if self._paginator.cursor is None:
            self._paginator = CursorPaginator(cursor, self.seen, self.reader, bookmark or Bookmark())
            self.seen.forget_old_ids()
        self._paginator.cursor = cursor

    def _search(self, join: Callable[[], T]) -> T:
        """Note whether `join` finds a known row in a page, or begins to search for one."""
        was_searching = self._paginator.is_searching
        joined = join()
        if self._paginator.is_searching:
            self._guard.search()
            self.progress.shifts += not was_searching
        return joined

    def fetch_failed(self, request: PageRequest) -> bool:
        """Ask for half as many rows as `request` did, which cannot be fetched; False if there is nothing less."""
        if request.ids_only:
            self._single.ids_work = False
            return not self._single.tried
        if self._size.shrink(request.limit - self._paginator.extra_rows(request.start)):
            return True
        if request.limit > 1 or not (self.ids_only and self._single.ids_work):
            return False
        self._size.shrink_to_one()
        self._single.fail()
        return True

    def describe(self, request: PageRequest, id_: str | None = None) -> str:
        """What cannot be fetched, when `request` cannot be halved any more."""
        if request.limit > 1 and id_ is None:
            return (
                f"the rows from {self._paginator.end:,} on come only with all those from {MAX_OFFSET:,} on, "
                "the highest offset that the API takes, and so many cannot be fetched at once"
            )
        by_cursor = request.start.cursor is not None
        row = "the next row" if by_cursor else f"row {(self._paginator.end or 0) - (id_ is not None):,}"
        return f"{row}{f' (object {id_!r})' if id_ else ''} cannot be fetched, even on its own"

    def walk_error(self, error: StatusError, request: PageRequest) -> MixpeekError:
        """What a refusal of `request` means for the walk; as a rule `error` itself."""
        if error.status not in _REFUSALS:
            return error
        text = f"{error.message} {error.code} {error.details}".lower()
        is_resumed = self.bookmark.start.cursor is not None and self.progress.pages == 0
        if is_resumed and request.start.cursor is not None and (error.status == 410 or "cursor" in text):
            return CheckpointError(f"the server no longer takes the checkpoint's cursor: {error.message}")
        if request.start.offset and error.status == 422 and "offset" in text:
            return OffsetLimitError(f"the server refuses the offset {request.start.offset:,}: {error.message}")
        return error

    def bookmark_in(self, page: OpenPage | None) -> Bookmark:
        """Where the next object is, while `page` is read."""
        return self.mark(page, page.next)() if page else self.bookmark

    def mark(self, page: OpenPage, index: int) -> Callable[[], Bookmark]:
        """A function that makes, at any later time, the bookmark of the row at `index` of `page`, the open page."""
        anchors = self.seen.anchors(skip=page.count_new(index, page.next))
        return functools.partial(page.bookmark, index, anchors, self.reader)

    def close(self, page: OpenPage) -> None:
        """The page is used up, or left where it is."""
        rows = page.received.rows
        self.bookmark = self.bookmark_in(page)
        useless = rows and not page.new
        ids = (self.reader.identify(rows[0]), self.reader.identify(rows[-1])) if useless else None
        self._guard.finish(ids, len(rows), new=page.new, known=len(self.seen))
        if self._dealt is not None:
            self._dealt += page.new
