"""The published operators by the API's own names (API 0.82, `FilterOperator`), and what each compares a field with."""

from collections.abc import Callable
from typing import Final

from mixpeek_async._checks import short_repr
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query._values import JSON


def _is_ordered(value: JSON) -> bool:
    # True is an int to Python, and is never greater than anything.
    return isinstance(value, int | float | str) and not isinstance(value, bool)


_ANYTHING = ("anything", lambda value: True)
_ORDERED = ("a number, a text or a date", _is_ordered)
_LIST = ("a list of values", lambda value: isinstance(value, list))
_TEXT = ("a text", lambda value: isinstance(value, str))
_WORDS = ("a text that is not blank", lambda value: isinstance(value, str) and bool(value.strip()))
_FLAG = ("True or False", lambda value: isinstance(value, bool))
_AREA = ("a dict that describes an area", lambda value: isinstance(value, dict) and bool(value))

OPERATORS: Final[dict[str, tuple[str, Callable[[JSON], bool]]]] = {
    **dict.fromkeys(("eq", "ne"), _ANYTHING),
    **dict.fromkeys(("gt", "lt", "gte", "lte"), _ORDERED),
    **dict.fromkeys(("in", "nin"), _LIST),
    # A pattern is any text: its dialect is the server's, which checks it.
    **dict.fromkeys(("contains", "starts_with", "ends_with", "regex"), _TEXT),
    **dict.fromkeys(("exists", "is_null"), _FLAG),
    **dict.fromkeys(("text", "phrase", "words"), _WORDS),
    # The shapes of areas are not published.
    **dict.fromkeys(("geo_radius", "geo_bounding_box", "geo_polygon"), _AREA),
}
"""Each operator with what it takes: in words, and as a test of the value."""


def check_comparison(operator: object, value: JSON) -> None:
    """InvalidArgumentError if there is no such operator, or if it does not compare a field with such a value."""
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise InvalidArgumentError(f"there is no operator {short_repr(operator)}: the API has {', '.join(OPERATORS)}")
    words, fits = OPERATORS[operator]
    if not fits(value):
        raise InvalidArgumentError(f"{operator} compares a field with {words}, not with {short_repr(value)}")
