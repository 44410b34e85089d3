"""The grammar of `--where`: each form, every mistake with its position, and any filter there and back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpeek_async import Filter, field
from mixpeek_async.cli._where import WhereError, parse_where

YEAR, STATUS, TITLE = field("metadata.year"), field("status"), field("metadata.title")


@pytest.mark.parametrize(
    ("text", "filter_"),
    [
        ("metadata.year >= 2024", YEAR >= 2024),
        ("metadata.year>=2024", YEAR >= 2024),
        ('status == "FAILED"', STATUS == "FAILED"),
        ("status = 'FAILED'", STATUS == "FAILED"),
        ("status != 'FAILED'", STATUS != "FAILED"),
        ("metadata.year < -1.5e3", YEAR < -1500.0),
        ("metadata.year <= 0", YEAR <= 0),
        ('created_at > "2025-01-01T00:00:00Z"', field("created_at") > "2025-01-01T00:00:00Z"),
        ("a == true and b == false and c != null", (field("a") == True) & (field("b") == False) & (field("c") != None)),  # noqa: E711, E712  # conditions, not comparisons
        ('status in ("FAILED", "PENDING")', STATUS.is_in(["FAILED", "PENDING"])),
        ("metadata.year not in [1, 2.5]", YEAR.nin([1, 2.5])),
        ("metadata.year exists", YEAR.exists()),
        ("metadata.year not exists", YEAR.exists(False)),
        ("error is null", field("error").is_null()),
        ("error IS NOT NULL", field("error").is_null(False)),
        ('metadata.title contains "x"', TITLE.contains("x")),
        ('metadata.title starts_with "x"', TITLE.starts_with("x")),
        ('metadata.title ends_with "x"', TITLE.ends_with("x")),
        (r'metadata.title regex "^\d+\.$"', TITLE.regex(r"^\d+\.$")),
        ('metadata.title text "x"', TITLE.text("x")),
        ('metadata.title phrase "x y"', TITLE.phrase("x y")),
        ('metadata.title words "x y"', TITLE.words("x y")),
        ('"my field".a == 1', None),
        ('"my field.a" == 1', field("my field.a") == 1),
        ('"not" == 1', field("not") == 1),
        ("größe-2 == 1", field("größe-2") == 1),
        (r"a == 'it\'s'", field("a") == "it's"),
        (r'a == "\\"', field("a") == "\\"),
        ("a == 1 or b == 2 and c == 3", (field("a") == 1) | ((field("b") == 2) & (field("c") == 3))),
        ("(a == 1 or b == 2) and c == 3", ((field("a") == 1) | (field("b") == 2)) & (field("c") == 3)),
        ("not a == 1 and b == 2", ~(field("a") == 1) & (field("b") == 2)),
        ("NOT (a == 1 AND b == 2)", ~((field("a") == 1) & (field("b") == 2))),
    ],
)
def test_an_expression_is_the_filter_of_the_library(text: str, filter_: Filter | None) -> None:
    if filter_ is None:
        with pytest.raises(WhereError, match=r"at character 11, '\.a': an operator is expected"):
            parse_where(text)
    else:
        assert parse_where(text) == filter_


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at character 1, 'the end': the name of a field is expected"),
        ("  ", "at character 3, 'the end': the name of a field is expected"),
        ("metadata.year", "at character 14, 'the end': an operator is expected, such as ==, >=, in"),
        ("metadata.year >=", "at character 17, 'the end': a value is expected"),
        ("status == FAILED", "at character 11, 'FAILED': put a text in quotes"),
        ("created_at > 2024-01-01", "at character 14, '2024-01-01': put a text in quotes"),
        ("status == )", "at character 11, ')': a value is expected"),
        ("status is 3", "at character 11, '3': null is expected"),
        ("status not 3", "at character 8, 'not': an operator is expected"),
        ("status in 3", "at character 11, '3': a list is expected, such as"),
        ("status in ()", "at character 12, ')': a value is expected"),
        ("status in (1 2)", "at character 14, '2': ) is expected"),
        ("status in [1)", "at character 13, ')': ] is expected"),
        ("(status == 1", "at character 13, 'the end': ) is expected"),
        ("status == 1 status == 2", "at character 13, 'status': and, or, or the end is expected"),
        ("and == 1", "at character 1, 'and': the name of a field is expected"),
        ("a == 1 & b == 2", "at character 8, '&': write and"),
        ("a == 1 | b == 2", "at character 8, '|': write or"),
        ("~a == 1", "at character 1, '~': write not"),
        ("!a", "at character 1, '!': write not"),
        ("a == 'x", 'at character 6, "\'": a quote is not closed'),
        ('a == "x', "at character 6, '\"': a quote is not closed"),
        ("a..b == 1", "at character 1, 'a..b': the name of a field must be a string"),
        ("a contains 3", "at character 1, 'a': contains compares a field with a text, not with 3"),
        ("a > null", "at character 1, 'a': gt compares a field with a number"),
        ("a == 1e999", "at character 1, 'a': the value of a filter is inf"),
        ("a == \x1b", "at character 6, '\\x1b': put a text in quotes"),
        ("not " * 51 + "a == 1", "nested more than 50 levels deep"),
        ("(" * 10_000, "nested more than 50 levels deep"),
        ("a == " + "9" * 5000, "the value of a filter is inf"),
    ],
)
def test_a_mistake_is_named_with_its_position(text: str, message: str) -> None:
    with pytest.raises(WhereError) as caught:
        parse_where(text)
    assert message in str(caught.value)


def test_nothing_is_evaluated() -> None:
    with pytest.raises(WhereError):
        parse_where("__import__('os').system('true')")


def _text(value: Any) -> str:
    """A value in the words of the grammar."""
    if isinstance(value, list):
        return f"({', '.join(map(_text, value))})"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return json.dumps(value)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5).filter(
    lambda name: all(part.strip() for part in name.split("."))
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
values = texts | numbers | st.sampled_from([True, False, None])

conditions = st.one_of(
    st.builds(lambda n, v: (f"{_text(n)} == {_text(v)}", field(n) == v), names, values),
    st.builds(lambda n, v: (f"{_text(n)} < {_text(v)}", field(n) < v), names, texts | numbers),
    st.builds(lambda n, v: (f"{_text(n)} in {_text(v)}", field(n).is_in(v)), names, st.lists(values, min_size=1)),
    st.builds(lambda n, v: (f"{_text(n)} regex {_text(v)}", field(n).regex(v)), names, texts),
    st.builds(lambda n: (f"{_text(n)} not exists", field(n).exists(False)), names),
)
expressions = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.builds(lambda a, b: (f"({a[0]}) and ({b[0]})", a[1] & b[1]), inner, inner),
        st.builds(lambda a, b: (f"({a[0]}) or ({b[0]})", a[1] | b[1]), inner, inner),
        st.builds(lambda a: (f"not ({a[0]})", ~a[1]), inner),
    ),
    max_leaves=8,
)


@given(expressions)
def test_any_filter_can_be_written(expression: tuple[str, Filter]) -> None:
    text, filter_ = expression
    assert parse_where(text) == filter_


@given(st.text())
def test_any_text_is_a_filter_or_a_mistake(text: str) -> None:
    try:
        answer: object = parse_where(text)
    except WhereError as error:
        answer = error
    assert isinstance(answer, Filter) or str(answer).startswith("at character ")
