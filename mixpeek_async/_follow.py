"""A walk that does not end: a poll reads to the end of the list, the next one begins where objects were young.

An object may become visible after a newer one that stands behind it in the list. So the next poll begins in front of
the first object that was younger than `overlap` when this poll began, and drops what was yielded before. An object that
becomes visible within `overlap` seconds after its creation is found: whoever stood behind it was no older than that.
"""

import asyncio
import random
import weakref
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, Literal, TypeVar

import attrs

from mixpeek_async._checks import number
from mixpeek_async._options import MAX_OFFSET, MAX_PAGE_SIZE, ListOptions
from mixpeek_async._page_reader import END, PageReader, PageSource
from mixpeek_async._paging import Bookmark
from mixpeek_async._work import Commit, OnError, Work, WorkOptions
from mixpeek_async.errors import InvalidArgumentError, MixpeekError, OffsetLimitError, PaginationError
from mixpeek_async.models import Progress

T = TypeVar("T")

_JITTER = 0.1
# One more than a bookmark has anchors: see `OpenPage.bookmark`.
_LAST_ROWS = 33


class Follow(AbstractAsyncContextManager["Follow[T]"], Generic[T]):
    """A walk over a list that goes on with what is created later, as an async iterator.

    An error does not end it: the next `__anext__` goes on. Nothing is lost if `__anext__` is cancelled. Several tasks
    may share it; each object goes to one of them.
    """

    def __init__(
        self, source: PageSource[T], options: ListOptions, resume: Bookmark | None, every: float, overlap: float
    ) -> None:
        self._every: float = number()(every, "every")
        self._overlap: float = number(or_zero=True)(overlap, "overlap")
        if not source.appends:
            raise InvalidArgumentError("follow needs a list at whose end new objects join: leave out sort and search")
        self._source = source
        self._options = attrs.evolve(options, max_items=None)
        self._most = options.max_items
        self._yielded = 0
        self._earlier = Progress()
        """Counts of the polls that are over."""
        self._known: dict[str, float] = {}
        """The ids that earlier polls yielded behind the start of this one, and when they came."""
        self._lock = asyncio.Lock()
        self._wait: asyncio.Task[Any] | None = None
        self._closed = False
        self._work: Work[T] | None = None
        self._begin_poll(resume)

    def _begin_poll(self, start: Bookmark | None) -> None:
        self._reader = PageReader(self._source, self._options, start)
        # As for a `Walk`: background fetches end when this object is dropped.
        self._finalizer = weakref.finalize(self, self._reader.ahead.cancel_threadsafe)
        self._finalizer.atexit = False
        clock = self._source.clock
        self._began, self._began_unix = clock.monotonic(), clock.time()
        self._next_start: Bookmark | None = None
        """In front of the first young object of this poll."""
        self._next_known: dict[str, float] = {}

    def _end_poll(self) -> None:
        start = self.bookmark()
        # An id is kept for a while although its row is missing: an answer may come from a server that lags behind.
        recent = {id_: came for id_, came in self._known.items() if came > self._began - self._overlap}
        self._known = recent | self._next_known
        self._earlier = _sum(self._earlier, self._reader.progress)
        self._reader.close()
        self._finalizer.detach()
        self._begin_poll(start)

    @property
    def progress(self) -> Progress:
        """Counts of what the walk has done so far. `repeats` counts what polls read again."""
        return attrs.evolve(_sum(self._earlier, self._reader.progress), items=self._yielded)

    @property
    def checkpoint(self) -> str:
        """Where to go on, as a string for `resume=…`.

        It stands behind the object that was yielded last, but in front of those that may still be joined by late ones:
        after `resume`, the objects of the last `overlap` seconds come again. After `for_each` it is in front of the
        first object whose handler has not finished.
        """
        return self._encode(self.bookmark()) if self._work is None else self._work.checkpoint

    def bookmark(self) -> Bookmark:
        """The checkpoint of this walk, without regard to handlers."""
        return self._next_start or self._reader.bookmark()

    def mark(self) -> Callable[[], Bookmark]:
        """A function that makes, at any later time, the bookmark of now."""
        start = self._next_start
        return self._reader.mark() if start is None else lambda: start

    def _encode(self, bookmark: Bookmark) -> str:
        return self._source.checkpoint(bookmark)

    def __aiter__(self) -> "Follow[T]":
        return self

    async def __anext__(self) -> T:
        # Tasks that share the walk wait here for each other, so that one of them waits for the next poll.
        async with self._lock:
            while not self._closed and self._yielded != self._most:
                try:
                    item = await self._next_of_poll()
                except MixpeekError as error:
                    self._reader.reopen()
                    error.checkpoint = self.checkpoint
                    raise
                if item is not END:
                    self._yielded += 1
                    return item
                await self._pause()
            raise StopAsyncIteration

    async def for_each(
        self,
        handler: Callable[[T], object],
        *,
        concurrency: int = 16,
        commit: Commit | None = None,
        commit_every: float = 1.0,
        on_error: OnError | Literal["raise"] = "raise",
    ) -> int:
        """Call `handler(object)` for every object until the walk is closed or cancelled: see `Pager.for_each`."""
        options = WorkOptions(
            handler=handler, concurrency=concurrency, commit=commit, commit_every=commit_every, on_error=on_error
        )
        self._work = Work(self, self, self._encode, self._source.clock, options)
        return await self._work.run()

    async def aclose(self) -> None:
        """End the walk here, also while it waits. The client stays open."""
        self._closed = True
        self._reader.close()
        if self._wait is not None:
            self._wait.cancel()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _next_of_poll(self) -> T:
        """The next object that no poll has yielded; END at the end of the list."""
        reader = self._reader
        while True:
            item: T = next(reader.items, END)
            if item is END:
                if not await reader.next_page():
                    return item
            elif self._is_new():
                return item
            else:
                reader.progress.repeats += 1

    def _is_new(self) -> bool:
        """Note the row that was read last. True if no poll has yielded it."""
        reader, source = self._reader, self._source
        page = reader.page
        assert page is not None
        assert page.yielded is not None
        row = page.received.rows[page.yielded]
        id_ = source.identify(row)
        came = self._known.get(id_)
        since = source.clock.monotonic() if came is None else came
        if self._next_start is None and self._is_young(row, since):
            self._next_start = reader.bookmark_before()
        if self._next_start is not None:
            self._next_known[id_] = since
        return came is None

    def _is_young(self, row: Any, came: float) -> bool:
        """Whether an older object may still become visible in front of this one."""
        created = self._source.created_at(row)
        if created is None or came <= self._began - self._overlap:
            return False
        return self._overlap > 0 and created.timestamp() > self._began_unix - self._overlap

    async def _pause(self) -> None:
        """Wait for the next poll, and begin it. If this is cancelled, the wait goes on: the next call joins it."""
        if self._closed:
            return
        if self._wait is None:
            seconds = self._every * random.uniform(1 - _JITTER, 1 + _JITTER)
            self._wait = self._source.start(self._source.pause(seconds))
        await asyncio.wait([self._wait])
        self._wait = None
        if not self._closed:
            self._end_poll()


