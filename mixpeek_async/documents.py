"""The verbs of `client.documents`."""

import builtins
from typing import Any, Unpack

import attrs

from mixpeek_async._checks import int_between
from mixpeek_async._paging import Digest
from mixpeek_async._source import EndpointSource, new_pager, row_structurer, take_query
from mixpeek_async._transport import Transport
from mixpeek_async._wire import get_document, list_documents, model_parser
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.models import Document, Progress
from mixpeek_async.objects import ObjectListKwargs
from mixpeek_async.pager import Pager
from mixpeek_async.parts import Part
from mixpeek_async.query import MAX_PARTITIONS, DocumentQuery, FilterLike

__all__ = ["DocumentListKwargs", "Documents"]


class DocumentListKwargs(ObjectListKwargs, total=False):
    """The keyword arguments of `Documents.list`: the fields of `DocumentQuery`, and those of every list."""

    partition: tuple[int, int] | None


class Documents:
    """The documents of a collection."""

    __slots__ = ("_digest", "_transport")

    def __init__(self, transport: Transport, digest: Digest | None = None) -> None:
        self._transport = transport
        self._digest = digest

    def list(
        self, collection: str, query: DocumentQuery | None = None, **options: Unpack[DocumentListKwargs]
    ) -> Pager[Document]:
        """Walk the documents of `collection` (its id or its name). Sends nothing yet.

        * `filters`, `sort`, `search`, `select`, `return_presigned_urls`: as for `client.objects.list`.
        * `partition`: `(index, count)`, with 0 ≤ index < count ≤ 256: only this one of `count` disjoint parts. The
          parts together are the list, so that several tasks or processes can walk one each, with its own checkpoint.
        * All others, the errors and the promise are those of `client.objects.list`.

        A server may sort the first 10,000 documents only, and says so in a warning in plain words, which are not
        published. So a walk with `sort` raises IncompleteListError at its end if any warning came, and a walk without
        `sort` if a warning says that the list is incomplete, truncated, capped and the like. Other warnings are in
        `page.warnings`, in `progress.warnings` and, once a walk, in the log.
        """
        rest: dict[str, Any] = {**options}
        endpoint = list_documents(collection, take_query(DocumentQuery, query, rest))
        source = EndpointSource(self._transport, endpoint, Document, "document_id", digest=self._digest)
        return new_pager(source, rest)

    def parts(
        self,
        collection: str,
        query: DocumentQuery | None = None,
        *,
        filters: FilterLike | None = None,
        count: int = 64,
    ) -> builtins.list[Part[Document]]:
        """Cut `collection` into `count` parts, 1 to 256, to be walked apart. Sends nothing: the server cuts it.

        * `query`, or only `filters`: which documents, and what of them, as for `list`. A query with a `sort` or with a
          `partition` is refused: the parts are in no order, and are partitions themselves.

        The server splits by the document's id, so that each document is in exactly one part, and that the parts are
        about equally long. How long is not known: `part.estimate` is None.
        """
        query = DocumentQuery.from_arguments(query, filters=filters)
        if query.sort is not None or query.partition is not None:
            raise InvalidArgumentError("parts are partitions in no order: pass a query without sort and partition")
        # Checks the name of the collection here, and not in a worker.
        list_documents(collection, query)
        parts = int_between(1, MAX_PARTITIONS)(count, "count")
        return [
            Part(
                index=index,
                count=parts,
                collection=collection,
                query=attrs.evolve(query, partition=(index, parts)),
                namespace=self._transport.namespace,
                base_url=self._transport.base_url,
            )
            for index in range(parts)
        ]

    async def get(self, collection: str, document_id: str, *, return_presigned_urls: bool = False) -> Document:
        """One document, by its id. NotFoundError when `collection` has no such document."""
        request = get_document(collection, document_id, return_presigned_urls=return_presigned_urls)
        return await self._transport.call(request, model_parser(row_structurer(Document, root="$")), Progress())
