"""Prepare a record for an answer: select its fields, and add URLs to its blobs."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from mixpeek_async.emulator._errors import json_bytes
from mixpeek_async.emulator._paths import project

_ALWAYS = ("object_id", "bucket_id")
_LIFETIME = 3600
"""Seconds, as published."""


def present_text(body: str, select: Iterable[str] | None, presigned: bool) -> str:
    """The JSON text `body`, prepared as by `present`; unchanged if there is nothing to do."""
    if select is None and not presigned:
        return body
    return json_bytes(present(json.loads(body), select, presigned=presigned)).decode("ascii")


def present(record: dict[str, Any], select: Iterable[str] | None = None, *, presigned: bool) -> dict[str, Any]:
    """`record` with the fields in `select` (None: all fields), and with URLs in its blobs if `presigned`."""
    blobs = record.get("blobs")
    if presigned and isinstance(blobs, list):
        record = {**record, "blobs": [_presigned(record, blob) for blob in blobs]}
    shown: dict[str, Any] = record if select is None else project(record, {*_ALWAYS, *select})
    return shown


def _presigned(record: dict[str, Any], blob: Any) -> Any:
    """`blob` with a URL. Nothing answers at that URL."""
    if not isinstance(blob, dict):
        return blob
    path = "/".join(
        quote(str(name), safe="") for name in (record["bucket_id"], record["object_id"], blob.get("blob_id"))
    )
    signature = hashlib.blake2b(path.encode(), digest_size=16).hexdigest()
    url = f"https://storage.emulator.invalid/{path}?X-Amz-Expires={_LIFETIME}&X-Amz-Signature={signature}"
    return {**blob, "presigned_url": url}
