"""A row of a page becomes an object of exactly the declared types, or is refused with the path of the field."""

import gc
import json
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpeek_async import InvalidObjectError, Object
from mixpeek_async._model import structurer
from mixpeek_async._wire import Response, parse_page, row_date, row_id
from mixpeek_async._wire.responses import long_id

LEAST = {"object_id": "obj_1", "bucket_id": "bkt_1"}
INDEX = 3
structure = structurer(Object)


def row(value: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def refusal(raw: msgspec.Raw) -> InvalidObjectError:
    with pytest.raises(InvalidObjectError) as caught:
        structure(raw, INDEX)
    return caught.value


def blob(**fields: Any) -> dict[str, Any]:
    return {"blobs": [{"property": "p", "type": "image"}, {"property": "p", "type": "image", **fields}]}


WRONG_TYPES: list[tuple[dict[str, Any], str]] = [
    # null is no string, 7 is none, and neither becomes one
    ({"object_id": None}, "object_id"),
    ({"object_id": 7}, "object_id"),
    ({"bucket_id": True}, "bucket_id"),
    ({"key_prefix": 7}, "key_prefix"),
    ({"key_prefix": ["/a"]}, "key_prefix"),
    ({"error": {"message": "no"}}, "error"),
    # a list is a list, of what it says
    ({"blobs": {}}, "blobs"),
    ({"blobs": "abc"}, "blobs"),
    ({"blobs": ["abc"]}, "blobs[0]"),
    ({"source_details": [{"type": "bucket"}, None]}, "source_details[1]"),
    ({"source_details": [{"source_id": "x"}]}, "source_details[0]"),
    ({"source_details": [{"type": "bucket", "source_id": 7}]}, "source_details[0].source_id"),
    ({"edges": [{"type": "near"}]}, "edges[0]"),
    ({"edges": [{"type": "near", "target_object_id": 7}]}, "edges[0].target_object_id"),
    ({"edges": [{"type": "near", "target_object_id": "x", "attributes": []}]}, "edges[0].attributes"),
    # a string of digits, a boolean and a fraction are no whole numbers
    ({"document_count": "7"}, "document_count"),
    ({"document_count": True}, "document_count"),
    ({"document_count": 7.5}, "document_count"),
    # dates are strings with a date and a time
    ({"created_at": 1729506600}, "created_at"),
    ({"created_at": "2024-10-21"}, "created_at"),
    ({"updated_at": "yesterday"}, "updated_at"),
    ({"updated_at": "2024-13-45T10:30:00Z"}, "updated_at"),
    ({"status": 7}, "status"),
    ({"status": ["DRAFT"]}, "status"),
    ({"consistency": 1}, "consistency"),
    # the same, further down
    (blob(property=None), "blobs[1].property"),
    (blob(type=None), "blobs[1].type"),
    (blob(type=1), "blobs[1].type"),
    (blob(properties=[]), "blobs[1].properties"),
    (blob(presigned_url=False), "blobs[1].presigned_url"),
    (blob(details="x"), "blobs[1].details"),
    (blob(details={"size_bytes": "7"}), "blobs[1].details.size_bytes"),
    (blob(details={"filename": 7}), "blobs[1].details.filename"),
]


@pytest.mark.parametrize(("fields", "path"), WRONG_TYPES, ids=lambda value: value if isinstance(value, str) else None)
def test_a_wrong_type_is_refused_with_its_path_and_never_coerced(fields: dict[str, Any], path: str) -> None:
    raw = row({**LEAST, **fields})
    error = refusal(raw)

    assert error.path == f"$.results[{INDEX}].{path}"
    assert error.message.startswith(f"{error.path}: ")
    assert error.raw == bytes(raw)
    assert not error.retryable


@pytest.mark.parametrize("missing", LEAST)
def test_a_missing_id_is_refused_by_name(missing: str) -> None:
    error = refusal(row({key: value for key, value in LEAST.items() if key != missing}))

    assert error.path == f"$.results[{INDEX}]"
    assert missing in error.message


OUT_OF_RANGE = {
    "in the metadata": b'"metadata": {"x": %s}',
    "in the data of a blob": b'"blobs": [{"property": "p", "type": "text", "data": %s}]',
    "in a field": b'"document_count": %s',
}


def test_an_unknown_number_beyond_any_decimal_is_infinite() -> None:
    raw = msgspec.Raw(b'{"object_id": "obj_1", "bucket_id": "bkt_1", "x": 1e%s}' % (b"9" * 30))
    assert structurer(Object)(raw, 0).extra == {"x": float("inf")}


@pytest.mark.parametrize("number", [b"9" * 5_000, b"-" + b"9" * 5_000, b"1e999"], ids=["digits", "negative", "1e999"])
@pytest.mark.parametrize("place", OUT_OF_RANGE.values(), ids=OUT_OF_RANGE)
def test_a_number_that_python_cannot_hold_is_refused_in_a_field(place: bytes, number: bytes) -> None:
    raw = msgspec.Raw(b'{"object_id": "a", "bucket_id": "b", %s}' % (place % number))
    assert str(refusal(raw).path).startswith(f"$.results[{INDEX}]")


@pytest.mark.parametrize("number", ["9" * 5_000, "-" + "9" * 5_000, "1e999", "-1.5E+400"], ids=lambda text: text[:5])
def test_a_number_that_python_cannot_hold_is_exact_in_extra(number: str) -> None:
    beside = b'"float": 0.1, "int": 7, "yes": true'
    raw = msgspec.Raw(b'{"object_id": "a", "bucket_id": "b", "x": {"big": %s, %s}}' % (number.encode(), beside))
    obj = structure(raw, INDEX)

    assert obj.extra == {"x": {"big": Decimal(number), "float": 0.1, "int": 7, "yes": True}}
    assert [type(value) for value in obj.extra["x"].values()] == [Decimal, float, int, bool]
    assert obj == structure(raw, INDEX)


def test_a_row_nested_deeper_than_the_stack_is_refused() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    error = refusal(msgspec.Raw(b'{"object_id": "a", "bucket_id": "b", "x": %s}' % deep))

    assert error.path == f"$.results[{INDEX}]"
    assert "nested too deeply" in error.message


def test_no_exception_of_another_library_is_chained() -> None:
    error = refusal(row(None))
    assert error.__cause__ is None
    assert error.__context__ is None


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner))


