"""The published operators, as tests of one record.

The comparison is in Python because SQLite's JSON ends a text at its first NUL and rounds numbers. Where the API says
nothing: texts ignore case unless `case_sensitive`; `eq` and `is_null` treat an absent field as null; a list meets a
condition if one of its elements does; `words` and `phrase` compare whole words, without stemming.
"""

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from mixpeek_async.emulator._geo import in_box, in_circle, in_polygon, is_box, is_circle, is_polygon
from mixpeek_async.emulator._paths import DATES, moment, values_at
from mixpeek_async.emulator._regex import MAX_NESTING, MAX_PATTERN, compile_regex

Match = Callable[[Sequence[Any]], bool]
"""Takes the values at a field, and returns True if they meet a condition."""


@attrs.frozen
class Operator:
    """`takes` checks the value of a condition. `match` prepares it once, for many records: (value, case_sensitive)."""

    match: Callable[[Any, bool], Match]
    takes: Callable[[Any], bool]
    words: str


def condition_test(name: str, field: str, value: Any, *, sensitive: bool) -> Callable[[Any], bool]:
    """The test of a record for one condition; `value` must be one that the operator `name` takes."""
    path = field.split(".")
    if field not in DATES:
        match = OPERATORS[name].match(value, sensitive)
        return lambda record: match(list(values_at(record, path)))
    match = OPERATORS[name].match([moment(v) for v in value] if isinstance(value, list) else moment(value), sensitive)
    return lambda record: match([moment(found) for found in values_at(record, path)])


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


def _in(wanted: Any, sensitive: bool) -> Match:
    keys = {_key(value, sensitive) for value in wanted}
    absent = None in wanted
    return lambda values: any(_key(value, sensitive) in keys for value in values) or (absent and not values)


def _eq(wanted: Any, sensitive: bool) -> Match:
    return _in([wanted], sensitive)


def _not(match: Callable[[Any, bool], Match]) -> Callable[[Any, bool], Match]:
    def prepare(wanted: Any, sensitive: bool) -> Match:
        positive = match(wanted, sensitive)
        return lambda values: not positive(values)

    return prepare


def _ordered(compare: Callable[[Any, Any], bool]) -> Operator:
    def prepare(wanted: Any, sensitive: bool) -> Match:
        kind, limit = _key(wanted, sensitive)
        return lambda values: any(
            key[0] == kind and compare(key[1], limit) for key in (_key(value, sensitive) for value in values)
        )

    return Operator(prepare, lambda wanted: _key(wanted, True)[0] in ("number", "text"), "a number or a text")


def _textual(compare: Callable[[str, str], bool]) -> Operator:
    def prepare(wanted: Any, sensitive: bool) -> Match:
        part = _fold(wanted, sensitive)
        return lambda values: any(compare(_fold(value, sensitive), part) for value in values if isinstance(value, str))

    return Operator(prepare, _is_text, "a text")


def _is_text(wanted: Any) -> bool:
    return isinstance(wanted, str)


def _is_flag(wanted: Any) -> bool:
    return isinstance(wanted, bool)


def _is_list(wanted: Any) -> bool:
    return isinstance(wanted, list)


def _is_regex(wanted: Any) -> bool:
    try:
        return isinstance(wanted, str) and bool(compile_regex(wanted, True))
    except ValueError:
        return False


def _regex(wanted: Any, sensitive: bool) -> Match:
    regex = compile_regex(wanted, sensitive)
    return lambda values: any(regex.search(value) for value in values if isinstance(value, str))


def _exists(wanted: Any, _: bool) -> Match:
    return lambda values: bool(values) is wanted


def _is_null(wanted: Any, _: bool) -> Match:
    is_null = _eq(None, True)
    return lambda values: is_null(values) is wanted


def _has_words(value: str, wanted: str) -> bool:
    return set(re.findall(r"\w+", wanted)) <= set(re.findall(r"\w+", value))


def _has_phrase(value: str, wanted: str) -> bool:
    words, phrase = re.findall(r"\w+", value), re.findall(r"\w+", wanted)
    return any(words[start : start + len(phrase)] == phrase for start in range(len(words) - len(phrase) + 1))


def _area(test: Callable[[Any, Any], bool], takes: Callable[[Any], bool]) -> Operator:
    def prepare(wanted: Any, _: bool) -> Match:
        return lambda values: any(test(value, wanted) for value in values)

    return Operator(prepare, takes, "an area of this operator's kind")


_anything = Operator(_eq, lambda wanted: True, "anything")
_list = Operator(_in, _is_list, "a list")
_PATTERN = (
    f"a regular expression of at most {MAX_PATTERN} characters, without backreferences, lookaround and inline flags, "
    f"and with repetitions nested at most {MAX_NESTING} deep"
)

OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "eq": _anything,
        "ne": attrs.evolve(_anything, match=_not(_eq)),
        "gt": _ordered(operator.gt),
        "lt": _ordered(operator.lt),
        "gte": _ordered(operator.ge),
        "lte": _ordered(operator.le),
        "in": _list,
        "nin": attrs.evolve(_list, match=_not(_in)),
        "contains": _textual(operator.contains),
        "starts_with": _textual(str.startswith),
        "ends_with": _textual(str.endswith),
        "regex": Operator(_regex, _is_regex, _PATTERN),
        "exists": Operator(_exists, _is_flag, "true or false"),
        "is_null": Operator(_is_null, _is_flag, "true or false"),
        # Like `contains`, but it always ignores case.
        "text": _textual(lambda value, wanted: wanted.casefold() in value.casefold()),
        "phrase": _textual(_has_phrase),
        "words": _textual(_has_words),
        "geo_radius": _area(in_circle, is_circle),
        "geo_bounding_box": _area(in_box, is_box),
        "geo_polygon": _area(in_polygon, is_polygon),
    }
)
