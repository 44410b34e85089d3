"""Read a listing object by object: the page that is open, and the next one."""

import asyncio
import copy
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Generic, NoReturn, Protocol, TypeVar

import attrs

from mixpeek_async._clock import Budget, Clock
from mixpeek_async._options import MAX_CONCURRENCY, ListOptions, PageRequest, PageStart
from mixpeek_async._paging import (
    Bookmark,
    OpenPage,
    Paging,
    ReceivedPage,
    RowReader,
    Scope,
    is_too_large,
    may_be_too_large,
)
from mixpeek_async._read_ahead import ReadAhead
from mixpeek_async._text import printable
from mixpeek_async.errors import InvalidObjectError, MixpeekError, StatusError
from mixpeek_async.models import Progress

T = TypeVar("T")
R = TypeVar("R")

END: Any = object()
"""`next(reader.items, END)` returns this when the page is used up."""

SLICE = 100
"""So many rows are structured at once, in some milliseconds; then the event loop runs."""

Check = Callable[[PageRequest, ReceivedPage], None]
"""Raises MalformedResponseError for a page that cannot be the answer to its request."""


class PageSource(RowReader, Protocol[T]):
    """Where pages of `T` come from. A `row` is one element of `ReceivedPage.rows`."""

    ids_only: bool
    """The API can send rows without what makes them large."""

    item_id: Callable[[T], str] | None
    """Reads the id of a structured row; None if only `identify` can."""

    appends: bool
    """New objects join the list at its end."""

    clock: Clock

    @property
    def scope(self) -> Scope:
        """What is listed."""
        ...

    def checkpoint(self, bookmark: Bookmark, /) -> str:
        """The place as a string for `resume=…`."""
        ...

    def log_unreadable(self, parts: tuple[str, ...], /) -> None:
        """Tell the log which parts of an answer could not be read. No row is lost by it."""
        ...

    def structure(self, row: Any, index: int, /) -> T:
        """Row number `index` of its page as a `T`; InvalidObjectError if it is none."""
        ...

    async def fetch(
        self, request: PageRequest, progress: Progress, check: Check, budget: Budget, /, *, once: bool = False
    ) -> ReceivedPage:
        """The page, after as many attempts as the retry policy and `budget` allow, or only `once`."""
        ...

    def start(self, work: Coroutine[Any, Any, R], /) -> "asyncio.Task[R]":
        """Run `work` in the background, until the client closes at the latest."""
        ...

    async def pause(self, seconds: float, /) -> None:
        """Wait, until the client closes at the latest."""
        ...

    def budget(self) -> Budget:
        """The time for one page, however many requests it takes."""
        ...

    def without_key(self, error: InvalidObjectError, /) -> InvalidObjectError:
        """`error` without the API key, in case the server sent it back in a row."""
        ...

    def may_try_again(self) -> bool:
        """Take one retry from the quota that all walks of the client share; False if it is used up."""
        ...


