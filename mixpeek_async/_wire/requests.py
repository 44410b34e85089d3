"""Build requests: https://docs.mixpeek.com/api-reference/bucket-objects/list-objects and its neighbours."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote, urlencode

import attrs

from mixpeek_async._checks import bool_, text
from mixpeek_async._model import Model, inner_model
from mixpeek_async._options import PageRequest
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.models import ApiWarning, Document, Object
from mixpeek_async.query import (
    AggregateQuery,
    BucketQuery,
    CollectionQuery,
    DocumentQuery,
    ObjectQuery,
    Query,
    canonical,
)

_MAX_SEGMENT = 256
_EVERYTHING = ObjectQuery()
_EXAMPLES = {
    "bucket": "bkt_9xy8z7",
    "object_id": "obj_123abc456def",
    "collection": "col_9xy8z7",
    "document_id": "doc_123abc456def",
}
_IDS_OF_OBJECTS = ("object_id", "bucket_id", "created_at")
_IDS_OF_DOCUMENTS = ("document_id", "collection_id")
# The texts are not published. These are words for a list that leaves rows out.
_LEFT_OUT = re.compile(
    r"incomplete|partial (list|page|result)|truncated|capped|omitted|left out|not all|(only|the) first|first [\d,]+ ",
    re.IGNORECASE,
)


@attrs.frozen(kw_only=True)
class Request:
    """A request without its base URL and its key. `target` is path and query, percent-encoded already."""

    method: str = "POST"
    target: str
    body: bytes | None = None


@attrs.frozen(kw_only=True)
class ListEndpoint:
    """A list endpoint with its query: all of a request but the place of the page.

    `query` is what the query holds beside paging. `paging_in_body`: older servers read the place of the page from the
    body and not from the query. `has_total_count`: each answer counts the rows of the whole list.

    `by_creation` is True where the list is in the order of creation, oldest first or `newest_first`. `ids_body` asks
    for the ids and dates of the rows only; None where the API cannot be asked for that.

    `cursor_key` is the key of each row under which it holds the cursor that leads behind it: such a list has no
    offsets. `may_be_capped`: the server may list the first rows only, and says so in a warning of any text.
    `appends`: new objects join at the end.
    """

    path: str
    method: str = "POST"
    query: Mapping[str, str] = MappingProxyType({})
    body: bytes | None = None
    ids_body: bytes | None = None
    by_creation: bool = False
    newest_first: bool = False
    paging_in_body: bool = False
    has_total_count: bool = False
    cursor_key: str | None = None
    may_be_capped: bool = False
    appends: bool = False

    @property
    def question(self) -> str:
        """What is asked, as a text that is the same for equal questions; "" for everything."""
        return urlencode(self.query) + (self.body or b"").decode()

    def left_out(self, warnings: Sequence[ApiWarning]) -> str | None:
        """The first warning that says that rows are left out of the list, if one does."""
        reasons = [warning.reason for warning in warnings if warning.reason]
        return next((reason for reason in reasons if self.may_be_capped or _LEFT_OUT.search(reason)), None)

    def page(self, page: PageRequest) -> Request:
        """The request for one page.

        Its place goes into the query only, because newer servers refuse it in the body, save those that take both.
        """
        query: dict[str, str | int] = {**self.query, "limit": page.limit}
        if page.start.offset and page.start.cursor is None:
            query["offset"] = page.start.offset
        body = self.ids_body if page.ids_only else self.body
        if self.paging_in_body:
            # Without the cursor: the servers that read only the body have none, and the others refuse it there.
            body = canonical({**json.loads(body or b"{}"), **query}).encode("ascii")
        if page.start.cursor is not None:
            query["cursor"] = page.start.cursor
        if page.include_total:
            query["include_total"] = "true"
        target = f"{self.path}?{urlencode(query, quote_via=quote, safe='')}"
        return Request(method=self.method, target=target, body=body)


def list_objects(bucket: str, query: ObjectQuery = _EVERYTHING) -> ListEndpoint:
    """POST /v1/buckets/{bucket_identifier}/objects/list."""
    return ListEndpoint(
        path=f"/v1/buckets/{_segment(bucket, 'bucket')}/objects/list",
        body=_json_body(attrs.evolve(query, select=_complete_selection(query.select, Object))),
        ids_body=_json_body(attrs.evolve(query, select=_IDS_OF_OBJECTS, return_presigned_urls=False)),
        # The order of the results of a search is not published.
        by_creation=query.search is None and (query.sort is None or query.sort.field == "created_at"),
        newest_first=query.sort is not None and query.sort.direction == "desc",
        appends=query.search is None and query.sort is None,
    )


def list_buckets(query: BucketQuery) -> ListEndpoint:
    """POST /v1/buckets/list. Its order is not published."""
    return ListEndpoint(path="/v1/buckets/list", body=_json_body(query), paging_in_body=True, has_total_count=True)


def list_collections(query: CollectionQuery) -> ListEndpoint:
    """POST /v1/collections/list. Its order is not published."""
    return ListEndpoint(path="/v1/collections/list", body=_json_body(query), paging_in_body=True, has_total_count=True)


def list_documents(collection: str, query: DocumentQuery) -> ListEndpoint:
    """POST /v1/collections/{collection_identifier}/documents/list. Its order is not published."""
    return ListEndpoint(
        path=f"/v1/collections/{_segment(collection, 'collection')}/documents/list",
        body=_json_body(attrs.evolve(query, select=_complete_selection(query.select, Document))),
        ids_body=_json_body(attrs.evolve(query, select=_IDS_OF_DOCUMENTS, return_presigned_urls=False)),
        # A sorted list may end at 10,000 documents, and says so in a warning whose text is not published.
        may_be_capped=query.sort is not None,
    )


def list_events(event_type: str | None) -> ListEndpoint:
    """GET /v1/events. It knows no offsets, and puts the paging at the root of its answers."""
    query = {} if event_type is None else {"event_type": text(event_type, "event_type")}
    return ListEndpoint(method="GET", path="/v1/events", query=query, cursor_key="cursor")


def aggregate_objects(bucket: str, query: AggregateQuery) -> Request:
    """POST /v1/buckets/{bucket_identifier}/objects/aggregate."""
    target = f"/v1/buckets/{_segment(bucket, 'bucket')}/objects/aggregate"
    return Request(target=target, body=_json_body(query))


def get_bucket(bucket: str) -> Request:
    """GET /v1/buckets/{bucket_identifier}."""
    return Request(method="GET", target=f"/v1/buckets/{_segment(bucket, 'bucket')}")


def get_collection(collection: str) -> Request:
    """GET /v1/collections/{collection_identifier}."""
    return Request(method="GET", target=f"/v1/collections/{_segment(collection, 'collection')}")


def get_document(collection: str, document_id: str, *, return_presigned_urls: bool = False) -> Request:
    """GET /v1/collections/{collection_identifier}/documents/{document_identifier}."""
    path = f"/v1/collections/{_segment(collection, 'collection')}/documents/{_segment(document_id, 'document_id')}"
    asked = bool_(return_presigned_urls, "return_presigned_urls")
    return Request(method="GET", target=f"{path}?return_presigned_urls=true" if asked else path)


def get_object(
    bucket: str, object_id: str, *, return_presigned_urls: bool = False, include_document_count: bool = True
) -> Request:
    """GET /v1/buckets/{bucket_identifier}/objects/{object_identifier}. The server's own defaults are not sent."""
    path = f"/v1/buckets/{_segment(bucket, 'bucket')}/objects/{_segment(object_id, 'object_id')}"
    query = {}
    if bool_(return_presigned_urls, "return_presigned_urls"):
        query["return_presigned_urls"] = "true"
    if not bool_(include_document_count, "include_document_count"):
        query["include_document_count"] = "false"
    return Request(method="GET", target=f"{path}?{urlencode(query)}" if query else path)


