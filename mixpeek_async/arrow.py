"""Walks as Arrow record batches, for pyarrow, pandas, Polars, DuckDB and whoever else reads Arrow's C stream.

Rows become columns without the objects between: a row is checked by its model, as in any walk, and decoded once more
into a struct of plain values, in which a part that may hold any JSON stays text.
"""

import functools
import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Protocol, Union, get_args, get_origin

import attrs
import msgspec

from mixpeek_async._checks import bool_
from mixpeek_async._loop_thread import LoopThread
from mixpeek_async._model import UNREADABLE, Model, _get_raw, _set_raw, _Stored, inner_model, json_fields, structurer
from mixpeek_async._options import ListOptions
from mixpeek_async._page_reader import PageSource
from mixpeek_async._paging import Bookmark
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.models import Object, Page, Progress
from mixpeek_async.pager import PageWalk, Walk

try:
    import pyarrow as pa
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "Arrow needs pyarrow, which is not installed: pip install 'mixpeek-async[arrow]'", name=_error.name
    ) from _error

__all__ = ["ArrowWalk", "schema"]


def schema(model: type[Model] = Object, *, lean: bool = False) -> pa.Schema:
    """The columns of a walk over objects of `model`, one of our models; docs/reference/arrow.md lists them.

    `lean`: the scalar fields, and the JSON of the whole object as text in the column `json`.
    """
    return _table(model, lean=lean).schema


class ArrowSource(PageSource[Any], Protocol):
    """A source of pages whose rows can become something else, also in another event loop."""

    model: type[Any]
    """The class of its objects."""

    def with_structure(self, structure: Callable[[Any, int], Any], /) -> PageSource[Any]:
        """The same pages. `structure` makes something of a row that has the id under its key."""
        ...

    def detached(self) -> "ArrowSource":
        """The same pages for another event loop, over a connection and limits of its own. Close it with `aclose`."""
        ...

    async def aclose(self) -> None:
        """Close the connection."""
        ...


