"""Call a function for every object of a walk, for many at once, and know up to where the work is done.

    read → handler, handler, handler → the first object whose handler has not finished → commit

Handlers finish in any order. A checkpoint stands in front of the first object that is unfinished, so that none is
skipped by a walk that resumes there.
"""

import asyncio
import contextvars
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, Generic, Literal, Protocol, TypeVar

import attrs

from mixpeek_async._checks import int_between, is_plain_function, number, short_repr, valid
from mixpeek_async._clock import Clock
from mixpeek_async._paging import Bookmark
from mixpeek_async.errors import InvalidArgumentError, MixpeekError
from mixpeek_async.models import Progress

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

WINDOW: Final = 1_000
"""At least this many objects may be started behind one that is unfinished, and that one."""

Commit = Callable[[str], object]
"""Saves a checkpoint; a plain function, or one that is awaited."""

OnError = Callable[[Any, Exception], object]
"""Takes note of an object whose handler failed, and of the error; a plain function, or one that is awaited."""


class Walked(Protocol[T_co]):
    """A walk, of which one task at a time asks for the next object."""

    @property
    def progress(self) -> Progress: ...
    async def __anext__(self) -> T_co: ...
    async def aclose(self) -> None: ...


class Place(Protocol):
    """Where a walk is: see `PageReader`."""

    def bookmark(self) -> Bookmark: ...
    def mark(self) -> Callable[[], Bookmark]: ...


