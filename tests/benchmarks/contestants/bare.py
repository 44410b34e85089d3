"""The floor: a loop over aiohttp and `orjson.loads` that retries nothing, checks nothing and keeps dicts."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

__all__ = ["HEADERS", "bodies", "pages", "walk"]

HEADERS = {"Authorization": "Bearer sk_benchmark", "X-Namespace": "benchmark"}


def walk(url: str, bucket: str) -> int:
    """Every object by cursor, as dicts."""
    return asyncio.run(_walk(url, bucket))


async def _walk(url: str, bucket: str) -> int:
    objects = 0
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        async for page in pages(session, url, bucket):
            for row in page["results"]:
                _ = row["object_id"], row["status"], row["created_at"]
                objects += 1
    return objects


async def pages(session: aiohttp.ClientSession, url: str, bucket: str) -> AsyncIterator[dict[str, Any]]:
    """Every page by cursor, decoded."""
    loads = importlib.import_module("orjson").loads
    cursor = None
    while True:
        page = loads(await bodies(session, url, bucket, {"cursor": cursor} if cursor else {}))
        yield page
        cursor = page["pagination"]["next_cursor"]
        if not cursor:
            return


async def bodies(session: aiohttp.ClientSession, url: str, bucket: str, place: dict[str, str]) -> bytes:
    """The body of the page at `place`."""
    async with session.post(f"{url}/v1/buckets/{bucket}/objects/list", params={"limit": "1000", **place}) as answer:
        return await answer.read()