class ArrowWalk(AbstractAsyncContextManager["ArrowWalk"]):
    """One walk over a list, as record batches: each holds the new objects of one page.

        async for batch in walk:        in async code
        polars.DataFrame(walk)          in all other code, and so for every library that reads Arrow's C stream

    In async code it is the same as a `PageWalk`. A library that is not async opens a stream, which is a walk of its
    own, from the start: it runs in a thread, over a connection and limits of its own, from the first batch that the
    library asks for until the stream is dropped. The library shows an error as text; `error` is the error itself.
    """

    def __init__(
        self, source: ArrowSource, options: ListOptions, resume: Bookmark | None, *, lean: bool = False
    ) -> None:
        self._table = _table(source.model, lean=lean)
        self._source = source
        self._options = options
        self._resume = resume
        self._pages = self._latest = self._walk(source)
        self.error: BaseException | None = None
        """What ended the latest stream; None if it reached the end of the list, or was dropped before."""

    def _walk(self, source: ArrowSource) -> PageWalk[Any]:
        return PageWalk(Walk(source.with_structure(self._table.structure), self._options, self._resume))

    @property
    def schema(self) -> pa.Schema:
        """The columns of every batch."""
        return self._table.schema

    @property
    def progress(self) -> Progress:
        """Counts of what the walk has done so far; once a stream was read, of the latest one."""
        return self._latest.progress

    @property
    def checkpoint(self) -> str:
        """Behind the batch that was handed out last, as a string for `resume=…`; of the latest stream, if there is one.

        A library may have asked for a batch that it did not use.
        """
        return self._latest.checkpoint

    @property
    def checkpoint_before(self) -> str:
        """In front of the batch that was handed out last, as a string for `resume=…`: its objects come again."""
        return self._latest.checkpoint_before

    def __aiter__(self) -> "ArrowWalk":
        return self

    async def __anext__(self) -> pa.RecordBatch:
        page = await self._pages.__anext__()
        return self._table.batch(page.results)

    async def aclose(self) -> None:
        """End the walk here. The client stays open."""
        await self._pages.aclose()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A stream for a library that reads Arrow, as a PyCapsule. Nothing is sent before its first batch is asked for.

        InvalidArgumentError for a client that already works in the running event loop, or over a session of yours.
        """
        batches = self._stream(self._source.detached())
        return pa.RecordBatchReader.from_batches(self.schema, batches).__arrow_c_stream__(requested_schema)

    def _stream(self, source: ArrowSource) -> Iterator[pa.RecordBatch]:
        self.error = None
        pages = self._latest = self._walk(source)
        # A reader that wants five rows shall cost one request.
        pages._reader.reads_ahead = False
        with LoopThread(source.aclose) as thread:
            while (page := self._next_page(thread, pages)) is not None:
                yield self._table.batch(page.results)
                pages._reader.reads_ahead = True
        if self.error is not None:
            # Arrow makes a text of the error and its traceback. Without ours, the text is short.
            raise OSError(f"{type(self.error).__name__}: {self.error}")

    def _next_page(self, thread: LoopThread, pages: PageWalk[Any]) -> Page[Any] | None:
        try:
            return thread.run(pages.__anext__())
        except StopAsyncIteration:
            return None
        # Also KeyboardInterrupt, which no library lets through.
        except BaseException as error:
            self.error = error
            return None


# --- from a model to columns ---

_NULL = msgspec.Raw(b"null")
_TYPES: dict[Any, pa.DataType] = {
    str: pa.string(),
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    datetime: pa.timestamp("us", tz="UTC"),
}


@attrs.frozen
class _Column:
    """How the values of a field become an array of `type`. msgspec decodes a value as `hint`, Raw for any JSON."""

    name: str
    type: pa.DataType
    hint: Any
    default: Any
    array: Callable[[list[Any]], pa.Array]

    @property
    def empty(self) -> Any:
        """The value that becomes null."""
        return _NULL if self.hint is msgspec.Raw else None


def _column(field: "attrs.Attribute[Any]") -> _Column:
    inner = inner_model(field.type)
    if inner is not None:
        nested = _Nested(inner)
        if get_origin(field.type) is list:
            hint: Any = list[nested.struct] | None  # type: ignore[name-defined]  # at run time
            return _Column(field.name, pa.list_(nested.type), hint, None, nested.lists)
        return _Column(field.name, nested.type, nested.struct | None, None, nested.structs)
    type_ = _scalar_type(field)
    if type_ is None:
        return _Column(field.name, pa.string(), msgspec.Raw, _NULL, _texts)
    array = _integers if type_ == pa.int64() else functools.partial(pa.array, type=type_)
    return _Column(field.name, type_, field.type, field.default, array)


def _scalar_type(field: "attrs.Attribute[Any]") -> pa.DataType | None:
    """The type of a field that holds no other values than of one scalar type, and null."""
    kinds = _kinds(field.type)
    if len(kinds) > 1:
        return None
    return pa.string() if issubclass(kinds[0], Enum) else _TYPES.get(kinds[0])


def _kinds(hint: Any) -> list[type]:
    """The classes that a value of a field may have, without None."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return [kind for arg in args for kind in _kinds(arg) if kind is not NoneType]
    if origin is Annotated:
        return _kinds(args[0])
    return [object if hint is Any else origin or hint]


def _struct(name: str, columns: Sequence[_Column], *, base: type[msgspec.Struct] = msgspec.Struct) -> Any:
    fields = [
        (column.name, column.hint) if column.default is attrs.NOTHING else (column.name, column.hint, column.default)
        for column in columns
    ]
    # Without cycles there is nothing to do for the garbage collector, however many rows are alive.
    return msgspec.defstruct(name, fields, bases=(base,), kw_only=True, eq=False, gc=False)


def _arrays(columns: Sequence[_Column], rows: Sequence[Any]) -> list[pa.Array]:
    return [column.array(list(map(operator.attrgetter(column.name), rows))) for column in columns]


