"""Find the endpoint of a request, and the ids in its path."""

import re
from urllib.parse import unquote

import attrs

_BUCKET = r"/v1/buckets/(?P<bucket>[^/]+)"
# The first match wins: a bucket may be called "list".
_ROUTES = (
    ("list_objects", "POST", re.compile(rf"{_BUCKET}/objects/list")),
    ("list_buckets", "POST", re.compile(r"/v1/buckets/list")),
    ("get_object", "GET", re.compile(rf"{_BUCKET}/objects/(?P<object_id>[^/]+)")),
    ("get_bucket", "GET", re.compile(_BUCKET)),
)


@attrs.frozen
class Route:
    """The name of an endpoint, None if there is none, and the decoded ids in its path."""

    endpoint: str | None = None
    bucket: str | None = None
    object_id: str | None = None


def find_route(method: str, path: str) -> Route:
    """The route of a request. `path` is percent-encoded."""
    for endpoint, wanted, pattern in _ROUTES:
        found = pattern.fullmatch(path) if method == wanted else None
        if found:
            return Route(endpoint, **{name: unquote(text) for name, text in found.groupdict().items()})
    return Route()
