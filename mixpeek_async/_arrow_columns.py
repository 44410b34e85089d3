"""The columns of a model, and record batches of its rows, without the objects between.

A row is checked by its model, as in any walk, and decoded once more into a struct of plain values, in which a part that
may hold any JSON stays text.
"""

import functools
import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import attrs
import msgspec

from mixpeek_async._checks import bool_
from mixpeek_async._model import (
    UNREADABLE,
    Model,
    Stored,
    get_raw,
    inner_model,
    json_fields,
    set_raw,
    split_keys,
    structurer,
)
from mixpeek_async.errors import InvalidArgumentError

try:
    import pyarrow as pa
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "Arrow needs pyarrow, which is not installed: pip install 'mixpeek-async[arrow]'", name=error.name
    ) from error

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
        set_raw(item, json)
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


class Table:
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
        struct = _struct(model.__name__, self._columns, base=Stored)
        struct._decode = msgspec.json.Decoder(struct).decode
        self.structure = structurer(struct) if lean else _strict_structurer(model, struct)

    def reader(self, batches: Iterator[pa.RecordBatch]) -> pa.RecordBatchReader:
        """What hands `batches` to a library that reads Arrow's C stream."""
        return pa.RecordBatchReader.from_batches(self.schema, batches)

    def batch(self, rows: Sequence[Any]) -> pa.RecordBatch:
        """The batch of what `structure` has made."""
        arrays = [*_arrays(self._columns, rows), pa.array(self._rest(map(get_raw, rows)), pa.string())]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _json(self, rows: Iterator[bytes]) -> list[bytes]:
        return list(rows)

    def _extra(self, rows: Iterator[bytes]) -> list[bytes]:
        """For each row, its keys that have no column, as the JSON text of an object."""
        texts = []
        for row in rows:
            values = split_keys(row)
            for name in self._known:
                values.pop(name, None)
            texts.append(_encode(values))
        return texts


_encode = msgspec.json.Encoder().encode


@functools.cache
def _made(model: Any, *, lean: bool) -> Table:
    return Table(model, lean=lean)


def table_of(model: Any, *, lean: bool) -> Table:
    """The table of `model`, made once. InvalidArgumentError for a class that is none of our models."""
    bool_(lean, "lean")
    if not (isinstance(model, type) and issubclass(model, Model)):
        raise InvalidArgumentError("Arrow has columns for the API's own models only: leave out model=…")
    # Any: for a type checker, a class is as unhashable as its instances.
    cls: Any = model
    return _made(cls, lean=lean)
