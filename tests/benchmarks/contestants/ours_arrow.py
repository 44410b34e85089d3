"""This library, as Arrow record batches with every field."""

import asyncio

from benchmarks.contestants.ours import client

__all__ = ["count_rows", "walk"]


def walk(url: str, bucket: str) -> int:
    """Every object, as a row of a batch."""
    return asyncio.run(count_rows(url, bucket))


async def count_rows(url: str, bucket: str, *, lean: bool = False) -> int:
    """The rows of all batches."""
    async with client(url) as mixpeek:
        return sum([batch.num_rows async for batch in mixpeek.objects.list(bucket).arrow(lean=lean)])
