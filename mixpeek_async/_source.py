"""A list endpoint as a source of pages: what every verb that lists is made of."""

import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from mixpeek_async._page_reader import Check
from mixpeek_async._paging import UNREADABLE, Bookmark, ReceivedPage, Scope, refuse_page_of_older_server
from mixpeek_async._record import Record
from mixpeek_async._transport import Transport
from mixpeek_async._wire import Listing, Response, identifier, parse_page, structurer
from mixpeek_async.errors import InvalidArgumentError, InvalidObjectError
from mixpeek_async.models import Progress
from mixpeek_async.query import ListOptions, PageRequest

R = TypeVar("R", bound=Record)

# Every model that is listed by creation has it; read for each object, so that a function of Python's would cost.
_created_at: Callable[[Any], datetime | None] = operator.attrgetter("created_at")


class EndpointSource(Generic[R]):
    """Pages of `model` from `listing`; `key` is the field of the model that tells two of them apart."""

    def __init__(self, transport: Transport, listing: Listing, model: type[R], key: str) -> None:
        self._transport = transport
        self._listing = listing
        self.structure: Callable[[Any, int], R] = structurer(model)
        self.identify: Callable[[Any], str] = identifier(key)
        self.item_id: Callable[[R], str] | None = operator.attrgetter(key)
        self.newest_first = listing.newest_first
        self._by_creation = listing.by_creation
        self.ids_only = listing.outline_body is not None
        self.start = transport.start
        self.may_try_again = transport.may_try_again
        self.scope = Scope(listing.path, transport.namespace, (listing.body or b"").decode())

    def created_at(self, row: Any) -> datetime | None:
        """The creation date of a row: None if the list has another order, UNREADABLE of a malformed row."""
        if not self._by_creation:
            return None
        try:
            return _created_at(self.structure(row, 0))
        except InvalidObjectError:
            return UNREADABLE

    async def fetch(
        self, request: PageRequest, progress: Progress, check: Check, *, once: bool = False
    ) -> ReceivedPage:
        """The page, after as many attempts as the retry policy allows, or only `once`."""

        def parse(response: Response) -> ReceivedPage:
            page = parse_page(response)
            refuse_page_of_older_server(page.pagination, request)
            check(request, page)
            return page

        page = await self._transport.call(self._listing.page(request), parse, progress, once=once)
        offset = request.start.offset if request.start.cursor is None else None
        self._transport.telemetry.page(self._listing.path, offset, request.limit, len(page.rows))
        return page


def open_checkpoint(text: str | None, scope: Scope, options: ListOptions) -> Bookmark | None:
    """The checkpoint to resume at, if any, after a look at whether it fits; InvalidArgumentError beside an offset."""
    if text is None:
        return None
    if options.offset:
        raise InvalidArgumentError("pass resume or offset, not both: the checkpoint holds the place")
    return Bookmark.decode(text, scope)
