"""What to list: which objects, in which order, what of them, and how the list is paged."""

from mixpeek_async.query._values import canonical
from mixpeek_async.query.fields import Field, field
from mixpeek_async.query.filters import Filter
from mixpeek_async.query.options import (
    MAX_CONCURRENCY,
    MAX_OFFSET,
    MAX_PAGE_SIZE,
    InvalidPolicy,
    ListOptions,
    PageRequest,
    PageStart,
)
from mixpeek_async.query.queries import (
    AggregateQuery,
    BucketQuery,
    CollectionQuery,
    DocumentQuery,
    FilterLike,
    ObjectQuery,
    Query,
    SortLike,
)
from mixpeek_async.query.sorting import Sort

__all__ = [
    "MAX_CONCURRENCY",
    "MAX_OFFSET",
    "MAX_PAGE_SIZE",
    "AggregateQuery",
    "BucketQuery",
    "CollectionQuery",
    "DocumentQuery",
    "Field",
    "Filter",
    "FilterLike",
    "InvalidPolicy",
    "ListOptions",
    "ObjectQuery",
    "PageRequest",
    "PageStart",
    "Query",
    "Sort",
    "SortLike",
    "canonical",
    "field",
]
