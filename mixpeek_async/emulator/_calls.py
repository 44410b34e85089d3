"""A request as it arrived: what tests may look at, and what only the server needs."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import attrs
from aiohttp import hdrs, web

__all__ = ["Call", "RecordedRequest", "parse_json", "read_call"]

_OBJECTS_LIST = re.compile(r"/v1/buckets/([^/]+)/objects/list")


@attrs.frozen
class RecordedRequest:
    """One request that reached the emulator, answered well or not.

    `path` is as it came over the wire, percent signs and all; `bucket` is the decoded name in it, None when
    the path is no endpoint. `query` holds the texts, decoded and not judged. `headers` are all but
    Authorization, found under any case. `body` is the parsed JSON, None when there was none or it was not
    JSON.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any
    bucket: str | None


@attrs.frozen
class Call:
    """A request with what its record leaves out."""

    record: RecordedRequest
    raw_body: bytes
    authorization: str | None = attrs.field(repr=False)


def parse_json(raw: bytes) -> Any:
    """The value of a JSON text, ValueError when it is none."""
    try:
        return json.loads(raw)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _parsed_or_none(raw: bytes) -> Any:
    try:
        return parse_json(raw)
    except ValueError:
        return None


def _bucket(method: str, path: str) -> str | None:
    # The place for further endpoints: a table of methods and patterns, once there are two.
    found = _OBJECTS_LIST.fullmatch(path)
    return unquote(found[1]) if found and method == hdrs.METH_POST else None


async def read_call(request: web.BaseRequest) -> Call:
    """Read `request` to its end, of whatever length."""
    raw_body = await request.content.read()
    headers = request.headers.copy()
    authorization = headers.pop(hdrs.AUTHORIZATION, None)
    path = request.raw_path.partition("?")[0]
    record = RecordedRequest(
        method=request.method,
        path=path,
        query=dict(request.query),
        headers=headers,
        body=_parsed_or_none(raw_body),
        bucket=_bucket(request.method, path),
    )
    return Call(record, raw_body, authorization)
