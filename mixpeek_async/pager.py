"""Walking pages, object by object. Knows nothing of HTTP: pages come from a `PageSource`.

The iterators are classes and not async generators: a generator is dead after one failed page, and on `break` its
clean-up waits for the garbage collector.
"""

import asyncio
from collections import deque
from collections.abc import Generator
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

import attrs

from mixpeek_async._paging import (
    ANCHORS,
    Accepted,
    Checkpoint,
    Course,
    Memory,
    Place,
    ReceivedPage,
    Scope,
    fingerprint,
)
from mixpeek_async.errors import InvalidObjectError, MixpeekError, StatusError
from mixpeek_async.models import Page, Pagination, Progress
from mixpeek_async.query import ListOptions, PageRequest, Position

__all__ = ["PageSource", "PageWalk", "Pager", "Walk"]

T = TypeVar("T")

_NOTHING: Any = object()
"""What taking from a page gives when it has been read."""


class PageSource(Protocol[T]):
    """Where pages of `T` come from. `row` is one element of `ReceivedPage.rows`."""

    async def fetch(self, request: PageRequest, progress: Progress, /) -> ReceivedPage:
        """The page asked for. May be asked again for the same one after a failure."""
        ...

    def structure(self, row: Any, index: int, /) -> T:
        """Row number `index` of its page as a `T`; InvalidObjectError where it is none."""
        ...

    def identify(self, row: Any, /) -> str | None:
        """The id of a row, without structuring it; None where it has none."""
        ...

    def identity(self, item: T, /) -> str:
        """The id of a structured row."""
        ...

    def date(self, item: T, /) -> datetime | None:
        """When `item` was created; None where the list is not in the order of creation."""
        ...

    @property
    def scope(self) -> Scope:
        """What is listed, for the checkpoint."""
        ...


@attrs.define
class _OpenPage:
    """The page that is being read; rows before `next` were dealt with, `new` of them yielded."""

    request: PageRequest
    received: ReceivedPage
    accepted: Accepted
    next: int
    new: int = 0

    @property
    def unread(self) -> int:
        """How many rows are left."""
        return len(self.received.rows) - self.next

    @property
    def place(self) -> Place:
        """Where the next object is."""
        if self.accepted.next_cursor is not None and not self.unread:
            return Place(Position(cursor=self.accepted.next_cursor))
        if self.accepted.end is not None:
            return Place(Position(offset=max(0, self.accepted.end - self.unread)))
        return Place(self.request.position, self.next)


