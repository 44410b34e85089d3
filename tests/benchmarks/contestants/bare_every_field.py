"""The floor, when every field is read: the same dicts, and every key of them that a model of ours has."""

import asyncio
from typing import Any

import aiohttp

from benchmarks.contestants.bare import HEADERS, pages

__all__ = ["walk"]


def walk(url: str, bucket: str) -> int:
    """Every field of every object, as dicts."""
    return asyncio.run(_walk(url, bucket))


async def _walk(url: str, bucket: str) -> int:
    objects = 0
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        async for page in pages(session, url, bucket):
            for row in page["results"]:
                _read(row)
                objects += 1
    return objects


def _read(row: dict[str, Any]) -> None:
    get = row.get
    _ = get("object_id"), get("bucket_id"), get("key_prefix"), get("status"), get("error")
    _ = get("created_at"), get("updated_at")
    _ = get("metadata"), get("document_count"), get("consistency"), get("edges")
    for source in row["source_details"]:
        _ = source.get("type"), source.get("source_id")
    for blob in row["blobs"]:
        get = blob.get
        _ = get("blob_id"), get("property"), get("key_prefix"), get("type"), get("properties")
        details = get("details")
        if details is not None:
            get = details.get
            _ = get("filename"), get("size_bytes"), get("mime_type"), get("hash")