def _sum(one: Progress, other: Progress) -> Progress:
    total = one.total if other.total is None else other.total
    names = [field.name for field in attrs.fields(Progress) if field.name != "total"]
    return Progress(total=total, **{name: getattr(one, name) + getattr(other, name) for name in names})


async def bookmark_of_end(source: PageSource[T]) -> Bookmark:
    """The place behind the last row of the list: one request for the count, and up to two for the last rows."""
    counted = PageReader(source, ListOptions(page_size=1, include_total=True, prefetch=0, on_invalid="skip"), None)
    await counted.next_page()
    total = counted.progress.total
    if total is None:
        raise PaginationError("the server does not count the list, so that its end cannot be found: walk it once")
    offset = max(0, total - _LAST_ROWS)
    if offset > MAX_OFFSET:
        raise OffsetLimitError(
            f"the list has {total:,} objects, and no offset over {MAX_OFFSET:,} leads to its end: walk it once, "
            "and keep the checkpoint"
        )
    options = ListOptions(page_size=MAX_PAGE_SIZE, offset=offset, prefetch=0, on_invalid="skip")
    reader = PageReader(source, options, None)
    for _ in range(2):
        await reader.next_page()
        for _ in reader.items:
            pass
        if reader.at_end:
            break
    else:
        raise PaginationError("the end of the list moves on too fast to be found: objects are being created")
    return attrs.evolve(reader.bookmark(), first=counted.bookmark().first)
