"""The stack of most generated SDKs: httpx, and pydantic models for the answers."""

import asyncio
import importlib

from benchmarks.contestants.bare import HEADERS
from benchmarks.contestants.pydantic_models import page_model

__all__ = ["walk"]


def walk(url: str, bucket: str) -> int:
    """Every object by cursor, as models."""
    return asyncio.run(_walk(url, bucket))


async def _walk(url: str, bucket: str) -> int:
    validate = page_model().model_validate_json
    objects, place = 0, {"limit": "1000"}
    async with importlib.import_module("httpx").AsyncClient(headers=HEADERS) as client:
        while True:
            answer = await client.post(f"{url}/v1/buckets/{bucket}/objects/list", params=place)
            page = validate(answer.content)
            for obj in page.results:
                _ = obj.object_id, obj.status, obj.created_at
                objects += 1
            if not page.pagination.next_cursor:
                return objects
            place["cursor"] = page.pagination.next_cursor
