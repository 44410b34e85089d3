"""Filters are written in Python, become the API's own JSON, and refuse at once what can never work."""

import copy
import enum
import functools
import operator
import pickle
import uuid
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpeek_async import Field, Filter, InvalidArgumentError, ObjectQuery, ObjectStatus, field
from mixpeek_async.query._operators import OPERATORS

# Any: what is refused at run time is, for the most part, refused by type checkers too.
YEAR: Any = field("metadata.year")
A: Any = field("a") == 1
B: Any = field("b") == 2
C: Any = field("c") == 3
a, b, c = ({"field": name, "operator": "eq", "value": n} for name, n in [("a", 1), ("b", 2), ("c", 3)])


def from_dict(tree: Any) -> Filter:
    filters = ObjectQuery(filters=tree).filters
    assert filters is not None
    return filters


def refusal(call: Any) -> str:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert len(caught.value.message) < 420
    return caught.value.message


# --- conditions ---

CONDITIONS: list[tuple[Filter, str, Any, str]] = [
    (YEAR == 2024, "eq", 2024, "field('metadata.year') == 2024"),
    (YEAR != 2024, "ne", 2024, "field('metadata.year') != 2024"),
    (YEAR > 2024, "gt", 2024, "field('metadata.year') > 2024"),
    (YEAR < 2024, "lt", 2024, "field('metadata.year') < 2024"),
    (YEAR >= 2024, "gte", 2024, "field('metadata.year') >= 2024"),
    (YEAR <= 2024, "lte", 2024, "field('metadata.year') <= 2024"),
    (2024 <= YEAR, "gte", 2024, "field('metadata.year') >= 2024"),  # noqa: SIM300  # that way round is what is tested
    (YEAR.is_in([1, "x"]), "in", [1, "x"], "field('metadata.year').is_in([1, 'x'])"),
    (YEAR.nin(n for n in (1, 2)), "nin", [1, 2], "field('metadata.year').nin([1, 2])"),
    (YEAR.contains("x"), "contains", "x", "field('metadata.year').contains('x')"),
    (YEAR.starts_with("x"), "starts_with", "x", "field('metadata.year').starts_with('x')"),
    (YEAR.ends_with("x"), "ends_with", "x", "field('metadata.year').ends_with('x')"),
    (YEAR.regex("^x"), "regex", "^x", "field('metadata.year').regex('^x')"),
    (YEAR.exists(), "exists", True, "field('metadata.year').exists(True)"),
    (YEAR.is_null(False), "is_null", False, "field('metadata.year').is_null(False)"),
    (YEAR.text("x"), "text", "x", "field('metadata.year').text('x')"),
    (YEAR.phrase("x y"), "phrase", "x y", "field('metadata.year').phrase('x y')"),
    (YEAR.words("x"), "words", "x", "field('metadata.year').words('x')"),
    (YEAR.geo_radius({"radius": 1}), "geo_radius", {"radius": 1}, "field('metadata.year').geo_radius({'radius': 1})"),
    (
        YEAR.geo_bounding_box({"top_left": 1}),
        "geo_bounding_box",
        {"top_left": 1},
        "field('metadata.year').geo_bounding_box({'top_left': 1})",
    ),
    (
        YEAR.geo_polygon({"points": []}),
        "geo_polygon",
        {"points": []},
        "field('metadata.year').geo_polygon({'points': []})",
    ),
]


@pytest.mark.parametrize(("condition", "name", "value", "text"), CONDITIONS, ids=[text for _, _, _, text in CONDITIONS])
def test_a_condition_becomes_the_apis_and_prints_as_its_expression(
    condition: Filter, name: str, value: Any, text: str
) -> None:
    assert condition.to_dict() == {"AND": [{"field": "metadata.year", "operator": name, "value": value}]}
    assert repr(condition) == text


def test_every_published_operator_can_be_written() -> None:
    assert {name for _, name, _, _ in CONDITIONS} == set(OPERATORS)


def test_the_methods_have_the_apis_names() -> None:
    for name in OPERATORS:
        assert callable(getattr(Field, "is_in" if name == "in" else name))


