"""A list endpoint as a source of pages: what every verb that lists is made of."""

import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from mixpeek_async._paging import Checkpoint, ReceivedPage, Scope
from mixpeek_async._record import Record
from mixpeek_async._transport import Transport
from mixpeek_async._wire import Listing, identifier, parse_page, structurer
from mixpeek_async.errors import InvalidArgumentError
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
        self.identity: Callable[[R], str] = operator.attrgetter(key)
        self.date: Callable[[R], datetime | None] = _created_at if listing.by_creation else _no_date
        self.has_outlines = listing.outline_body is not None
        self.start = transport.start
        self.may_try_again = transport.may_try_again
        self.without_key = transport.without_key
        self.scope = Scope(listing.path, transport.namespace, (listing.body or b"").decode())

    async def fetch(self, request: PageRequest, progress: Progress) -> ReceivedPage:
        """The page asked for, however often it takes; an outline is asked for once."""
        page = await self._transport.call(self._listing.page(request), parse_page, progress, once=request.outline)
        offset = request.position.offset if request.position.cursor is None else None
        self._transport.telemetry.page(self._listing.path, offset, request.limit, len(page.rows))
        return page


def _no_date(_: object) -> None:
    """In any other order, a date says nothing of a record's place."""


def open_checkpoint(text: str | None, scope: Scope, options: ListOptions) -> Checkpoint | None:
    """The checkpoint to resume at, if any, after a look at whether it fits; InvalidArgumentError beside an offset."""
    if text is None:
        return None
    if options.offset:
        raise InvalidArgumentError("pass resume or offset, not both: the checkpoint holds the place")
    return Checkpoint.decode(text, scope)