class _Nested:
    """A model within a model, as an Arrow struct."""

    def __init__(self, model: type[Model]) -> None:
        self._columns = [_column(field) for field in json_fields(model)]
        self.type = pa.struct([(column.name, column.type) for column in self._columns])
        self.struct = _struct(model.__name__, self._columns)
        self._empty = self.struct(**{column.name: column.empty for column in self._columns})

    def structs(self, values: list[Any]) -> pa.Array:
        """One struct for each value; null for None."""
        mask = pa.array([value is None for value in values], pa.bool_())
        arrays = _arrays(self._columns, [self._empty if value is None else value for value in values])
        return pa.StructArray.from_arrays(arrays, fields=list(self.type), mask=mask)

    def lists(self, values: list[Any]) -> pa.Array:
        """One list of structs for each list; an empty one for None, as in the model."""
        flat = [item for items in values if items for item in items]
        ends = itertools.accumulate((len(items) if items else 0 for items in values), initial=0)
        structs = pa.StructArray.from_arrays(_arrays(self._columns, flat), fields=list(self.type))
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), structs, type=pa.list_(self.type))


def _integers(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values, pa.int64())
    except (OverflowError, pa.ArrowInvalid):
        # JSON bounds no integer, and the model takes them all.
        fitting = [value if value is not None and -(2**63) <= value < 2**63 else None for value in values]
        return pa.array(fitting, pa.int64())


def _texts(values: list[Any]) -> pa.Array:
    if values.count(_NULL) == len(values):
        # Most servers send few of the keys that there are.
        return pa.nulls(len(values), pa.string())
    return pa.array([None if text == b"null" else text for text in map(bytes, values)], pa.string())


def _strict_structurer(model: type[Model], struct: Any) -> Callable[[Any, int], Any]:
    """A function that makes a `struct` of each row that is a `model`, and raises InvalidObjectError for all others."""
    decode, check, refuse = struct._decode, msgspec.json.Decoder(_open_parts(model)).decode, structurer(model)

    def structure(row: Any, index: int) -> Any:
        json = bytes(row)
        try:
            check(json)
            item = decode(json)
        except UNREADABLE:
            return refuse(json, index)
        _set_raw(item, json)
        return item

    return structure


def _open_parts(model: type[Model]) -> Any:
    """A struct of those fields alone, at any depth, that are Raw in the struct of the columns, with their real types.

    Raw takes what a model refuses: a number beyond any float, or a list where a dict should be.
    """
    fields: list[tuple[str, Any, Any]] = []
    for field in json_fields(model):
        inner = inner_model(field.type)
        if inner is not None:
            parts = _open_parts(inner)
            many: Any = list[parts]  # type: ignore[valid-type]  # at run time
            fields.append((field.name, (many if get_origin(field.type) is list else parts) | None, None))
        elif _scalar_type(field) is None:
            fields.append((field.name, field.type, None))
    return msgspec.defstruct(model.__name__, fields, gc=False)


class _Table:
    """The columns of a model: what makes a struct of a row, and a batch of such structs."""

    def __init__(self, model: type[Model], *, lean: bool) -> None:
        fields = json_fields(model)
        if lean:
            fields = [field for field in fields if inner_model(field.type) is None and _scalar_type(field) is not None]
        self._columns = [_column(field) for field in fields]
        self._known = [field.name for field in fields]
        self._rest = self._json if lean else self._extra
        last = pa.field("json" if lean else "extra", pa.string())
        self.schema = pa.schema([*((column.name, column.type) for column in self._columns), last])
        struct = _struct(model.__name__, self._columns, base=_Stored)
        struct._decode = msgspec.json.Decoder(struct).decode
        self.structure = structurer(struct) if lean else _strict_structurer(model, struct)

    def batch(self, rows: Sequence[Any]) -> pa.RecordBatch:
        """The batch of what `structure` has made."""
        arrays = [*_arrays(self._columns, rows), pa.array(self._rest(map(_get_raw, rows)), pa.string())]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _json(self, rows: Iterator[bytes]) -> list[bytes]:
        return list(rows)

    def _extra(self, rows: Iterator[bytes]) -> list[bytes]:
        """For each row, its keys that have no column, as the JSON text of an object."""
        texts = []
        for row in rows:
            values = _split(row)
            for name in self._known:
                values.pop(name, None)
            texts.append(_encode(values))
        return texts


_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


_made = functools.cache(_Table)


def _table(model: Any, *, lean: bool) -> _Table:
    bool_(lean, "lean")
    if not (isinstance(model, type) and issubclass(model, Model)):
        raise InvalidArgumentError("Arrow has columns for the API's own models only: leave out model=…")
    # Any: for a type checker, a class is as unhashable as its instances.
    cls: Any = model
    return _made(cls, lean=lean)
