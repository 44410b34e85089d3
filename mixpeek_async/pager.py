"""Walking pages, object by object. Knows nothing of HTTP: pages come from a `PageSource`.

The iterators are classes and not async generators: a generator is dead after one failed page, and on `break` its
clean-up waits for the garbage collector.
"""

import weakref
from abc import ABC, abstractmethod
from collections.abc import Generator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from mixpeek_async._paging import Checkpoint
from mixpeek_async._reader import NOTHING, PageSource, Reader
from mixpeek_async.errors import MixpeekError
from mixpeek_async.models import Page, Pagination, Progress
from mixpeek_async.query import ListOptions

__all__ = ["PageWalk", "Pager", "Walk"]

T = TypeVar("T")


class _Closing(ABC):
    """What walks and pagers share: `aclose`, and `async with` that calls it."""

    @abstractmethod
    async def aclose(self) -> None:
        """End the walk here. The client stays open."""

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
        self._reader = Reader(source, options, resume)
        # What is fetched ahead holds on to the reader, never to the walk: one that is dropped, as `break` does,
        # takes its fetches with it.
        weakref.finalize(self, self._reader.ahead.drop).atexit = False

    @property
    def progress(self) -> Progress:
        """How far the walk has come."""
        return self._reader.progress

    @property
    def checkpoint(self) -> str:
        """Where the walk stands, as a string for `resume=…`: the next object there is the next object here.

        It is good at any moment, also after `break`, an error or the end (then it leads to what is new), and for
        another page size or process. It holds no secret.
        """
        return self._reader.checkpoint().encode()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        reader = self._reader
        try:
            while (item := reader.take()) is NOTHING:
                if not await reader.turn_page():
                    raise StopAsyncIteration
        except MixpeekError as error:
            error.checkpoint = self.checkpoint
            raise
        return item

    async def aclose(self) -> None:
        """End the walk here. The client stays open."""
        self._reader.close()


class PageWalk(_Closing, Generic[T]):
    """One walk over a list, page by page; the same in all other respects as a `Walk`.

    Each page holds what is new in it; one with nothing new is passed over.
    """

    def __init__(self, walk: Walk[T]) -> None:
        self._walk = walk
        self._reader = walk._reader
        self._results: list[T] = []
        self._page_start = self._reader.checkpoint()

    @property
    def progress(self) -> Progress:
        """How far the walk has come."""
        return self._walk.progress

    @property
    def checkpoint(self) -> str:
        """Where the next page begins, as a string for `resume=…`."""
        return (self._page_start if self._results else self._reader.checkpoint()).encode()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        try:
            page = self._read()
            while not page.results:
                if not await self._reader.turn_page():
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
            await self._reader.turn_page()
            return self._read()
        except MixpeekError as error:
            error.checkpoint = self.checkpoint
            raise

    def _read(self) -> Page[T]:
        """The rest of the open page. What was read before a bad record is kept for the next call."""
        if not self._results:
            self._page_start = self._reader.checkpoint()
        while (item := self._reader.take()) is not NOTHING:
            self._results.append(item)
        results, self._results = self._results, []
        page = self._reader.page
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
    exactly once, whatever is created or deleted meanwhile; `objects.list` says where that ends.
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
        """Every object. Memory grows with the bucket: some 7 kB an object.

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
