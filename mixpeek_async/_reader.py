"""Reading a listing from a place on: the page that is open, the next one, and what stands in the checkpoint."""

import asyncio
import copy
from datetime import datetime
from typing import Any, Generic, NoReturn, Protocol, TypeVar

import attrs

from mixpeek_async._paging import (
    Accepted,
    Checkpoint,
    Course,
    Memory,
    Place,
    ReceivedPage,
    Scope,
    Trail,
    is_too_large,
    may_be_too_large,
)
from mixpeek_async._read_ahead import Fetcher, ReadAhead
from mixpeek_async._text import printable
from mixpeek_async.errors import InvalidObjectError, MixpeekError, StatusError
from mixpeek_async.models import Progress
from mixpeek_async.query import MAX_CONCURRENCY, ListOptions, PageRequest, Position

T = TypeVar("T")

NOTHING: Any = object()
"""What taking from a page gives when it has been read."""


class PageSource(Fetcher, Protocol[T]):
    """Where pages of `T` come from. `row` is one element of `ReceivedPage.rows`."""

    def structure(self, row: Any, index: int, /) -> T:
        """Row number `index` of its page as a `T`; InvalidObjectError where it is none."""
        ...

    def identify(self, row: Any, /) -> str:
        """The id of a row, without structuring it; what else tells it from others where it has none."""
        ...

    def identity(self, item: T, /) -> str:
        """The id of a structured row."""
        ...

    def date(self, item: T, /) -> datetime | None:
        """When `item` was created; None where the list is not in the order of creation."""
        ...

    def without_key(self, error: InvalidObjectError, /) -> InvalidObjectError:
        """`error` without the API key, in case the server sent it back in a row."""
        ...

    @property
    def scope(self) -> Scope:
        """What is listed, for the checkpoint."""
        ...

    @property
    def has_outlines(self) -> bool:
        """Whether rows can be had without what makes them large."""
        ...


@attrs.define
class OpenPage:
    """The page that is being read; rows before `next` were dealt with, and `new` of them were no repeats.

    `ahead` is whether the walk has set out for the pages behind it.
    """

    request: PageRequest
    received: ReceivedPage
    accepted: Accepted
    next: int
    new: int = 0
    ahead: bool = False

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


