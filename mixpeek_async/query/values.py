"""What a query may hold: values that JSON can say, and the names of fields."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias
from uuid import UUID

import attrs

from mixpeek_async.errors import InvalidArgumentError

__all__ = ["JSON", "MAX_DEPTH", "as_json", "canonical", "field_name", "is_bool", "shown", "text"]

JSON: TypeAlias = Any
"""Whatever JSON can say: dict, list, str, int, float, bool or None."""

MAX_DEPTH = 100
"""How deep filters and values may be nested. The API has a limit of its own, which it does not publish."""

# Over this many digits an exact Decimal is no number that anybody meant.
_MAX_DIGITS = 300


def as_json(value: object, name: str, depth: int = 0) -> JSON:
    """A copy of `value` in JSON's types; InvalidArgumentError, which calls it `name`, where JSON cannot say it.

    Datetimes (RFC 3339 in UTC), dates, enums (their values), UUIDs and Decimals (where they are exact) are taken too.
    """
    if depth > MAX_DEPTH:
        raise InvalidArgumentError(f"{name} is nested more than {MAX_DEPTH} levels deep, or holds itself")
    match value:
        case Enum():
            return as_json(value.value, name, depth + 1)
        case None | bool():
            return value
        case str():
            return _encodable(value, name)
        case int():
            return _writable(int(value), name)
        case float():
            return _finite(float(value), name)
        case Decimal():
            return _exact(value, name)
        case datetime():
            return _instant(value, name)
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case list() | tuple():
            return [as_json(item, name, depth + 1) for item in value]
        case Mapping():
            return {_key(key, name): as_json(item, name, depth + 1) for key, item in value.items()}
        case _:
            raise InvalidArgumentError(f"{name} must be something that JSON can say, not {type(value).__name__}")


def canonical(value: JSON) -> str:
    """The one JSON text of a value: the same for all that are equal, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def field_name(value: object) -> str:
    """`value` as the name of a field, dots for nested ones: `"metadata.year"`."""
    if not isinstance(value, str) or not all(part.strip() for part in value.split(".")):
        raise InvalidArgumentError(
            f"a field is named by a string such as 'status' or 'metadata.year', not {shown(value)}"
        )
    return _encodable(value, "the name of a field")


def text(value: object, name: str) -> str:
    """`value` as a text with something in it."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidArgumentError(f"{name} must be a text that is not blank, not {shown(value)}")
    return _encodable(value, name)


def is_bool(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    """An attrs validator: True or False, and nothing that is only like them."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{attribute.name} must be True or False, not {shown(value)}")


def shown(value: object) -> str:
    """`value` for a message, cut to 100 characters."""
    try:
        return f"{value!r:.100}"
    # Python writes out no int of more than 4,300 digits, and nothing that is nested deeper than its stack.
    except (ValueError, RecursionError):
        return "a value too long to show"


def _key(key: object, name: str) -> str:
    if not isinstance(key, str):
        raise InvalidArgumentError(f"{name} holds the key {shown(key)}: the keys of JSON are strings")
    return _encodable(key, name)


def _encodable(value: str, name: str) -> str:
    try:
        # As a plain str, also where it comes from a subclass.
        return value.encode().decode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(
            f"{name} holds half a surrogate pair, which is no character: {value!a:.100}"
        ) from None


def _writable(value: int, name: str) -> int:
    try:
        str(value)
    except ValueError:
        raise InvalidArgumentError(f"{name} is a number of more digits than Python writes out") from None
    return value


def _finite(value: float, name: str) -> float:
    if not math.isfinite(value):
        raise InvalidArgumentError(f"{name} is {value}, which JSON cannot say")
    return value


def _exact(value: Decimal, name: str) -> int | float:
    """The JSON number of exactly the digits of `value`."""
    if value.is_finite() and abs(value.adjusted()) < _MAX_DIGITS:
        if value == value.to_integral_value():
            return int(value)
        # The shortest text that reads as this float, which is what JSON will hold.
        if Decimal(repr(float(value))) == value:
            return float(value)
    raise InvalidArgumentError(f"{name} is {shown(value)}, which no float holds exactly: pass it as a str or a float")


def _instant(value: datetime, name: str) -> str:
    if value.utcoffset() is None:
        raise InvalidArgumentError(
            f"{name} is {shown(value)}, a datetime without a zone: pass .replace(tzinfo=UTC) or .astimezone()"
        )
    try:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise InvalidArgumentError(f"{name} is {shown(value)}, which is in no year from 1 to 9999 in UTC") from None
