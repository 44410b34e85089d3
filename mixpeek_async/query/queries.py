"""What is asked of a list, whole, as a value: compared, printed, pickled, stored as JSON."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

import attrs

from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query.fields import Field
from mixpeek_async.query.filters import Filter
from mixpeek_async.query.parsing import parse_filter
from mixpeek_async.query.sorting import Sort, as_sort
from mixpeek_async.query.values import JSON, field_name, is_bool, shown, text

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
            raise InvalidArgumentError(f"{value!r} alone is no filter: compare it, or write {value!r}.exists()")
        case Mapping():
            return parse_filter(value) if value else None
        case _:
            raise InvalidArgumentError(
                f"filters must be such as field('status') == 'FAILED', or a dict in the API's form, not {shown(value)}"
            )


def _as_search(value: str | None) -> str | None:
    return None if value is None else text(value, "search")


def _as_select(value: Iterable[str] | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, str | bytes | Mapping | Field) or not isinstance(value, Iterable):
        raise InvalidArgumentError(f"select must be a list of fields, such as ['status'], not {shown(value)}")
    names = tuple(dict.fromkeys(field_name(name) for name in value))
    if not names:
        raise InvalidArgumentError("select names no field: for the ids alone, which always come, pass ['object_id']")
    return names


@attrs.frozen(kw_only=True, repr=False)
class Query:
    """What the queries of all lists share.

    * `filters`: which ones; an expression such as `field("status") == "FAILED"`, or a dict in the API's own form.
    * `sort`: in which order; `"created_at"`, `"-created_at"` for descending, or a `Sort`.
    * `search`: a text to look for.
    """

    filters: Filter | None = attrs.field(default=None, converter=_as_filter)
    sort: Sort | None = attrs.field(default=None, converter=as_sort)
    search: str | None = attrs.field(default=None, converter=_as_search)

    def to_dict(self) -> dict[str, JSON]:
        """The query as the API's JSON body; `{}` when it asks for nothing in particular."""
        return {name: _plain(value) for name, value in self._said().items()}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        """The query that `to_dict` made into `body`. InvalidArgumentError for what is no body of the API's."""
        known = attrs.fields_dict(cls)
        unknown = sorted(map(str, body.keys() - known)) if isinstance(body, Mapping) else [shown(body)]
        if unknown:
            raise InvalidArgumentError(f"a query has {', '.join(known)}, and not {', '.join(unknown)}")
        return cls(**body)

    @classmethod
    def given(cls, query: Self | None, **parts: Any) -> Self:
        """`query`, or the query of `parts`; InvalidArgumentError for both."""
        if query is None:
            return cls(**parts)
        if not isinstance(query, cls):
            raise InvalidArgumentError(f"query must be of type {cls.__name__}, not {shown(query)}")
        said = [name for name, value in parts.items() if value is not None and value is not False]
        if said:
            raise InvalidArgumentError(f"pass a query, or {', '.join(said)}, not both: attrs.evolve() changes a query")
        return query

    def _said(self) -> dict[str, Any]:
        """The fields that were given."""
        values = {name: getattr(self, name) for name in attrs.fields_dict(type(self))}
        return {name: value for name, value in values.items() if value is not None and value is not False}

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self._said().items())
        return f"{type(self).__name__}({said})"


def _plain(value: Any) -> JSON:
    match value:
        case Filter() | Sort():
            return value.to_dict()
        case tuple():
            return list(value)
        case _:
            return value


@attrs.frozen(kw_only=True, repr=False)
class ObjectQuery(Query):
    """What is asked of the objects of a bucket.

    * `filters`: which ones; an expression such as `field("status") == "FAILED"`, or a dict in the API's own form.
    * `sort`: in which order; `"created_at"`, `"-created_at"` for descending, or a `Sort`. Without it, oldest first.
    * `search`: a text to look for in keys and metadata.
    * `select`: the fields to have, dots for nested ones; `object_id` and `bucket_id` always come.
    * `return_presigned_urls`: have each blob with a `presigned_url`, good for one hour.

    InvalidArgumentError for what can never work.
    """

    select: tuple[str, ...] | None = attrs.field(default=None, converter=_as_select)
    return_presigned_urls: bool = attrs.field(default=False, validator=is_bool)


@attrs.frozen(kw_only=True, repr=False)
class BucketQuery(Query):
    """What is asked of the buckets of a namespace.

    `filters` and `sort` as for objects; `search` looks into ids, names and descriptions. With `case_sensitive`, both
    tell upper case from lower case.
    """

    case_sensitive: bool = attrs.field(default=False, validator=is_bool)
