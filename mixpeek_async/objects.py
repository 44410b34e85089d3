"""The verbs of `client.objects`."""

from collections.abc import Iterable

from mixpeek_async._source import EndpointSource, open_checkpoint
from mixpeek_async._transport import Transport
from mixpeek_async._wire import get_object, list_objects, record_parser
from mixpeek_async.models import Object, Progress
from mixpeek_async.pager import Pager
from mixpeek_async.query import MAX_PAGE_SIZE, FilterLike, InvalidPolicy, ListOptions, ObjectQuery, SortLike

__all__ = ["Objects"]


class Objects:
    """The objects of a bucket."""

    __slots__ = ("_transport",)

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        bucket: str,
        query: ObjectQuery | None = None,
        *,
        filters: FilterLike | None = None,
        sort: SortLike | None = None,
        search: str | None = None,
        select: Iterable[str] | None = None,
        return_presigned_urls: bool = False,
        page_size: int = MAX_PAGE_SIZE,
        max_items: int | None = None,
        offset: int = 0,
        include_total: bool = False,
        resume: str | None = None,
        on_invalid: InvalidPolicy = "raise",
        prefetch: int = 1,
        concurrency: int = 1,
    ) -> Pager[Object]:
        """Walk the objects of `bucket` (its id or its name), oldest first. Sends nothing yet.

        * `filters`, `sort`, `search`, `select`, `return_presigned_urls`: which objects, in which order, and what of
          them: see `ObjectQuery`, which `query` is in their place.
        * `page_size`: rows per request, 1 to 1000. Requests are what a rate limit counts, so that the most is best.
        * `max_items`: stop after exactly so many objects; no page and no row beyond them is asked for.
        * `offset`: rows to leave out at the start, 0 to 10,000.
        * `include_total`: have the server count the bucket once, into `pager.progress.total`; costs it 50-200 ms.
        * `resume`: a `checkpoint` of an earlier walk over the same listing, to go on with the very next object.
        * `on_invalid`: what to do with a record that cannot be structured: `"raise"` its InvalidObjectError (the walk
          can go on behind it), `"skip"` it, or call something with the error, and skip it.
        * `prefetch`: 1 fetches the next page while this one is read, 0 waits until it is needed.
        * `concurrency`: pages to ask for at once, 1 to 100, where the server pages by offset; they are yielded in
          order, and at most so many are held in memory.

        InvalidArgumentError for a value that can never work, CheckpointError for a checkpoint that does not fit. What a
        walk can raise is in `mixpeek_async.errors`.

        Every object that exists for the whole walk is yielded exactly once, whatever is created or deleted meanwhile.
        Where that ends: when sorted by a field that changes, objects move, and only "none twice" holds; and a server
        that silently gives ten rows or fewer a page leaves too few to check the place by while objects are deleted.
        """
        asked = ObjectQuery.from_arguments(
            query,
            filters=filters,
            sort=sort,
            search=search,
            select=select,
            return_presigned_urls=return_presigned_urls,
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
        source = EndpointSource(self._transport, list_objects(bucket, asked), Object, "object_id")
        return Pager(source, options, open_checkpoint(resume, source.scope, options))

    async def get(
        self, bucket: str, object_id: str, *, return_presigned_urls: bool = False, include_document_count: bool = True
    ) -> Object:
        """One object, by its id. NotFoundError when `bucket` has none such.

        * `return_presigned_urls`: have each blob with a `presigned_url`, good for one hour.
        * `include_document_count`: have the server count the object's documents; without, it answers sooner.
        """
        request = get_object(
            bucket,
            object_id,
            return_presigned_urls=return_presigned_urls,
            include_document_count=include_document_count,
        )
        return await self._transport.call(request, record_parser(Object), Progress())
