"""Parts of a list, to be walked apart: by tasks, processes or machines."""

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Unpack, cast

import attrs

from mixpeek_async._loop_thread import LoopThread
from mixpeek_async._source import ListKwargs
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.models import Document, Object
from mixpeek_async.pager import Pager
from mixpeek_async.query import DocumentQuery, ObjectQuery

if TYPE_CHECKING:
    import pyarrow

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
        rest: dict[str, Any] = dict(options)
        if isinstance(self.query, DocumentQuery):
            return cast("Pager[T]", client.documents.list(self.collection, self.query, **rest))
        return cast("Pager[T]", client.objects.list(self.bucket, self.query, **rest))

    def schema(self, *, lean: bool = False) -> "pyarrow.Schema":
        """The columns of `batches`. Needs the extra `arrow`."""
        # pyarrow is an extra.
        from mixpeek_async.arrow import schema

        return schema(Document if isinstance(self.query, DocumentQuery) else Object, lean=lean)

    def batches(
        self,
        *,
        client: "Callable[[], AsyncMixpeek] | None" = None,
        api_key_env: str = "MIXPEEK_API_KEY",
        requests_per_minute: int | None = None,
        lean: bool = False,
        **options: Unpack[ListKwargs],
    ) -> "Iterator[pyarrow.RecordBatch]":
        """The objects of this part as Arrow record batches, one a page, for code that is not async: a worker's.

        The worker makes a client of its own, which is closed at the end or when the iterator is dropped. Needs the
        extra `arrow`.

        * `api_key_env`: the NAME of the environment variable that holds the key on the worker.
        * `requests_per_minute`: the worker's share of the limit: the limit divided by the number of workers.
        * `client`: a function that makes the client, in place of these two, for all its other settings.
        * `lean`: only the scalar fields, and the JSON of each object as text, as for `pager.arrow`.
        * All others as for `list`. The pages are fetched ahead while the worker works; `prefetch=0` fetches none.

        InvalidArgumentError if there is no such variable. All others are those of a walk.
        """
        made = self._client(api_key_env, requests_per_minute) if client is None else client()
        walk = self.list(made, **options).arrow(lean=lean)
        with LoopThread(made.aclose) as thread:
            while True:
                try:
                    batch = thread.run(walk.__anext__())
                except StopAsyncIteration:
                    return
                yield batch

    def _client(self, api_key_env: str, requests_per_minute: int | None) -> "AsyncMixpeek":
        # The client makes parts, so that it cannot be imported before them.
        from mixpeek_async.client import AsyncMixpeek

        if not os.environ.get(api_key_env):
            # Its name is not shown: it may be the key itself, by mistake.
            raise InvalidArgumentError("api_key_env names no environment variable that is set where the part is read")
        return AsyncMixpeek(
            os.environ[api_key_env],
            namespace=self.namespace,
            base_url=self.base_url,
            requests_per_minute=requests_per_minute,
        )
