"""A list endpoint as a source of pages, and the keyword arguments that all lists share."""

import copy
import logging
import operator
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar

import attrs

from mixpeek_async._clock import Budget
from mixpeek_async._model import Model, structurer
from mixpeek_async._options import InvalidPolicy, ListOptions, PageRequest
from mixpeek_async._page_reader import Check
from mixpeek_async._paging import MALFORMED, Bookmark, Digest, ReceivedPage, Scope, refuse_page_of_older_server
from mixpeek_async._text import printable
from mixpeek_async._transport import Transport
from mixpeek_async._wire import ListEndpoint, Response, long_id, parse_page, row_date, row_id, row_text
from mixpeek_async.errors import InvalidArgumentError, InvalidObjectError
from mixpeek_async.models import Progress
from mixpeek_async.pager import Pager
from mixpeek_async.query import Query

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")
R = TypeVar("R")
Q = TypeVar("Q", bound=Query)


class CursorListKwargs(TypedDict, total=False):
    """The keyword arguments of a list that is paged by cursor only. `Objects.list` explains them."""

    page_size: int
    max_items: int | None
    resume: str | None
    on_invalid: InvalidPolicy
    prefetch: int


class ListKwargs(CursorListKwargs, total=False):
    """The keyword arguments of all other lists. `Objects.list` explains them."""

    offset: int
    include_total: bool
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
        digest: Digest | None = None,
    ) -> None:
        # First: pickle refuses a transport, in clear words.
        self._use(transport)
        self._endpoint = endpoint
        self._digest = digest
        self._key = key
        self.model = model
        self.structure: Callable[[Any, int], T] = row_structurer(model, converter)
        self.identify: Callable[[Any], str] = row_id(key)
        self.item_id: Callable[[T], str] | None = None
        if issubclass(model, Model):
            self.item_id = operator.attrgetter(key)
        else:
            # A user's class need not have the key: its id is read from the row, and checked there.
            self.structure = _refuse_long_ids(self.structure, key)
        self.newest_first = endpoint.newest_first
        self.row_cursor = None if endpoint.cursor_key is None else row_text(endpoint.cursor_key)
        self.ids_only = endpoint.ids_body is not None
        self.appends = endpoint.appends
        self.scope = Scope(endpoint.path, transport.namespace, endpoint.question)

    def _use(self, transport: Transport) -> None:
        self._transport = transport
        self.clock = transport.clock
        self.pause = transport.pause
        self.start = transport.start
        self.may_try_again = transport.may_try_again
        self.without_key = transport.without_key
        self.budget = transport.budget
        self.aclose = transport.aclose

    def with_structure(self, structure: Callable[[Any, int], R]) -> "EndpointSource[R]":
        """The same pages, of whose rows `structure` makes something else that has the field of the id."""
        source: Any = copy.copy(self)
        source.structure, source.item_id = structure, operator.attrgetter(self._key)
        return source  # type: ignore[no-any-return]  # the copy has another type

    def detached(self) -> "EndpointSource[T]":
        """The same pages over a connection and limits of its own, for another event loop. Close it with `aclose`."""
        source = copy.copy(self)
        source._use(self._transport.detached())
        return source

    def created_at(self, row: Any) -> datetime | None:
        """The creation date of a row: None if the list has another order, MALFORMED of a bad row without a date."""
        if not self._endpoint.by_creation:
            return None
        date = row_date(row)
        if date is None:
            try:
                self.structure(row, 0)
            except InvalidObjectError:
                return MALFORMED
        return date

    def checkpoint(self, bookmark: Bookmark) -> str:
        """The place as a string for `resume=…`."""
        return bookmark.encode(self.scope, self._digest)

    def resume(self, checkpoint: str) -> Bookmark:
        """The place in `checkpoint`. CheckpointError if it does not fit this listing."""
        return Bookmark.decode(checkpoint, self.scope, self._digest)

    def log_unreadable(self, parts: tuple[str, ...]) -> None:
        """Tell the log which parts of an answer could not be read. No row is lost by it."""
        line = "%s: parts of an answer have a wrong type and were ignored (logged once a walk): %s"
        self._transport.telemetry.log(logging.WARNING, line, self._endpoint.path, printable("; ".join(parts)))

    async def fetch(
        self, request: PageRequest, progress: Progress, check: Check, budget: Budget, *, once: bool = False
    ) -> ReceivedPage:
        """The page, after as many attempts as the retry policy allows, or only `once`."""

        def parse(response: Response) -> ReceivedPage:
            page = parse_page(response, request.limit, has_total_count=self._endpoint.has_total_count)
            if page.warnings:
                page = attrs.evolve(page, left_out=self._endpoint.left_out(page.warnings))
            refuse_page_of_older_server(page.pagination, request)
            check(request, page)
            return page

        wire_request = self._endpoint.page(request)
        page = await self._transport.call(wire_request, parse, progress, once=once, budget=budget)
        for warning in page.warnings:
            if progress.note_warning(warning):
                self._transport.log_warning(self._endpoint.path, warning)
        offset = request.start.offset if request.start.cursor is None else None
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


def _refuse_long_ids(structure: Callable[[Any, int], T], key: str) -> Callable[[Any, int], T]:
    problem_of = long_id(key)

    def checked(row: Any, index: int) -> T:
        item = structure(row, index)
        if (problem := problem_of(row)) is not None:
            path = f"$.results[{index}].{key}"
            raise InvalidObjectError(f"{path}: {problem}", path=path, raw=bytes(row))
        return item

    return checked


def take_query(cls: type[Q], query: Q | None, options: dict[str, Any]) -> Q:
    """`query`, or the query of those `options` that are its fields, which are taken out."""
    return cls.from_arguments(query, **{name: options.pop(name) for name in attrs.fields_dict(cls) if name in options})


def new_pager(
    source: EndpointSource[T], options: dict[str, Any], kwargs: type[CursorListKwargs] = ListKwargs
) -> Pager[T]:
    """A pager over `source`. TypeError for a keyword that is none of `kwargs`."""
    unknown = options.keys() - kwargs.__annotations__.keys()
    if unknown:
        raise TypeError(f"list() got an unexpected keyword argument {min(unknown)!r}")
    resume = options.pop("resume", None)
    checked = ListOptions(**options)
    if resume is not None and checked.offset:
        raise InvalidArgumentError("pass resume or offset, not both: the checkpoint holds the position")
    return Pager(source, checked, None if resume is None else source.resume(resume))