class _Closing:
    """What walks and pagers share: `aclose`, and `async with` that calls it."""

    async def aclose(self) -> None:
        """End the walk here. The client stays open."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


class Walk(_Closing, Generic[T]):
    """One walk over a list, as an async iterator.

    An error does not end it: the next `__anext__` asks for the same page again, and after an InvalidObjectError
    goes on behind the bad record. Nothing is lost when `__anext__` is cancelled. Several tasks may share a walk;
    each object goes to one of them.
    """

    def __init__(self, source: PageSource[T], options: ListOptions, resume: Checkpoint | None = None) -> None:
        self.progress = Progress()
        self._source = source
        self._options = options
        self._resume = resume
        self._memory = Memory(resume.anchors if resume else ())
        self._course = Course(options, source.identify, self._date_of_row, self._memory, self.progress, resume)
        self._recent: deque[T] = deque(maxlen=ANCHORS)
        self._place = resume.place if resume else Place(Position(options.offset))
        self._last_id = resume.last_id if resume else None
        self._page: _OpenPage | None = None
        self._lock = asyncio.Lock()
        self._closed = False

    @property
    def checkpoint(self) -> str:
        """Where the walk stands, as a string for `resume=…`: the next object there is the next object here.

        It is good at any moment, also after `break`, an error or the end (then it leads to what is new), and for
        another page size or process. It holds no secret.
        """
        return self._checkpoint().encode()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            while (item := self._take()) is _NOTHING:
                if not await self._turn_page():
                    raise StopAsyncIteration
        except MixpeekError as error:
            error.checkpoint = self.checkpoint
            raise
        return item

    async def aclose(self) -> None:
        """End the walk here. The client stays open."""
        self._closed = True
        self._page = None

    @property
    def _wanted(self) -> int | None:
        """How many more objects `max_items` leaves room for; None for all."""
        most = self._options.max_items
        return None if most is None else most - self.progress.items

    def _take(self) -> T:
        """The next object of the open page, structured now that it is reached, or _NOTHING."""
        page = self._page
        while page is not None and page.unread and self._wanted != 0:
            index = page.next
            # Before structuring, so that the walk goes on behind a record that cannot be.
            page.next += 1
            try:
                item = self._source.structure(page.received.rows[index], index)
            except InvalidObjectError as error:
                self._on_invalid(error)
                continue
            if self._memory.add(self._source.identity(item)):
                self.progress.items += 1
                page.new += 1
                self._recent.append(item)
                return item
            self.progress.repeats += 1
        return _NOTHING  # type: ignore[no-any-return]  # the one value that is no T

    def _on_invalid(self, error: InvalidObjectError) -> None:
        self.progress.invalid += 1
        match self._options.on_invalid:
            case "raise":
                raise error
            case "skip":
                pass
            case call:
                call(error)

    def _date_of_row(self, row: Any) -> datetime | None:
        try:
            return self._source.date(self._source.structure(row, 0))
        except InvalidObjectError:
            return None

    def _checkpoint(self) -> Checkpoint:
        before = self._resume or Checkpoint(scope=self._source.scope, place=self._place)
        place = self._page.place if self._page else self._place
        if not self._recent:
            return attrs.evolve(before, place=place, last_id=self._id_before_place())
        fingerprints = [fingerprint(self._source.identity(item)) for item in self._recent]
        return attrs.evolve(
            before,
            place=place,
            last_id=self._id_before_place(),
            anchors=(*before.anchors, *fingerprints)[-ANCHORS:],
            last_date=self._deciding_date(self._recent[-1]),
        )

    def _id_before_place(self) -> str | None:
        """The id of the last row that was dealt with, be it a record that could not be structured."""
        page = self._page
        return self._source.identify(page.received.rows[page.next - 1]) if page and page.next else self._last_id

    def _deciding_date(self, last: T) -> datetime | None:
        """The date of the last object, if every object of that date is among the recent ones."""
        date, first = self._source.date(last), self._source.date(self._recent[0])
        if self._resume is not None:
            before = self._resume.last_date
            whole = len(self._recent) < ANCHORS and before is not None and date is not None and before < date
        else:
            whole = self.progress.items < ANCHORS and self._options.offset == 0
        older = date is not None and first is not None and first < date
        return date if older or whole else None

    async def _turn_page(self) -> bool:
        """Open the next page; False at the end of the walk."""
        async with self._lock:
            if self._closed or self._has_unread():
                return not self._closed
            self._close_page()
            while (request := self._course.request(self._wanted)) is not None:
                received = await self._fetch(request)
                accepted = self._course.receive(request, received, ())
                if self._closed:
                    return False
                if accepted is not None:
                    self.progress.pages += 1
                    self._page = _OpenPage(request, received, accepted, next=accepted.skip)
                    return True
            return False

    def _has_unread(self) -> bool:
        return self._page is not None and bool(self._page.unread) and self._wanted != 0

    def _close_page(self) -> None:
        page, last_id = self._page, self._id_before_place()
        if page is not None:
            self._page, self._place, self._last_id = None, page.place, last_id
            self._course.consumed(page.received.rows[page.accepted.skip :], page.new)

    async def _fetch(self, request: PageRequest) -> ReceivedPage:
        try:
            return await self._source.fetch(request, self.progress)
        except StatusError as error:
            explained = self._course.explain(error, request)
            if explained is error:
                raise
            raise explained from error


class PageWalk(_Closing, Generic[T]):
    """One walk over a list, page by page; the same in all other respects as a `Walk`.

    Each page holds what is new in it; one with nothing new is passed over.
    """

    def __init__(self, walk: Walk[T]) -> None:
        self._walk = walk
        self._results: list[T] = []
        self._page_start: Checkpoint = walk._checkpoint()

    @property
    def progress(self) -> Progress:
        """How far the walk has come."""
        return self._walk.progress

    @property
    def checkpoint(self) -> str:
        """Where the next page begins, as a string for `resume=…`."""
        return (self._page_start if self._results else self._walk._checkpoint()).encode()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        try:
            page = self._read()
            while not page.results:
                if not await self._walk._turn_page():
                    raise StopAsyncIteration
                page = self._read()
        except MixpeekError as error:
            error.checkpoint = self.checkpoint
            raise
        return page

    async def aclose(self) -> None:
        """End the walk here. The client stays open."""
        await self._walk.aclose()

    async def _first(self) -> Page[T]:
        """The first page, also where nothing is in it."""
        try:
            await self._walk._turn_page()
            return self._read()
        except MixpeekError as error:
            error.checkpoint = self.checkpoint
            raise

    def _read(self) -> Page[T]:
        """The rest of the open page. What was read before a bad record is kept for the next call."""
        if not self._results:
            self._page_start = self._walk._checkpoint()
        while (item := self._walk._take()) is not _NOTHING:
            self._results.append(item)
        results, self._results = self._results, []
        page = self._walk._page
        if page is None:
            return Page(results=results, pagination=Pagination())
        received = page.received
        return Page(results=results, pagination=received.pagination, stats=received.stats, warnings=received.warnings)


class Pager(_Closing, Generic[T]):
    """A listing, to be walked as often as wanted; making one sends nothing.

        async for item in pager:            every object
        async for page in pager.pages():    every page
        page = await pager                  the first page
        items = await pager.to_list()       every object, in memory

    Each of these is a walk of its own, from the start. Every object that exists for the whole walk is yielded
    exactly once, in the server's order, whatever is created or deleted meanwhile.
    """

    def __init__(self, source: PageSource[T], options: ListOptions, resume: Checkpoint | None = None) -> None:
        self._source = source
        self._options = options
        self._resume = resume
        self._walk: Walk[T] | None = None

    @property
    def progress(self) -> Progress:
        """How far the latest walk has come; all zero before the first."""
        return self._walk.progress if self._walk else Progress()

    @property
    def checkpoint(self) -> str:
        """Where the latest walk stands, at any moment, as a string for `resume=…`: see `Walk.checkpoint`."""
        return (self._walk or self._new_walk()).checkpoint

    def _new_walk(self) -> Walk[T]:
        return Walk(self._source, self._options, self._resume)

    def __aiter__(self) -> Walk[T]:
        self._walk = self._new_walk()
        return self._walk

    def pages(self) -> PageWalk[T]:
        """A walk by pages. `len(page.results)` can be less than the page size, and says nothing about the end."""
        return PageWalk(aiter(self))

    def __await__(self) -> Generator[Any, Any, Page[T]]:
        return self._first_page().__await__()

    async def to_list(self) -> list[T]:
        """Every object. Memory grows with the bucket: some 5 kB an object.

        An error's `checkpoint` is where the walk began, since what it had gathered is lost.
        """
        start = self._new_walk().checkpoint
        try:
            return [item async for item in self]
        except MixpeekError as error:
            error.checkpoint = start
            raise

    async def aclose(self) -> None:
        """End the latest walk. The client stays open."""
        if self._walk is not None:
            await self._walk.aclose()

    async def _first_page(self) -> Page[T]:
        async with self.pages() as pages:
            return await pages._first()
