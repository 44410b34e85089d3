"""This library, when every field is read: its blobs and sources too."""

import asyncio

from benchmarks.contestants.ours import client
from mixpeek_async import Object

__all__ = ["walk"]


def walk(url: str, bucket: str) -> int:
    """Every field of every object."""
    return asyncio.run(_walk(url, bucket))


async def _walk(url: str, bucket: str) -> int:
    objects = 0
    async with client(url) as mixpeek:
        async for obj in mixpeek.objects.list(bucket):
            _read(obj)
            objects += 1
    return objects


def _read(obj: Object) -> None:
    _ = obj.object_id, obj.bucket_id, obj.key_prefix, obj.status, obj.error, obj.created_at, obj.updated_at
    _ = obj.metadata, obj.document_count, obj.consistency, obj.edges
    for source in obj.source_details:
        _ = source.type, source.source_id
    for blob in obj.blobs:
        _ = blob.blob_id, blob.property, blob.key_prefix, blob.type, blob.properties
        details = blob.details
        if details is not None:
            _ = details.filename, details.size_bytes, details.mime_type, details.hash
