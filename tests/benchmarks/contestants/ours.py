"""This library as it comes. Of each object three fields are read, as a program that looks for something does."""

import asyncio

from mixpeek_async import AsyncMixpeek

__all__ = ["client", "walk"]


def client(url: str) -> AsyncMixpeek:
    """A client with the settings that everybody has."""
    return AsyncMixpeek("sk_benchmark", namespace="benchmark", base_url=url)


def walk(url: str, bucket: str) -> int:
    """Every object, typed."""
    return asyncio.run(_walk(url, bucket))


async def _walk(url: str, bucket: str) -> int:
    objects = 0
    async with client(url) as mixpeek:
        async for obj in mixpeek.objects.list(bucket):
            _ = obj.object_id, obj.status, obj.created_at
            objects += 1
    return objects
