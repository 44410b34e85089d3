"""The verbs of `client.objects`."""

import builtins
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from mixpeek_async._checks import bool_
from mixpeek_async._counts import aggregate, parts_of_bucket
from mixpeek_async._options import PageRequest, PageStart
from mixpeek_async._paging import Digest
from mixpeek_async._source import EndpointSource, ListKwargs, new_pager, row_structurer, take_query
from mixpeek_async._summary import Summary, summarize
from mixpeek_async._transport import Transport
from mixpeek_async._wire import get_object, list_objects, model_parser, parse_total
from mixpeek_async.models import AggregateRow, Object, Progress
from mixpeek_async.pager import Pager
from mixpeek_async.parts import Part
from mixpeek_async.query import AggregateQuery, FilterLike, ObjectQuery, SortLike

if TYPE_CHECKING:
    import cattrs

__all__ = ["ObjectListKwargs", "Objects"]

T = TypeVar("T")


class ObjectListKwargs(ListKwargs, total=False):
    """The keyword arguments of `Objects.list`: the fields of `ObjectQuery`, and those of every list."""

    filters: FilterLike | None
    sort: SortLike | None
    search: str | None
    select: Iterable[str] | None
    return_presigned_urls: bool


class Objects:
    """The objects of a bucket."""

    __slots__ = ("_converter", "_digest", "_transport")

    def __init__(
        self,
        transport: Transport,
        converter: "cattrs.BaseConverter | None" = None,
        digest: Digest | None = None,
    ) -> None:
        self._transport = transport
        self._converter = converter
        self._digest = digest

    @overload
    def list(
        self, bucket: str, query: ObjectQuery | None = None, **options: Unpack[ObjectListKwargs]
    ) -> Pager[Object]: ...

    @overload
    def list(
        self, bucket: str, query: ObjectQuery | None = None, *, model: type[T], **options: Unpack[ObjectListKwargs]
    ) -> Pager[T]: ...

    def list(
        self,
        bucket: str,
        query: ObjectQuery | None = None,
        *,
        model: type[Any] = Object,
        **options: Unpack[ObjectListKwargs],
    ) -> Pager[Any]:
        """Walk the objects of `bucket` (its id or its name), oldest first. Sends nothing yet.

        * `filters`, `sort`, `search`, `select`, `return_presigned_urls`: which objects, in which order, and which of
          their fields: see `ObjectQuery`; `query` is one, in place of these.
        * `model`: an attrs class or dataclass of your own, to get objects of that class. It has the fields that you
          want of the JSON object, your own root fields among them. Values are checked, never coerced.
        * `page_size`: rows per request, 1 to 1000. A rate limit counts requests, so the default, 1000, is best.
        * `max_items`: stop after exactly this many objects; no page and no row beyond them is requested.
        * `offset`: rows to skip at the start, 0 (the default) to 10,000.
        * `include_total`: True lets the server count the bucket once, into `pager.progress.total`; costs it 50-200 ms.
        * `resume`: a `checkpoint` of an earlier walk over the same list, to go on with the very next object.
        * `on_invalid`: what to do with a row that is no valid object: `"raise"` its InvalidObjectError (the default;
          the walk can go on after it), `"skip"` it, or call a function with the error and skip the row.
        * `prefetch`: 1 (the default) fetches the next page while this one is read, 0 waits until it is needed.
        * `concurrency`: pages to request at once, 1 (the default) to 100, where the server pages by offset; they are
          yielded in order, and at most this many are held in memory.

        InvalidArgumentError for a value that can never work, CheckpointError for a checkpoint that does not fit. What a
        walk can raise is in `mixpeek_async.errors`.

        Every object that exists for the whole walk is yielded exactly once, whatever is created or deleted meanwhile.
        docs/walk.md has the limits. The main ones: when sorted by a field that changes, objects move, and only "none
        twice" holds; a server that gives one row a page leaves none to check the position by while objects are deleted.
        """
        rest: dict[str, Any] = {**options}
        endpoint = list_objects(bucket, take_query(ObjectQuery, query, rest))
        source = EndpointSource(self._transport, endpoint, model, "object_id", self._converter, self._digest)
        return new_pager(source, rest)

    @overload
    async def get(
        self, bucket: str, object_id: str, *, return_presigned_urls: bool = False, include_document_count: bool = True
    ) -> Object: ...

    @overload
    async def get(
        self,
        bucket: str,
        object_id: str,
        *,
        model: type[T],
        return_presigned_urls: bool = False,
        include_document_count: bool = True,
    ) -> T: ...

    async def get(
        self,
        bucket: str,
        object_id: str,
        *,
        model: type[Any] = Object,
        return_presigned_urls: bool = False,
        include_document_count: bool = True,
    ) -> Any:
        """One object, by its id. NotFoundError when `bucket` has no such object.

        * `model`: a class of your own, as for `list`.
        * `return_presigned_urls`: give each blob a `presigned_url`, good for one hour.
        * `include_document_count`: let the server count the object's documents; without, it answers sooner.
        """
        request = get_object(
            bucket,
            object_id,
            return_presigned_urls=return_presigned_urls,
            include_document_count=include_document_count,
        )
        parse = model_parser(row_structurer(model, self._converter, "$"))
        return await self._transport.call(request, parse, Progress())

    async def count(self, bucket: str, *, filters: FilterLike | None = None) -> int:
        """How many objects `bucket` holds, or how many of them match `filters`.

        It takes one request, and 50 to 200 ms of the server. MalformedResponseError if the server gives no count: then
        only a walk can count.
        """
        endpoint = list_objects(bucket, ObjectQuery(filters=filters))
        request = endpoint.page(PageRequest(PageStart(), 1, include_total=True, ids_only=True))
        return await self._transport.call(request, parse_total, Progress())

    async def aggregate(
        self,
        bucket: str,
        *,
        group_by: Iterable[str | Mapping[str, str]],
        metrics: Mapping[str, str | tuple[str, str]],
        filters: FilterLike | None = None,
        unwind: str | None = None,
        range_buckets: Mapping[str, Iterable[float]] | None = None,
    ) -> builtins.list[AggregateRow]:
        """Group the objects of `bucket` on the server, and compute `metrics` of each group.

        * `group_by`: one field or more, such as `["status"]`. A dict in the API's own form groups by a part of a date,
          or gives a key another name: `{"field": "created_at", "date_trunc": "day", "alias": "day"}`.
        * `metrics`: what to compute, by the name that you want: `{"objects": "count", "size": ("sum", "size_bytes")}`.
          The API's functions are count, sum, avg, min, max, count_distinct and others.
        * `filters`: which objects to group, as for `list`.
        * `unwind`: a field that holds a list, such as `"blobs"`; each of its elements counts as an object.
        * `range_buckets`: also group by ranges of a number: `{"size_bytes": [0, 1024]}`. A number on a boundary is in
          the range below it. How the server names the ranges in `AggregateRow.group` is not published.

        InvalidArgumentError for what can never work, IncompleteListError if the server has more groups than it sends.
        """
        query = AggregateQuery(
            group_by=group_by, metrics=metrics, filters=filters, unwind=unwind, range_buckets=range_buckets
        )
        return await aggregate(self._transport, bucket, query, Progress())

    async def parts(
        self,
        bucket: str,
        query: ObjectQuery | None = None,
        *,
        filters: FilterLike | None = None,
        count: int = 64,
        min_objects: int = 10_000,
        max_requests: int = 64,
        progress: Progress | None = None,
    ) -> builtins.list[Part[Object]]:
        """Cut `bucket` into at most `count` parts, to be walked apart: by tasks, processes or machines.

        * `query`, or only `filters`: which objects, and what of them, as for `list`. A query with a `sort` is refused:
          the parts are ranges of dates of creation, in this order.
        * `count`: the most parts, 1 to 1,000. There is one more if some objects may have no date; it comes first.
        * `min_objects`: about the fewest objects of a part. The default, ten full pages, is for fast walking; pass less
          if the work on each object takes long.
        * `max_requests`: the most requests that the planning sends, retries not counted. A histogram takes 8 to
          12 in all, counts some 2 for each part.
        * `progress`: the requests of the planning are added to it, as they are sent.

        The parts are complete and disjoint, whatever the server answers: each object that exists all the time is in
        exactly one part, and what is created meanwhile is in the last one. Only their sizes depend on the counts of the
        server. It is one part, the whole list, if the bucket is small, or if the server's counts cannot be had or do
        not add up; the log says why. Objects with the same date are never cut apart.
        """
        query = ObjectQuery.from_arguments(query, filters=filters)
        return await parts_of_bucket(
            self._transport, bucket, query, progress or Progress(), count, min_objects, max_requests
        )

    async def summary(self, bucket: str, *, filters: FilterLike | None = None, exact: bool = False) -> Summary:
        """The objects of `bucket`, or those that match `filters`, in numbers: by status, type, size and date.

        The server counts: this takes six requests for a bucket of any size. What the server cannot count, or counts
        with a sum that is not its own number of objects, is counted by a walk over all objects, which takes one request
        per 1,000 of them; `Breakdown.source` tells which it was.

        * `exact`: True walks in any case.
        """
        return await summarize(self, bucket, filters, exact=bool_(exact, "exact"))
