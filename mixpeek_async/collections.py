"""The verbs of `client.collections`."""

from typing import Any, Unpack

from mixpeek_async._paging import Digest
from mixpeek_async._source import EndpointSource, ListKwargs, new_pager, row_structurer, take_query
from mixpeek_async._transport import Transport
from mixpeek_async._wire import get_collection, list_collections, model_parser
from mixpeek_async.models import Collection, Progress
from mixpeek_async.pager import Pager
from mixpeek_async.query import CollectionQuery, FilterLike, SortLike

__all__ = ["CollectionListKwargs", "Collections"]


class CollectionListKwargs(ListKwargs, total=False):
    """The keyword arguments of `Collections.list`: the fields of `CollectionQuery`, and those of every list."""

    filters: FilterLike | None
    sort: SortLike | None
    search: str | None
    case_sensitive: bool


class Collections:
    """The collections of the client's namespace."""

    __slots__ = ("_digest", "_transport")

    def __init__(self, transport: Transport, digest: Digest | None = None) -> None:
        self._transport = transport
        self._digest = digest

    def list(self, query: CollectionQuery | None = None, **options: Unpack[CollectionListKwargs]) -> Pager[Collection]:
        """Walk the collections. Sends nothing yet. The arguments, the errors and the promise are as for buckets."""
        rest: dict[str, Any] = {**options}
        endpoint = list_collections(take_query(CollectionQuery, query, rest))
        source = EndpointSource(self._transport, endpoint, Collection, "collection_id", digest=self._digest)
        return new_pager(source, rest)

    async def get(self, collection: str) -> Collection:
        """One collection, by its id or its name. NotFoundError when the namespace has no such collection."""
        parse = model_parser(row_structurer(Collection, root="$"))
        return await self._transport.call(get_collection(collection), parse, Progress())