def _is_callable(_: Any, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if not callable(value):
        raise InvalidArgumentError(f"{attribute.name} must be a function, not {short_repr(value)}")


def _is_policy(_: Any, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if value != "raise" and not callable(value):
        raise InvalidArgumentError(
            f'{attribute.name} must be "raise", or a function of the object and the error, not {short_repr(value)}'
        )


@attrs.frozen(kw_only=True)
class WorkOptions:
    """The checked arguments of `Pager.for_each`, which explains them."""

    handler: Callable[[Any], object] = attrs.field(validator=_is_callable)
    concurrency: int = attrs.field(validator=valid(int_between(1)))
    commit: Commit | None = attrs.field(validator=attrs.validators.optional(_is_callable))
    commit_every: float = attrs.field(validator=valid(number(or_zero=True)))
    on_error: OnError | Literal["raise"] = attrs.field(validator=_is_policy)

    @property
    def window(self) -> int:
        """The most objects from the first unfinished one on."""
        return max(WINDOW, 4 * self.concurrency)


@attrs.define(eq=False)
class _Started:
    """An object whose handler was started. `mark` makes the bookmark behind it."""

    mark: Callable[[], Bookmark]
    finished: bool = False


class Work(Generic[T]):
    """One `for_each`: `run` it once."""

    def __init__(
        self, walk: Walked[T], place: Place, encode: Callable[[Bookmark], str], clock: Clock, options: WorkOptions
    ) -> None:
        self._walk = walk
        self._place = place
        self._encode = encode
        self._clock = clock
        self._options = options
        self._handled = 0
        start = place.bookmark()
        self._mark: Callable[[], Bookmark] = lambda: start
        """Behind the last object before which all are finished."""
        self._window: deque[_Started] = deque()
        """The objects behind `_mark`. The first of them is unfinished."""
        self._running: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        """What ends the work: the first error of a handler, of the walk or of `commit`."""
        self._walk_error: Exception | None = None
        self._cancelled = False
        self._timer: asyncio.Task[None] | None = None
        self._committing = False
        self._advanced = False
        self._committed: str | None = None
        self._due = 0.0
        is_plain = is_plain_function(options.handler)
        # The loop's own threads may be fewer than `concurrency`, and others use them too.
        self._threads = ThreadPoolExecutor(options.concurrency, "mixpeek-handler") if is_plain else None

    @property
    def progress(self) -> Progress:
        """Counts of what the walk has done so far."""
        return self._walk.progress

    @property
    def checkpoint(self) -> str:
        """In front of the first object whose handler has not finished."""
        # With nothing unfinished, the walk's own place also passes bad records and rows that came again.
        return self._encode(self._mark() if self._window else self._place.bookmark())

    async def aclose(self) -> None:
        """End the walk. What runs is let finish."""
        await self._walk.aclose()

    async def run(self) -> int:
        """How many objects were handled, when all are."""
        self._due = self._clock.monotonic() + self._options.commit_every
        try:
            try:
                await self._work()
            finally:
                await self._commit_last()
        finally:
            if self._threads is not None:
                self._threads.shutdown(wait=False)
            await self._walk.aclose()
        return self._handled

    async def _work(self) -> None:
        self._reader = asyncio.get_running_loop().create_task(self._read())
        try:
            await asyncio.wait([self._reader])
            while self._running:
                await asyncio.wait(self._running)
        except asyncio.CancelledError:
            self._cancelled = True
            await self._cancel_all(self._reader)
            raise
        finally:
            await self._stop_timer()
        if self._failure is not None:
            if self._failure is self._walk_error and isinstance(self._failure, MixpeekError):
                # The walk's own place may be behind objects that are not finished.
                self._failure.checkpoint = self.checkpoint
            raise self._failure

    async def _read(self) -> None:
        """Start a handler for each object, as soon as there is room for it."""
        try:
            while True:
                # Room first: an object that is read is started at once, so that none is lost between the two.
                while len(self._running) >= self._options.concurrency or len(self._window) >= self._options.window:
                    self._room.clear()
                    await self._room.wait()
                try:
                    item = await self._walk.__anext__()
                except StopAsyncIteration:
                    return
                self._start(item)
        except Exception as error:
            self._walk_error = error
            self._fail(error)

    def _start(self, item: T) -> None:
        started = _Started(self._place.mark())
        self._window.append(started)
        task = asyncio.get_running_loop().create_task(self._handle(item, started))
        self._running.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        # Not in the task itself: it would still count as running when the reader looks for room.
        self._running.discard(task)
        self._room.set()

    async def _handle(self, item: T, started: _Started) -> None:
        try:
            succeeded = await self._succeeds(item)
        # Also a CancelledError that the handler raises by itself: its object is not finished.
        except BaseException as error:
            self._fail(error)
            return
        self._handled += succeeded
        started.finished = True
        self._advance()

    async def _succeeds(self, item: T) -> bool:
        """Call the handler. False if it failed and `on_error` took note."""
        try:
            await self._call_handler(item)
        except Exception as error:
            on_error = self._options.on_error
            if isinstance(on_error, str):
                raise
            await _finish(on_error(item, error))
            return False
        return True

    async def _call_handler(self, item: T) -> None:
        if self._threads is None:
            await _finish(self._options.handler(item))
            return
        context, handler = contextvars.copy_context(), self._options.handler

        def call() -> BaseException | None:
            return context.run(lambda: _error_of(handler, item))

        error = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        if error is not None:
            raise error

    def _fail(self, error: BaseException) -> None:
        """Start nothing new. The first error is the one that goes out."""
        if self._failure is None and not self._cancelled:
            self._failure = error
            if self._reader is not None and self._reader is not asyncio.current_task():
                self._reader.cancel()

    def _advance(self) -> None:
        """Move the mark behind all objects that are finished without a gap."""
        while self._window and self._window[0].finished:
            self._mark = self._window.popleft().mark
            self._advanced = True
        if self._advanced and self._options.commit is not None and (self._timer is None or self._timer.done()):
            self._timer = asyncio.get_running_loop().create_task(self._commit_in_time())

    async def _commit_in_time(self) -> None:
        """Commit when it is due, for as long as something advances."""
        with suppress(asyncio.CancelledError):
            try:
                while self._advanced:
                    await self._clock.sleep(max(0.0, self._due - self._clock.monotonic()))
                    self._committing = True
                    await self._commit()
                    self._committing = False
            except Exception as error:
                # It is tried once more at the end. The first error goes out all the same.
                self._fail(error)

    async def _commit(self) -> None:
        self._advanced = False
        commit = self._options.commit
        if commit is None or (checkpoint := self.checkpoint) == self._committed:
            return
        await _finish(commit(checkpoint))
        self._committed = checkpoint
        self._due = self._clock.monotonic() + self._options.commit_every

    async def _commit_last(self) -> None:
        try:
            await self._commit()
        except asyncio.CancelledError:
            # It was cancelled half way: without this, what is done would be done again.
            await self._commit()
            raise

    async def _stop_timer(self) -> None:
        if self._timer is None or self._timer.done():
            return
        # A commit that is being made is let finish, so that two never overlap.
        if self._cancelled or not self._committing:
            self._timer.cancel()
        await asyncio.wait([self._timer])

    async def _cancel_all(self, reader: asyncio.Task[None]) -> None:
        """Cancel the handlers and wait for their end. A thread cannot be cancelled: it is let finish."""
        reader.cancel()
        if self._threads is None:
            for task in self._running:
                task.cancel()
        while unfinished := [task for task in (reader, *self._running) if not task.done()]:
            # A second cancellation must not leave tasks behind.
            with suppress(asyncio.CancelledError):
                await asyncio.wait(unfinished)


async def _finish(result: object) -> None:
    """Await what a caller's function gave, if that is to be awaited."""
    if isinstance(result, Awaitable):
        await result


def _error_of(handler: Callable[[T], object], item: T) -> BaseException | None:
    """Call a plain handler, in a thread. Its error is returned: a future takes no StopIteration."""
    try:
        result = handler(item)
    except BaseException as error:
        return error
    if not inspect.isawaitable(result):
        return None
    # A coroutine that nobody awaits would do nothing, for every object.
    if inspect.iscoroutine(result):
        result.close()
    return InvalidArgumentError("the handler is a plain function and returned a coroutine: pass an async function")