# --- joining ---


@pytest.mark.parametrize(
    ("filters", "tree", "text"),
    [
        (A & B & C, {"AND": [a, b, c]}, "(field('a') == 1) & (field('b') == 2) & (field('c') == 3)"),
        (A & (B & C), {"AND": [a, b, c]}, "(field('a') == 1) & (field('b') == 2) & (field('c') == 3)"),
        (A | B, {"OR": [a, b]}, "(field('a') == 1) | (field('b') == 2)"),
        (A & B | C, {"OR": [{"AND": [a, b]}, c]}, "((field('a') == 1) & (field('b') == 2)) | (field('c') == 3)"),
        (~A, {"NOT": [a]}, "~(field('a') == 1)"),
        (~(A | B), {"NOT": [{"OR": [a, b]}]}, "~((field('a') == 1) | (field('b') == 2))"),
        (~~A, {"AND": [a]}, "field('a') == 1"),
        (A.case_sensitive(), {"AND": [a], "case_sensitive": True}, "(field('a') == 1).case_sensitive()"),
        (
            (A & ~B).case_sensitive(),
            {"AND": [a, {"NOT": [b], "case_sensitive": True}], "case_sensitive": True},
            "((field('a') == 1) & (~(field('b') == 2)).case_sensitive()).case_sensitive()",
        ),
        (
            (A & B.case_sensitive()).case_sensitive(),
            {"AND": [a, {"AND": [b], "case_sensitive": True}], "case_sensitive": True},
            "((field('a') == 1) & (field('b') == 2).case_sensitive()).case_sensitive()",
        ),
        (
            (A | B.case_sensitive(False)).case_sensitive(),
            {"OR": [a, {"AND": [b], "case_sensitive": False}], "case_sensitive": True},
            "((field('a') == 1) | (field('b') == 2).case_sensitive(False)).case_sensitive()",
        ),
    ],
    ids=repr,
)
def test_joined_filters_become_the_apis_tree_and_print_as_expressions(filters: Filter, tree: Any, text: str) -> None:
    assert filters.to_dict() == tree
    assert repr(filters) == text


names = st.sampled_from(["a", "metadata.b", "ü", "AND", "it's"])
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3)
)
texts = st.text(st.characters(codec="utf-8"), max_size=3)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2))
some_filters = st.recursive(
    st.builds(lambda n, v: field(n) == v, names, values)
    | st.builds(lambda n, v: field(n).is_in(v), names, st.lists(scalars, max_size=2))
    | st.builds(lambda n, v: field(n).contains(v), names, texts),
    lambda inner: (
        st.builds(operator.and_, inner, inner)
        | st.builds(operator.or_, inner, inner)
        | st.builds(operator.invert, inner)
        | st.builds(lambda each, flag: each.case_sensitive(flag), inner, st.booleans())
    ),
    max_leaves=8,
)


@given(some_filters)
def test_the_repr_of_any_filter_makes_the_same_filter(filters: Filter) -> None:
    assert eval(repr(filters), {"field": field}) == filters


@given(some_filters)
def test_any_filter_is_read_from_its_own_dict(filters: Filter) -> None:
    assert from_dict(filters.to_dict()).to_dict() == filters.to_dict()


@given(some_filters)
def test_any_filter_can_be_pickled_and_copied(filters: Filter) -> None:
    for same in (pickle.loads(pickle.dumps(filters)), copy.deepcopy(filters)):
        assert same == filters
        assert hash(same) == hash(filters)


def test_filters_are_equal_if_the_same_json_is_sent() -> None:
    assert (A & B) & C == A & (B & C)
    assert (field("a") == 1) != field("a").eq(True)
    assert (field("a") == 1) != (field("a") == "1")
    assert A != B
    assert A != 1
    assert len({A, field("a").eq(1), B}) == 2


def test_values_are_copied_on_their_way_in_and_out() -> None:
    mine = [1, [2]]
    condition = field("a") == mine
    mine.append(3)
    condition.to_dict()["AND"][0]["value"].append(4)
    assert condition.to_dict()["AND"][0]["value"] == [1, [2]]


