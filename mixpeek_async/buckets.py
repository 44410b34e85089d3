"""The verbs of `client.buckets`."""

from mixpeek_async._source import EndpointSource, open_checkpoint
from mixpeek_async._transport import Transport
from mixpeek_async._wire import get_bucket, list_buckets, record_parser
from mixpeek_async.models import Bucket, Progress
from mixpeek_async.pager import Pager
from mixpeek_async.query import MAX_PAGE_SIZE, BucketQuery, FilterLike, InvalidPolicy, ListOptions, SortLike

__all__ = ["Buckets"]


class Buckets:
    """The buckets of the client's namespace."""

    __slots__ = ("_transport",)

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        query: BucketQuery | None = None,
        *,
        filters: FilterLike | None = None,
        sort: SortLike | None = None,
        search: str | None = None,
        case_sensitive: bool = False,
        page_size: int = MAX_PAGE_SIZE,
        max_items: int | None = None,
        offset: int = 0,
        include_total: bool = False,
        resume: str | None = None,
        on_invalid: InvalidPolicy = "raise",
        prefetch: int = 1,
        concurrency: int = 1,
    ) -> Pager[Bucket]:
        """Walk the buckets. Sends nothing yet.

        * `filters`, `sort`, `search`, `case_sensitive`: which buckets, in which order: see `BucketQuery`, which `query`
          is in their place.
        * All others, the errors and the promise are those of `client.objects.list`.
        """
        asked = BucketQuery.from_arguments(
            query, filters=filters, sort=sort, search=search, case_sensitive=case_sensitive
        )
        options = ListOptions(
            page_size=page_size,
            max_items=max_items,
            offset=offset,
            include_total=include_total,
            on_invalid=on_invalid,
            prefetch=prefetch,
            concurrency=concurrency,
        )
        source = EndpointSource(self._transport, list_buckets(asked), Bucket, "bucket_id")
        return Pager(source, options, open_checkpoint(resume, source.scope, options))

    async def get(self, bucket: str) -> Bucket:
        """One bucket, by its id or its name. NotFoundError when the namespace has none such."""
        return await self._transport.call(get_bucket(bucket), record_parser(Bucket), Progress())
