"""Find the endpoint of a request, and the ids in its path."""

import re
from urllib.parse import unquote

import attrs

_BUCKET = r"/v1/buckets/(?P<bucket>[^/]+)"
_COLLECTION = r"/v1/collections/(?P<collection>[^/]+)"
# The first match wins: a bucket may be called "list".
_ROUTES = tuple(
    (endpoint, method, re.compile(path))
    for endpoint, method, path in (
        ("list_objects", "POST", rf"{_BUCKET}/objects/list"),
        ("aggregate_objects", "POST", rf"{_BUCKET}/objects/aggregate"),
        ("list_objects", "GET", rf"{_BUCKET}/objects"),
        ("list_buckets", "POST", r"/v1/buckets/list"),
        ("list_buckets", "GET", r"/v1/buckets"),
        ("get_object", "GET", rf"{_BUCKET}/objects/(?P<object_id>[^/]+)"),
        ("get_bucket", "GET", _BUCKET),
        ("list_collections", "POST", r"/v1/collections/list"),
        ("list_collections", "GET", r"/v1/collections"),
        ("list_documents", "POST", rf"{_COLLECTION}/documents/list"),
        ("get_document", "GET", rf"{_COLLECTION}/documents/(?P<document_id>[^/]+)"),
        ("get_collection", "GET", _COLLECTION),
        ("list_events", "GET", r"/v1/events"),
    )
)


@attrs.frozen
class Route:
    """The name of an endpoint, None if there is none, and the decoded ids in its path."""

    endpoint: str | None = None
    bucket: str | None = None
    object_id: str | None = None
    collection: str | None = None
    document_id: str | None = None


def find_route(method: str, path: str) -> Route:
    """The route of a request. `path` is percent-encoded."""
    for endpoint, wanted, pattern in _ROUTES:
        found = pattern.fullmatch(path) if method == wanted else None
        if found:
            return Route(endpoint, **{name: unquote(text) for name, text in found.groupdict().items()})
    return Route()
