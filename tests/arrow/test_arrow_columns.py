"""The columns: a row that a model takes becomes the same values; one that it refuses is refused in the same words."""

import functools
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, get_args, get_origin

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixpeek_async import Bucket, Collection, Document, Event, InvalidArgumentError, InvalidObjectError, Object
from mixpeek_async._arrow_columns import table_of
from mixpeek_async._model import Model, inner_model, json_fields, read_json, structurer
from mixpeek_async.arrow import schema

EXAMPLES = int(os.environ.get("ARROW_EXAMPLES", "40"))
MODELS = [Object, Bucket, Collection, Document, Event]
SCALARS = (str, bool, int, float, datetime)

STRINGS = ['"a"', '""', r'"\u0000"', r'"\ud83d\ude00"', '"é🪣"', '"a\\"b\\n"']
DATES = [
    '"2025-06-02T06:30:00Z"',
    '"2025-06-02T06:30:00.123456+05:30"',
    '"2025-06-02 06:30:00"',
    '"0001-01-01T00:00:00+14:00"',
    '"9999-12-31T23:59:59.999999-12:00"',
    '"1969-12-31T23:59:59.999999Z"',
]
INTEGERS = ["0", "-7", str(2**63 - 1), str(2**63), str(-(2**63) - 1), str(10**30)]
ENUMS = ['"COMPLETED"', '"image"', '"IMAGE"', '"Brand new"', '""']
DICTS = ["{}", '{"a": {"b": [1, null, "c"]}}', '{"a": 1, "a": 2}', '{ "spaced" :\n1 }', f'{{"a": {10**30}}}']
HOSTILE = [
    *STRINGS,
    *DATES,
    *INTEGERS,
    *DICTS,
    "null",
    "true",
    "1.5",
    "1e5",
    "1e999",
    "-1e400",
    '{"a": [1e999]}',
    "9" * 400,
    "[]",
    "[null]",
    '["a"]',
    "[[]]",
    "[{}]",
    r'"\ud800"',
    r'{"a": "\udc00"}',
    '"2025-13-01T00:00:00Z"',
    "[" * 40 + "]" * 40,
]


def values_of(field: Any) -> st.SearchStrategy[str]:
    """JSON texts that mostly are good values of a field."""
    inner: Any = inner_model(field.type)
    hint = str(field.type)
    if inner is not None:
        rows = rows_of(inner)
        return rows if get_origin(field.type) is not list else st.lists(rows, max_size=3).map(as_list) | st.just("null")
    kinds = {"datetime": DATES, "Status": ENUMS, "Type": ENUMS, "dict": DICTS, "Any": HOSTILE, "int": INTEGERS}
    good = next((texts for name, texts in kinds.items() if name in hint), STRINGS)
    return st.sampled_from(["true", "false"] if "bool" in hint else good)


def as_list(rows: list[str]) -> str:
    return f"[{', '.join(rows)}]"


@functools.cache
def rows_of(model: Any) -> st.SearchStrategy[str]:
    """JSON objects: most of the fields, some wrong, some twice, and some that the model does not know."""
    known = st.tuples(*(st.tuples(st.just(field.name), values_of(field)) for field in json_fields(model)))
    names = [field.name for field in json_fields(model)]
    others = st.sampled_from([*names, "extra", "json", "_raw", "_decode", "", "é", 'a"b', "self"]) | st.text(max_size=3)
    more = st.lists(st.tuples(others, st.sampled_from(HOSTILE)), max_size=2)
    left_out = st.sets(st.integers(0, len(names) * 3), max_size=4)
    return st.builds(as_object, known, more, left_out)


def as_object(known: Any, more: list[tuple[str, str]], left_out: set[int]) -> str:
    pairs = [pair for index, pair in enumerate(known) if index not in left_out] + more
    return "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in pairs) + "}"


def outcome(structure: Callable[[Any, int], Any], row: bytes) -> Any:
    """What a row becomes; for one that is refused, the message and the path."""
    try:
        return structure(row, 3)
    except InvalidObjectError as error:
        return error.message, error.path, error.raw


def expected(value: Any) -> Any:
    """A value of a model, as it is in Arrow. The texts of open parts are decoded again, to compare them."""
    match value:
        case Model():
            return {field.name: expected_of(value, field) for field in json_fields(type(value))}
        case list():
            return [expected(item) for item in value]
        case datetime():
            return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        case Enum():
            return value.value
        case int() if not -(2**63) <= value < 2**63:
            return None
        case _:
            return value


