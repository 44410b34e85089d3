"""Profiles: a record reduced to the fields by which buckets are summed up, so that aggregations need not read records.

A million records have few profiles, and SQL counts the records of each. So that there are few, the sizes of blobs are
rounded up to powers of two: limits that are powers of two do not tell a rounded size from the real one.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

FIELDS = frozenset({"status", "blobs.type", "blobs.details.mime_type"})
"""The fields that a profile keeps as they are."""

SIZE = "blobs.details.size_bytes"
"""The field that it keeps rounded up."""


class Profile(NamedTuple):
    """A reduced record as JSON text. `id` is made of the text, so that equal profiles are stored once."""

    id: int
    text: str


def profile_of(record: dict[str, Any]) -> Profile:
    """The profile of a record, whatever its values are."""
    blobs = record.get("blobs")
    reduced = [_reduced(blob) for blob in blobs] if isinstance(blobs, list) else None
    return _profile(json.dumps({"status": record.get("status"), "blobs": reduced}))


@lru_cache(maxsize=4096)
def sample_profile(status: str, kinds: tuple[tuple[str, str], ...], sizes: tuple[int, ...]) -> Profile:
    """The profile of an object with this status, and blobs of these types, MIME types and sizes, rounded already."""
    blobs = [
        {"type": kind, "details": {"mime_type": mime_type, "size_bytes": size}}
        for (kind, mime_type), size in zip(kinds, sizes, strict=True)
    ]
    return _profile(json.dumps({"status": status, "blobs": blobs}))


def rounded(size: int) -> int:
    """The smallest power of two that is not less than `size`; what is not positive stays."""
    return 1 << (size - 1).bit_length() if size > 0 else size


def is_exact(limits: Iterable[float]) -> bool:
    """True if rounded sizes are on the same side of each limit as the real ones. A size on a limit is below it."""
    return all(isinstance(limit, int) and rounded(limit) == limit for limit in limits)


def _profile(text: str) -> Profile:
    return Profile(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big"), text)


def _reduced(blob: Any) -> Any:
    if not isinstance(blob, dict):
        return None
    details = blob.get("details")
    if not isinstance(details, dict):
        return {"type": blob.get("type")}
    size = details.get("size_bytes")
    if isinstance(size, int) and not isinstance(size, bool):
        size = rounded(size)
    return {"type": blob.get("type"), "details": {"mime_type": details.get("mime_type"), "size_bytes": size}}
