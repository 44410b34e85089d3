"""The models: typed fields, and the JSON that they came from, whole."""

import copy
import inspect
import io
import json
import pickle
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_type_hints

import attrs
import msgspec
import pytest
import rich.console
import rich.pretty
from hypothesis import given
from hypothesis import strategies as st

from mixpeek_async import (
    ApiWarning,
    Blob,
    BlobDetails,
    BlobType,
    Bucket,
    Edge,
    InvalidObjectError,
    ListStats,
    Object,
    ObjectStatus,
    Page,
    Pagination,
    Progress,
    Source,
    SourceType,
    converter,
)
from mixpeek_async._model import Model, structurer

NOON = datetime(2025, 3, 2, 12, tzinfo=UTC)

LEAST: dict[str, Any] = {"object_id": "obj_1", "bucket_id": "bkt_1"}

FULL: dict[str, Any] = {
    "object_id": "obj_1",
    "bucket_id": "bkt_1",
    "key_prefix": "/postcards",
    "blobs": [
        {
            "property": "front",
            "type": "image",
            "blob_id": "blob_1",
            "key_prefix": "/fronts",
            "properties": {"dpi": 300},
            "presigned_url": "https://files.test/front?signature=s3cr3t",
            "details": {"filename": "f.jpg", "size_bytes": 5, "mime_type": "image/jpeg", "hash": "h", "frames": 1},
            "key": "k",
            "data": [1, "two", None],
            "metadata": {"side": "front"},
            "status": "PENDING",
            "colour": {"space": "sRGB"},
        },
        {"property": "back", "type": "TEXT"},
    ],
    "source_details": [{"type": "bucket", "source_id": "bkt_1", "region": "eu"}],
    "edges": [
        {
            "type": "reply",
            "target_object_id": "obj_2",
            "target_collection_id": "col_1",
            "direction": "out",
            "attributes": {"days": 3},
            "weight": 0.5,
        }
    ],
    "status": "COMPLETED_WITH_ERRORS",
    "error": "one blob failed",
    "created_at": "2025-03-02T08:15:00Z",
    "updated_at": "2025-03-04T19:45:30.25+02:00",
    "metadata": {"place": "Lisbon"},
    "document_count": 4,
    "consistency": {"ok": True},
    "rating": 5,
}


def fields_of(model: Any) -> dict[str, Any]:
    """The fields of a model with their values, without `extra`."""
    return {name: getattr(model, name) for name in keys_of(type(model))}


def keys_of(cls: type[Model]) -> list[str]:
    return [name for name in attrs.fields_dict(cls) if name != "extra"]


def received(came: dict[str, Any]) -> Object:
    """An object as it comes out of a page."""
    return structurer(Object)(msgspec.Raw(json.dumps(came).encode()), 0)


def test_a_full_object_has_a_typed_field_for_everything_published() -> None:
    obj = received(FULL)

    assert fields_of(obj) == {
        "object_id": "obj_1",
        "bucket_id": "bkt_1",
        "key_prefix": "/postcards",
        "blobs": obj.blobs,
        "source_details": obj.source_details,
        "edges": obj.edges,
        "status": ObjectStatus.COMPLETED_WITH_ERRORS,
        "error": "one blob failed",
        "created_at": datetime(2025, 3, 2, 8, 15, tzinfo=UTC),
        "updated_at": datetime(2025, 3, 4, 19, 45, 30, 250_000, timezone(timedelta(hours=2))),
        "metadata": {"place": "Lisbon"},
        "document_count": 4,
        "consistency": {"ok": True},
    }


def test_a_full_blob_has_a_typed_field_for_everything_published() -> None:
    blob, other = received(FULL).blobs

    assert fields_of(blob) == {
        "property": "front",
        "type": BlobType.IMAGE,
        "blob_id": "blob_1",
        "key_prefix": "/fronts",
        "properties": {"dpi": 300},
        "presigned_url": "https://files.test/front?signature=s3cr3t",
        "details": blob.details,
        "key": "k",
        "data": [1, "two", None],
        "metadata": {"side": "front"},
        "status": ObjectStatus.PENDING,
    }
    assert blob.details is not None
    assert fields_of(blob.details) == {"filename": "f.jpg", "size_bytes": 5, "mime_type": "image/jpeg", "hash": "h"}
    assert (other.type, other.details) == (BlobType.TEXT, None)