def _json_body(query: Query) -> bytes | None:
    """The JSON body of `query`, the same for equal queries; None if it is empty: the API wants no body then."""
    body = query.to_dict()
    return canonical(body).encode("ascii") if body else None


def _complete_selection(select: tuple[str, ...] | None, model: type[Model]) -> tuple[str, ...] | None:
    """`select` and the required fields of the models within `model`: `blobs.blob_id` adds `blobs.type`.

    Without them, a blob whose `type` was not selected would look like one that the server sent without a type.
    """
    if select is None:
        return None
    inner = {field.name: inner_model(field.type) for field in attrs.fields(model)}
    needed = [
        f"{name}.{field.name}"
        for name in dict.fromkeys(path.partition(".")[0] for path in select if "." in path)
        if (within := inner.get(name)) is not None and name not in select
        for field in attrs.fields(within)
        if field.default is attrs.NOTHING
    ]
    return tuple(dict.fromkeys([*select, *needed]))


def _segment(value: object, name: str) -> str:
    """`value` as exactly one segment of a path, whatever characters it holds.

    Empty ones and dots would name another resource, and control characters do not reach the server unchanged.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} must be a string, such as {_EXAMPLES[name]!r}, not {type(value).__name__}")
    if len(value) > _MAX_SEGMENT:
        raise InvalidArgumentError(f"{name} is {len(value)} characters long; ids have at most {_MAX_SEGMENT}")
    if not value.strip() or value in {".", ".."}:
        raise InvalidArgumentError(f"{name} must be an id or a name, such as {_EXAMPLES[name]!r}, not {value!r}")
    if any(_never_in_an_id(char) for char in value):
        raise InvalidArgumentError(f"{name} holds a control character or half a surrogate pair: {value!a}")
    return quote(value, safe="")


def _never_in_an_id(char: str) -> bool:
    # Cc: control characters; Cf: invisible ones such as U+202E, which show an id as another; Cs: surrogates.
    return unicodedata.category(char) in {"Cc", "Cf", "Cs"}
