"""Walking pages, object by object. Knows nothing of HTTP: pages come from a `PageSource`.

The iterators are classes and not async generators: a generator is dead after one failed page, and on `break` its
clean-up waits for the garbage collector.
"""

import asyncio
from collections.abc import Generator
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

import attrs

from mixpeek_async._paging import Course, Memory, ReceivedPage
from mixpeek_async._paging.offsets import offset_limit_error
from mixpeek_async.errors import ValidationError
from mixpeek_async.models import Page, Pagination, Progress
from mixpeek_async.query import ListOptions, PageRequest

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


@attrs.define
class _OpenPage:
    """The page that is being read, from row `start` on; rows before `next` were dealt with, `new` of them yielded."""

    received: ReceivedPage
    start: int
    next: int
    new: int = 0

    @property
    def unread(self) -> bool:
        """Whether a row is left."""
        return self.next < len(self.received.rows)


class Walk(Generic[T]):
    """One walk over a list, as an async iterator.

    An error does not end it: the next `__anext__` asks for the same page again, and after an InvalidObjectError
    goes on behind the bad record. Nothing is lost when `__anext__` is cancelled. Several tasks may share a walk;
    each object goes to one of them.
    """

    def __init__(self, source: PageSource[T], options: ListOptions) -> None:
        self.progress = Progress()
        self._source = source
        self._max_items = options.max_items
        self._memory = Memory()
        self._course = Course(options, source.identify, self._memory, self.progress)
        self._page: _OpenPage | None = None
        self._lock = asyncio.Lock()
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while (item := self._take()) is _NOTHING:
            if not await self._turn_page():
                raise StopAsyncIteration
        return item

    async def aclose(self) -> None:
        """End the walk here. The client stays open."""
        self._closed = True
        self._page = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def _wanted(self) -> int | None:
        """How many more objects `max_items` leaves room for; None for all."""
        return None if self._max_items is None else self._max_items - self.progress.items

    def _take(self) -> T:
        """The next object of the open page, structured now that it is reached, or _NOTHING."""
        page = self._page
        while page is not None and page.unread and self._wanted != 0:
            index = page.next
            # Before structuring, so that the walk goes on behind a record that cannot be.
            page.next += 1
            item = self._source.structure(page.received.rows[index], index)
            if self._memory.add(self._source.identity(item)):
                self.progress.items += 1
                page.new += 1
                return item
            self.progress.repeats += 1
        return _NOTHING  # type: ignore[no-any-return]  # the one value that is no T

    async def _turn_page(self) -> bool:
        """Open the next page; False at the end of the walk."""
        async with self._lock:
            if self._closed or self._has_unread():
                return not self._closed
            self._close_page()
            while (request := self._course.request(self._wanted)) is not None:
                received = await self._fetch(request)
                skip = self._course.receive(request, received, ())
                if self._closed:
                    return False
                if skip is not None:
                    self._open_page(received, skip)
                    return True
            return False

    def _has_unread(self) -> bool:
        return self._page is not None and self._page.unread and self._wanted != 0

    def _open_page(self, received: ReceivedPage, start: int) -> None:
        self.progress.pages += 1
        self._page = _OpenPage(received, start, next=start)

    def _close_page(self) -> None:
        page, self._page = self._page, None
        if page is not None:
            self._course.consumed(page.received.rows[page.start :], page.new)

    async def _fetch(self, request: PageRequest) -> ReceivedPage:
        try:
            return await self._source.fetch(request, self.progress)
        except ValidationError as error:
            if request.position.offset and "offset" in f"{error.message} {error.details}".lower():
                raise offset_limit_error(request.position.offset) from error
            raise


class PageWalk(Generic[T]):
    """One walk over a list, page by page; the same in all other respects as a `Walk`.

    Each page holds what is new in it; one with nothing new is passed over.
    """

    def __init__(self, walk: Walk[T]) -> None:
        self._walk = walk
        self._results: list[T] = []

    @property
    def progress(self) -> Progress:
        """How far the walk has come."""
        return self._walk.progress

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        page = self._read()
        while not page.results:
            if not await self._walk._turn_page():
                raise StopAsyncIteration
            page = self._read()
        return page

    async def aclose(self) -> None:
        """End the walk here. The client stays open."""
        await self._walk.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _read(self) -> Page[T]:
        """The rest of the open page. What was read before a bad record is kept for the next call."""
        while (item := self._walk._take()) is not _NOTHING:
            self._results.append(item)
        results, self._results = self._results, []
        page = self._walk._page
        if page is None:
            return Page(results=results, pagination=Pagination())
        received = page.received
        return Page(results=results, pagination=received.pagination, stats=received.stats, warnings=received.warnings)


class Pager(Generic[T]):
    """A listing, to be walked as often as wanted; making one sends nothing.

        async for item in pager:            every object
        async for page in pager.pages():    every page
        page = await pager                  the first page
        items = await pager.to_list()       every object, in memory

    Each of these is a walk of its own, from the start. Every object that exists for the whole walk is yielded
    exactly once, in the server's order, whatever is created or deleted meanwhile.
    """

    def __init__(self, source: PageSource[T], options: ListOptions) -> None:
        self._source = source
        self._options = options
        self._walk: Walk[T] | None = None

    @property
    def progress(self) -> Progress:
        """How far the latest walk has come; all zero before the first."""
        return self._walk.progress if self._walk else Progress()

    def __aiter__(self) -> Walk[T]:
        self._walk = Walk(self._source, self._options)
        return self._walk

    def pages(self) -> PageWalk[T]:
        """A walk by pages. `len(page.results)` can be less than the page size, and says nothing about the end."""
        return PageWalk(aiter(self))

    def __await__(self) -> Generator[Any, Any, Page[T]]:
        return self._first_page().__await__()

    async def to_list(self) -> list[T]:
        """Every object. Memory grows with the bucket: some 5 kB an object."""
        return [item async for item in self]

    async def aclose(self) -> None:
        """End the latest walk. The client stays open."""
        if self._walk is not None:
            await self._walk.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _first_page(self) -> Page[T]:
        walk = aiter(self)
        async with PageWalk(walk) as pages:
            await walk._turn_page()
            return pages._read()
