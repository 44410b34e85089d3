"""Bytes to page. The rows stay JSON: each becomes an object when the walk reaches it."""

import json
from typing import TypeVar

import msgspec

from mixpeek_async._paging.page import ReceivedPage
from mixpeek_async._wire.answer import not_json, refuse_unresolved
from mixpeek_async._wire.message import Response
from mixpeek_async._wire.records import UNREADABLE, converter, explain
from mixpeek_async.errors import MalformedResponseError
from mixpeek_async.models import ApiWarning, ListStats, Pagination

R = TypeVar("R", ApiWarning, ListStats, Pagination)


_NULL = msgspec.Raw(b"null")
_EMPTY = msgspec.Raw(b"{}")


class _Envelope(msgspec.Struct):
    """The shape that all list answers share. Only `results` has to be there."""

    results: list[msgspec.Raw]
    pagination: msgspec.Raw = _NULL
    stats: msgspec.Raw = _NULL
    warnings: list[msgspec.Raw] | None = None


_envelope = msgspec.json.Decoder(_Envelope)


def parse_page(response: Response) -> ReceivedPage:
    """The page that a 2xx answer holds.

    MalformedResponseError when it holds none: retryable where the body is no JSON (a proxy's page, a cut body),
    not where it is JSON of another shape. NamespaceUnresolvedError when it says that it speaks of no namespace.
    """
    envelope = _open(response.body)
    page = ReceivedPage(
        rows=envelope.results,
        pagination=_structure(
            _EMPTY if envelope.pagination == _NULL else envelope.pagination, Pagination, "$.pagination"
        ),
        stats=None if envelope.stats == _NULL else _structure(envelope.stats, ListStats, "$.stats"),
        warnings=[
            _structure(raw, ApiWarning, f"$.warnings[{index}]") for index, raw in enumerate(envelope.warnings or [])
        ],
    )
    refuse_unresolved(response, page.warnings)
    return page


def _open(body: bytes | bytearray) -> _Envelope:
    try:
        # The scan for rows skips over strings: only this sees a byte that is no UTF-8.
        body.decode("utf-8")
        return _envelope.decode(body)
    except msgspec.ValidationError as error:
        problem, path = explain(error, "$")
        failure = MalformedResponseError(f"the answer is not a list of results: {path}: {problem}", path=path)
    except UNREADABLE as error:
        read = _read_laxly(body)
        if isinstance(read, _Envelope):
            return read
        failure = not_json(body, str(error), arrived_whole=read)
    raise failure


def _read_laxly(body: bytes | bytearray) -> _Envelope | bool:
    """The envelope around records of which one is no JSON to msgspec and all are to a laxer parser.

    Such a record (it holds NaN, or half a surrogate pair) fails when it is reached, and costs nobody else. Where
    there is no such envelope: whether the body arrived whole all the same, and so would be no better next time.
    """
    try:
        parts = json.loads(body)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return False
    except (ValueError, RecursionError):  # too many digits, too deep
        return True
    if not isinstance(parts, dict) or not isinstance(parts.get("results"), list):
        return True
    if not isinstance(parts.get("warnings"), list | None):
        return True
    raw = {key: msgspec.Raw(json.dumps(value).encode()) for key, value in parts.items() if key != "results"}
    return _Envelope(
        results=[msgspec.Raw(json.dumps(row).encode()) for row in parts["results"]],
        pagination=raw.get("pagination", _NULL),
        stats=raw.get("stats", _NULL),
        warnings=[msgspec.Raw(json.dumps(item).encode()) for item in parts.get("warnings") or []],
    )


def _structure(raw: msgspec.Raw, cls: type[R], root: str) -> R:
    try:
        return converter().structure(raw, cls)
    except UNREADABLE as error:
        problem, path = explain(error, root)
    raise MalformedResponseError(f"{path}: {problem}", path=path)
