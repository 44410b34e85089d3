"""What most people write: aiohttp, and pydantic models for the answers."""

import asyncio

import aiohttp

from benchmarks.contestants.bare import HEADERS, bodies
from benchmarks.contestants.pydantic_models import page_model

__all__ = ["walk"]


def walk(url: str, bucket: str) -> int:
    """Every object by cursor, as models."""
    return asyncio.run(_walk(url, bucket))


async def _walk(url: str, bucket: str) -> int:
    validate = page_model().model_validate_json
    objects, cursor = 0, None
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        while True:
            page = validate(await bodies(session, url, bucket, {"cursor": cursor} if cursor else {}))
            for obj in page.results:
                _ = obj.object_id, obj.status, obj.created_at
                objects += 1
            cursor = page.pagination.next_cursor
            if not cursor:
                return objects
