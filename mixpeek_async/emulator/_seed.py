"""Sample data: a photo and film archive that is the same every time.

An object depends on its bucket and its number alone, through a hash. A random generator would make each object depend
on the ones before it.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

_FIRST = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)
_PLACES = ("harbour", "orchard", "workshop", "ridge", "station", "market", "studio")
_SEASONS = ("spring", "summer", "autumn", "winter")
_RARE_STATUSES: Mapping[int, str] = MappingProxyType(
    {0: "FAILED", 1: "PROCESSING", 2: "PENDING", 3: "COMPLETED_WITH_ERRORS"}
)
# property, type, MIME type, suffix
_KINDS = (
    ("clip", "video", "video/mp4", "mp4"),
    ("still", "image", "image/jpeg", "jpg"),
    ("transcript", "text", "text/plain", "txt"),
    ("interview", "audio", "audio/mpeg", "mp3"),
    ("release_form", "pdf", "application/pdf", "pdf"),
)


def plausible_object(bucket: str, number: int) -> dict[str, Any]:
    """Object `number` (from 0) of `bucket`, created `number` seconds after the archive's first day began."""
    luck = hashlib.blake2b(f"{bucket}/{number}".encode(errors="surrogatepass"), digest_size=20).digest()
    key = luck[:8].hex()
    place = _PLACES[luck[8] % len(_PLACES)]
    status = _RARE_STATUSES.get(luck[9] % 40, "COMPLETED")
    obj: dict[str, Any] = {
        "object_id": f"obj_{key}",
        "bucket_id": bucket,
        "key_prefix": f"/{place}/{luck[10] % 30 + 1:02}",
        "blobs": [_blob(luck, key, place, index) for index in range(luck[11] % 3 + 1)],
        "source_details": [{"type": "bucket", "source_id": bucket}],
        "status": status,
        "error": "decoding stopped at frame 0" if status == "FAILED" else None,
        "created_at": _timestamp(number),
        "updated_at": _timestamp(number + 2),
    }
    return obj | _metadata(luck, place) | _campaign(luck)


def plausible_bucket(bucket: str, number: int) -> dict[str, Any]:
    """Bucket `number` (from 0) of the archive, created `number` seconds before its first object."""
    created = _timestamp(-number)
    return {
        "bucket_id": bucket,
        "bucket_name": bucket,
        "description": "photos and films of the archive",
        "bucket_schema": {"properties": {name: {"type": kind} for name, kind, _, _ in _KINDS}},
        "metadata": {},
        "created_at": created,
        "updated_at": created,
        "status": "ACTIVE",
        "is_locked": False,
    }


def _timestamp(seconds: int) -> str:
    return f"{_FIRST + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def _blob(luck: bytes, key: str, place: str, index: int) -> dict[str, Any]:
    # Consecutive kinds, so that no object has a property twice.
    name, kind, mime_type, suffix = _KINDS[(luck[12] + index) % len(_KINDS)]
    return {
        "blob_id": f"blob_{key}{index}",
        "property": name,
        "type": kind,
        "properties": {"camera": luck[13] % 4 + 1, "take": index + 1},
        "details": {
            "filename": f"{place}_{key[:6]}.{suffix}",
            "size_bytes": int.from_bytes(luck[14:17], "big") + index,
            "mime_type": mime_type,
            "hash": f"{luck.hex()}{index:02x}",
        },
    }


def _metadata(luck: bytes, place: str) -> dict[str, Any]:
    return {"metadata": {"place": place, "year": 2015 + luck[17] % 10}} if luck[18] % 2 else {}


def _campaign(luck: bytes) -> dict[str, Any]:
    # The schema allows users' own fields at the root of an object.
    return {"campaign": f"{_SEASONS[luck[19] % 4]}-launch"} if luck[19] % 5 == 0 else {}
