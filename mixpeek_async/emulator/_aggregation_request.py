"""Parse an aggregation, and check it against the published schema."""

import operator
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import attrs

from mixpeek_async.emulator._calls import Call
from mixpeek_async.emulator._errors import ApiError
from mixpeek_async.emulator._filters import Clause
from mixpeek_async.emulator._paths import DATES, moment, parse_date, value_at, value_key
from mixpeek_async.emulator._profiles import FIELDS, SIZE, is_exact
from mixpeek_async.emulator._reading import Problems, problem, read_body, refuse

_KEYS = frozenset(
    {"aggregations", "filters", "group_by", "having", "limit", "range_buckets", "sort_by", "sort_direction", "unwind"}
)

UNITS: Mapping[str, int] = MappingProxyType({"year": 4, "month": 7, "day": 10, "hour": 13, "minute": 16, "second": 19})
"""The units that are a beginning of an ISO date, and the number of its characters. A week is none."""

_PARTS: Mapping[str, Callable[[datetime], int]] = MappingProxyType(
    {
        "year": lambda date: date.year,
        "month": lambda date: date.month,
        "week": lambda date: date.isocalendar().week,
        "day": lambda date: date.day,
        # 1 is Sunday, 7 is Saturday.
        "dayOfWeek": lambda date: date.isoweekday() % 7 + 1,
        "dayOfYear": lambda date: date.timetuple().tm_yday,
        "hour": lambda date: date.hour,
        "minute": lambda date: date.minute,
        "second": lambda date: date.second,
    }
)


def _numbers(values: Sequence[Any]) -> list[float]:
    return [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


def _average(values: Sequence[Any]) -> float | None:
    numbers = _numbers(values)
    return sum(numbers) / len(numbers) if numbers else None


_FUNCTIONS: Mapping[str, Callable[[Sequence[Any]], Any]] = MappingProxyType(
    {
        "sum": lambda values: sum(_numbers(values)),
        "avg": _average,
        "min": lambda values: min(values, key=value_key, default=None),
        "max": lambda values: max(values, key=value_key, default=None),
        "count_distinct": lambda values: len({value_key(value) for value in values}),
    }
)
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "eq": operator.eq,
        "ne": operator.ne,
        "gt": operator.gt,
        "gte": operator.ge,
        "lt": operator.lt,
        "lte": operator.le,
    }
)


@attrs.frozen
class Key:
    """One part of a group's key: a field, or the unit or part of its date."""

    field: str
    alias: str
    date_trunc: str | None = None
    date_part: str | None = None

    def of(self, record: Any) -> Any:
        value = value_at(record, self.field)
        if not (self.date_trunc or self.date_part):
            return value
        date = parse_date(value)
        if date is None:
            return None
        return _PARTS[self.date_part](date) if self.date_part else truncated(date, self.date_trunc or "second")


@attrs.frozen
class Range:
    """The part of a group's key that a number falls into: `10-20` is over 10 and up to 20.

    `other`: the name for no number, and for one below the first boundary or over the last one. How the API writes the
    names is not published; these are those of its description.
    """

    field: str
    boundaries: tuple[float, ...]
    other: str = "other"

    @property
    def alias(self) -> str:
        return self.field

    def of(self, record: Any) -> str:
        numbers = _numbers([value_at(record, self.field)])
        # A number on a boundary is in the range below it.
        index = bisect_left(self.boundaries, numbers[0]) if numbers else 0
        if not 0 < index < len(self.boundaries):
            return self.other
        return f"{self.boundaries[index - 1]}-{self.boundaries[index]}"


@attrs.frozen
class Metric:
    """One measure of a group. All functions but `count` pass over null and absent values."""

    function: str
    alias: str
    field: str = ""

    def values_of(self, record: Any) -> list[Any]:
        value = value_at(record, self.field) if self.field else None
        return [] if value is None else [moment(value) if self.field in DATES else value]

    def of(self, count: int, values: Sequence[Any]) -> Any:
        """The measure of a group of `count` records."""
        return count if self.function == "count" else _FUNCTIONS[self.function](values)


@attrs.frozen
class Having:
    """A condition on a measure. A measure of another kind than `value`, such as null, does not meet it."""

    alias: str
    compare: Callable[[Any, Any], bool]
    value: Any

    def holds(self, metrics: Mapping[str, Any]) -> bool:
        try:
            return self.compare(metrics[self.alias], self.value)
        except TypeError:
            return False


@attrs.frozen
class Aggregation:
    """A parsed request. `unwind`: a list field, of which each element counts as a record of its own."""

    keys: tuple[Key | Range, ...]
    metrics: tuple[Metric, ...]
    clauses: tuple[Clause, ...] = ()
    having: tuple[Having, ...] = ()
    unwind: str | None = None
    sort_by: str | None = None
    descending: bool = True
    limit: int | None = None

    @property
    def histogram_unit(self) -> str | None:
        """The unit, if this only counts objects by their dates of creation: the index alone can answer that."""
        match self.keys:
            case (Key(field="created_at", date_trunc=unit),) if not self.unwind and self._only_counts and unit in UNITS:
                return unit
            case _:
                return None

    @property
    def needs_profiles_only(self) -> bool:
        """True if the profiles of the objects answer this: their numbers by status, type, MIME type or size."""
        return self._only_counts and self.unwind in (None, "blobs") and all(map(_is_in_profile, self.keys))

    @property
    def _only_counts(self) -> bool:
        return all(metric.function == "count" for metric in self.metrics)


