"""The published operators, by the API's own names, and what each compares a field with."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import attrs

from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query.values import JSON, shown

__all__ = ["OPERATORS", "check_operand", "operator_name"]


@attrs.frozen
class _Kind:
    """What an operator takes: a test, and the same in words."""

    takes: Callable[[JSON], bool]
    words: str


def _is_ordered(value: JSON) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


_ANY = _Kind(lambda value: True, "anything")
_ORDERED = _Kind(_is_ordered, "a number, a text or a date")
_LIST = _Kind(lambda value: isinstance(value, list), "a list of values")
_TEXT = _Kind(lambda value: isinstance(value, str), "a text")
_WORDS = _Kind(lambda value: isinstance(value, str) and bool(value.strip()), "a text that is not blank")
_FLAG = _Kind(lambda value: isinstance(value, bool), "True or False")
_AREA = _Kind(lambda value: isinstance(value, dict) and bool(value), "a dict that describes an area")

OPERATORS: Mapping[str, _Kind] = MappingProxyType(
    {
        "eq": _ANY,
        "ne": _ANY,
        "gt": _ORDERED,
        "lt": _ORDERED,
        "gte": _ORDERED,
        "lte": _ORDERED,
        "in": _LIST,
        "nin": _LIST,
        "contains": _TEXT,
        "starts_with": _TEXT,
        "ends_with": _TEXT,
        "regex": _TEXT,
        "exists": _FLAG,
        "is_null": _FLAG,
        "text": _WORDS,
        "phrase": _WORDS,
        "words": _WORDS,
        "geo_radius": _AREA,
        "geo_bounding_box": _AREA,
        "geo_polygon": _AREA,
    }
)
"""API 0.82, `FilterOperator`."""


def operator_name(value: object) -> str:
    """`value` as the name of an operator; InvalidArgumentError when there is no such one."""
    if not isinstance(value, str) or value not in OPERATORS:
        raise InvalidArgumentError(f"there is no operator {shown(value)}: the API has {', '.join(OPERATORS)}")
    return value


def check_operand(operator: str, value: JSON) -> None:
    """InvalidArgumentError when `operator` does not compare with such a value."""
    kind = OPERATORS[operator]
    if not kind.takes(value):
        raise InvalidArgumentError(f"{operator} compares a field with {kind.words}, not with {shown(value)}")