# --- values ---


class Colour(enum.Enum):
    RED = "red"
    DEEP = (1, Decimal("2"))


BERLIN = timezone(timedelta(hours=2))
ID = uuid.UUID("12345678123456781234567812345678")


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (datetime(2024, 5, 1, 10, tzinfo=BERLIN), "2024-05-01T08:00:00Z"),
        (datetime(2024, 5, 1, 10, 0, 0, 5, tzinfo=UTC), "2024-05-01T10:00:00.000005Z"),
        (date(2024, 5, 1), "2024-05-01"),
        (ObjectStatus.FAILED, "FAILED"),
        (ObjectStatus("REINDEXING"), "REINDEXING"),
        (Colour.RED, "red"),
        (Colour.DEEP, [1, 2]),
        (ID, "12345678-1234-5678-1234-567812345678"),
        (Decimal("5.00"), 5),
        (Decimal("0.1"), 0.1),
        (Decimal("-1E+2"), -100),
        ((1, [None, True]), [1, [None, True]]),
        ({"k": {"d": date(2024, 5, 1)}}, {"k": {"d": "2024-05-01"}}),
        (10**30, 10**30),
    ],
    ids=repr,
)
def test_a_value_becomes_json(value: Any, json: Any) -> None:
    sent = (field("a") == value).to_dict()["AND"][0]["value"]
    assert sent == json
    assert type(sent) is type(json)


class Nowhere(tzinfo):
    """A zone that does not know its own offset."""

    def utcoffset(self, _: datetime | None, /) -> None:
        return None

    dst = tzname = utcoffset


CYCLE: list[Any] = []
CYCLE.append(CYCLE)
DEEP: Any = 1
for _ in range(5_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (Decimal("NaN"), "NaN"),
        (Decimal("sNaN"), "sNaN"),
        (Decimal("0.1000000000000000000001"), "pass it as a str"),
        (Decimal("1E+999999"), "pass it as a str"),
        (Decimal("1E-999999"), "pass it as a str"),
        (10**5_000, "digits"),
        (datetime(2024, 5, 1), "without a zone"),
        (datetime(2024, 5, 1, tzinfo=Nowhere()), "without a zone"),
        (datetime.min.replace(tzinfo=BERLIN), "in UTC"),
        ("\ud800", "surrogate"),
        ({"\ud800": 1}, "surrogate"),
        ({1: 1}, "keys of JSON are strings"),
        (b"x", "not bytes"),
        ({1, 2}, "not set"),
        (object(), "not object"),
        (CYCLE, "contains itself"),
        (DEEP, "levels deep"),
        (field("b"), "compared with a value"),
        (A, "compared with a value"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_json_cannot_hold_is_refused(value: Any, says: str) -> None:
    assert says in refusal(lambda: field("a") == value)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: YEAR > None, "gt compares a field with a number"),
        (lambda: YEAR <= True, "lte compares a field with a number"),
        (lambda: YEAR.contains(7), "contains compares a field with a text"),
        (lambda: YEAR.words(" "), "not blank"),
        (lambda: YEAR.exists(1), "True or False"),
        (lambda: YEAR.geo_radius([1]), "a dict that describes an area"),
        (lambda: YEAR.geo_polygon({}), "a dict that describes an area"),
        (lambda: YEAR.is_in("abc"), "is_in and nin take a list"),
        (lambda: YEAR.is_in({"a": 1}), "is_in and nin take a list"),
        (lambda: YEAR.nin(7), "is_in and nin take a list"),
        (lambda: YEAR.is_in(field("b")), "is_in and nin take a list"),
        (lambda: field(""), "name of a field must be a string"),
        (lambda: field("a..b"), "name of a field must be a string"),
        (lambda: Field(cast(Any, 7)), "name of a field must be a string"),
        (lambda: field("\ud800"), "surrogate"),
        (lambda: A.case_sensitive("yes"), "True or False"),
    ],
    ids=repr,
)
def test_a_value_that_an_operator_does_not_compare_is_refused(call: Any, says: str) -> None:
    assert says in refusal(call)