class Reader(Generic[T]):
    """The state of one walk. Whatever fails or is cancelled leaves it as it was, so that it can be asked again."""

    def __init__(self, source: PageSource[T], options: ListOptions, resume: Checkpoint | None) -> None:
        self.progress = Progress()
        self.page: OpenPage | None = None
        self.ahead = ReadAhead(source, self.progress)
        self._source = source
        self._options = options
        self._memory = Memory(resume.anchors if resume else ())
        self._course = Course(options, source.identify, self._date_of_row, self._memory, self.progress, resume)
        self._place = resume.place if resume else Place(Position(options.offset))
        self._trail = Trail(self._place, resume)
        self._last_id = resume.last_id if resume else None
        self._failed: Position | None = None
        self._suspect: tuple[Position, str] | None = None
        self._window = 1
        self._lock = asyncio.Lock()
        self._closed = False

    def take(self) -> T:
        """The next object of the open page, structured now that it is reached, or NOTHING."""
        page = self.page
        while page is not None and page.unread and self._wanted != 0:
            index = page.next
            # Before structuring, so that the walk goes on behind a record that cannot be.
            page.next += 1
            try:
                item = self._source.structure(page.received.rows[index], index)
            except InvalidObjectError as error:
                # Each is reported once: a walk that steps back comes upon it again.
                if self._memory.add(self._source.identify(page.received.rows[index])):
                    page.new += 1
                    self._on_invalid(self._source.without_key(error))
                else:
                    self.progress.repeats += 1
                continue
            identity = self._source.identity(item)
            if self._memory.add(identity):
                self.progress.items += 1
                page.new += 1
                self._trail.add(identity, self._source.date(item))
                if not page.ahead:
                    page.ahead = True
                    self._read_ahead(page)
                return item
            self.progress.repeats += 1
        return NOTHING  # type: ignore[no-any-return]  # the one value that is no T

    async def turn_page(self) -> bool:
        """Open the next page; False at the end of the walk."""
        async with self._lock:
            if self._closed or self._has_unread():
                return not self._closed
            self._close_page()
            while (request := self._course.request(self._wanted)) is not None:
                fetched = await self._fetch(request)
                if self._closed:
                    return False
                if fetched is not None and self._open(*fetched):
                    return True
                # A row may have been passed.
                self._close_page()
            return False

    def _open(self, request: PageRequest, received: ReceivedPage) -> bool:
        accepted = self._course.receive(request, received)
        if accepted is None:
            return False
        self.progress.pages += 1
        self.page = OpenPage(request, received, accepted, next=accepted.skip)
        self._pass_known(self.page)
        return True

    def _pass_known(self, page: OpenPage) -> None:
        """Begin behind the rows that come again, so that a checkpoint does not stand before them."""
        while page.unread and self._source.identify(page.received.rows[page.next]) in self._memory:
            page.next += 1
            self.progress.repeats += 1

    def close(self) -> None:
        """End the walk here."""
        self._closed = True
        self._close_page()
        self.ahead.close()

    def checkpoint(self) -> Checkpoint:
        """Where the next object is, and by what it can be found when the list has changed."""
        place = self.page.place if self.page else self._place
        return Checkpoint(
            scope=self._source.scope,
            place=place,
            last_id=self._id_before_place(),
            anchors=self._trail.anchors(),
            last_date=self._trail.deciding_date(),
        )

    @property
    def _wanted(self) -> int | None:
        """How many more objects `max_items` leaves room for; None for all."""
        most = self._options.max_items
        return None if most is None else most - self.progress.items

    def _on_invalid(self, error: InvalidObjectError) -> None:
        self.progress.invalid += 1
        match self._options.on_invalid:
            case "raise":
                raise error
            case "skip":
                pass
            case call:
                call(error)

    def _has_unread(self) -> bool:
        return self.page is not None and bool(self.page.unread) and self._wanted != 0

    def _close_page(self) -> None:
        page, last_id = self.page, self._id_before_place()
        if page is not None:
            self.page, self._place, self._last_id = None, page.place, last_id
            self._course.consumed(page.received.rows[page.accepted.skip :], page.new)

    async def _fetch(self, request: PageRequest) -> tuple[PageRequest, ReceivedPage] | None:
        """The page, and what it was asked for with; None when another one is to be asked for in its place."""
        retries = self.progress.retries
        try:
            fetched = await self.ahead.take(request)
        except MixpeekError as error:
            failure = error
        else:
            self._widen_or_narrow(self.progress.retries > retries)
            return fetched
        # Out here: an error that takes the place of this one does not drag it along.
        self._narrow()
        self.ahead.cancel()
        await self._ask_for_less(request, failure)
        return None

    def _widen_or_narrow(self, refused: bool) -> None:
        # Whoever is refused or fails asks for fewer pages at once, whoever is served for more.
        if refused:
            self._narrow()
        else:
            self._window = min(self._window * 4, MAX_CONCURRENCY)

    def _narrow(self) -> None:
        self._window = max(1, self._window // 2)

    async def _ask_for_less(self, request: PageRequest, error: MixpeekError) -> None:
        """Have half of the page asked for next, or pass the one row that it is down to. Raises where neither helps."""
        alone, certain = request.limit == 1, is_too_large(error)
        outline = await self._outline(request, error) if alone or not certain else None
        if (certain or outline) and self._course.shrink(request):
            return
        if alone and outline:
            self._judge(request, outline, error)
        elif certain:
            raise _named(error, self._course.blame(request))
        else:
            self._raise(error, request)

    async def _outline(self, request: PageRequest, error: MixpeekError) -> ReceivedPage | None:
        """The first row of a page that could not be had, without what may make it large.

        Where that comes the server is well, and the rows are to blame. None where it does not, or where nothing speaks
        for a fault of the rows.
        """
        if not (self._source.has_outlines and may_be_too_large(error)):
            return None
        if not is_too_large(error) and (self._is_first_failure(request) or not self._source.may_try_again()):
            return None
        try:
            page = await self._source.fetch(attrs.evolve(request, limit=1, outline=True), self.progress)
        except MixpeekError:
            return None
        return page if len(page.rows) == 1 else None

    def _is_first_failure(self, request: PageRequest) -> bool:
        """Whether a server that has not answered this walk yet has failed once only: it may just be down."""
        failed, self._failed = self._failed, request.position
        return self.progress.pages == 0 and failed != request.position

    def _judge(self, request: PageRequest, outline: ReceivedPage, error: MixpeekError) -> None:
        """Pass the row of `outline` if it is to blame for `error`; else have it asked for once more.

        The list may have shifted after the failure: to blame is who stands there both before and after one.
        """
        seen, self._suspect = self._suspect, (request.position, self._source.identify(outline.rows[0]))
        if seen == self._suspect:
            self._pass_row(request, outline, error)

    def _pass_row(self, request: PageRequest, outline: ReceivedPage, error: MixpeekError) -> None:
        """Go on behind the row of `outline`, and raise the `error` that names it, unless that was done."""
        accepted = self._course.receive(request, outline)
        if accepted is None:
            return
        page = self.page = OpenPage(request, outline, accepted, next=1)
        identity = self._source.identify(outline.rows[0])
        if accepted.skip or not self._memory.add(identity):
            return
        page.new = 1
        self._trail.add(identity, self._date_of_row(outline.rows[0]))
        raise _named(error, self._course.blame(request, identity))

    def _raise(self, error: MixpeekError, request: PageRequest) -> NoReturn:
        explained = self._course.explain(error, request) if isinstance(error, StatusError) else error
        if explained is error:
            raise error
        raise explained from error

    def _read_ahead(self, page: OpenPage) -> None:
        """Set out for the next pages, now that this one is being read."""
        depth = (
            min(self._window, self._options.concurrency) if self._options.concurrency > 1 else self._options.prefetch
        )
        if not depth:
            return
        wanted = None if self._wanted is None else max(0, self._wanted - page.unread)
        try:
            self.ahead.want(self._course.next_requests(wanted, depth))
        except MixpeekError:
            # What stands in the way is said when the walk gets there.
            self.ahead.cancel()

    def _date_of_row(self, row: Any) -> datetime | None:
        try:
            return self._source.date(self._source.structure(row, 0))
        except InvalidObjectError:
            return None

    def _id_before_place(self) -> str | None:
        """The id of the last row that was dealt with, be it a record that could not be structured."""
        page = self.page
        return self._source.identify(page.received.rows[page.next - 1]) if page and page.next else self._last_id


def _named(error: MixpeekError, what: str) -> MixpeekError:
    """A copy of `error` that says what it is about."""
    named = copy.copy(error)
    named.args = (f"{printable(what)}: {error.message}",)
    return named
