"""Walk every object of a Mixpeek bucket: async, typed, complete.

async with AsyncMixpeek(api_key="sk_…", namespace="production") as client:
    async for obj in client.objects.list("bkt_9xy8z7"):
        print(obj.object_id, obj.status)
"""

from typing import TYPE_CHECKING

from mixpeek_async._clock import Clock
from mixpeek_async._retry import Attempts, RetryPolicy
from mixpeek_async._summary import Breakdown, Summary
from mixpeek_async._telemetry import Hooks, PageReceived, RequestSent, ResponseReceived, RetryScheduled, Throttled
from mixpeek_async.buckets import Buckets
from mixpeek_async.client import AsyncMixpeek
from mixpeek_async.collections import Collections
from mixpeek_async.documents import Documents
from mixpeek_async.errors import (
    AuthenticationError,
    BadRequestError,
    CertificateError,
    CheckpointError,
    ClientClosedError,
    ConnectionFailedError,
    IncompleteListError,
    InvalidArgumentError,
    InvalidObjectError,
    MalformedResponseError,
    MixpeekError,
    NamespaceUnresolvedError,
    NotFoundError,
    OffsetLimitError,
    PaginationError,
    PaginationLoopError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    RequestTimeoutError,
    ResponseTooLargeError,
    ServerError,
    StatusError,
    TransportError,
    ValidationError,
)
from mixpeek_async.events import Events
from mixpeek_async.models import (
    AggregateRow,
    ApiWarning,
    Blob,
    BlobDetails,
    BlobType,
    Bucket,
    Collection,
    Document,
    Edge,
    Event,
    ListStats,
    Object,
    ObjectStatus,
    Page,
    Pagination,
    Progress,
    Source,
    SourceType,
)
from mixpeek_async.objects import Objects
from mixpeek_async.pager import Follow, Pager, PageWalk, Walk
from mixpeek_async.parts import Part
from mixpeek_async.query import (
    BucketQuery,
    CollectionQuery,
    DocumentQuery,
    Field,
    Filter,
    FilterLike,
    InvalidPolicy,
    ObjectQuery,
    Sort,
    SortLike,
    field,
)

if TYPE_CHECKING:
    from mixpeek_async._converter import default as converter
else:

    def __getattr__(name: str) -> object:
        # Importing cattrs takes a tenth of the time of this package: only those who use it pay.
        if name == "converter":
            from mixpeek_async._converter import default

            return default
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AggregateRow",
    "ApiWarning",
    "AsyncMixpeek",
    "Attempts",
    "AuthenticationError",
    "BadRequestError",
    "Blob",
    "BlobDetails",
    "BlobType",
    "Breakdown",
    "Bucket",
    "BucketQuery",
    "Buckets",
    "CertificateError",
    "CheckpointError",
    "ClientClosedError",
    "Clock",
    "Collection",
    "CollectionQuery",
    "Collections",
    "ConnectionFailedError",
    "Document",
    "DocumentQuery",
    "Documents",
    "Edge",
    "Event",
    "Events",
    "Field",
    "Filter",
    "FilterLike",
    "Follow",
    "Hooks",
    "IncompleteListError",
    "InvalidArgumentError",
    "InvalidObjectError",
    "InvalidPolicy",
    "ListStats",
    "MalformedResponseError",
    "MixpeekError",
    "NamespaceUnresolvedError",
    "NotFoundError",
    "Object",
    "ObjectQuery",
    "ObjectStatus",
    "Objects",
    "OffsetLimitError",
    "Page",
    "PageReceived",
    "PageWalk",
    "Pager",
    "Pagination",
    "PaginationError",
    "PaginationLoopError",
    "Part",
    "PermissionDeniedError",
    "Progress",
    "RateLimitError",
    "RedirectError",
    "RequestSent",
    "RequestTimeoutError",
    "ResponseReceived",
    "ResponseTooLargeError",
    "RetryPolicy",
    "RetryScheduled",
    "ServerError",
    "Sort",
    "SortLike",
    "Source",
    "SourceType",
    "StatusError",
    "Summary",
    "Throttled",
    "TransportError",
    "ValidationError",
    "Walk",
    "converter",
    "field",
]
