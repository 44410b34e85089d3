"""A list endpoint as a source of pages: what every verb that lists is made of."""

import operator
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from mixpeek_async._paging import ReceivedPage
from mixpeek_async._transport import Transport
from mixpeek_async._wire import Listing, identifier, parse_page, structurer
from mixpeek_async.models import Progress, Record
from mixpeek_async.query import PageRequest

__all__ = ["EndpointSource"]

R = TypeVar("R", bound=Record)


class EndpointSource(Generic[R]):
    """Pages of `model` from `listing`; `key` is the field of the model that tells two of them apart."""

    def __init__(self, transport: Transport, listing: Listing, model: type[R], key: str) -> None:
        self._transport = transport
        self._listing = listing
        self.structure: Callable[[Any, int], R] = structurer(model)
        self.identify: Callable[[Any], str | None] = identifier(key)
        self.identity: Callable[[R], str] = operator.attrgetter(key)

    async def fetch(self, request: PageRequest, progress: Progress) -> ReceivedPage:
        """The page asked for, however often it takes."""
        return await self._transport.call(self._listing.page(request), parse_page, progress)
