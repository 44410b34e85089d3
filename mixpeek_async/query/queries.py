"""A whole query as a value, which can be compared, printed, pickled, and stored as JSON."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Self

import attrs
import msgspec

from mixpeek_async._checks import bool_, instance_of, int_between, short_repr, text, valid
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query._parsing import parse_filter
from mixpeek_async.query._values import JSON, as_json, canonical, field_name
from mixpeek_async.query.fields import Field
from mixpeek_async.query.filters import Filter
from mixpeek_async.query.sorting import Sort, as_sort

__all__ = [
    "MAX_PARTITIONS",
    "AggregateQuery",
    "BucketQuery",
    "CollectionQuery",
    "DocumentQuery",
    "FilterLike",
    "ObjectQuery",
    "Query",
    "SortLike",
]

FilterLike = Filter | Mapping[str, Any]
"""A filter, or a dict in the API's own form."""

SortLike = Sort | str | Mapping[str, Any]
"""An order: `Sort("created_at", "desc")`, `"-created_at"`, or a dict in the API's own form."""


MAX_PARTITIONS = 256
_UNITS = ("year", "month", "week", "day", "hour", "minute", "second")
_GROUP_KEYS: Mapping[str, tuple[str, ...]] = {"field": (), "alias": (), "date_trunc": _UNITS, "date_part": ()}


def _as_filter(value: FilterLike | None) -> Filter | None:
    match value:
        case None | Filter():
            return value
        case Field():
            raise InvalidArgumentError(f"{value!r} alone is not a filter: compare it, or write {value!r}.exists()")
        case Mapping():
            return parse_filter(value) if value else None
        case _:
            raise InvalidArgumentError(
                "filters must be an expression such as field('status') == 'FAILED', or a dict in the API's form, "
                f"not {short_repr(value)}"
            )


def _as_bucket_filters(value: FilterLike | None) -> Filter | dict[str, JSON] | None:
    # The API publishes no form for the filters of buckets, so that a dict is not read.
    return as_json(value, "filters") or None if isinstance(value, Mapping) else _as_filter(value)


def _as_search(value: str | None) -> str | None:
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise InvalidArgumentError(f"search must be a text that is not blank, not {short_repr(value)}")
    text: str | None = as_json(value, "search")
    return text


def _as_select(value: Iterable[str] | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, str | bytes | Mapping | Field) or not isinstance(value, Iterable):
        raise InvalidArgumentError(f"select must be a list of fields, such as ['status'], not {short_repr(value)}")
    names = tuple(dict.fromkeys(map(field_name, value)))
    if not names:
        raise InvalidArgumentError("select names no field: for the ids alone, which always come, pass ['object_id']")
    return names


def _as_partition(value: object) -> tuple[int, int] | None:
    if isinstance(value, Mapping) and value.keys() == {"index", "count"}:
        value = value["index"], value["count"]
    match value:
        case None:
            return None
        case (index, count):
            parts = int_between(1, MAX_PARTITIONS)(count, "the count of a partition")
            return int_between(0, parts - 1)(index, "the index of a partition"), parts
        case _:
            raise InvalidArgumentError(f"partition must be (index, count), such as (0, 4), not {short_repr(value)}")


def _as_group_by(value: object) -> tuple[Mapping[str, str], ...]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise InvalidArgumentError(f"group_by must be a list of fields, such as ['status'], not {short_repr(value)}")
    keys = tuple(_as_group_key(item) for item in value)
    if not keys:
        raise InvalidArgumentError("group_by names no field: count() counts a whole bucket")
    return keys


def _as_group_key(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        return {"field": field_name(value)}
    if unknown := [name for name in value if name not in _GROUP_KEYS]:
        raise InvalidArgumentError(f"a group has {', '.join(_GROUP_KEYS)}, and not {short_repr(unknown[0])}")
    field_name(value.get("field"))
    for name, options in _GROUP_KEYS.items():
        if options and value.get(name, options[0]) not in options:
            raise InvalidArgumentError(f"{name} must be one of {', '.join(options)}, not {short_repr(value[name])}")
    return {name: text(part, name) for name, part in value.items()}


def _as_range_buckets(value: object) -> Mapping[str, tuple[float, ...]] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value:
        raise InvalidArgumentError("range_buckets must be a dict such as {'size_bytes': [0, 1024, 1048576]}")
    return {field_name(path): _as_boundaries(boundaries) for path, boundaries in value.items()}


def _as_boundaries(value: object) -> tuple[float, ...]:
    numbers = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping) else ()
    if not numbers or not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
        raise InvalidArgumentError(f"the boundaries of a range must be a list of numbers, not {short_repr(value)}")
    as_json(list(numbers), "range_buckets")
    if any(low >= high for low, high in pairwise(numbers)):
        raise InvalidArgumentError(f"the boundaries of a range must be in ascending order, not {short_repr(value)}")
    return numbers


def _as_metrics(value: object) -> Mapping[str, tuple[str, str | None]]:
    if not isinstance(value, Mapping) or not value:
        raise InvalidArgumentError("metrics must be a dict such as {'count': 'count', 'size': ('sum', 'size_bytes')}")
    return {text(alias, "the name of a metric"): _as_metric(alias, metric) for alias, metric in value.items()}


def _as_metric(alias: str, value: object) -> tuple[str, str | None]:
    match value:
        case "count":
            return "count", None
        case (str(function), path) if function.strip():
            return function, field_name(path)
        case _:
            raise InvalidArgumentError(
                f"the metric {alias!r} must be 'count' or (function, field), such as ('sum', 'size_bytes'), "
                f"not {short_repr(value)}"
            )


def _is_provided(_: object, value: object) -> bool:
    return value is not None and value is not False


