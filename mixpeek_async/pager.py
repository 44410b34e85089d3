"""Walk a listing, object by object or page by page. Pages come from a `PageSource`: there is no HTTP here.

The iterators are classes and not async generators: a generator ends with one failed page, and after `break` its
clean-up waits for the garbage collector.
"""

import asyncio
import itertools
import weakref
from collections.abc import Generator
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

from mixpeek_async._options import ListOptions
from mixpeek_async._page_reader import END, SLICE, PageReader, PageSource
from mixpeek_async._paging import Bookmark
from mixpeek_async.errors import MixpeekError
from mixpeek_async.models import Page, Pagination, Progress

__all__ = ["PageWalk", "Pager", "Walk"]

T = TypeVar("T")


class Walk(AbstractAsyncContextManager["Walk[T]"], Generic[T]):
    """One walk over a list, as an async iterator.

    An error does not end it: the next `__anext__` fetches the same page again, and after an InvalidObjectError it goes
    on behind the bad record. Nothing is lost if `__anext__` is cancelled. Several tasks may share a walk; each object
    goes to one of them.
    """

    def __init__(self, source: PageSource[T], options: ListOptions, resume: Bookmark | None = None) -> None:
        self._reader = PageReader(source, options, resume)
        self._source = source
        # Background fetches hold the reader and not the walk: when the walk is dropped, as `break` does, they end.
        weakref.finalize(self, self._reader.ahead.cancel_threadsafe).atexit = False

    @property
    def progress(self) -> Progress:
        """Counts of what the walk has done so far."""
        return self._reader.progress

    @property
    def checkpoint(self) -> str:
        """Where the walk stands, as a string for `resume=…`: the next object there is the next object here.

        It is valid at any moment, also after `break`, after an error and at the end (then it leads to what is new), for
        another page size and in another process. It holds no secret.
        """
        return self._encode(self._reader.bookmark())

    def _encode(self, bookmark: Bookmark) -> str:
        return self._source.checkpoint(bookmark)

    def __aiter__(self) -> "Walk[T]":
        return self

    async def __anext__(self) -> T:
        reader = self._reader
        try:
            while (item := next(reader.items, END)) is END:
                if not await reader.next_page():
                    raise StopAsyncIteration
        except MixpeekError as error:
            reader.reopen()
            error.checkpoint = self.checkpoint
            raise
        return item

    async def aclose(self) -> None:
        """End the walk here. The client stays open."""
        self._reader.close()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class PageWalk(AbstractAsyncContextManager["PageWalk[T]"], Generic[T]):
    """One walk over a list, page by page; in all other respects the same as a `Walk`.

    Each page holds the new objects of one response. A page without new objects is passed over.
    """

    def __init__(self, walk: Walk[T]) -> None:
        self._walk = walk
        self._reader = walk._reader
        self._results: list[T] = []
        """Objects of the open page that were structured, and that no page has handed out yet."""
        self._page_start = self._reader.bookmark()

    @property
    def progress(self) -> Progress:
        """Counts of what the walk has done so far."""
        return self._walk.progress

    @property
    def checkpoint(self) -> str:
        """Where the next page begins, as a string for `resume=…`. Objects that no page has handed out lie behind it."""
        return self._walk._encode(self._page_start if self._results else self._reader.bookmark())

    def __aiter__(self) -> "PageWalk[T]":
        return self

    async def __anext__(self) -> Page[T]:
        try:
            while not await self._read():
                if not await self._reader.next_page():
                    raise StopAsyncIteration
        except MixpeekError as error:
            error.checkpoint = self.checkpoint
            raise
        return self._hand_out()

    async def aclose(self) -> None:
        """End the walk here. The client stays open."""
        await self._walk.aclose()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _first(self) -> Page[T]:
        """The first page, even if it is empty."""
        try:
            await self._reader.next_page()
            await self._read()
        except MixpeekError as error:
            error.checkpoint = self.checkpoint
            raise
        return self._hand_out()

    async def _read(self) -> bool:
        """Structure the rest of the open page; True if it holds new objects.

        Objects before a bad record are kept for the next call.
        """
        if not self._results:
            self._page_start = self._reader.bookmark()
        while self._reader.has_unread():
            # A bad record has ended the generator.
            self._reader.reopen()
            for item in itertools.islice(self._reader.items, SLICE):
                self._results.append(item)
            await asyncio.sleep(0)
        return bool(self._results)

    def _hand_out(self) -> Page[T]:
        results, self._results = self._results, []
        page = self._reader.page
        if page is None:
            return Page(results=results, pagination=Pagination())
        received = page.received
        return Page(results=results, pagination=received.pagination, stats=received.stats, warnings=received.warnings)


class Pager(AbstractAsyncContextManager["Pager[T]"], Generic[T]):
    """A listing, to be walked as often as wanted; making one sends nothing.

        async for item in pager:            every object
        async for page in pager.pages():    every page
        page = await pager                  the first page
        items = await pager.to_list()       every object, in memory

    Each of these is a walk of its own, from the start. Every object that exists for the whole walk is yielded exactly
    once, whatever is created or deleted meanwhile; `objects.list` says where this promise ends.
    """

    def __init__(self, source: PageSource[T], options: ListOptions, resume: Bookmark | None = None) -> None:
        self._source = source
        self._options = options
        self._resume = resume
        self._latest: Walk[T] | PageWalk[T] | None = None

    def __repr__(self) -> str:
        # Half built, as a traceback of `copy.deepcopy` shows it with its locals.
        if not hasattr(self, "_latest"):
            return "<Pager>"
        progress = self.progress
        state = f"{progress.items:,} items in {progress.pages:,} pages" if self._latest else "not walked yet"
        return f"<Pager of {self._source.scope.bucket}: {state}>"

    @property
    def progress(self) -> Progress:
        """Counts of what the latest walk has done; all zero before the first."""
        return self._latest.progress if self._latest else Progress()

    @property
    def checkpoint(self) -> str:
        """Where the latest walk stands, at any moment, as a string for `resume=…`.

        After `async for` it is `Walk.checkpoint`, after `pages()` it is `PageWalk.checkpoint`.
        """
        return (self._latest or self._new_walk()).checkpoint

    def _new_walk(self) -> Walk[T]:
        return Walk(self._source, self._options, self._resume)

    def __aiter__(self) -> Walk[T]:
        walk = self._latest = self._new_walk()
        return walk

    def pages(self) -> PageWalk[T]:
        """A walk by pages. `len(page.results)` can be less than the page size: it says nothing about the end."""
        walk = self._latest = PageWalk(self._new_walk())
        return walk

    def __await__(self) -> Generator[Any, Any, Page[T]]:
        return self._first_page().__await__()

    async def to_list(self) -> list[T]:
        """Every object. Memory grows with the bucket: some 7 kB an object.

        An error's `checkpoint` is where the walk began, because the objects that it had gathered are lost.
        """
        start = self._new_walk().checkpoint
        try:
            return [item async for item in self]
        except MixpeekError as error:
            error.checkpoint = start
            raise

    async def aclose(self) -> None:
        """End the latest walk. The client stays open."""
        if self._latest is not None:
            await self._latest.aclose()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _first_page(self) -> Page[T]:
        async with self.pages() as pages:
            return await pages._first()