class PageReader(Generic[T]):
    """The state of one walk. A failure or a cancellation leaves it as it was, so that the caller can go on."""

    def __init__(self, source: PageSource[T], options: ListOptions, bookmark: Bookmark | None) -> None:
        self.progress = Progress()
        self.page: OpenPage | None = None
        self.items: Iterator[T] = iter(())
        """The objects that are left in the open page. An error ends it: see `reopen`."""
        self._source = source
        self._options = options
        start = Bookmark(start=PageStart(options.offset), from_start=options.offset == 0)
        self._paging = Paging(options, source, self.progress, bookmark or start, ids_only=source.ids_only)
        self.ahead = ReadAhead(self._fetch_page, source.start)
        self.reads_ahead = True
        """False fetches no page before it is needed, whatever the options say."""
        self._budget: Budget | None = None
        """The time that is left for the page which the walk waits for."""
        self._failure: tuple[PageStart, MixpeekError] | None = None
        self._before = self._paging.bookmark
        """In front of the object that was yielded last, when its page is closed."""
        self._window = 1
        self._has_logged = False
        self._lock = asyncio.Lock()
        self._closed = False

    def bookmark(self) -> Bookmark:
        """Where the next object is."""
        return self._paging.bookmark_in(self.page)

    def bookmark_before(self) -> Bookmark:
        """Where the object is that was yielded last; before the first one, where the walk began."""
        page = self.page
        if page is None or page.yielded is None:
            return self._before
        return self._paging.mark(page, page.yielded)()

    def mark(self) -> Callable[[], Bookmark]:
        """A function that makes, at any later time, the bookmark behind the object that was yielded last.

        Call it before the walk goes on. It keeps the rows of the page in memory.
        """
        page = self.page
        assert page is not None
        assert page.yielded is not None
        return self._paging.mark(page, page.yielded + 1)

    @property
    def at_end(self) -> bool:
        """The open page is the last one."""
        return self._paging.ended

    def reopen(self) -> None:
        """Read on at the next row of the open page: a generator ends when it raises."""
        self.items = self._read(self.page) if self.page else iter(())

    def _read(self, page: OpenPage) -> Iterator[T]:
        """The new objects in the rest of `page`. Each is structured when the walk reaches it."""
        # Every object of a walk runs through this loop, so that each name is looked up once a page.
        rows, progress, most = page.received.rows, self.progress, self._options.max_items
        structure, identify, item_id = self._source.structure, self._source.identify, self._source.item_id
        is_new = self._paging.seen.add
        last_invalid = page.next + SLICE
        for index in range(page.next, len(rows)):
            if progress.items == most:
                return
            # Before structuring, so that the walk goes on behind a record that cannot be structured.
            page.next = index + 1
            try:
                item = structure(rows[index], index)
            except InvalidObjectError as error:
                self._pass_invalid(page, index, error)
                # Bad rows that are skipped reach no caller: after some of them `next_page` lets the event loop run.
                if index >= last_invalid:
                    return
                continue
            if not is_new(identify(rows[index]) if item_id is None else item_id(item)):
                self._pass_repeat(page, index)
                continue
            progress.items += 1
            if not page.prefetching:
                page.prefetching = True
                self._prefetch(page)
            page.yielded = index
            yield item

    async def next_page(self) -> bool:
        """Open the next page; False at the end of the walk."""
        async with self._lock:
            # Another task may have opened a page while this one waited, or bad rows were skipped.
            if self._closed or self.has_unread():
                await asyncio.sleep(0)
                self.reopen()
                return not self._closed
            self._close_page()
            self._budget = self._source.budget()
            try:
                return await self._fetch_next_page()
            finally:
                self._budget = None

    async def _fetch_next_page(self) -> bool:
        while (request := self._paging.next_request(self._wanted)) is not None:
            fetched = await self._fetch(request)
            if self._closed:
                return False
            if fetched is not None:
                if self._open(*fetched):
                    return True
                # The server does answer: the next request has a budget of its own.
                self._budget = self._source.budget()
            # A row may have been passed.
            self._close_page()
        return False

    def _open(self, request: PageRequest, received: ReceivedPage) -> bool:
        page = self._paging.receive(request, received)
        if page is None:
            return False
        self.page = page
        if request.ids_only:
            self._pass_unfetchable(page)
            return False
        self.progress.pages += 1
        if received.unreadable and not self._has_logged:
            self._has_logged = True
            self._source.log_unreadable(received.unreadable)
        self._pass_known(page)
        self.reopen()
        return True

    def _pass_unfetchable(self, page: OpenPage) -> None:
        """Go on behind a row that cannot be fetched, and raise the error that names it, once."""
        id_ = self._source.identify(page.received.rows[0])
        page.next = 1
        if self._paging.seen.add(id_):
            assert self._failure is not None, "only a failure makes the walk ask for ids"
            raise _named(self._failure[1], self._paging.describe(page.request, id_))
        page.repeats.add(0)

    def _pass_known(self, page: OpenPage) -> None:
        """Begin behind rows that come again, so that a checkpoint does not stand before them."""
        while page.unread and self._source.identify(page.received.rows[page.next]) in self._paging.seen:
            self._pass_repeat(page, page.next)
            page.next += 1

    def _pass_repeat(self, page: OpenPage, index: int) -> None:
        page.repeats.add(index)
        self.progress.repeats += 1

    def close(self) -> None:
        """End the walk here."""
        self._closed = True
        self._close_page()
        self.ahead.close()

    @property
    def _wanted(self) -> int | None:
        """How many more objects `max_items` allows; None for all."""
        most = self._options.max_items
        return None if most is None else most - self.progress.items

    def _pass_invalid(self, page: OpenPage, index: int, error: InvalidObjectError) -> None:
        # Each bad record is reported once: a walk that steps back receives it again.
        if not self._paging.seen.add(self._source.identify(page.received.rows[index])):
            self._pass_repeat(page, index)
            return
        self.progress.invalid += 1
        error = self._source.without_key(error)
        match self._options.on_invalid:
            case "raise":
                raise error
            case "skip":
                pass
            case call:
                call(error)

    def has_unread(self) -> bool:
        """True if rows of the open page are still to be read."""
        return self.page is not None and bool(self.page.unread) and self._wanted != 0

    def _close_page(self) -> None:
        if self.page is not None:
            page, self.page, self.items = self.page, None, iter(())
            if page.yielded is not None:
                self._before = self._paging.mark(page, page.yielded)()
            self._paging.close(page)

    async def _fetch_page(self, request: PageRequest, *, once: bool = False) -> ReceivedPage:
        budget = self._budget or self._source.budget()
        return await self._source.fetch(request, self.progress, self._paging.check, budget, once=once)

    async def _fetch(self, request: PageRequest) -> tuple[PageRequest, ReceivedPage] | None:
        """The page, and the request that fetched it; None if another one is to be fetched in its place."""
        retries = self.progress.retries
        try:
            fetched = await self.ahead.pop(request)
        except MixpeekError as error:
            failure = error
        else:
            # A walk that was refused asks for fewer pages at once, one that is served for more.
            slower = self.progress.retries > retries
            self._window = max(1, self._window // 2) if slower else min(self._window * 4, MAX_CONCURRENCY)
            return fetched
        # Outside of `except`, so that an error which replaces this one does not carry it along.
        self._window = max(1, self._window // 2)
        self.ahead.cancel()
        if not await self._rows_are_to_blame(request, failure):
            self._raise(failure, request)
        if not self._paging.fetch_failed(request):
            raise _named(failure, self._paging.describe(request))
        return None

    async def _rows_are_to_blame(self, request: PageRequest, error: MixpeekError) -> bool:
        """True if fewer rows may succeed: the error says so, or the server sends the first id at this very moment."""
        # The walk's very first failure proves nothing: the server may simply be down.
        is_first = self.progress.pages == 0 and (self._failure is None or self._failure[0] != request.start)
        if not request.ids_only:
            self._failure = request.start, error
        if is_too_large(error):
            return True
        if request.ids_only or not (self._source.ids_only and may_be_too_large(error)):
            return False
        # Without time left, a time-out of the next, smaller page would prove nothing.
        if is_first or self._budget is None or self._budget.left() <= 0 or not self._source.may_try_again():
            return False
        try:
            page = await self._fetch_page(attrs.evolve(request, limit=1, ids_only=True), once=True)
        except MixpeekError:
            return False
        return len(page.rows) == 1

    def _raise(self, error: MixpeekError, request: PageRequest) -> NoReturn:
        explained = self._paging.walk_error(error, request) if isinstance(error, StatusError) else error
        if explained is error:
            raise error
        raise explained from error

    def _prefetch(self, page: OpenPage) -> None:
        """Fetch the next pages in the background while this one is read."""
        options = self._options
        depth = min(self._window, options.concurrency) if options.concurrency > 1 else options.prefetch
        if not depth or not self.reads_ahead:
            return
        wanted = None if self._wanted is None else max(0, self._wanted - page.unread)
        try:
            self.ahead.schedule(self._paging.next_requests(wanted, depth))
        except MixpeekError:
            # The error is raised when the walk reaches that page.
            self.ahead.cancel()


def _named(error: MixpeekError, what: str) -> MixpeekError:
    """A copy of `error` that says what it is about."""
    named = copy.copy(error)
    named.args = (f"{printable(what)}: {error.message}",)
    return named
