"""What a fuzzer feeds with bytes. Each target lets a `MixpeekError` pass, and nothing else; and holds what came to
what was promised.
"""

import json
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote_to_bytes

from mixpeek_async import MixpeekError, Object, RetryPolicy
from mixpeek_async._model import structurer
from mixpeek_async._options import PageRequest, PageStart
from mixpeek_async._paging import Bookmark, Scope
from mixpeek_async._retry import Attempts
from mixpeek_async._wire import Response, list_objects, parse_page, status_error

__all__ = ["SEEDS", "TARGETS"]

_structure = structurer(Object)
_SCOPE = Scope("/v1/buckets/bkt/objects/list", "ns")


def body_to_page(data: bytes) -> None:
    """The body of a 200, down to the last object, and everything that can be asked of one."""
    with suppress(MixpeekError):
        page = parse_page(Response(status=200, body=data))
        for index, row in enumerate(page.rows):
            with suppress(MixpeekError):
                obj = _structure(row, index)
                assert isinstance(obj.object_id, str)
                repr(obj)
                json.dumps(obj.to_dict())
                pickle.loads(pickle.dumps(obj))


def retry_after(data: bytes) -> None:
    """The header, the date that it is judged by, and the wait that comes of it."""
    header, _, date = data.decode("latin-1").partition("\n")
    failure = status_error(Response(status=429, headers={"retry-after": header, "date": date}, received_at=1.8e9))
    assert failure.retry_after is None or failure.retry_after > 0
    attempts = Attempts()
    attempts.count(failure)
    wait = RetryPolicy().wait(failure, attempts, 180.0, lambda: 0.5)
    assert wait is None or 0.05 <= wait < 180


def path_segment(data: bytes) -> None:
    """An id, half surrogate pairs among it."""
    bucket = data.decode("utf-16-le", "surrogatepass") if len(data) % 2 == 0 else data.decode("latin-1")
    with suppress(MixpeekError):
        target = list_objects(bucket).page(PageRequest(PageStart(), 1)).target
        start, version, buckets, segment, *rest = target.split("/")
        assert [start, version, buckets, *rest] == ["", "v1", "buckets", "objects", "list?limit=1"]
        assert unquote_to_bytes(segment) == bucket.encode()
        assert segment.isascii()
        assert segment not in {"", ".", ".."}


def checkpoint(data: bytes) -> None:
    """A string that claims to be a checkpoint: what is taken is one, to the letter."""
    text = data.decode("utf-8", "replace")
    with suppress(MixpeekError):
        assert Bookmark.decode(text, _SCOPE).encode(_SCOPE) == text


def error_body(data: bytes) -> None:
    """The status in two bytes, then the body of a refusal."""
    error = status_error(Response(status=300 + int.from_bytes(data[:2]) % 700, body=data[2:]))
    assert str(error).isprintable()
    assert len(str(error)) <= 2_010
    # By their repr: a NaN equals nothing, itself neither.
    assert repr(vars(pickle.loads(pickle.dumps(error)))) == repr(vars(error))


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (body_to_page, retry_after, path_segment, checkpoint, error_body)
}

_EXAMPLE = Path(__file__).parent.parent / "wire" / "list_objects_example.json"
_CHECKPOINT = Bookmark(start=PageStart(7), anchors=(b"0123456789abcdef",)).encode(_SCOPE)
SEEDS: dict[str, list[bytes]] = {
    "body_to_page": [
        _EXAMPLE.read_bytes(),
        b'{"results": [{"object_id": "o", "bucket_id": "b", "blobs": [{"property": "p", "type": "video"}]}]}',
        b'{"results": [], "pagination": {"next_cursor": "c", "total": 1}, "stats": {}, "warnings": [{"id": "x"}]}',
        b'{"results": [{"object_id": "\\ud800", "created_at": "2025-01-01T00:00:00Z", "x": NaN}]}',
        b"[" * 100,
    ],
    "retry_after": [b"7", b"1e400", b"-1", b"Fri, 07 Mar 2025 12:01:30 GMT\nFri, 07 Mar 2025 12:00:00 GMT"],
    "path_segment": [b"bkt", b"a/b", b"%2e", "../x".encode("utf-16-le"), b"\x00\xd8", b"\x2e\x20"],
    "checkpoint": [_CHECKPOINT.encode(), b"mpc1.AAAA", b"mpc2.AAAA", b"mpc1."],
    "error_body": [
        b"\x00\x68" + b'{"error": {"message": "no", "type": "T", "code": "C", "details": {"retry_after": 7}}}',
        b"\x00\x7a" + b'{"detail": [{"loc": ["query"], "msg": "no"}]}',
        b"\x01\x00<html>\x1b[31m",
    ],
}