def expected_of(model: Model, field: Any) -> Any:
    value = getattr(model, field.name)
    return value if is_open(field) else expected(value)


def is_open(field: Any) -> bool:
    kinds = [get_origin(hint) or hint for hint in get_args(field.type) or [field.type] if isinstance(hint, type)]
    named = [kind for kind in kinds if kind is not type(None)]
    return inner_model(field.type) is None and (
        len(named) != 1 or not issubclass(named[0], SCALARS) or "dict" in str(field.type)
    )


def decoded(value: Any, type_: pa.DataType, model: type[Model] | None, field: Any) -> Any:
    """A value of Arrow, with the texts of open parts decoded."""
    if value is None:
        return None
    if pa.types.is_list(type_):
        return [decoded(item, type_.value_type, model, field) for item in value]
    if pa.types.is_struct(type_):
        inner = inner_model(field.type)
        assert inner is not None
        return {
            part.name: decoded(value[part.name], type_.field(part.name).type, inner, part)
            for part in json_fields(inner)
        }
    return read_json(value.encode()) if is_open(field) else value


def read(batch: pa.RecordBatch, model: type[Model]) -> list[dict[str, Any]]:
    """The rows of a batch. Dates are microseconds: Python has none before the year 1."""
    columns = {}
    for field in json_fields(model):
        column = batch.column(field.name)
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        columns[field.name] = [decoded(value, column.type, model, field) for value in column.to_pylist()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize("model", MODELS)
@settings(deadline=None, max_examples=EXAMPLES)
@given(data=st.data())
def test_columns_hold_what_the_model_takes_and_refuse_what_it_refuses(model: Any, data: st.DataObject) -> None:
    rows = [row.encode() for row in data.draw(st.lists(rows_of(model), max_size=4))]
    table = table_of(model, lean=False)
    models = [outcome(structurer(model), row) for row in rows]
    structs = [outcome(table.structure, row) for row in rows]
    taken = [made for made in models if isinstance(made, Model)]
    assert [made for made in structs if isinstance(made, tuple)] == [made for made in models if isinstance(made, tuple)]
    batch = table.batch([made for made in structs if not isinstance(made, tuple)])
    batch.validate(full=True)
    assert batch.schema == schema(model)
    assert read(batch, model) == [expected(made) for made in taken]
    assert [read_json(text.encode()) for text in batch.column("extra").to_pylist()] == [made.extra for made in taken]


@pytest.mark.parametrize("model", MODELS)
@settings(deadline=None, max_examples=EXAMPLES)
@given(data=st.data())
def test_lean_columns_hold_the_scalars_and_the_json(model: Any, data: st.DataObject) -> None:
    rows = [row.encode() for row in data.draw(st.lists(rows_of(model), max_size=4))]
    full, lean = table_of(model, lean=False), table_of(model, lean=True)
    structs = [outcome(lean.structure, row) for row in rows]
    strict = [outcome(full.structure, row) for row in rows]
    both = [made for made in zip(structs, strict, rows, strict=True) if not isinstance(made[1], tuple)]
    # It checks less: what it refuses, the model refuses too.
    assert [ours for ours, _, _ in both if isinstance(ours, tuple)] == []
    batch = lean.batch([ours for ours, _, _ in both])
    assert batch.schema == schema(model, lean=True)
    assert batch.column("json").to_pylist() == [row.decode() for _, _, row in both]
    same = full.batch([theirs for _, theirs, _ in both])
    assert all(batch.column(name) == same.column(name) for name in batch.schema.names[:-1])


def test_lean_reads_nothing_of_the_nested_parts() -> None:
    row = b'{"object_id": "a", "bucket_id": "b", "blobs": 7, "metadata": 1e999}'
    table = table_of(Object, lean=True)
    assert table.batch([table.structure(row, 0)]).to_pylist()[0]["json"] == row.decode()


def test_a_batch_without_rows_has_the_columns() -> None:
    for lean in (False, True):
        batch = table_of(Object, lean=lean).batch([])
        assert (batch.num_rows, batch.schema) == (0, schema(lean=lean))


def test_only_the_models_of_the_api_have_columns() -> None:
    for other in (dict, "Object", None):
        with pytest.raises(InvalidArgumentError, match="leave out model"):
            schema(other)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(InvalidArgumentError, match="lean must be True or False"):
        schema(Object, lean="yes")  # type: ignore[arg-type]  # wrong on purpose
