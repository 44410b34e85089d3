"""Requests to the emulator without the package: by plain aiohttp, and a walk in each shape of pagination."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import aiohttp
import attrs

from mixpeek_async.emulator import Emulator

__all__ = ["Clock", "Reply", "post", "walk"]


@attrs.frozen
class Reply:
    """A response. `body` is parsed if it is JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


@attrs.define
class Clock:
    """Unix seconds that stand still until a test moves them."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


async def post(
    emulator: Emulator,
    query: Mapping[str, Any] | None = None,
    *,
    method: str = "POST",
    path: str | None = None,
    headers: Mapping[str, str] | None = None,
    without: str = "",
    data: bytes | BytesIO | None = None,
) -> Reply:
    """One request with good headers, `headers` over them, the header `without` left out."""
    good = {"Authorization": f"Bearer {emulator.api_key}", "X-Namespace": emulator.namespace}
    sent = {name: value for name, value in {**good, **(headers or {})}.items() if name != without}
    url = emulator.url + (path or f"/v1/buckets/{emulator.bucket}/objects/list")
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, params=query, headers=sent, data=data, allow_redirects=False) as response,
    ):
        is_json = response.content_type == "application/json"
        body = await response.json() if is_json else await response.read()
        return Reply(response.status, response.headers, body)


def _next_query(pagination: Mapping[str, Any], limit: int, offset: int) -> dict[str, Any] | None:
    """What to ask for after a page, None at the end."""
    if "next_cursor" in pagination:
        cursor = pagination["next_cursor"]
        return cursor and {"limit": limit, "cursor": cursor}
    more = pagination["has_more"] if "has_more" in pagination else pagination["next_page"]
    return {"limit": limit, "offset": offset} if more else None


async def walk(emulator: Emulator, limit: int) -> list[str]:
    """The ids of all objects, in pages of `limit` rows."""
    ids: list[str] = []
    query: dict[str, Any] | None = {"limit": limit}
    while query is not None:
        page = (await post(emulator, query)).body
        ids += [obj["object_id"] for obj in page["results"]]
        query = _next_query(page["pagination"], limit, len(ids))
    return ids
