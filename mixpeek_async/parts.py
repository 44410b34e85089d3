"""Parts of a list, to be walked apart: by tasks, processes or machines."""

from typing import TYPE_CHECKING, Any, Generic, TypeVar, Unpack, cast

import attrs

from mixpeek_async._source import ListKwargs
from mixpeek_async.pager import Pager
from mixpeek_async.query import DocumentQuery, ObjectQuery

if TYPE_CHECKING:
    from mixpeek_async.client import AsyncMixpeek

__all__ = ["Part"]

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Part(Generic[T]):
    """One of the disjoint parts of a list; together they are the list.

    It is small, can be pickled, and holds no API key. `client.objects.parts` and `client.documents.parts` make them.

    * `index`, `count`: it is the part number `index`, from 0, of `count` parts.
    * `bucket`: the id or name of its bucket; "" for a part of a collection.
    * `collection`: the id or name of its collection; "" for a part of a bucket.
    * `query`: what to list, this part of it: an `ObjectQuery`, or a `DocumentQuery` with its `partition`.
    * `estimate`: the number of objects that the server counted in it; None if it did not.
    * `namespace`, `base_url`: where the list is.
    """

    index: int
    count: int
    bucket: str = ""
    collection: str = ""
    query: ObjectQuery
    estimate: int | None = None
    namespace: str
    base_url: str

    def list(self, client: "AsyncMixpeek", **options: Unpack[ListKwargs]) -> Pager[T]:
        """The pager over this part: `client.objects.list(part.bucket, part.query)`, or the same of documents.

        Its checkpoints fit this part only.
        """
        rest: dict[str, Any] = {**options}
        if isinstance(self.query, DocumentQuery):
            return cast("Pager[T]", client.documents.list(self.collection, self.query, **rest))
        return cast("Pager[T]", client.objects.list(self.bucket, self.query, **rest))
