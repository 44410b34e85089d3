"""Checks of arguments, made before any I/O. Each raises InvalidArgumentError, which says what to pass instead.

`valid` makes an attrs validator of a check: `attrs.field(validator=valid(bool_))`.
"""

import inspect
import math
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from mixpeek_async.errors import InvalidArgumentError

T = TypeVar("T")

Check = Callable[[Any, str], Any]
"""A function of a value and the name of its argument. It returns the value if that is good."""


def bool_(value: object, name: str) -> bool:
    """True or False. Nothing else is taken: "false" is true to Python."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{name} must be True or False, not {_shown(value)}")
    return value


def int_between(low: int, high: int | None = None) -> Callable[[object, str], int]:
    """A check for a whole number from `low` to `high` (None: no upper bound)."""
    bounds = f"from {low} to {high}" if high is not None else f"of at least {low}"

    def check(value: object, name: str) -> int:
        # True is an int to Python, and is never meant as a size.
        if isinstance(value, bool) or not isinstance(value, int) or value < low or (high is not None and value > high):
            raise InvalidArgumentError(f"{name} must be a whole number {bounds}, not {_shown(value)}")
        return value

    return check


def number(*, or_zero: bool = False) -> Callable[[object, str], float]:
    """A check for a finite number over 0, or 0 itself."""
    bounds, lowest = ("of at least 0", 0.0) if or_zero else ("over 0", math.ulp(0.0))

    def check(value: object, name: str) -> float:
        # nan is neither over nor under anything.
        if isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value < math.inf:
            return value
        raise InvalidArgumentError(f"{name} must be a number {bounds}, not {_shown(value)}")

    return check


def instance_of(kind: type[T]) -> Callable[[object, str], T]:
    """A check for an instance of `kind`."""

    def check(value: object, name: str) -> T:
        if not isinstance(value, kind):
            raise InvalidArgumentError(f"{name} must be of the class {kind.__name__}, not {type(value).__name__}")
        return value

    return check


def text(value: object, name: str) -> str:
    """A string that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidArgumentError(f"{name} must be a text that is not blank, not {_shown(value)}")
    return value


def optional(check: Callable[[object, str], T]) -> Callable[[object, str], T | None]:
    """`check`, for an argument that may be None."""
    return lambda value, name: None if value is None else check(value, name)


def is_plain_function(value: object) -> bool:
    """True for a callable that gives its result at once: no `async def`, and no object with an async `__call__`."""
    call = getattr(type(value), "__call__", None)  # noqa: B004  # whether it is async is the question
    return callable(value) and not (inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(call))


def valid(check: Check) -> Callable[[Any, "attrs.Attribute[Any]", Any], None]:
    """`check` as an attrs validator."""

    def validate(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
        check(value, attribute.name)

    return validate


def short_repr(value: object) -> str:
    """The repr of `value`, cut to 100 characters, for a message."""
    try:
        return f"{value!r:.100}"
    # Python prints no int of more than 4,300 digits, and nothing that is nested deeper than its stack.
    except (ValueError, RecursionError):
        return "a value too long to show"


def _shown(value: object) -> str:
    """What was passed in place of a number or a bool. A long string may be the API key, in the wrong argument."""
    is_short = value is None or isinstance(value, int | float) or (isinstance(value, str) and len(value) < 8)
    return short_repr(value) if is_short else f"a value of type {type(value).__name__}"
