"""What is asked, as a request: https://docs.mixpeek.com/api-reference/bucket-objects/list-objects and neighbours."""

import unicodedata
from urllib.parse import quote, urlencode

import attrs

from mixpeek_async._wire.body import complete_selection, json_body
from mixpeek_async._wire.message import Request
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.models import Object
from mixpeek_async.query import BucketQuery, ObjectQuery, PageRequest

_MAX_SEGMENT = 256
_EVERYTHING = ObjectQuery()
_EXAMPLES = {"bucket": "bkt_9xy8z7", "object_id": "obj_123abc456def"}
_OUTLINE = ("object_id", "bucket_id", "created_at")


@attrs.frozen(kw_only=True)
class Listing:
    """A list endpoint and what is asked of it, without the place of a page: that is all that differs by page.

    `by_creation` is whether the API lists in the order of creation, oldest first. `outline_body` asks for no more than
    what tells the records apart; None where the API has no way to say that.
    """

    path: str
    body: bytes | None = None
    outline_body: bytes | None = None
    by_creation: bool = False
    newest_first: bool = False

    def page(self, page: PageRequest) -> Request:
        """The request for one page. Paging goes into the query only: newer servers refuse it in the body."""
        query: dict[str, str | int] = {"limit": page.limit}
        if page.start.cursor is not None:
            query["cursor"] = page.start.cursor
        elif page.start.offset:
            query["offset"] = page.start.offset
        if page.include_total:
            query["include_total"] = "true"
        target = f"{self.path}?{urlencode(query, quote_via=quote, safe='')}"
        return Request(target=target, body=self.outline_body if page.ids_only else self.body)


def list_objects(bucket: str, query: ObjectQuery = _EVERYTHING) -> Listing:
    """POST /v1/buckets/{bucket_identifier}/objects/list."""
    return Listing(
        path=f"/v1/buckets/{_segment(bucket, 'bucket')}/objects/list",
        body=json_body(attrs.evolve(query, select=complete_selection(query.select, Object))),
        outline_body=json_body(attrs.evolve(query, select=_OUTLINE, return_presigned_urls=False)),
        # Whether a search ranks what it finds is not published.
        by_creation=query.search is None and (query.sort is None or query.sort.field == "created_at"),
        newest_first=query.sort is not None and query.sort.direction == "desc",
    )


def list_buckets(query: BucketQuery) -> Listing:
    """POST /v1/buckets/list. Its order is not published."""
    return Listing(path="/v1/buckets/list", body=json_body(query))


def get_bucket(bucket: str) -> Request:
    """GET /v1/buckets/{bucket_identifier}."""
    return Request(method="GET", target=f"/v1/buckets/{_segment(bucket, 'bucket')}")


def get_object(
    bucket: str, object_id: str, *, return_presigned_urls: bool = False, include_document_count: bool = True
) -> Request:
    """GET /v1/buckets/{bucket_identifier}/objects/{object_identifier}. The defaults are the server's, and not sent."""
    path = f"/v1/buckets/{_segment(bucket, 'bucket')}/objects/{_segment(object_id, 'object_id')}"
    said = {"return_presigned_urls": "true"} if _flag(return_presigned_urls, "return_presigned_urls") else {}
    if not _flag(include_document_count, "include_document_count"):
        said["include_document_count"] = "false"
    return Request(method="GET", target=f"{path}?{urlencode(said)}" if said else path)


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{name} must be True or False, not {value!r:.100}")
    return value


def _segment(value: object, name: str) -> str:
    """`value` as exactly one segment of a path, whatever characters it holds.

    Empty ones and dots would name another resource, and control characters never survive the way to the server.
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
