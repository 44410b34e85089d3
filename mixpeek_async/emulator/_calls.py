"""A request as it arrived: the part that tests can read, and the part that only the server needs."""

import json
from collections.abc import Mapping
from typing import Any

import attrs
from aiohttp import hdrs, web

from mixpeek_async.emulator._routes import find_route


@attrs.frozen
class RecordedRequest:
    """One request that reached the emulator, whatever the answer was.

    `path` is percent-encoded, as it was sent. `endpoint` is "list_objects", "list_buckets", "get_object" or
    "get_bucket", None for any other. `bucket` and `object_id` are the decoded names in the path. `query` holds decoded
    texts, unchecked. `headers` are all except Authorization; names ignore case. `body` is the parsed JSON, None if
    there was none or it was not JSON.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any
    bucket: str | None
    object_id: str | None = None
    endpoint: str | None = None


@attrs.frozen
class Call:
    """A request, with the parts that its record leaves out."""

    record: RecordedRequest
    raw_body: bytes
    authorization: str | None = attrs.field(repr=False)


def _refuse(word: str) -> None:
    # json.loads accepts NaN and the infinities, which are not JSON.
    raise ValueError(f"{word} is not JSON")


def parse_json(raw: bytes) -> Any:
    """The value of a JSON text. ValueError if it is not JSON."""
    try:
        return json.loads(raw, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _parsed_or_none(raw: bytes) -> Any:
    try:
        return parse_json(raw)
    except ValueError:
        return None


async def read_call(request: web.BaseRequest) -> Call:
    """Read the whole of `request`."""
    raw_body = await request.content.read()
    headers = request.headers.copy()
    authorization = headers.pop(hdrs.AUTHORIZATION, None)
    path = request.raw_path.partition("?")[0]
    route = find_route(request.method, path)
    record = RecordedRequest(
        method=request.method,
        path=path,
        query=dict(request.query),
        headers=headers,
        body=_parsed_or_none(raw_body),
        bucket=route.bucket,
        object_id=route.object_id,
        endpoint=route.endpoint,
    )
    return Call(record, raw_body, authorization)
