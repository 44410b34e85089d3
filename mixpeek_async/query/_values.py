"""The values that a query may hold: what JSON can hold, and the names of fields."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias
from uuid import UUID

from mixpeek_async._checks import short_repr
from mixpeek_async.errors import InvalidArgumentError

JSON: TypeAlias = Any
"""A value that JSON can hold: dict, list, str, int, float, bool or None."""

MAX_DEPTH = 100
"""How many levels deep filters and values may be nested. The API has a limit of its own, which is not published."""

# A Decimal of more digits than this is a mistake, and an int of it would take long to compute.
_MAX_DIGITS = 300


def as_json(value: object, name: str) -> JSON:
    """A copy of `value` in JSON's own types. InvalidArgumentError, which calls it `name`, if JSON cannot hold it.

    Also taken: datetimes (sent as RFC 3339 in UTC), dates, enums (their values), UUIDs, and Decimals that a JSON number
    holds exactly.
    """
    plain = _plain(value, name, 0)
    try:
        # Encoding finds the rest: NaN, infinity, half a surrogate pair, an int of more digits than Python prints.
        text = json.dumps(plain, allow_nan=False, ensure_ascii=False).encode()
    except ValueError as error:
        raise InvalidArgumentError(f"{name} is {short_repr(value)}, which JSON cannot hold: {error}") from None
    return json.loads(text)


def canonical(value: JSON) -> str:
    """The JSON text of a value. Equal values have the same text, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def field_name(value: object) -> str:
    """`value`, if it is the name of a field, with dots for nested ones: `"metadata.year"`."""
    if not isinstance(value, str) or not all(part.strip() for part in value.split(".")):
        raise InvalidArgumentError(
            f"the name of a field must be a string such as 'status' or 'metadata.year', not {short_repr(value)}"
        )
    name: str = as_json(value, "the name of a field")
    return name


# msgspec.to_builtins does the same faster, but takes sets, bytes and any dataclass, and keeps keys that are no strings.
def _plain(value: object, name: str, depth: int) -> JSON:
    if depth > MAX_DEPTH:
        raise InvalidArgumentError(f"{name} is nested more than {MAX_DEPTH} levels deep, or contains itself")
    match value:
        # Enums first: many are strings or numbers as well.
        case Enum():
            return _plain(value.value, name, depth + 1)
        case None | bool() | str() | int() | float():
            return value
        case Decimal():
            return _exact_number(value, name)
        case datetime():
            return _in_utc(value, name)
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case list() | tuple():
            return [_plain(item, name, depth + 1) for item in value]
        case Mapping():
            # json.dumps would write the key 1 as "1", in silence.
            if odd := [key for key in value if not isinstance(key, str)]:
                raise InvalidArgumentError(f"{name} has the key {short_repr(odd[0])}: the keys of JSON are strings")
            return {key: _plain(item, name, depth + 1) for key, item in value.items()}
        case _:
            raise InvalidArgumentError(f"{name} must be a value that JSON can hold, not {type(value).__name__}")


def _exact_number(value: Decimal, name: str) -> int | float:
    if value.is_finite() and abs(value.adjusted()) < _MAX_DIGITS:
        if value == value.to_integral_value():
            return int(value)
        # The repr is the text that JSON will hold.
        if Decimal(repr(float(value))) == value:
            return float(value)
    raise InvalidArgumentError(
        f"{name} is {short_repr(value)}, which no float holds exactly: pass it as a str or a float"
    )


def _in_utc(value: datetime, name: str) -> str:
    if value.utcoffset() is None:
        raise InvalidArgumentError(
            f"{name} is {short_repr(value)}, a datetime without a zone: pass .replace(tzinfo=UTC) or .astimezone()"
        )
    try:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise InvalidArgumentError(f"{name} is {short_repr(value)}, outside the years 1 to 9999 in UTC") from None
