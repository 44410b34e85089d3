"""Prepare records for an answer: select fields, add URLs to blobs, and write nulls and dates as some servers do."""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import attrs

from mixpeek_async.emulator._errors import json_bytes
from mixpeek_async.emulator._paths import branches, parse_date, project

_ALWAYS = ("object_id", "bucket_id", "document_id", "collection_id")
_LIFETIME = 3600
"""Seconds, as published."""


def presenter(select: Sequence[str] | None, *, presigned: bool) -> Callable[[str], str]:
    """A function that prepares the JSON text of a record: `select` (None: all fields), and URLs if `presigned`."""
    if select is None and not presigned:
        return lambda text: text
    fields = None if select is None else branches((*_ALWAYS, *select))

    def prepare(text: str) -> str:
        record = json.loads(text)
        record = with_urls(record) if presigned else record
        return json_bytes(record if fields is None else project(record, fields)).decode("ascii")

    return prepare


def with_urls(record: dict[str, Any]) -> dict[str, Any]:
    """`record` with a URL in each blob. Nothing answers at those URLs.

    For objects the URL is mirrored in the blob's `properties`, as published.
    """
    blobs = record.get("blobs")
    if isinstance(blobs, list):
        record = {**record, "blobs": [_presigned(record, blob, mirror=True) for blob in blobs]}
    blobs = record.get("document_blobs")
    if isinstance(blobs, list):
        record = {**record, "document_blobs": [_presigned(record, blob, mirror=False) for blob in blobs]}
    return record


def _presigned(record: dict[str, Any], blob: Any, *, mirror: bool) -> Any:
    if not isinstance(blob, dict):
        return blob
    names = [*(record[key] for key in _ALWAYS if key in record), blob.get("blob_id") or blob.get("field")]
    path = "/".join(quote(str(name), safe="") for name in names)
    signature = hashlib.blake2b(path.encode(), digest_size=16).hexdigest()
    url = {
        "presigned_url": f"https://storage.emulator.invalid/{path}?X-Amz-Expires={_LIFETIME}&X-Amz-Signature={signature}"
    }
    properties = blob.get("properties")
    mirrored = {"properties": {**(properties if isinstance(properties, dict) else {}), **url}} if mirror else {}
    return {**blob, **url, **mirrored}


@attrs.frozen
class Style:
    """How a server writes JSON. `drop_nulls`: keys that are null are left out. `naive_dates`: dates have no zone."""

    drop_nulls: bool = False
    naive_dates: bool = False

    def rewrite(self, body: bytes) -> bytes:
        """A JSON text in this style."""
        if not (self.drop_nulls or self.naive_dates):
            return body
        return json_bytes(self._rewritten(json.loads(body)))

    def _rewritten(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            items = {name: self._rewritten(inside, name) for name, inside in value.items()}
            return {name: inside for name, inside in items.items() if not (self.drop_nulls and inside is None)}
        if isinstance(value, list):
            return [self._rewritten(item) for item in value]
        return _without_zone(value) if self.naive_dates and key.endswith("_at") else value


def _without_zone(value: Any) -> Any:
    date = parse_date(value)
    return value if date is None else date.replace(tzinfo=None).isoformat(timespec="microseconds")
