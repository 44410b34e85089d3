"""What is asked, as a request: https://docs.mixpeek.com/api-reference/bucket-objects/list-objects."""

import unicodedata
from urllib.parse import quote, urlencode

import attrs

from mixpeek_async._wire.message import Request
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query import PageRequest

__all__ = ["Listing", "list_objects"]

_MAX_SEGMENT = 256


@attrs.frozen(kw_only=True)
class Listing:
    """A list endpoint and what is asked of it, without the place of a page: that is all that differs by page."""

    path: str
    body: bytes | None = None

    def page(self, page: PageRequest) -> Request:
        """The request for one page. Paging goes into the query only: newer servers refuse it in the body."""
        query: dict[str, str | int] = {"limit": page.limit}
        if page.position.cursor is not None:
            query["cursor"] = page.position.cursor
        elif page.position.offset:
            query["offset"] = page.position.offset
        if page.include_total:
            query["include_total"] = "true"
        return Request(target=f"{self.path}?{urlencode(query, quote_via=quote, safe='')}", body=self.body)


def list_objects(bucket: str) -> Listing:
    """POST /v1/buckets/{bucket_identifier}/objects/list."""
    return Listing(path=f"/v1/buckets/{_segment(bucket, 'bucket')}/objects/list")


def _segment(value: object, name: str) -> str:
    """`value` as exactly one segment of a path, whatever characters it holds.

    Empty ones and dots would name another resource, and control characters never survive the way to the server.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} must be a string, such as 'bkt_9xy8z7', not {type(value).__name__}")
    if not value.strip() or value in {".", ".."}:
        raise InvalidArgumentError(f"{name} must be an id or a name, such as 'bkt_9xy8z7', not {value!r}")
    if len(value) > _MAX_SEGMENT:
        raise InvalidArgumentError(f"{name} is {len(value)} characters long; ids have at most {_MAX_SEGMENT}")
    if any(_never_in_an_id(char) for char in value):
        raise InvalidArgumentError(f"{name} holds a control character or half a surrogate pair: {value!a}")
    return quote(value, safe="")


def _never_in_an_id(char: str) -> bool:
    # Cc: control characters; Cf: invisible ones such as U+202E, which show an id as another; Cs: surrogates.
    return unicodedata.category(char) in {"Cc", "Cf", "Cs"}
