"""The pages that everybody walks: 1,000 objects are 1.07 MB of JSON, the same ones every time.

There are smaller objects, of 150 bytes, and larger ones, of 20 kB.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

__all__ = ["page_rows"]

_FIRST: Final = datetime(2025, 6, 2, 6, 30, tzinfo=UTC)
_KINDS: Final = (
    ("recording", "audio", "audio/flac", "flac"),
    ("scan", "image", "image/tiff", "tiff"),
    ("field_notes", "text", "text/markdown", "md"),
    ("footage", "video", "video/mp4", "mp4"),
)
_HABITATS: Final = ("fen", "heath", "estuary", "beech wood", "scree", "hay meadow")


def page_rows(page: int, size: int, kind: str = "usual") -> list[bytes]:
    """The rows of page number `page`, each as JSON. Pages differ in their ids alone.

    `kind` is usual, small or large.
    """
    return [row.replace(b"obj_@@@@@@", b"obj_%06d" % page) for row in _template(size, kind)]


def _template(size: int, kind: str) -> list[bytes]:
    chance = random.Random(20250602)
    make = {"usual": _object, "small": _small_object, "large": _large_object}[kind]
    return [json.dumps(make(chance, number), separators=(",", ":")).encode() for number in range(size)]


def _small_object(chance: random.Random, number: int) -> dict[str, Any]:
    whole = _object(chance, number)
    kept = {key: whole[key] for key in ("object_id", "bucket_id", "status", "created_at")}
    return {**kept, "metadata": {}, "blobs": []}


def _large_object(chance: random.Random, number: int) -> dict[str, Any]:
    whole = _object(chance, number)
    text = " ".join(f"{chance.getrandbits(64):x}" for _ in range(1120))
    return whole | {"metadata": {**whole["metadata"], "transcript": text}}


def _object(chance: random.Random, number: int) -> dict[str, Any]:
    habitat = chance.choice(_HABITATS)
    station = f"/survey-2025/{habitat.replace(' ', '-')}/station-{chance.randrange(1, 60):02}"
    created = _FIRST + timedelta(seconds=7 * number)
    first = chance.randrange(len(_KINDS))
    return {
        "object_id": f"obj_@@@@@@_{number:04}",
        "bucket_id": "bkt_field_survey",
        "key_prefix": station,
        "blobs": [_blob(chance, number, (first + index) % len(_KINDS)) for index in range(1 + number % 3)],
        "source_details": [{"type": "bucket", "source_id": "bkt_field_survey"}],
        "status": "FAILED" if number % 97 == 0 else "COMPLETED",
        "error": "no sound in the first 10 s" if number % 97 == 0 else None,
        "created_at": _date(created),
        "updated_at": _date(created + timedelta(minutes=chance.randrange(1, 90))),
        "metadata": {
            "habitat": habitat,
            "observer": f"observer-{chance.randrange(40):02}",
            "temperature": round(chance.uniform(-4, 31), 1),
            "tags": chance.sample(["dawn", "rain", "wind", "night", "frost", "nesting"], 2),
        },
        # A user's own field at the root, which no model knows.
        "transect": f"T{chance.randrange(1, 25)}",
    }


def _blob(chance: random.Random, number: int, kind: int) -> dict[str, Any]:
    name, type_, mime_type, suffix = _KINDS[kind]
    digest = f"{chance.getrandbits(256):064x}"
    return {
        "blob_id": f"blob_{digest[:16]}",
        "property": name,
        "type": type_,
        "properties": {
            "url": f"s3://field-survey/2025/{number:04}.{suffix}",
            "device": f"logger-{chance.randrange(1, 30):02}",
            "calibrated": chance.random() < 0.8,
        },
        "details": {
            "filename": f"{number:04}-{name}.{suffix}",
            "size_bytes": chance.randrange(10_000, 90_000_000),
            "mime_type": mime_type,
            "hash": digest,
        },
    }


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
