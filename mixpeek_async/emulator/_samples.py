"""Sample data: a photo and film archive that is the same every time.

A record depends on its container and its number alone, through a hash. A random generator would make each record
depend on the ones before it. Therefore a stored sample is no more than its number: the record is made when it is read,
and a million of them take the memory of a million numbers.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import attrs

from mixpeek_async.emulator._paths import value_key
from mixpeek_async.emulator._profiles import Profile, profile_of, rounded, sample_profile

Kind = Literal["bucket", "collection"]

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

# The types and MIME types of the blobs of an object, by the kind of its first one.
_KIND_RUNS = [tuple((_KINDS * 2)[first + index][1:3] for index in range(3)) for first in range(len(_KINDS))]
# No aggregation asks for documents.
_NO_PROFILE = profile_of({})

# Objects are made as text: walks over a million of them read little else.
_OBJECT = (
    '{"object_id":"%s","bucket_id":%s,"key_prefix":"/%s/%02d","blobs":[%s],'
    '"source_details":[{"type":"bucket","source_id":%s}],"status":"%s","error":%s,'
    '"created_at":"%s","updated_at":"%s"%s%s}'
)
_BLOB = (
    '{"blob_id":"%s%d","property":"%s","type":"%s","properties":{"camera":%d,"take":%d},'
    '"details":{"filename":"%s_%s.%s","size_bytes":%d,"mime_type":"%s","hash":"%s%02x"}}'
)
_METADATA = ',"metadata":{"place":"%s","year":%d}'
_CAMPAIGN = ',"campaign":"%s-launch"'


@attrs.frozen
class Container:
    """A bucket of objects or a collection of documents. `source`: the id of the bucket that a collection is made of."""

    sequence: int
    kind: Kind
    id: str
    source: str

    @property
    def resource(self) -> str:
        """The name of its records in the API."""
        return "object" if self.kind == "bucket" else "document"

    @property
    def id_field(self) -> str:
        """The field that holds the id of its records."""
        return f"{self.resource}_id"

    @property
    def own_field(self) -> str:
        """The field of a record that holds the id of its container."""
        return f"{self.kind}_id"


class Summary(NamedTuple):
    """What the store keeps of a record beside its body. `size` is in bytes, `created` the sort key of `created_at`."""

    id: str
    status: str
    blobs: int
    size: int
    created: bytes
    profile: Profile


def sample_text(container: Container, number: int) -> str:
    """The JSON text of record `number`, from 0, of `container`."""
    luck = _luck(container.id, number)
    if container.kind == "bucket":
        return _object_text(container.id, number, luck)
    return json.dumps(_document(container, number, luck), separators=(",", ":"))


def sample_record(container: Container, number: int) -> dict[str, Any]:
    """Record `number`, from 0, of `container`."""
    record: dict[str, Any] = json.loads(sample_text(container, number))
    return record


def sample_summary(container: Container, number: int) -> Summary:
    """The summary of record `number`, without the cost of making the record."""
    luck = _luck(container.id, number)
    if container.kind == "collection":
        return Summary(_id("doc", luck), "UNKNOWN", 1, 0, value_key(None), _NO_PROFILE)
    blobs, status = _blob_count(luck), _status(luck)
    sizes = [_size(luck, index) for index in range(blobs)]
    profile = sample_profile(status, _KIND_RUNS[luck[12] % len(_KINDS)][:blobs], tuple(map(rounded, sizes)))
    created = value_key((_FIRST + timedelta(seconds=number)).isoformat(timespec="microseconds"))
    return Summary(_id("obj", luck), status, blobs, sum(sizes), created, profile)


def sample_bucket(bucket: str, number: int) -> dict[str, Any]:
    """The record of bucket `number`, from 0: created `number` seconds before the first object."""
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


def sample_collection(collection: str, number: int, source: str) -> dict[str, Any]:
    """The record of collection `number`, from 0, made of the bucket `source`."""
    created = _timestamp(-number)
    extractor = {"feature_extractor_name": "scenes", "version": "v1", "feature_extractor_id": "scenes_v1"}
    return {
        "collection_id": collection,
        "collection_name": collection,
        "description": "scenes of the archive",
        "source": {"type": "bucket", "bucket_ids": [source]},
        "feature_extractor": extractor,
        "enabled": True,
        "metadata": {},
        "created_at": created,
        "updated_at": created,
        "lifecycle_state": "active",
        "schema_version": 1,
    }


def _luck(container: str, number: int) -> bytes:
    """The 20 bytes that decide on record `number`."""
    # Ids may hold lone surrogates, which UTF-8 cannot encode otherwise.
    return hashlib.blake2b(f"{container}/{number}".encode(errors="surrogatepass"), digest_size=20).digest()


def _id(prefix: str, luck: bytes) -> str:
    return f"{prefix}_{luck[:8].hex()}"


def _status(luck: bytes) -> str:
    return _RARE_STATUSES.get(luck[9] % 40, "COMPLETED")


def _blob_count(luck: bytes) -> int:
    return luck[11] % 3 + 1


def _size(luck: bytes, index: int) -> int:
    return int.from_bytes(luck[14:17], "big") + index


def _place(luck: bytes) -> str:
    return _PLACES[luck[8] % len(_PLACES)]


def _timestamp(seconds: int) -> str:
    return f"{(_FIRST + timedelta(seconds=seconds)).isoformat()[:19]}Z"


def _year(luck: bytes) -> int:
    return 2015 + luck[17] % 10


@lru_cache(maxsize=64)
def _quoted(text: str) -> str:
    return json.dumps(text)


def _kind(luck: bytes, index: int) -> tuple[str, str, str, str]:
    # The blobs of an object have consecutive kinds, so that no object has a property twice.
    return _KINDS[(luck[12] + index) % len(_KINDS)]


def _object_text(bucket: str, number: int, luck: bytes) -> str:
    status, place, bucket = _status(luck), _place(luck), _quoted(bucket)
    return _OBJECT % (
        _id("obj", luck),
        bucket,
        place,
        luck[10] % 30 + 1,
        ",".join([_blob_text(luck, place, index) for index in range(_blob_count(luck))]),
        bucket,
        status,
        '"decoding stopped at frame 0"' if status == "FAILED" else "null",
        _timestamp(number),
        _timestamp(number + 2),
        _METADATA % (place, _year(luck)) if luck[18] % 2 else "",
        # The schema allows users' own fields at the root of an object.
        _CAMPAIGN % _SEASONS[luck[19] % 4] if luck[19] % 5 == 0 else "",
    )


def _blob_text(luck: bytes, place: str, index: int) -> str:
    name, kind, mime_type, suffix = _kind(luck, index)
    return _BLOB % (
        _id("blob", luck),
        index,
        name,
        kind,
        luck[13] % 4 + 1,
        index + 1,
        place,
        luck[:3].hex(),
        suffix,
        _size(luck, index),
        mime_type,
        luck.hex(),
        index,
    )


def _document(collection: Container, number: int, luck: bytes) -> dict[str, Any]:
    """A document of the sample object that has the same number in the collection's bucket."""
    root, document_id = _id("obj", _luck(collection.source, number)), _id("doc", luck)
    name, kind, mime_type, suffix = _kind(luck, 0)
    place = _place(luck)
    return {
        "document_id": document_id,
        "collection_id": collection.id,
        "searchable_at": _timestamp(number + 4),
        "document_blobs": [
            {
                "field": name,
                "role": "source",
                "type": kind,
                "url": f"s3://archive/{root}.{suffix}",
                "filename": f"{place}_{luck[:3].hex()}.{suffix}",
                "size_bytes": _size(luck, 0),
                "content_type": mime_type,
            }
        ],
        "_internal": {
            "document_id": document_id,
            "collection_id": collection.id,
            "created_at": _timestamp(number + 3),
            "updated_at": _timestamp(number + 3),
            "lineage": {
                "root_object_id": root,
                "root_bucket_id": collection.source,
                "source_type": "bucket",
                "source_object_id": root,
                "path": f"{collection.source}/{collection.id}",
            },
        },
        "place": place,
        "year": _year(luck),
    }
