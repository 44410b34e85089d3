"""A request as it arrived: the part that tests can read, and the part that only the server needs."""

import json
from collections.abc import Mapping
from typing import Any

import attrs
from aiohttp import hdrs, web

from mixpeek_async.emulator._routes import find_route

MAX_BODY = 4 * 2**20
"""Bytes of a request's body. A longer one is not read to its end."""


@attrs.frozen
class RecordedRequest:
    """One request that reached the emulator, whatever the answer was.

    `path` is percent-encoded, as it was sent. `endpoint` is "list_objects", "get_object", "aggregate_objects",
    "list_buckets", "get_bucket", "list_collections", "get_collection", "list_documents", "get_document" or
    "list_events", None for any other. `bucket`, `object_id`, `collection` and `document_id` are the decoded ids in the
    path. `query` holds decoded texts, unchecked. `headers` are all except Authorization; names ignore case. `body` is
    the parsed JSON, None if there was none, if it was not JSON, or if it was over 4 MiB.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any
    bucket: str | None
    object_id: str | None = None
    endpoint: str | None = None
    collection: str | None = None
    document_id: str | None = None


@attrs.frozen
class Call:
    """A request, with the parts that its record leaves out. `is_too_long`: the body was not read to its end."""

    record: RecordedRequest
    raw_body: bytes
    authorization: str | None = attrs.field(repr=False)
    is_too_long: bool = False


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
    """Read `request`, at most MAX_BODY bytes of its body."""
    raw_body = await _read_body(request)
    headers = request.headers.copy()
    authorization = headers.pop(hdrs.AUTHORIZATION, None)
    path = request.raw_path.partition("?")[0]
    record = RecordedRequest(
        method=request.method,
        path=path,
        query=dict(request.query),
        headers=headers,
        body=_parsed_or_none(raw_body or b""),
        **attrs.asdict(find_route(request.method, path)),
    )
    return Call(record, raw_body or b"", authorization, is_too_long=raw_body is None)


async def _read_body(request: web.BaseRequest) -> bytes | None:
    """The body; None if it is longer than MAX_BODY, also after it was unpacked."""
    # A body that says how long it is need not be read at all.
    if (request.content_length or 0) > MAX_BODY:
        return None
    chunks, size = [], 0
    async for chunk in request.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY:
            return None
    return b"".join(chunks)