def _as_sent(value: Any) -> JSON:
    match value:
        case Filter() | Sort():
            return value.to_dict()
        case (int(index), int(count)):
            return {"index": index, "count": count}
        case tuple():
            return list(value)
        case _:
            # A copy, for the dict that filters buckets.
            return msgspec.to_builtins(value)


@attrs.frozen(kw_only=True)
class Query:
    """What the queries of all lists share."""

    def to_dict(self) -> dict[str, JSON]:
        """The query as the JSON body of a request; `{}` if nothing is asked for."""
        return {name: _as_sent(value) for name, value in self._provided().items()}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        """The query of which `to_dict` made `body`. InvalidArgumentError if the API does not take such a body."""
        known = attrs.fields_dict(cls)
        unknown = sorted(map(str, body.keys() - known)) if isinstance(body, Mapping) else [short_repr(body)]
        if unknown:
            raise InvalidArgumentError(f"a query has {', '.join(known)}, and not {', '.join(unknown)}")
        return cls(**body)

    @classmethod
    def from_arguments(cls, query: Self | None, **arguments: Any) -> Self:
        """`query`, or the query that `arguments` make. InvalidArgumentError if both are given."""
        if query is None:
            return cls(**arguments)
        instance_of(cls)(query, "query")
        if both := [name for name, value in arguments.items() if _is_provided(name, value)]:
            raise InvalidArgumentError(f"pass a query, or {', '.join(both)}, not both: attrs.evolve() changes a query")
        return query

    def _provided(self) -> dict[str, Any]:
        return attrs.asdict(self, recurse=False, filter=_is_provided)

    def __repr__(self) -> str:
        provided = ", ".join(f"{name}={value!r}" for name, value in self._provided().items())
        return f"{type(self).__name__}({provided})"


@attrs.frozen(kw_only=True, repr=False)
class ObjectQuery(Query):
    """Which objects of a bucket to list, in which order, and what of them.

    * `filters`: which ones; an expression such as `field("status") == "FAILED"`, or a dict in the API's own form.
    * `sort`: in which order; `"created_at"`, `"-created_at"` for descending, or a `Sort`. Without it, oldest first.
    * `search`: a text to look for in keys and metadata.
    * `select`: the fields to return, with dots for nested ones; `object_id` and `bucket_id` always come.
    * `return_presigned_urls`: return each blob with a `presigned_url`, which is valid for one hour.

    InvalidArgumentError for what can never work.
    """

    filters: Filter | None = attrs.field(default=None, converter=_as_filter)
    sort: Sort | None = attrs.field(default=None, converter=as_sort)
    search: str | None = attrs.field(default=None, converter=_as_search)
    select: tuple[str, ...] | None = attrs.field(default=None, converter=_as_select)
    return_presigned_urls: bool = attrs.field(default=False, validator=valid(bool_))


@attrs.frozen(kw_only=True, repr=False)
class BucketQuery(Query):
    """Which buckets of a namespace to list, and in which order.

    * `filters`: which ones; an expression, or a dict, which is sent unchanged: its form is not published.
    * `sort`: in which order, as for objects.
    * `search`: a text to look for in ids, names and descriptions.
    * `case_sensitive`: `filters` and `search` distinguish upper case and lower case.

    InvalidArgumentError for what can never work.
    """

    filters: Filter | dict[str, JSON] | None = attrs.field(
        default=None, converter=_as_bucket_filters, eq=lambda filters: canonical(_as_sent(filters))
    )
    sort: Sort | None = attrs.field(default=None, converter=as_sort)
    search: str | None = attrs.field(default=None, converter=_as_search)
    case_sensitive: bool = attrs.field(default=False, validator=valid(bool_))


@attrs.frozen(kw_only=True, repr=False)
class CollectionQuery(BucketQuery):
    """Which collections of a namespace to list, and in which order. The fields are those of `BucketQuery`."""


@attrs.frozen(kw_only=True, repr=False)
class DocumentQuery(ObjectQuery):
    """Which documents of a collection to list, in which order, and what of them: as `ObjectQuery`, and

    * `partition`: `(index, count)`, with 0 ≤ index < count ≤ 256: only this one of `count` disjoint parts. The server
      splits by the document's id, so that the parts together are the list, and can be walked side by side.
    """

    partition: tuple[int, int] | None = attrs.field(default=None, converter=_as_partition)


@attrs.frozen(kw_only=True, repr=False)
class AggregateQuery(Query):
    """How to group objects, and what to compute of each group. `Objects.aggregate` explains the fields."""

    group_by: tuple[Mapping[str, str], ...] = attrs.field(converter=_as_group_by)
    metrics: Mapping[str, tuple[str, str | None]] = attrs.field(converter=_as_metrics)
    filters: Filter | None = attrs.field(default=None, converter=_as_filter)
    unwind: str | None = attrs.field(default=None, converter=attrs.converters.optional(field_name))
    range_buckets: Mapping[str, tuple[float, ...]] | None = attrs.field(default=None, converter=_as_range_buckets)

    def to_dict(self) -> dict[str, JSON]:
        """The query as the JSON body of a request: the API calls the metrics `aggregations`, and wants a list."""
        body = super().to_dict()
        del body["metrics"]
        if self.range_buckets is not None:
            ranges = self.range_buckets.items()
            body["range_buckets"] = [{"field": path, "boundaries": list(numbers)} for path, numbers in ranges]
        named = [(alias, function, path) for alias, (function, path) in self.metrics.items()]
        metrics = [
            {"function": function, "alias": alias} | ({"field": path} if path else {})
            for alias, function, path in named
        ]
        return {**body, "aggregations": metrics}