def test_sources_and_edges_are_typed() -> None:
    obj = received(FULL)

    assert [fields_of(source) for source in obj.source_details] == [{"type": SourceType.BUCKET, "source_id": "bkt_1"}]
    assert [fields_of(edge) for edge in obj.edges] == [
        {
            "type": "reply",
            "target_object_id": "obj_2",
            "target_collection_id": "col_1",
            "direction": "out",
            "attributes": {"days": 3},
        }
    ]


def test_what_is_left_out_is_none_or_an_empty_list() -> None:
    obj = received(LEAST)

    lists = {"blobs", "source_details", "edges"}
    assert (obj.blobs, obj.source_details, obj.edges) == ([], [], [])
    assert {getattr(obj, name) for name in keys_of(Object) if name not in {*LEAST, *lists}} == {None}


@pytest.mark.parametrize(
    "name", [name for name in FULL if name not in {*LEAST, "blobs", "source_details", "edges", "rating"}]
)
def test_what_may_be_null_may_be_null(name: str) -> None:
    assert getattr(received({**LEAST, name: None}), name) is None


@pytest.mark.parametrize("cls", [Object, Blob, BlobDetails, Source, Edge, ListStats, Pagination, ApiWarning])
def test_the_types_of_all_fields_can_be_looked_up(cls: type[Model]) -> None:
    hints = get_type_hints(cls, include_extras=True)
    assert {name: hints[name] for name in attrs.fields_dict(cls)} == {
        name: field.type for name, field in attrs.fields_dict(cls).items()
    }


# --- dates ---


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2025-03-02T08:15:00Z", datetime(2025, 3, 2, 8, 15, tzinfo=UTC)),
        ("2025-03-02T08:15:00", datetime(2025, 3, 2, 8, 15, tzinfo=UTC)),
        ("2025-03-02T08:15:00.123456", datetime(2025, 3, 2, 8, 15, 0, 123_456, UTC)),
        ("2025-03-02T08:15:00-05:00", datetime(2025, 3, 2, 8, 15, tzinfo=timezone(timedelta(hours=-5)))),
    ],
)
@pytest.mark.parametrize("name", ["created_at", "updated_at"])
def test_dates_are_aware_and_utc_where_no_zone_was_sent(name: str, text: str, date: datetime) -> None:
    read = getattr(received({**LEAST, name: text}), name)

    assert read == date
    assert read.utcoffset() == date.utcoffset()


# --- enums that grow ---


@pytest.mark.parametrize("enum", [ObjectStatus, BlobType, SourceType])
def test_a_value_that_is_not_known_yet_is_kept_as_it_is(enum: Any) -> None:
    value = enum("REINDEXING-v2")

    assert type(value) is enum
    assert (str(value), f"{value}", value.name, value.value) == ("REINDEXING-v2",) * 4
    assert value == "REINDEXING-v2"
    assert value != "reindexing-v2"
    assert hash(value) == hash("REINDEXING-v2")
    assert "REINDEXING-v2" in repr(value)


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
@pytest.mark.parametrize("value", [ObjectStatus("REINDEXING"), ObjectStatus.DRAFT, BlobType("hologram"), BlobType.PDF])
def test_known_and_unknown_values_travel(value: Any, way: Callable[[Any], Any]) -> None:
    assert way(value) == value
    assert type(way(value)) is type(value)


def test_a_value_that_is_kept_is_not_added_to_the_enum() -> None:
    ObjectStatus("REINDEXING")

    assert "REINDEXING" not in ObjectStatus.__members__
    assert len(list(ObjectStatus)) == 16


def test_an_object_of_an_unknown_status_is_like_any_other() -> None:
    obj = received({**LEAST, "status": "REINDEXING"})

    assert obj.status == "REINDEXING"
    assert obj.status in {"REINDEXING", "DRAFT"}
    assert obj.status is not None
    assert {ObjectStatus("REINDEXING"): 1}[obj.status] == 1


