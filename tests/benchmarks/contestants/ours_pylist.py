"""This library's objects, made into Arrow tables by way of dicts: what `arrow()` is for."""

import asyncio
import json

import pyarrow as pa

from benchmarks.contestants.ours import client
from mixpeek_async import Object
from mixpeek_async.arrow import schema

__all__ = ["walk"]


def walk(url: str, bucket: str) -> int:
    """Every object, as a row of a table with the columns that `arrow()` has."""
    return asyncio.run(_walk(url, bucket))


async def _walk(url: str, bucket: str) -> int:
    rows = 0
    async with client(url) as mixpeek:
        async for page in mixpeek.objects.list(bucket).pages():
            rows += pa.Table.from_pylist([_row(obj) for obj in page.results], schema=schema()).num_rows
    return rows


def _row(obj: Object) -> dict[str, object]:
    row = obj.to_dict()
    row["created_at"], row["updated_at"] = obj.created_at, obj.updated_at
    row["metadata"], row["extra"] = json.dumps(row["metadata"]), json.dumps(obj.extra)
    for blob in row["blobs"]:
        blob["properties"] = json.dumps(blob["properties"])
    return row