def test_a_set_is_the_same_list_in_every_process() -> None:
    assert field("a").is_in({"c", "b", "a"}).to_dict()["AND"][0]["value"] == ["a", "b", "c"]


# --- mistakes that are easy to make in Python ---


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: A and B, "& for and"),
        (lambda: A or B, "| for or"),
        (lambda: not A, "~ for not"),
        (lambda: 1 if A else 2, "& for and"),
        (lambda: 1 < YEAR < 3, "(f > x) & (f < y)"),
        (lambda: YEAR == 1 & field("b") == 2, "parentheses"),
        (lambda: YEAR == 1 | field("b"), "parentheses"),  # noqa: SIM300  # precedence is what is tested
        (lambda: field("b") & A, "parentheses"),
        (lambda: A & field("b"), "parentheses"),
        (lambda: A & True, "parentheses"),
        (lambda: True | A, "parentheses"),
        (lambda: A | {"a": 1}, "join filters"),
        (lambda: 1 if YEAR else 2, ".exists()"),
        (lambda: ~YEAR, ".exists(False)"),
        (lambda: "x" in YEAR, ".contains('x')"),
        (lambda: list(YEAR), "compare it"),
        (lambda: YEAR in ["x"], "& for and"),
        (lambda: any([A, B]), "& for and"),
        (lambda: ObjectQuery(filters=YEAR), "alone is not a filter"),
        (lambda: ObjectQuery(filters=[A, B]), "or a dict in the API's form"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: ObjectQuery(filters=True), "or a dict in the API's form"),  # type: ignore[arg-type]  # wrong on purpose
    ],
    ids=repr,
)
def test_a_wrong_expression_raises_at_once_and_the_message_names_the_right_one(call: Any, says: str) -> None:
    assert says in refusal(call)


def test_a_flat_filter_may_be_long_but_not_nested_without_end() -> None:
    flat = functools.reduce(operator.or_, [A] * 500)
    assert len(flat.to_dict()["OR"]) == 500

    def nest(filters: Filter, _: int) -> Filter:
        return ~(filters & field("b").exists())

    assert functools.reduce(nest, range(49), A).to_dict()
    assert "levels deep" in refusal(lambda: functools.reduce(nest, range(60), A))


# --- the API's own form ---


@pytest.mark.parametrize(
    ("tree", "filters"),
    [
        ({"metadata.title": "x"}, field("metadata.title") == "x"),
        ({"a": 1, "b": 2}, A & B),
        ({"field": "a", "operator": "eq", "value": 1}, A),
        ({"field": "a", "value": 1}, A),
        ({"field": "a"}, field("field") == "a"),
        ({"AND": [a]}, A),
        ({"OR": [a, {"b": 2}]}, A | B),
        ({"NOT": [a, b]}, ~A & ~B),
        ({"NOT": [{"NOT": [a]}]}, A),
        ({"AND": [a, b], "OR": [b, c], "NOT": [c]}, A & B & (B | C) & ~C),
        ({"AND": [a, {"OR": [b, c], "case_sensitive": True}]}, A & (B | C).case_sensitive()),
        ({"AND": (A, b)}, A & B),
        ({**a, "case_sensitive": True}, A.case_sensitive()),
        ({"AND": [{**a, "case_sensitive": False}, b]}, A.case_sensitive(False) & B),
        ({"AND": [{**a, "case_sensitive": False}], "case_sensitive": True}, A.case_sensitive(False)),
        ({"NOT": [{"a": 1, "case_sensitive": True}]}, ~A.case_sensitive()),
        ({"field": "a__gte", "value": {"$ref": 1}}, field("a__gte") == {"$ref": 1}),
        ({"__gte": 1, "a__b": {"c": "$d"}}, (field("__gte") == 1) & (field("a__b") == {"c": "$d"})),
    ],
    ids=repr,
)
def test_a_dict_is_the_same_filter_as_its_expression(tree: Any, filters: Filter) -> None:
    assert from_dict(tree) == filters


