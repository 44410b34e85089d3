"""A whole query as a value, which can be compared, printed, pickled, and stored as JSON."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

import attrs
import msgspec

from mixpeek_async._checks import bool_, instance_of, short_repr, valid
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query._parsing import parse_filter
from mixpeek_async.query._values import JSON, as_json, canonical, field_name
from mixpeek_async.query.fields import Field
from mixpeek_async.query.filters import Filter
from mixpeek_async.query.sorting import Sort, as_sort

__all__ = ["BucketQuery", "FilterLike", "ObjectQuery", "Query", "SortLike"]

FilterLike = Filter | Mapping[str, Any]
"""A filter, or a dict in the API's own form."""

SortLike = Sort | str | Mapping[str, Any]
"""An order: `Sort("created_at", "desc")`, `"-created_at"`, or a dict in the API's own form."""


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


def _is_provided(_: object, value: object) -> bool:
    return value is not None and value is not False


def _as_sent(value: Any) -> JSON:
    match value:
        case Filter() | Sort():
            return value.to_dict()
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
