"""The published operators, as tests of one record.

The comparison is in Python because SQLite's JSON ends a text at its first NUL and rounds numbers. Where the API says
nothing: texts ignore case unless `case_sensitive`; `eq` and `is_null` treat an absent field as null; a list meets a
condition if one of its elements does; `words` and `phrase` compare whole words, without stemming.
"""

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import attrs

from mixpeek_async.emulator._geo import in_box, in_circle, in_polygon, is_box, is_circle, is_polygon
from mixpeek_async.emulator._paths import DATES, moment, values_at


@attrs.frozen
class Operator:
    """`test` compares the values of a field with the value of a condition, `takes` checks the latter."""

    test: Callable[[Sequence[Any], Any, bool], bool]
    takes: Callable[[Any], bool]
    words: str


def holds(name: str, record: Any, field: str, wanted: Any, *, sensitive: bool) -> bool:
    """True if `field` of `record` meets the operator `name`."""
    values = list(values_at(record, field.split(".")))
    if field in DATES:
        values = [moment(value) for value in values]
        wanted = [moment(each) for each in wanted] if isinstance(wanted, list) else moment(wanted)
    return OPERATORS[name].test(values, wanted, sensitive)


def _fold(text: str, sensitive: bool) -> str:
    return text if sensitive else text.casefold()


def _key(value: Any, sensitive: bool) -> tuple[str, Any]:
    """A value with its kind: 1 equals 1.0, and does not equal true."""
    match value:
        case None:
            return "null", None
        case bool():
            return "truth", value
        case int() | float():
            return "number", value
        case str():
            return "text", _fold(value, sensitive)
        case _:
            return "other", json.dumps(value, sort_keys=True)


def _eq(values: Sequence[Any], wanted: Any, sensitive: bool) -> bool:
    key = _key(wanted, sensitive)
    return any(_key(value, sensitive) == key for value in values) or (wanted is None and not values)


def _in(values: Sequence[Any], wanted: Any, sensitive: bool) -> bool:
    return any(_eq(values, each, sensitive) for each in wanted)


def _not(test: Callable[[Sequence[Any], Any, bool], bool]) -> Callable[[Sequence[Any], Any, bool], bool]:
    return lambda values, wanted, sensitive: not test(values, wanted, sensitive)


def _ordered(compare: Callable[[Any, Any], bool]) -> Operator:
    def test(values: Sequence[Any], wanted: Any, sensitive: bool) -> bool:
        kind, limit = _key(wanted, sensitive)
        keys = (_key(value, sensitive) for value in values)
        return any(key[0] == kind and compare(key[1], limit) for key in keys)

    return Operator(test, lambda wanted: _key(wanted, True)[0] in ("number", "text"), "a number or a text")


def _textual(compare: Callable[[str, str], bool]) -> Operator:
    def test(values: Sequence[Any], wanted: Any, sensitive: bool) -> bool:
        part = _fold(wanted, sensitive)
        return any(compare(_fold(value, sensitive), part) for value in values if isinstance(value, str))

    return Operator(test, _is_text, "a text")


def _is_text(wanted: Any) -> bool:
    return isinstance(wanted, str)


def _is_flag(wanted: Any) -> bool:
    return isinstance(wanted, bool)


def _is_list(wanted: Any) -> bool:
    return isinstance(wanted, list)


@lru_cache(maxsize=64)
def _pattern(pattern: str, sensitive: bool) -> re.Pattern[str]:
    return re.compile(pattern, 0 if sensitive else re.IGNORECASE)


def _is_pattern(wanted: Any) -> bool:
    try:
        return isinstance(wanted, str) and bool(_pattern(wanted, True))
    except (re.error, OverflowError, RecursionError):
        return False


def _regex(values: Sequence[Any], wanted: Any, sensitive: bool) -> bool:
    return any(_pattern(wanted, sensitive).search(value) for value in values if isinstance(value, str))


def _has_words(value: str, wanted: str) -> bool:
    return set(re.findall(r"\w+", wanted)) <= set(re.findall(r"\w+", value))


def _has_phrase(value: str, wanted: str) -> bool:
    words, phrase = re.findall(r"\w+", value), re.findall(r"\w+", wanted)
    return any(words[start : start + len(phrase)] == phrase for start in range(len(words) - len(phrase) + 1))


def _area(test: Callable[[Any, Any], bool], takes: Callable[[Any], bool]) -> Operator:
    return Operator(
        lambda values, wanted, _: any(test(value, wanted) for value in values), takes, "an area of this operator's kind"
    )


_anything = Operator(_eq, lambda wanted: True, "anything")
_list = Operator(_in, _is_list, "a list")
_text_search = _textual(lambda value, wanted: wanted.casefold() in value.casefold())

OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "eq": _anything,
        "ne": attrs.evolve(_anything, test=_not(_eq)),
        "gt": _ordered(operator.gt),
        "lt": _ordered(operator.lt),
        "gte": _ordered(operator.ge),
        "lte": _ordered(operator.le),
        "in": _list,
        "nin": attrs.evolve(_list, test=_not(_in)),
        "contains": _textual(operator.contains),
        "starts_with": _textual(str.startswith),
        "ends_with": _textual(str.endswith),
        "regex": Operator(_regex, _is_pattern, "a regular expression"),
        "exists": Operator(lambda values, wanted, _: bool(values) is wanted, _is_flag, "true or false"),
        "is_null": Operator(lambda values, wanted, _: _eq(values, None, True) is wanted, _is_flag, "true or false"),
        "text": _text_search,
        "phrase": _textual(_has_phrase),
        "words": _textual(_has_words),
        "geo_radius": _area(in_circle, is_circle),
        "geo_bounding_box": _area(in_box, is_box),
        "geo_polygon": _area(in_polygon, is_polygon),
    }
)