def _is_in_profile(key: Key | Range) -> bool:
    if isinstance(key, Range):
        return key.field == SIZE and is_exact(key.boundaries)
    return key.field in FIELDS and not (key.date_trunc or key.date_part)


def truncated(date: datetime, unit: str) -> str:
    """The beginning of the unit that `date` is in. A week begins on Sunday, as in MongoDB."""
    if unit == "week":
        # isoweekday() is 7 on a Sunday, which is day 0 here.
        date, unit = date - timedelta(days=date.isoweekday() % 7), "day"
    return completed(date.isoformat()[: UNITS[unit]])


def completed(start: str) -> str:
    """The date that begins with `start`, such as 2025-03."""
    return start + "0001-01-01T00:00:00Z"[len(start) :]


def parse_aggregation(call: Call) -> Aggregation:
    """The aggregation that `call` requests. Raises a 422 with every problem, or a 501 for what is not supported."""
    problems: Problems = []
    body = read_body(call.raw_body, _KEYS, problems)
    keys = _read_items(body.items("group_by"), "group_by", _key, problems)
    keys += _read_items(body.items("range_buckets", required=False), "range_buckets", _range, problems)
    metrics = _read_items(body.items("aggregations"), "aggregations", _metric, problems)
    measures = [metric.alias for metric in metrics]
    having = _read_items(body.items("having", required=False), "having", lambda item: _having(item, measures), problems)
    names = [*measures, *(key.alias for key in keys)]
    aggregation = {
        "clauses": tuple(body.filters(False)),
        "having": having,
        "unwind": body.text("unwind"),
        "sort_by": body.check("sort_by", names.__contains__, "the alias of a group or of an aggregation"),
        "descending": body.check("sort_direction", ("asc", "desc").__contains__, "asc or desc") != "asc",
        "limit": body.integer("limit", low=1, high=10**9),
    }
    refuse(problems)
    return Aggregation(keys, metrics, **aggregation)


def _read_items(items: Sequence[Any], name: str, read: Callable[[Any], Any], problems: Problems) -> tuple[Any, ...]:
    """The items as `read` makes them. An item that it cannot read is a problem, with the words of its ValueError."""
    made = []
    # One item's problem does not hide the next one's.
    for index, item in enumerate(items):
        try:
            made.append(read(item))
        except ValueError as error:
            problems.append(problem(("body", name, index), "value_error", str(error)))
    return tuple(made)


def _key(item: Any) -> Key:
    given = _object(item, {"field", "alias", "date_trunc", "date_part"}, required={"field"})
    unit, part = given.get("date_trunc"), given.get("date_part")
    if unit not in (None, "week", *UNITS):
        raise ValueError(f"date_trunc should be one of {', '.join(UNITS)}, week")
    if part not in (None, *_PARTS):
        raise ValueError(f"date_part should be one of {', '.join(_PARTS)}")
    if unit and part:
        raise ValueError("date_trunc and date_part should not be used together")
    return Key(given["field"], given.get("alias") or given["field"], unit, part)


def _range(item: Any) -> Range:
    boundaries = item.get("boundaries") if isinstance(item, dict) else None
    given = _object(item, {"field", "boundaries", "default_bucket"}, required={"field", "boundaries"})
    if not isinstance(boundaries, list) or not boundaries or boundaries != sorted(_numbers(boundaries)):
        raise ValueError("boundaries should be a list of numbers in ascending order")
    return Range(given["field"], tuple(boundaries), given.get("default_bucket") or "other")


def _metric(item: Any) -> Metric:
    given = _object(item, {"function", "field", "alias", "distinct_field"}, required={"function", "alias"})
    function = given["function"]
    if function in ("first", "last", "push", "add_to_set"):
        raise ApiError(501, f"this emulator does not support the function {function} yet")
    if function != "count" and function not in _FUNCTIONS:
        raise ValueError(f"function should be one of count, {', '.join(_FUNCTIONS)}")
    field = (given.get("distinct_field") if function == "count_distinct" else None) or given.get("field") or ""
    if function != "count" and not field:
        raise ValueError(f"{function} should have a field")
    return Metric(function, given["alias"], field)


def _having(item: Any, measures: Sequence[str]) -> Having:
    value = item.get("value") if isinstance(item, dict) else None
    given = _object(item, {"field", "operator", "value"}, required={"field", "operator"})
    if given["field"] not in measures:
        raise ValueError("field should be the alias of an aggregation")
    if given["operator"] not in _COMPARISONS:
        raise ValueError(f"operator should be one of {', '.join(_COMPARISONS)}")
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        raise ValueError("value should be a number or a text")
    return Having(given["field"], _COMPARISONS[given["operator"]], value)


def _object(item: Any, names: set[str], *, required: set[str]) -> dict[str, Any]:
    """`item` without nulls, whose values must be texts, apart from `value` and `boundaries`."""
    if not isinstance(item, dict):
        raise ValueError("should be an object")
    given = {name: value for name, value in item.items() if value is not None}
    if unknown := sorted(given.keys() - names):
        raise ValueError(f"{', '.join(unknown)} is not permitted")
    if missing := sorted(required - given.keys()):
        raise ValueError(f"{', '.join(missing)} is required")
    free = {"value", "boundaries"}
    if wrong := sorted(name for name, value in given.items() if name not in free and not isinstance(value, str)):
        raise ValueError(f"{', '.join(wrong)} should be a text")
    return given