@pytest.mark.parametrize("value", [7, None, True, ["DRAFT"]])
def test_only_a_string_is_a_value_of_an_enum(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid ObjectStatus"):
        ObjectStatus(value)


@pytest.mark.parametrize("spelling", ["image", "IMAGE", "Image"])
def test_a_blob_type_is_found_in_any_case(spelling: str) -> None:
    assert BlobType(spelling) is BlobType.IMAGE
    assert received({**LEAST, "blobs": [{"property": "p", "type": spelling}]}).blobs[0].type is BlobType.IMAGE


def test_an_unknown_blob_type_keeps_its_case() -> None:
    assert BlobType("HoloGram") == "HoloGram"


def test_a_status_is_not_found_in_another_case() -> None:
    assert ObjectStatus("draft") != ObjectStatus.DRAFT


# --- what has no field ---


def test_unknown_keys_are_kept_at_every_depth() -> None:
    obj = received(FULL)
    blob, plain = obj.blobs
    assert blob.details is not None

    assert obj.extra == {"rating": 5}
    assert blob.extra == {"colour": {"space": "sRGB"}}
    assert plain.extra == {}
    assert blob.details.extra == {"frames": 1}
    assert obj.source_details[0].extra == {"region": "eu"}
    assert obj.edges[0].extra == {"weight": 0.5}


NAMES_OF_OURS = [
    *("_raw", "_linked", "extra", "to_dict", "__class__", "__dict__", "__slots__", "__init__", "__setstate__"),
    *("__attrs_attrs__", "self", "cls", "", "$", "type", "key", "data", "properties", "details", "results"),
]


@pytest.mark.parametrize("name", NAMES_OF_OURS)
@pytest.mark.parametrize("value", [None, 7, [["{}", []]], {"object_id": "other"}], ids=repr)
def test_a_users_own_key_never_meets_a_name_of_ours(name: str, value: Any) -> None:
    obj = received({**LEAST, name: value})

    assert obj.extra == {name: value}
    assert obj.to_dict() == {**LEAST, name: value}
    assert type(obj) is Object
    assert fields_of(obj) == fields_of(received(LEAST))


def test_a_users_own_key_of_a_nested_record_never_meets_a_name_of_ours() -> None:
    blob = received({**LEAST, "blobs": [{"property": "p", "type": "text", "_raw": 1, "extra": 2}]}).blobs[0]
    assert blob.extra == {"_raw": 1, "extra": 2}


def test_what_is_done_to_an_answer_of_extra_or_to_dict_stays_there() -> None:
    obj = received(FULL)
    obj.extra.clear()
    obj.to_dict()["blobs"].clear()

    assert obj.extra == {"rating": 5}
    assert obj.to_dict() == FULL


# --- the JSON that came ---

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def with_keys_of_its_own(cls: type[Model], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects of these fields, in any order, among keys that `cls` has no field for."""
    known = keys_of(cls)
    unknown = st.dictionaries(st.text().filter(lambda key: key not in known), JSON, max_size=3)
    whole = st.builds(lambda more, some: {**more, **some}, unknown, st.fixed_dictionaries({}, optional=fields))
    return whole.flatmap(lambda came: st.permutations(list(came.items()))).map(dict)


def required(came: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**fields, **came}


DICTS = st.none() | st.dictionaries(st.text(), JSON, max_size=3)
DETAILS = with_keys_of_its_own(BlobDetails, size_bytes=st.none() | st.integers(), filename=st.none() | st.text())
BLOBS = with_keys_of_its_own(
    Blob, type=st.sampled_from(["IMAGE", "text", "hologram"]), data=JSON, details=st.none() | DETAILS, properties=DICTS
).map(lambda came: required(came, property="p", type="image"))
EDGES = with_keys_of_its_own(Edge, attributes=DICTS).map(lambda came: required(came, type="t", target_object_id="x"))
OBJECTS = with_keys_of_its_own(
    Object,
    blobs=st.lists(BLOBS, max_size=3),
    edges=st.lists(EDGES, max_size=2),
    status=st.none() | st.text(),
    created_at=st.sampled_from([None, "2025-03-02T08:15:00", "2025-03-02 08:15:00.5+02:00"]),
    metadata=DICTS,
    document_count=st.none() | st.integers(),
).map(lambda came: required(came, **LEAST))


def text(value: Any) -> str:
    """JSON as text: what tells 1 from 1.0 and from True, and one order of keys from another."""
    return json.dumps(value)


@given(OBJECTS)
def test_any_object_gives_back_exactly_what_was_received(came: dict[str, Any]) -> None:
    obj = received(came)

    assert text(obj.to_dict()) == text(came)
    assert text(obj.extra) == text({key: value for key, value in came.items() if key not in keys_of(Object)})


@given(OBJECTS)
def test_any_nested_record_gives_back_exactly_what_was_received(came: dict[str, Any]) -> None:
    obj = received(came)

    assert text([blob.to_dict() for blob in obj.blobs]) == text(came.get("blobs", []))
    assert text([edge.to_dict() for edge in obj.edges]) == text(came.get("edges", []))
    for blob, blob_came in zip(obj.blobs, came.get("blobs", []), strict=True):
        assert text(blob.details and blob.details.to_dict()) == text(blob_came.get("details"))


@given(OBJECTS)
def test_any_object_equals_its_copies_and_its_pickle(came: dict[str, Any]) -> None:
    obj = received(came)

    for other in (received(came), copy.copy(obj), copy.deepcopy(obj), pickle.loads(pickle.dumps(obj))):
        assert other == obj
        assert text(other.to_dict()) == text(came)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_any_protocol_keeps_what_has_no_field(protocol: int) -> None:
    obj = pickle.loads(pickle.dumps(received(FULL), protocol))

    assert (obj.extra, obj.to_dict()) == ({"rating": 5}, FULL)
    assert obj.blobs[0].details.extra == {"frames": 1}


# --- equality, and no change ---


@pytest.mark.parametrize(
    "change", [{"object_id": "obj_2"}, {"status": "DRAFT"}, {"rating": 4}, {"blobs": []}], ids=repr
)
def test_a_difference_in_a_field_or_beside_the_fields_is_a_difference(change: dict[str, Any]) -> None:
    assert received({**FULL, **change}) != received(FULL)


def test_a_null_equals_a_key_that_did_not_come() -> None:
    assert received({**LEAST, "status": None}) == received(LEAST)


def test_an_object_made_by_hand_equals_one_that_was_received() -> None:
    assert Object(**LEAST) == received(LEAST)
    assert Object(**LEAST) != received({**LEAST, "rating": 5})


def test_models_of_two_classes_are_never_equal() -> None:
    assert Pagination() != ListStats()
    assert not Pagination() == ListStats()  # noqa: SIM201  # both ways are asked
    assert received(LEAST) != LEAST


def test_equal_models_are_not_unequal() -> None:
    assert not received(FULL) != received(FULL)  # noqa: SIM202  # both ways are asked
    assert not Object(**LEAST) != received(LEAST)  # noqa: SIM202  # `!=` is what is tested


def test_an_object_has_no_hash_since_its_fields_hold_lists() -> None:
    with pytest.raises(TypeError, match=r"unhashable type: 'Object'.*obj\.object_id"):
        hash(received(LEAST))


@pytest.mark.parametrize("name", ["object_id", "status", "extra", "_raw", "anything"])
def test_an_object_cannot_be_changed(name: str) -> None:
    obj = received(FULL)

    with pytest.raises(AttributeError):
        setattr(obj, name, "x")
    with pytest.raises(AttributeError):
        delattr(obj, name)
    assert obj == received(FULL)


# --- made by hand ---


def test_a_record_made_by_hand_is_its_fields_in_the_words_of_the_wire() -> None:
    obj = Object(
        object_id="obj_1",
        bucket_id="bkt_1",
        status=ObjectStatus.DRAFT,
        created_at=datetime(2025, 3, 2, 8, 15, tzinfo=UTC),
        blobs=[Blob(property="p", type=BlobType.TEXT, details=BlobDetails(size_bytes=5))],
        metadata={"place": "Lisbon"},
    )
    made = obj.to_dict()

    assert type(made["status"]) is str
    assert obj.extra == {}
    assert (made["status"], made["created_at"]) == ("DRAFT", "2025-03-02T08:15:00+00:00")
    assert (made["blobs"][0]["type"], made["blobs"][0]["details"]["size_bytes"]) == ("text", 5)
    assert received(json.loads(json.dumps(made))) == obj


def test_a_record_made_by_hand_travels() -> None:
    obj = Object(**LEAST)
    assert pickle.loads(pickle.dumps(obj)) == copy.copy(obj) == obj


def test_the_classes_can_be_looked_into_as_tools_for_documentation_do() -> None:
    assert {"blobs", "extra", "to_dict"} <= dict(inspect.getmembers(Object)).keys()


def test_a_changed_copy_keeps_extra_and_shows_the_change() -> None:
    changed = attrs.evolve(received(FULL), status=ObjectStatus.DRAFT)

    assert (changed.status, changed.extra) == ("DRAFT", {"rating": 5})
    assert changed.to_dict()["status"] == "DRAFT"
    assert changed.to_dict()["rating"] == 5
    assert changed.to_dict()["blobs"] == FULL["blobs"]


@given(OBJECTS)
def test_any_changed_copy_keeps_all_but_the_change(came: dict[str, Any]) -> None:
    obj = received(came)
    changed = attrs.evolve(obj, key_prefix="/changed")

    assert changed.key_prefix == "/changed"
    assert fields_of(changed) == {**fields_of(obj), "key_prefix": "/changed"}
    assert changed.extra == obj.extra
    assert changed.to_dict()["key_prefix"] == "/changed"
    assert attrs.evolve(changed, key_prefix=obj.key_prefix) == obj
    assert received(json.loads(changed.to_json())) == changed


def test_a_model_made_by_hand_has_the_extra_that_it_is_given() -> None:
    obj = Object(**LEAST, extra={"title": "x", "at": NOON, "tags": ("a", "b"), "status": "ignored"})

    assert obj.extra["title"] == "x"
    assert obj.to_dict() == {
        **Object(**LEAST).to_dict(),
        "title": "x",
        "at": "2025-03-02T12:00:00+00:00",
        "tags": ["a", "b"],
    }
    assert json.loads(obj.to_json()) == obj.to_dict()
    assert pickle.loads(pickle.dumps(obj)) == copy.copy(obj) == copy.deepcopy(obj) == obj
    assert attrs.evolve(obj, status=ObjectStatus.DRAFT).extra == obj.extra


def test_a_key_of_the_user_that_is_called_extra_arrives_in_extra() -> None:
    obj = received({**LEAST, "extra": {"a": 1}})

    assert obj.extra == {"extra": {"a": 1}}
    assert attrs.evolve(obj, status=ObjectStatus.DRAFT).to_dict()["extra"] == {"a": 1}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, object()], ids=repr)
def test_what_json_has_no_word_for_is_an_error_and_never_null(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Object(**LEAST, metadata={"x": [value]}).to_json()
    with pytest.raises(InvalidObjectError) as caught:
        Object.from_dict({**LEAST, "metadata": {"x": [value]}})
    assert caught.value.path == "$"


def test_a_naive_date_of_a_model_made_by_hand_is_utc() -> None:
    assert Object(**LEAST, created_at=NOON.replace(tzinfo=None)).created_at == NOON


@pytest.mark.parametrize("arguments", [{}, {"object_id": "o"}, {**LEAST, "nonsense": 1}])
def test_a_constructor_names_the_argument_that_is_wrong(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"argument '(object_id|bucket_id|nonsense)'"):
        Object(**arguments)


# --- from JSON and back ---


@given(OBJECTS)
def test_any_model_is_made_of_its_own_dict_and_its_own_json(came: dict[str, Any]) -> None:
    obj = received(came)

    for made in (Object.from_dict(came), Object.from_dict(obj.to_dict()), Object.from_json(obj.to_json())):
        assert made == obj
        assert text(made.to_dict()) == text(came)
    assert converter.structure(converter.unstructure(obj), Object) == obj


@pytest.mark.parametrize("spell", [bytes, bytearray, lambda raw: raw.decode()], ids=["bytes", "bytearray", "str"])
def test_json_may_be_bytes_or_text_and_comes_back_to_the_byte(spell: Callable[[bytes], Any]) -> None:
    raw = '{"bucket_id": "b",\t"object_id":"é", "x" : 1.50}'.encode()
    obj = Object.from_json(spell(raw))

    assert (obj.object_id, obj.extra, obj.to_json()) == ("é", {"x": 1.5}, raw)


def test_the_json_of_a_model_within_a_model_comes_back_to_the_byte() -> None:
    obj = Object.from_json(
        '{"object_id":"o","bucket_id":"b","blobs":[{"property":"p", "type":"text", "details": {"hash" : "h"}}]}'
    )

    assert obj.blobs[0].to_json() == b'{"property":"p", "type":"text", "details": {"hash" : "h"}}'
    assert obj.blobs[0].details is not None
    assert obj.blobs[0].details.to_json() == b'{"hash" : "h"}'


@pytest.mark.parametrize(
    ("json_", "path"),
    [
        (b"", "$"),
        (b"[]", "$"),
        (b'{"object_id": "o"}', "$"),
        (b'{"object_id": "o", "bucket_id": 7}', "$.bucket_id"),
        (b'{"object_id": "o", "bucket_id": "b", "x": "\xff"}', "$"),
        ('{"object_id": "o", "bucket_id": "b", "x": "\ud800"}', "$"),
        (b'{"object_id": "o", "bucket_id": "b", "blobs": [{"property": "p"}]}', "$.blobs[0]"),
        (b'{"object_id": "o", "bucket_id": "b", "x": NaN}', "$"),
        (b'{"object_id": "o", "bucket_id": "b", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "$"),
    ],
)
def test_any_other_json_is_refused_with_the_path(json_: Any, path: str) -> None:
    with pytest.raises(InvalidObjectError) as caught:
        Object.from_json(json_)
    assert caught.value.path == path
    assert caught.value.__context__ is None


@pytest.mark.parametrize("data", [[], None, "abc", {"object_id": 7, "bucket_id": "b"}, {}], ids=repr)
def test_a_dict_of_another_shape_is_refused(data: Any) -> None:
    with pytest.raises(InvalidObjectError, match=r"^\$"):
        Object.from_dict(data)


def test_sixteen_thousand_blobs_are_compared_and_given_back_in_no_time() -> None:
    blobs = [{"property": f"p{number}", "type": "text", "number": number} for number in range(16_000)]
    one, other = received({**LEAST, "blobs": blobs}), received({**LEAST, "blobs": blobs})
    began = time.process_time()

    assert one == other
    assert [blob.to_dict() for blob in one.blobs] == blobs
    assert [blob.extra["number"] for blob in one.blobs] == list(range(16_000))
    # It takes 0.2 s; looking for each blob from the start of the object took 69.
    assert time.process_time() - began < 5


def test_what_a_program_adds_to_a_list_is_not_taken_for_what_was_received() -> None:
    obj = received({**FULL, "edges": []})
    obj.blobs.insert(0, Blob(property="added", type=BlobType.TEXT))
    obj.edges.append(Edge(type="added", target_object_id="x"))

    assert [blob.extra for blob in obj.blobs] == [{}, {"colour": {"space": "sRGB"}}, {}]
    assert [edge.extra for edge in obj.edges] == [{}]
    assert [blob.extra for blob in pickle.loads(pickle.dumps(obj)).blobs] == [{}, {"colour": {"space": "sRGB"}}, {}]


# --- what is shown ---


def test_a_repr_shows_extra_last_and_short() -> None:
    shown = repr(received({**LEAST, "title": "x" * 1_000, **{f"key{number}": number for number in range(100)}}))

    assert shown.startswith("Object(object_id='obj_1', bucket_id='bkt_1', ")
    assert ", extra={'key0': 0, " in shown
    assert "..." in shown
    assert len(shown) < 600


def test_a_presigned_url_is_shown_in_neither_of_the_places_where_the_api_puts_it() -> None:
    properties = {"presigned_url": "https://files.test/?signature=s3cr3t", "dpi": 300}
    blob = Blob(
        property="p", type=BlobType.IMAGE, presigned_url="https://files.test/?signature=s3cr3t", properties=properties
    )
    console = rich.console.Console(file=io.StringIO(), width=500)
    console.print(rich.pretty.Pretty(blob))

    for shown in (repr(blob), console.file.getvalue()):  # type: ignore[attr-defined]  # a StringIO
        assert "s3cr3t" not in shown
        assert "300" in shown
    assert blob.properties == properties


def test_what_copy_replace_calls_is_evolve() -> None:
    changed = received(FULL).__replace__(status=ObjectStatus.DRAFT)
    assert (changed.to_dict()["status"], changed.extra) == ("DRAFT", {"rating": 5})


@pytest.mark.parametrize("cls", [Object, Blob, BlobDetails, Source, Edge, Bucket, ListStats, Pagination, ApiWarning])
def test_every_model_is_an_attrs_class_that_refuses_assignment(cls: type[Model]) -> None:
    assert attrs.has(cls)
    assert attrs.fields_dict(cls).keys() >= {"extra"}
    required = {name: "x" for name, field in attrs.fields_dict(cls).items() if field.default is attrs.NOTHING}
    model = cls(**required)
    for name in attrs.fields_dict(cls):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(model, name, None)
    assert attrs.asdict(model).keys() == attrs.fields_dict(cls).keys()


def test_a_repr_does_not_show_the_data() -> None:
    shown = repr(received(FULL))

    assert "s3cr3t" not in shown
    assert "presigned_url" not in shown
    assert "obj_1" in shown


# --- pages and progress ---


def test_a_page_holds_what_it_is_given() -> None:
    page = Page(results=[1, 2], pagination=Pagination(has_more=True))

    assert (page.results, page.stats, page.warnings) == ([1, 2], None, [])
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        page.results = []  # type: ignore[misc]  # frozen on purpose


def test_a_progress_keeps_the_latest_total_that_was_received() -> None:
    progress = Progress()
    seen = []
    for total in (None, 95, None, 94, 0):
        progress.note_total(total)
        seen.append(progress.total)

    assert seen == [None, 95, 95, 94, 0]
