"""A list endpoint as a source of pages, and the keyword arguments that all lists share."""

import operator
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar

import attrs

from mixpeek_async._model import Model, structurer
from mixpeek_async._paging import Checkpoint, ReceivedPage, Scope
from mixpeek_async._transport import Transport
from mixpeek_async._wire import ListEndpoint, parse_page, row_date, row_id
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.models import Progress
from mixpeek_async.pager import Pager
from mixpeek_async.query import InvalidPolicy, ListOptions, PageRequest, Query

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")
Q = TypeVar("Q", bound=Query)


class ListKwargs(TypedDict, total=False):
    """The keyword arguments that all lists share. `Objects.list` explains them."""

    page_size: int
    max_items: int | None
    offset: int
    include_total: bool
    resume: str | None
    on_invalid: InvalidPolicy
    prefetch: int
    concurrency: int


class EndpointSource(Generic[T]):
    """Pages of an endpoint, whose rows become objects of `model`: one of our models, or a user's class.

    `key` is the field that tells two rows apart.
    """

    def __init__(
        self,
        transport: Transport,
        endpoint: ListEndpoint,
        model: type[T],
        key: str,
        converter: "cattrs.BaseConverter | None" = None,
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self.structure: Callable[[Any, int], T] = row_structurer(model, converter)
        self.identify: Callable[[Any], str] = row_id(key)
        # A user's class need not have the key: its id is read from the row.
        self.item_id: Callable[[T], str] | None = operator.attrgetter(key) if issubclass(model, Model) else None
        # In any other order, a date says nothing about a row's position.
        self.created_at: Callable[[Any], datetime | None] = row_date if endpoint.by_creation else _no_date
        self.has_outlines = endpoint.outline_body is not None
        self.start = transport.start
        self.may_try_again = transport.may_try_again
        self.scope = Scope(endpoint.path, transport.namespace, (endpoint.body or b"").decode())
        self._ask_by_item()

    def _ask_by_item(self) -> None:
        """`identity` and `date` of an item, for a reader that does not ask by row yet."""
        row, structure = None, self.structure

        def remember(row_: Any, index: int) -> T:
            nonlocal row
            row = row_
            return structure(row_, index)

        self.identity: Callable[[T], str] = self.item_id or (lambda _: self.identify(row))
        self.date: Callable[[T], datetime | None] = lambda _: self.created_at(row)
        if self.item_id is None:
            self.structure = remember
        elif self.created_at is row_date:
            self.date = operator.attrgetter("created_at")

    async def fetch(self, request: PageRequest, progress: Progress) -> ReceivedPage:
        """The page of `request`, after as many attempts as it takes; an outline gets one attempt."""
        page = await self._transport.call(self._endpoint.page(request), parse_page, progress, once=request.outline)
        offset = request.position.offset if request.position.cursor is None else None
        self._transport.telemetry.page(self._endpoint.path, offset, request.limit, len(page.rows))
        return page


def row_structurer(
    model: type[T], converter: "cattrs.BaseConverter | None" = None, root: str = "$.results[{}]"
) -> Callable[[Any, int], T]:
    """A function that makes a `model` of row number `index` of a page, or raises InvalidObjectError.

    InvalidArgumentError for a `model` that is no class with fields.
    """
    if isinstance(model, type) and issubclass(model, Model):
        return structurer(model, root)
    # Importing cattrs takes a tenth of the time of this package: only those who need it pay.
    from mixpeek_async._converter import class_structurer

    return class_structurer(model, converter, root)


def take_query(cls: type[Q], query: Q | None, options: dict[str, Any]) -> Q:
    """`query`, or the query of those `options` that are its fields, which are taken out."""
    return cls.given(query, **{name: options.pop(name) for name in attrs.fields_dict(cls) if name in options})


def new_pager(source: EndpointSource[T], options: dict[str, Any]) -> Pager[T]:
    """A pager over `source`. TypeError for a keyword that is none of ListKwargs."""
    unknown = options.keys() - ListKwargs.__annotations__.keys()
    if unknown:
        raise TypeError(f"list() got an unexpected keyword argument {min(unknown)!r}")
    resume = options.pop("resume", None)
    checked = ListOptions(**options)
    if resume is not None and checked.offset:
        raise InvalidArgumentError("pass resume or offset, not both: the checkpoint holds the position")
    return Pager(source, checked, None if resume is None else Checkpoint.decode(resume, source.scope))


def _no_date(_: object) -> None:
    return None
