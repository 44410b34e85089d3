"""Walk a listing, object by object or page by page. Pages come from a `PageSource`: there is no HTTP here.

The iterators are classes and not async generators: a generator ends with one failed page, and after `break` its
clean-up waits for the garbage collector.
"""

import asyncio
import itertools
import weakref
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from mixpeek_async._follow import Follow, bookmark_of_end
from mixpeek_async._options import ListOptions
from mixpeek_async._page_reader import END, SLICE, PageReader, PageSource
from mixpeek_async._paging import Bookmark
from mixpeek_async._work import Commit, OnError, Work, WorkOptions
from mixpeek_async.errors import MixpeekError
from mixpeek_async.models import Page, Pagination, Progress

if TYPE_CHECKING:
    from mixpeek_async.arrow import ArrowWalk

__all__ = ["Follow", "PageWalk", "Pager", "Walk"]

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

    @property
    def checkpoint_before(self) -> str:
        """In front of the object that was yielded last, as a string for `resume=…`: that object comes again.

        Save `checkpoint` when the work on that object is done, and `checkpoint_before` when it failed or is not done
        yet. Where several tasks share the walk, neither is safe: the object that was yielded last is not the first one
        that is unfinished. Use `Pager.for_each` there.
        """
        return self._encode(self._reader.bookmark_before())

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
        self._page_start = self._before = self._reader.bookmark()

    @property
    def progress(self) -> Progress:
        """Counts of what the walk has done so far."""
        return self._walk.progress

    @property
    def checkpoint(self) -> str:
        """Where the next page begins, as a string for `resume=…`. Objects that no page has handed out lie behind it."""
        return self._walk._encode(self._page_start if self._results else self._reader.bookmark())

    @property
    def checkpoint_before(self) -> str:
        """In front of the page that was handed out last, as a string for `resume=…`: its objects come again.

        Save `checkpoint` when the work on that page is done, and `checkpoint_before` when it failed or is not done yet.
        """
        return self._walk._encode(self._before)

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
        self._before = self._page_start
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
        await pager.for_each(handler)       every object, many at once
        async for item in pager.follow():   every object, and then every new one

    Each of these is a walk of its own, from the start. Every object that exists for the whole walk is yielded exactly
    once, whatever is created or deleted meanwhile; `objects.list` says where this promise ends.
    """

    def __init__(self, source: PageSource[T], options: ListOptions, resume: Bookmark | None = None) -> None:
        self._source = source
        self._options = options
        self._resume = resume
        self._latest: Walk[T] | PageWalk[T] | Work[T] | Follow[T] | ArrowWalk | None = None

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

        After `async for` it is `Walk.checkpoint`, after `pages()` it is `PageWalk.checkpoint`, after `follow()` it is
        `Follow.checkpoint`. After `for_each` it is in front of the first object whose handler has not finished.
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

    def arrow(self, *, lean: bool = False) -> "ArrowWalk":
        """A walk by Arrow record batches: in async code one for each page; see `ArrowWalk` for all other code.

        Needs the extra `arrow`. `lean`: only the scalar fields, and the JSON of each object as text in the column
        `json`. It checks no more than these fields, and takes a quarter of the CPU.
        """
        # pyarrow is an extra, and takes longer to import than all of this package.
        from mixpeek_async.arrow import ArrowWalk

        source: Any = self._source
        walk = self._latest = ArrowWalk(source, self._options, self._resume, lean=lean)
        return walk

    async def for_each(
        self,
        handler: Callable[[T], object],
        *,
        concurrency: int = 16,
        commit: Commit | None = None,
        commit_every: float = 1.0,
        on_error: OnError | Literal["raise"] = "raise",
    ) -> int:
        """Call `handler(object)` for every object, and return for how many of them it succeeded.

        * `handler`: an async function, or a plain one, which runs in a thread.
        * `concurrency`: the most handlers at once, 1 or more.
        * `commit`: called with a checkpoint to save, in the event loop; a plain function, or an async one. No object
          whose handler has not finished lies before the checkpoint, so that a walk that resumes there skips none.
        * `commit_every`: seconds between two commits. There is one more at the end, and one before an error is raised.
        * `on_error`: `"raise"` (the default): when a handler fails, start no other, let those that run finish, commit,
          and raise its error. Or a function of the object and the error, plain or async: when it returns, the object
          counts as finished. What the walk itself raises always ends it; `on_invalid` decides about bad records.

        Each object is handled at least once. After a crash, those come again that were handled since the last commit,
        and those behind the first one that was not finished: up to 1,000, or 4 times `concurrency` if that is more. No
        more is read behind it, so that a handler that hangs stops the reading. Cancelling cancels async handlers, waits
        for threads, and commits.
        """
        walk = self._new_walk()
        options = WorkOptions(
            handler=handler, concurrency=concurrency, commit=commit, commit_every=commit_every, on_error=on_error
        )
        work = self._latest = Work(walk, walk._reader, walk._encode, self._source.clock, options)
        return await work.run()

    def follow(self, every: float = 30.0, *, overlap: float = 300.0) -> Follow[T]:
        """A walk that does not end: at the end of the list it waits and asks for new objects.

        It starts where the pager does: at the first object, at `resume`, or, with `resume=await pager.at_end()`, at
        what is created from now on. It sees creations, no updates and no deletions.

        * `every`: seconds between two polls, and up to a tenth more or less, so that many clients do not poll at once.
          A poll that finds nothing is one request, which waits for the rate limit like any other.
        * `overlap`: objects that were created in the last so many seconds are read again by each poll, because a server
          may show an object later than newer ones. One that appears in the list later than that, in front of newer
          ones, is missed; so is every late one where `select` leaves out `created_at`. 0 reads nothing again.

        InvalidArgumentError if the list has a `sort` or a `search`: new objects do not join at its end.
        """
        follow = self._latest = Follow(self._source, self._options, self._resume, every, overlap)
        return follow

    async def at_end(self) -> str:
        """The checkpoint behind the last object of the list, in at most three requests.

        The server must count the list, and the end must be within reach of an offset: OffsetLimitError for a list of
        more than 10,000 objects, since no server gives a cursor for the end. PaginationError if it gives no count, or
        if objects are created faster than they can be read.
        """
        return self._source.checkpoint(await bookmark_of_end(self._source))

    async def aclose(self) -> None:
        """End the latest walk. The client stays open."""
        if self._latest is not None:
            await self._latest.aclose()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _first_page(self) -> Page[T]:
        async with self.pages() as pages:
            return await pages._first()
