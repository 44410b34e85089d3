"""This library, page by page: `pages()` gives whole pages of objects."""

import asyncio

from benchmarks.contestants.ours import client

__all__ = ["walk"]


def walk(url: str, bucket: str) -> int:
    """Every object, by the lists that pages hold."""
    return asyncio.run(_walk(url, bucket))


async def _walk(url: str, bucket: str) -> int:
    objects = 0
    async with client(url) as mixpeek:
        async for page in mixpeek.objects.list(bucket).pages():
            for obj in page.results:
                _ = obj.object_id, obj.status, obj.created_at
                objects += 1
    return objects
