"""The verbs of `client.buckets`."""

from typing import Any, Unpack

from mixpeek_async._paging import Digest
from mixpeek_async._source import EndpointSource, ListKwargs, new_pager, row_structurer, take_query
from mixpeek_async._transport import Transport
from mixpeek_async._wire import get_bucket, list_buckets, model_parser
from mixpeek_async.models import Bucket, Progress
from mixpeek_async.pager import Pager
from mixpeek_async.query import BucketQuery, FilterLike, SortLike

__all__ = ["BucketListKwargs", "Buckets"]


class BucketListKwargs(ListKwargs, total=False):
    """The keyword arguments of `Buckets.list`: the fields of `BucketQuery`, and those of every list."""

    filters: FilterLike | None
    sort: SortLike | None
    search: str | None
    case_sensitive: bool


class Buckets:
    """The buckets of the client's namespace."""

    __slots__ = ("_digest", "_transport")

    def __init__(self, transport: Transport, digest: Digest | None = None) -> None:
        self._transport = transport
        self._digest = digest

    def list(self, query: BucketQuery | None = None, **options: Unpack[BucketListKwargs]) -> Pager[Bucket]:
        """Walk the buckets. Sends nothing yet.

        * `filters`, `sort`, `search`, `case_sensitive`: which buckets, in which order: see `BucketQuery`; `query` is
          one, in place of these.
        * All others, the errors and the promise are those of `client.objects.list`. PaginationError, too, when the
          server ends the list before as many buckets have come as it counts.
        """
        rest: dict[str, Any] = {**options}
        endpoint = list_buckets(take_query(BucketQuery, query, rest))
        return new_pager(EndpointSource(self._transport, endpoint, Bucket, "bucket_id", digest=self._digest), rest)

    async def get(self, bucket: str) -> Bucket:
        """One bucket, by its id or its name. NotFoundError when the namespace has no such bucket."""
        parse = model_parser(row_structurer(Bucket, root="$"))
        return await self._transport.call(get_bucket(bucket), parse, Progress())
