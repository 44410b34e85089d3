"""The public converter: strict both ways, for the models and for classes of a user's own."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import attrs
import cattrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixpeek_async
from mixpeek_async import (
    ApiWarning,
    Blob,
    BlobDetails,
    Bucket,
    Edge,
    InvalidArgumentError,
    InvalidObjectError,
    ListStats,
    Object,
    ObjectStatus,
    Pagination,
    Source,
    converter,
)
from mixpeek_async._converter import class_structurer


class Level(Enum):
    HIGH = "high"
    LOW = "low"


class Rank(IntEnum):
    FIRST = 1


Title = NewType("Title", str)


@attrs.frozen
class Person:
    name: str
    age: int | None = None


@dataclasses.dataclass
class Place:
    city: str


@attrs.define
class Everything:
    """One field for each kind of type that has a hook."""

    text: str = ""
    whole: int = 0
    fraction: float = 0.0
    flag: bool = False
    anything: Any = None
    title: Title = Title("")
    noted: Annotated[int, "a note"] = 0
    choice: Literal["a", "b"] = "a"
    level: Level = Level.LOW
    rank: Rank = Rank.FIRST
    status: ObjectStatus = ObjectStatus.DRAFT
    moment: datetime | None = None
    day: date | None = None
    price: Decimal | None = None
    key: UUID | None = None
    data: bytes | None = None
    pause: timedelta | None = None
    mixed: int | str | None = None
    names: list[str] = attrs.field(factory=list)
    sequence: Sequence[int] = ()
    pair: tuple[int, str] | None = None
    numbers: tuple[int, ...] = ()
    tags: set[str] = attrs.field(factory=set)
    frozen: frozenset[int] = frozenset()
    bare: list = attrs.field(factory=list)  # type: ignore[type-arg]  # a user may leave it out
    counts: dict[str, int] = attrs.field(factory=dict)
    mapping: Mapping[str, Level] = attrs.field(factory=dict)
    person: Person | None = None
    people: list[Person] = attrs.field(factory=list)
    place: Place | None = None
    blobs: list[Blob] = attrs.field(factory=list)
    children: "list[Everything]" = attrs.field(factory=list)


NOON = datetime(2025, 3, 2, 12, tzinfo=UTC)

GOOD: list[tuple[str, Any, Any]] = [
    ("text", "é", "é"),
    ("whole", 7, 7),
    ("fraction", 1.5, 1.5),
    ("fraction", 1, 1.0),
    ("flag", True, True),
    ("anything", {"a": [1, None]}, {"a": [1, None]}),
    ("title", "t", "t"),
    ("noted", 7, 7),
    ("choice", "b", "b"),
    ("level", "high", Level.HIGH),
    ("rank", 1, Rank.FIRST),
    ("status", "REINDEXING", ObjectStatus("REINDEXING")),
    ("moment", "2025-03-02T12:00:00Z", NOON),
    ("moment", "2025-03-02T12:00:00", NOON),
    ("moment", "2025-03-02T14:00:00+02:00", NOON.astimezone(timezone(timedelta(hours=2)))),
    ("moment", None, None),
    ("day", "2025-03-02", date(2025, 3, 2)),
    ("price", "9.90", Decimal("9.90")),
    ("key", "12345678-1234-5678-1234-567812345678", UUID("12345678-1234-5678-1234-567812345678")),
    ("data", "aGk=", b"hi"),
    ("pause", "PT5S", timedelta(seconds=5)),
    ("mixed", 7, 7),
    ("mixed", "7", "7"),
    ("names", ["a", "b"], ["a", "b"]),
    ("sequence", [1, 2], (1, 2)),
    ("pair", [1, "a"], (1, "a")),
    ("numbers", [1, 2], (1, 2)),
    ("tags", ["a", "a"], {"a"}),
    ("frozen", [1], frozenset({1})),
    ("bare", [1, "a"], [1, "a"]),
    ("counts", {"a": 1}, {"a": 1}),
    ("mapping", {"a": "low"}, {"a": Level.LOW}),
    ("person", {"name": "Ada", "unknown": 1}, Person("Ada")),
    ("people", [{"name": "Ada", "age": 36}], [Person("Ada", 36)]),
    ("place", {"city": "Lisbon"}, Place("Lisbon")),
    ("children", [{"whole": 1}], [Everything(whole=1)]),
]


@pytest.mark.parametrize(("name", "value", "read"), GOOD, ids=lambda value: repr(value)[:30])
def test_a_value_of_the_declared_type_is_taken(name: str, value: Any, read: Any) -> None:
    got = getattr(converter.structure({name: value}, Everything), name)
    assert (type(got), got) == (type(read), read)


@pytest.mark.parametrize(("name", "value", "read"), GOOD, ids=lambda value: repr(value)[:30])
def test_what_is_unstructured_is_json_that_is_structured_to_the_same(name: str, value: Any, read: Any) -> None:
    made = Everything(**{name: read})
    sent = msgspec.json.decode(msgspec.json.encode(converter.unstructure(made)))
    assert converter.structure(sent, Everything) == made


BAD: list[tuple[Any, str]] = [
    (None, "$"),
    ("abc", "$"),
    ([], "$"),
    ({"text": None}, "$.text"),
    ({"text": 7}, "$.text"),
    ({"whole": "7"}, "$.whole"),
    ({"whole": 7.0}, "$.whole"),
    ({"whole": True}, "$.whole"),
    ({"fraction": "1.5"}, "$.fraction"),
    ({"fraction": True}, "$.fraction"),
    ({"flag": 1}, "$.flag"),
    ({"flag": "true"}, "$.flag"),
    ({"title": 7}, "$.title"),
    ({"noted": "7"}, "$.noted"),
    ({"choice": "c"}, "$.choice"),
    ({"level": "middle"}, "$.level"),
    ({"level": ["high"]}, "$.level"),
    ({"rank": True}, "$.rank"),
    ({"rank": 1.0}, "$.rank"),
    ({"status": 7}, "$.status"),
    ({"moment": 1729506600}, "$.moment"),
    ({"moment": "yesterday"}, "$.moment"),
    ({"day": 7}, "$.day"),
    ({"mixed": 1.5}, "$.mixed"),
    ({"names": None}, "$.names"),
    ({"names": "abc"}, "$.names"),
    ({"names": {"a": 1}}, "$.names"),
    ({"names": ["a", 7]}, "$.names[1]"),
    ({"pair": "ab"}, "$.pair"),
    ({"pair": [1]}, "$.pair"),
    ({"pair": [1, 2]}, "$.pair"),
    ({"numbers": "12"}, "$.numbers"),
    ({"tags": "abc"}, "$.tags"),
    ({"tags": ["a", None]}, "$.tags[1]"),
    ({"counts": [["a", 1]]}, "$.counts"),
    ({"counts": {"a": "1"}}, "$.counts.a"),
    ({"person": "Ada"}, "$.person"),
    ({"person": {}}, "$.person.name"),
    ({"people": [{"name": "Ada"}, {"name": "Bo", "age": "7"}]}, "$.people[1].age"),
    ({"place": {"city": None}}, "$.place.city"),
    ({"blobs": [{"property": "p", "type": "text", "details": {"size_bytes": "7"}}]}, "$.blobs[0].details.size_bytes"),
    ({"children": [{"children": [{"whole": None}]}]}, "$.children[0].children[0].whole"),
]


@pytest.mark.parametrize(("value", "path"), BAD, ids=lambda value: repr(value)[:50])
def test_any_other_value_is_refused_with_its_path_and_never_coerced(value: Any, path: str) -> None:
    structure = class_structurer(Everything, None)

    with pytest.raises(InvalidObjectError) as caught:
        structure(msgspec.Raw(msgspec.json.encode(value)), 3)
    assert caught.value.path == "$.results[3]" + path.removeprefix("$")
    assert caught.value.message.startswith(f"{caught.value.path}: ")
    assert caught.value.message.isprintable()
    assert caught.value.raw == msgspec.json.encode(value)
    assert caught.value.__context__ is None
    with pytest.raises((cattrs.BaseValidationError, msgspec.ValidationError)):
        converter.structure(value, Everything)


def test_a_required_key_that_did_not_come_is_named() -> None:
    with pytest.raises(InvalidObjectError, match=r"^\$\.name: Required key is missing$"):
        class_structurer(Person, None, "$")(b"{}", 0)


def test_json_that_is_broken_is_an_invalid_object() -> None:
    with pytest.raises(InvalidObjectError, match=r"^\$: "):
        class_structurer(Person, None, "$")(b'{"name": ', 0)


# --- the models ---

MODELS: list[tuple[type[Any], dict[str, Any]]] = [
    (Object, {"object_id": "o", "bucket_id": "b", "blobs": [{"property": "p", "type": "IMAGE", "x": 1}], "extra": 2}),
    (Blob, {"property": "p", "type": "text", "details": {"size_bytes": 5, "frames": 1}}),
    (BlobDetails, {"filename": "f", "unknown": [1]}),
    (Source, {"type": "bucket", "region": "eu"}),
    (Edge, {"type": "t", "target_object_id": "x", "weight": 0.5}),
    (Bucket, {"bucket_id": "b", "bucket_name": "n", "created_at": "2025-03-02T08:15:00", "more": None}),
    (ListStats, {"total_objects": 5, "seconds": 1}),
    (Pagination, {"has_more": True, "links": {}}),
    (ApiWarning, {"reason": "r", "level": "high"}),
]


@pytest.mark.parametrize(("cls", "data"), MODELS)
def test_a_model_is_structured_and_unstructured_with_its_unknown_keys(cls: type[Any], data: dict[str, Any]) -> None:
    model = converter.structure(data, cls)

    assert type(model) is cls
    assert model == cls.from_dict(data)
    assert converter.unstructure(model) == data


def test_a_model_of_a_wrong_type_is_refused_with_the_path() -> None:
    with pytest.raises(InvalidObjectError, match=r"^\$\.blobs\[0\]\.type: ") as caught:
        converter.structure({"object_id": "o", "bucket_id": "b", "blobs": [{"property": "p", "type": 7}]}, Object)
    assert caught.value.path == "$.blobs[0].type"


# --- a converter of a user's own ---


def test_hooks_of_a_copy_go_before_ours_and_leave_ours_alone() -> None:
    copy = converter.copy()
    rename = cattrs.override(rename="fullName")
    copy.register_structure_hook(Person, cattrs.gen.make_dict_structure_fn(Person, copy, name=rename))

    assert class_structurer(Person, copy)(b'{"fullName": "Ada"}', 0) == Person("Ada")
    assert class_structurer(Person, None)(b'{"name": "Ada"}', 0) == Person("Ada")


def test_a_plain_converter_of_cattrs_does() -> None:
    assert class_structurer(Person, cattrs.Converter())(b'{"name": "Ada", "age": "36"}', 0) == Person("Ada", 36)


def test_without_detailed_validation_an_error_has_the_path_of_the_row() -> None:
    brief = cattrs.Converter(detailed_validation=False)

    with pytest.raises(InvalidObjectError) as caught:
        class_structurer(Person, brief)(b'{"name": "Ada", "age": "many"}', 3)
    assert caught.value.path == "$.results[3]"


def test_whatever_a_hook_raises_is_an_invalid_object() -> None:
    def fail(*_: Any) -> str:
        raise ZeroDivisionError

    copy = converter.copy()
    copy.register_structure_hook(str, fail)
    with pytest.raises(InvalidObjectError, match=r"^\$\.name: ZeroDivisionError$"):
        class_structurer(Person, copy, "$")(b'{"name": "Ada"}', 0)


def test_a_validator_of_the_class_is_heard() -> None:
    @attrs.frozen
    class Adult:
        age: int = attrs.field(validator=attrs.validators.ge(18))

    with pytest.raises(InvalidObjectError, match=r"^\$: .*must be >= 18"):
        class_structurer(Adult, None, "$")(b'{"age": 7}', 0)


@pytest.mark.parametrize("model", [None, 7, "Person", int, dict, list[int], Person("Ada"), Place("Lisbon")], ids=repr)
def test_only_a_class_with_fields_is_a_model(model: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="model must be an attrs class or a dataclass"):
        class_structurer(model, None)


def test_a_class_with_a_field_that_has_no_hook_is_refused() -> None:
    @attrs.frozen
    class Strange:
        field: complex

    # At once; cattrs of before 25 finds it with the first row.
    with pytest.raises((InvalidArgumentError, InvalidObjectError), match="complex"):
        class_structurer(Strange, None)(b'{"field": 7}', 0)


# --- what the package exports ---


def test_cattrs_is_imported_when_the_converter_is_asked_for() -> None:
    imported = "'cattrs' in sys.modules"
    code = f"import sys, mixpeek_async as m; print({imported}, m.converter is m.converter, {imported})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "True", "True"]


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'mixpeek_async' has no attribute 'convertor'"):
        mixpeek_async.convertor  # type: ignore[attr-defined]  # noqa: B018


# --- any JSON for any class ---

HINTS: list[Any] = [
    str,
    int,
    float,
    bool,
    str | None,
    int | float,
    list[int],
    tuple[str, ...],
    tuple[int, str],
    set[str],
    dict[str, int],
    dict[str, list[float]],
    Person,
    Place,
    list[Person],
    Level,
    Rank,
    Literal["a", 1],
    datetime,
    UUID,
    Any,
]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(["name", "age", "city"]), inner, max_size=4)
    ),
    max_leaves=8,
)


def is_unchanged(value: Any, json: Any) -> bool:
    """Whether `value` is what `json` says: no value became another."""
    match value:
        case Person() | Place():
            fields = {name: getattr(value, name) for name in type(value).__annotations__}
            return isinstance(json, dict) and all(
                is_unchanged(field, json[name]) if name in json else field is None for name, field in fields.items()
            )
        case Enum():
            return is_unchanged(value.value, json)
        case dict():
            return (
                isinstance(json, dict)
                and value.keys() == json.keys()
                and all(is_unchanged(item, json[key]) for key, item in value.items())
            )
        case set():
            return isinstance(json, list) and value == set(json)
        case list() | tuple():
            return (
                isinstance(json, list)
                and len(value) == len(json)
                and all(is_unchanged(item, other) for item, other in zip(value, json, strict=True))
            )
        case datetime() | UUID():
            return isinstance(json, str)
        case float():
            return type(json) in (int, float) and value == json
        case _:
            return type(value) is type(json) and value == json


@given(hint=st.sampled_from(HINTS), json=ANY_JSON)
@settings(max_examples=1_000, deadline=None)
def test_any_json_is_refused_or_kept_as_it_is(hint: Any, json: Any) -> None:
    cls = attrs.make_class("Row", {"field": attrs.field(type=hint)}, frozen=True)
    row = msgspec.json.encode({"field": json})
    made, error = outcome(class_structurer(cls, None), row)
    if error is None:
        assert is_unchanged(made.field, msgspec.json.decode(row)["field"])
    else:
        assert error.path is not None
        assert error.path.startswith("$.results[3]")
        assert error.raw == row


def outcome(structure: Callable[[Any, int], Any], row: bytes) -> tuple[Any, InvalidObjectError | None]:
    """What becomes of row number 3."""
    try:
        return structure(row, 3), None
    except InvalidObjectError as error:
        return None, error


@attrs.frozen
class Short:
    object_id: str = attrs.field(validator=attrs.validators.max_len(3))


def test_the_text_of_an_attrs_validator_is_the_problem() -> None:
    with pytest.raises(InvalidObjectError) as caught:
        class_structurer(Short, None)(b'{"object_id": "too long"}', 0)
    assert "Attribute(" not in caught.value.message
    assert "must be <= 3" in caught.value.message


def test_a_bug_in_a_hook_is_called_by_its_kind() -> None:
    made = converter.copy()
    made.register_structure_hook(Short, lambda *_: 1 / 0)
    with pytest.raises(InvalidObjectError, match="ZeroDivisionError: division by zero"):
        class_structurer(Short, made)(b"{}", 0)
