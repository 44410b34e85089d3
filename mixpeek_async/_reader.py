"""Reading a listing from a place on: the page that is open, the next one, and what stands in the checkpoint."""

import asyncio
from datetime import datetime
from typing import Any, Generic, NoReturn, Protocol, TypeVar

import attrs

from mixpeek_async._paging import Accepted, Checkpoint, Course, Memory, Place, ReceivedPage, Scope, Trail
from mixpeek_async._read_ahead import Fetcher, ReadAhead
from mixpeek_async.errors import InvalidObjectError, MixpeekError, StatusError
from mixpeek_async.models import Progress
from mixpeek_async.query import MAX_CONCURRENCY, ListOptions, PageRequest, Position

__all__ = ["NOTHING", "OpenPage", "PageSource", "Reader"]

T = TypeVar("T")

NOTHING: Any = object()
"""What taking from a page gives when it has been read."""


class PageSource(Fetcher, Protocol[T]):
    """Where pages of `T` come from. `row` is one element of `ReceivedPage.rows`."""

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
        self._passed_row = False
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
                page.new += 1
                self._on_invalid(error)
                continue
            identity = self._source.identity(item)
            if self._memory.add(identity):
                self.progress.items += 1
                self._passed_row = False
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
            return False

    def _open(self, request: PageRequest, received: ReceivedPage) -> bool:
        accepted = self._course.receive(request, received)
        if accepted is None:
            return False
        self.progress.pages += 1
        self.page = OpenPage(request, received, accepted, next=accepted.skip)
        return True

    def close(self) -> None:
        """End the walk here."""
        self._closed = True
        self._close_page()
        self.ahead.close()

    def checkpoint(self) -> Checkpoint:
        """Where the next object is, and by what it can be found when the list has changed."""
        place = self.page.place if self.page else self._place
        if self._passed_row:
            # The row before the place cannot be had: there is nothing to check the place by.
            return Checkpoint(scope=self._source.scope, place=place)
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
        """The page, and what it was asked for with; None when a smaller one is to be asked for in its place."""
        retries = self.progress.retries
        try:
            fetched = await self.ahead.take(request)
            if fetched is None:
                return None
        except MixpeekError as error:
            self._narrow()
            if self._course.shrink(error, self._source.may_try_again):
                return None
            self._raise(error, request)
        # Whoever is refused or fails asks for fewer pages at once, whoever is served for more.
        if self.progress.retries > retries:
            self._narrow()
        else:
            self._window = min(self._window * 4, MAX_CONCURRENCY)
        return fetched

    def _narrow(self) -> None:
        self._window = max(1, self._window // 2)

    def _raise(self, error: MixpeekError, request: PageRequest) -> NoReturn:
        self.ahead.cancel()
        explained = self._course.explain(error, request) if isinstance(error, StatusError) else error
        explained = self._course.name_row(explained)
        behind = self._course.pass_row(error)
        if behind is not None:
            self._place, self._passed_row = behind, True
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