@pytest.mark.parametrize("name", ["blobs", "edges", "source_details"])
def test_a_list_that_is_null_is_empty(name: str) -> None:
    obj = structure(row({**LEAST, name: None}), INDEX)

    assert getattr(obj, name) == []
    assert getattr(obj, name) is getattr(obj, name)
    assert obj.to_dict() == {**LEAST, name: None}


@pytest.mark.parametrize("value", ["abc", 7, [1], True, {"a": 1}, None], ids=repr)
def test_a_users_own_metadata_may_be_anything(value: Any) -> None:
    assert structure(row({**LEAST, "metadata": value}), INDEX).metadata == value


@pytest.mark.parametrize("name", ["key", "status", "metadata", "data"])
@pytest.mark.parametrize("value", ["abc", 7, [1], True, {"a": 1}, None], ids=repr)
def test_fields_of_older_blobs_may_be_anything(name: str, value: Any) -> None:
    assert getattr(structure(row({**LEAST, **blob(**{name: value})}), INDEX).blobs[1], name) == value


@pytest.mark.parametrize(
    ("fields", "direction"), [({}, "out"), ({"direction": "in"}, "in"), ({"direction": None}, None)]
)
def test_an_edge_without_a_direction_leads_out(fields: dict[str, Any], direction: str | None) -> None:
    edge = {"type": "near", "target_object_id": "x", **fields}
    assert structure(row({**LEAST, "edges": [edge]}), INDEX).edges[0].direction == direction


@given(st.sampled_from(["key_prefix", "document_count", "metadata"]), JSON)
def test_whatever_comes_for_a_field_is_read_as_it_is_or_refused(name: str, value: Any) -> None:
    try:
        read = getattr(structure(row({**LEAST, name: value}), INDEX), name)
    except InvalidObjectError:
        return
    assert (type(read), read) == (type(value), value)


# --- what is kept alive ---


def traced_after(keep: Any) -> int:
    """The bytes that are still allocated after `keep` has returned, with its value held."""
    keep()  # once, to fill every cache on the way
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = keep()
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept is not None
    return after - before


def page_of_rows(**fields: Any) -> bytes:
    """A page of about a megabyte, whose rows have about 10,000 bytes each."""
    return json.dumps({"results": [{**LEAST, "note": "x" * 10_000, **fields} for _ in range(100)]}).encode()


def test_a_kept_object_keeps_its_own_json_alive_and_not_its_page() -> None:
    kept = traced_after(lambda: structure(parse_page(Response(status=200, body=page_of_rows())).rows[50], 50))
    assert 10_000 < kept < 20_000


def test_a_kept_refusal_keeps_its_own_row_alive_and_not_its_page() -> None:
    def refused() -> bytes:
        page = parse_page(Response(status=200, body=page_of_rows(blobs=7)))
        try:
            structure(page.rows[50], 50)
        except InvalidObjectError as error:
            return error.raw
        return b""

    assert 10_000 < traced_after(refused) < 20_000


def test_a_kept_pagination_keeps_its_own_json_alive_and_not_its_page() -> None:
    kept = traced_after(lambda: parse_page(Response(status=200, body=page_of_rows())).pagination)
    assert kept < 10_000


# --- the id alone ---


def test_an_identifier_reads_one_string_of_a_row() -> None:
    assert row_id("object_id")(row({**LEAST, "blobs": 7})) == "obj_1"


@pytest.mark.parametrize("value", [None, 7, "obj_1", [], {}, {"object_id": None}, {"object_id": 7}, {"bucket_id": "b"}])
def test_a_row_without_such_a_string_is_known_by_its_bytes(value: Any) -> None:
    identify = row_id("object_id")
    assert identify(row(value)) == identify(row(value))
    assert identify(row(value)) != identify(row({"another": value}))
    assert identify(row(value)).startswith("without object_id, digest ")


# --- the date alone ---


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("2025-03-02T08:15:00Z", datetime(2025, 3, 2, 8, 15, tzinfo=UTC)),
        ("2025-03-02T08:15:00", datetime(2025, 3, 2, 8, 15, tzinfo=UTC)),
        ("2025-03-02T08:15:00+02:00", datetime(2025, 3, 2, 6, 15, tzinfo=UTC)),
        (None, None),
        ("yesterday", None),
        (7, None),
    ],
)
def test_the_date_of_a_row_is_read_without_the_row(value: Any, date: datetime | None) -> None:
    read = row_date(row({"created_at": value, "blobs": 7}))

    assert read == date
    assert read is None or read.tzinfo is not None


@pytest.mark.parametrize("value", [None, 7, [], {}], ids=repr)
def test_a_row_without_a_date_has_none(value: Any) -> None:
    assert row_date(row(value)) is None


@pytest.mark.parametrize("row", [b"[1]", b"7", b'{"object_id": 7}', b"{}"])
def test_a_row_without_a_text_for_an_id_has_none_that_is_too_long(row: bytes) -> None:
    assert long_id("object_id")(row) is None