def test_an_empty_dict_filters_nothing() -> None:
    assert ObjectQuery(filters={}) == ObjectQuery()


WHEEL: dict[str, Any] = {"AND": []}
WHEEL["AND"].append(WHEEL)


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({"AND": []}, "filters.AND must be a list"),
        ({"OR": {"a": 1}}, "filters.OR must be a list"),
        ({"AND": [a, {"NOT": 7}]}, "filters.AND[1].NOT must be a list"),
        ({"AND": [a, 7]}, "filters.AND[1] must be a filter"),
        ({"AND": [{}]}, "filters.AND[0] must be a filter"),
        ({"case_sensitive": True}, "filters must be a filter"),
        ({"field": "a", "operator": "eq"}, "has no value"),
        ({"field": "a", "operator": "like", "value": 1}, "there is no operator 'like': the API has eq, ne"),
        ({"field": "a", "operator": 7, "value": 1}, "there is no operator 7"),
        ({"field": "a", "operator": "in", "value": "x"}, "in compares a field with a list"),
        ({**a, "op": "eq"}, "has field, operator and value, and not 'op'"),
        ({**a, "case_sensitive": "no"}, "case_sensitive must be True or False"),
        ({"a": A}, "not Filter"),
        ({"a": float("nan")}, "nan"),
        ({7: 1}, "name of a field must be a string"),
        ({"case_sensitive": 1, "a": 1}, "True or False"),
        (WHEEL, "contain themselves"),
    ],
    ids=[str(number) for number in range(17)],
)
def test_a_dict_that_is_not_a_filter_is_refused_with_its_place(tree: Any, says: str) -> None:
    assert says in refusal(lambda: ObjectQuery(filters=tree))


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({"metadata.year": {"$gte": 2024}}, "write {'field': 'metadata.year', 'operator': 'gte', 'value': 2024}"),
        ({"metadata.year__gte": 2024}, "write {'field': 'metadata.year', 'operator': 'gte', 'value': 2024}"),
        ({"a__b__in": [1]}, "write {'field': 'a__b', 'operator': 'in', 'value': [1]}"),
        (
            {"OR": [{"b": 2}, {"a": {"x": 1, "$ne": 1}}]},
            "filters.OR[1] has {'a': {'x': 1, '$ne': 1}}, in which the API sees no operator",
        ),
        ({"a": {"$size": 2}}, "there is no operator 'size': the API has eq, ne"),
        ({"a__in": "x"}, "in compares a field with a list of values, not with 'x'"),
        ({"a__in": [float("nan")]}, "nan"),
        ({"a" * 500: {"$in": ["x" * 500]}}, "'operator': 'in', 'value': ['xxx"),
        ({"$and": [{"a": 1}]}, "filters has '$and': the API's AND, OR, NOT and operators have no $"),
    ],
    ids=[str(number) for number in range(9)],
)
def test_an_operator_of_another_query_language_is_refused_with_what_to_write(tree: Any, says: str) -> None:
    assert says in refusal(lambda: ObjectQuery(filters=tree))


# --- the filter as a value ---


def test_a_filter_cannot_be_changed() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        A._tree = {}
    sent = (A & B).to_dict()
    sent["AND"].clear()
    assert (A & B).to_dict() == {"AND": [a, b]}


def test_joined_filters_do_not_change_their_parts() -> None:
    both = A & B
    assert (both & C).case_sensitive().to_dict() == {"AND": [a, b, c], "case_sensitive": True}
    assert both.to_dict() == {"AND": [a, b]}
    assert A.to_dict() == {"AND": [a]}


def test_a_filter_is_not_made_from_a_dict_that_was_not_checked() -> None:
    unchecked: Any = Filter
    with pytest.raises(TypeError):
        unchecked({"status": "FAILED"})


@given(some_filters, st.booleans(), st.booleans())
def test_the_innermost_word_on_case_decides(filters: Filter, inner: bool, outer: bool) -> None:
    once = filters.case_sensitive(inner)
    assert once.case_sensitive(outer) == once
