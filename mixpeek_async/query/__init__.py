"""What to list: which objects, in which order, and what of them."""

from mixpeek_async._options import InvalidPolicy
from mixpeek_async.query._values import canonical
from mixpeek_async.query.fields import Field, field
from mixpeek_async.query.filters import Filter
from mixpeek_async.query.queries import (
    MAX_PARTITIONS,
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
    "MAX_PARTITIONS",
    "AggregateQuery",
    "BucketQuery",
    "CollectionQuery",
    "DocumentQuery",
    "Field",
    "Filter",
    "FilterLike",
    "InvalidPolicy",
    "ObjectQuery",
    "Query",
    "Sort",
    "SortLike",
    "canonical",
    "field",
]
